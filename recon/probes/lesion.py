"""Small structures, and how to put one into an object before it is sampled.

A structure is added to the complex image of every coil and sampled with it, so each method meets
it as it would meet a real one. `recon.probes.survival` looks for it afterwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from recon.errors import InputError
from recon.fourier import center_crop, combined, fft2c, ifft2c
from recon.phase import direction
from recon.scan import Scan

BARS = 4  # of a line-pair pattern, with a gap of one bar between them


@dataclass(frozen=True)
class Lesion:
    """A structure to look for.

    Attributes
    ----------
    row, column
        Centre, in pixels of the picture (`recon.scan.Scan.reference`), not of the whole field
        of view.
    size
        Pixels, above 0: full width at half maximum of a spot, diameter of a disc; width of one
        bar of the lines, at least 1.
    contrast
        Bright above 0, dark below, at least -1, in units of `relative_to`.
    kind
        ``"spot"`` is Gaussian, ``"disc"`` has a sharp edge, ``"lines"`` are four upright bars,
        side by side along the phase-encode axis, the direction that undersampling blurs.
    relative_to
        ``"local"``: what is there is multiplied by 1 + contrast. ``"maximum"``: that share of
        the picture's maximum is added, or taken away as far as there is something.
    """

    row: float
    column: float
    size: float = 4.0
    contrast: float = 0.5
    kind: Literal["spot", "disc", "lines"] = "spot"
    relative_to: Literal["local", "maximum"] = "local"

    @property
    def radius(self) -> float:
        """Distance from the centre, in pixels, beyond which next to nothing is left of it."""
        sizes = {"spot": 1.0, "disc": 0.5, "lines": (BARS - 0.5) * math.sqrt(2)}
        return sizes[self.kind] * self.size


def profile(lesion: Lesion, shape: tuple[int, int]) -> np.ndarray:
    """The shape of a lesion, without its contrast.

    Parameters
    ----------
    lesion
        What, and where.
    shape
        Of the picture, (h, w).

    Returns
    -------
    0 outside to 1 inside, pixels on an edge by the share that is covered; shape (h, w).

    Raises
    ------
    InputError
        If the lesion lies outside the picture, or is not possible.
    """
    if not (0 <= lesion.row <= shape[0] - 1 and 0 <= lesion.column <= shape[1] - 1):
        raise InputError(f"A lesion lies inside the picture of {shape[0]} x {shape[1]} pixels.")
    if not lesion.size > 0 or (lesion.kind == "lines" and lesion.size < 1):
        raise InputError("A spot or disc has a size above 0, and lines are a pixel wide or more.")
    if not lesion.contrast >= -1:
        raise InputError("Contrast is at least -1, which leaves nothing.")
    y, x = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    if lesion.kind == "lines":
        length = (2 * BARS - 1) * lesion.size
        top, left = _edge(lesion.row, length), _edge(lesion.column, length)
        bars = (_covered(x, left + 2 * bar * lesion.size, lesion.size) for bar in range(BARS))
        covered: np.ndarray = sum(bars, np.zeros(1)) * _covered(y, top, length)
        return covered
    distance = np.hypot(y - lesion.row, x - lesion.column)
    if lesion.kind == "disc":
        covered = np.clip(lesion.size / 2 - distance + 0.5, 0, 1)
    else:
        covered = 2.0 ** -((2 * distance / lesion.size) ** 2)
    return covered


def _edge(centre: float, length: float) -> float:
    """Where a stretch begins: between two pixels, so that whole pixels are covered."""
    return round(centre - length / 2 + 0.5) - 0.5


def _covered(pixels: np.ndarray, start: float, length: float) -> np.ndarray:
    """Share of each pixel inside a stretch."""
    end = np.minimum(start + length, pixels + 0.5)
    share: np.ndarray = np.clip(end - np.maximum(start, pixels - 0.5), 0, 1)
    return share


def insert(scan: Scan, lesion: Lesion) -> tuple[Scan, np.ndarray]:
    """A scan of the same object with a lesion in it.

    At every pixel the lesion takes over the phase and the ratio of the coils that the image has
    there, so the fully sampled picture changes by exactly the second result.

    Parameters
    ----------
    scan
        Fully sampled.
    lesion
        What, and where, in the scan's own orientation.

    Returns
    -------
    scan
        The same scan, bit by bit, if the lesion changes nothing.
    truth
        What the lesion adds to the picture, float32, shape (h, w).

    Raises
    ------
    InputError
        As `profile`, or if the scan was undersampled already.
    """
    images = ifft2c(scan.fully_sampled)
    seen = center_crop(images, scan.crop)
    intensity = combined(seen)
    amount = lesion.contrast * profile(lesion, intensity.shape[-2:])
    amount *= intensity if lesion.relative_to == "local" else intensity.max()
    truth = np.maximum(amount, -intensity).astype(np.float32)
    if not truth.any():  # adding zeros would still turn -0.0 into 0.0
        return scan, truth
    added = np.zeros_like(images)
    center_crop(added, scan.crop)[...] = truth * direction(seen)
    return scan.with_kspace(scan.kspace + fft2c(added)), truth
