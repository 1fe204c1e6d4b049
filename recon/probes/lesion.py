"""Does a small structure survive? Put one into the object before it is sampled, and look for it.

The structure is added to the complex image of every coil and sampled with it, so each method
meets it as it would meet a real one. Small structures can vanish, or be invented, while SSIM
hardly moves: Antun et al. 2020, doi 10.1073/pnas.1907377117.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from recon.fourier import center_crop, combined, fft2c, ifft2c
from recon.kspace import InputError
from recon.measurement import CROP, measure
from recon.probes import Method
from recon.probes.nullspace import direction

BARS = 4  # of a line-pair pattern, with a gap of one bar between them


@dataclass(frozen=True)
class Lesion:
    """A structure to look for.

    Attributes
    ----------
    row, column
        Centre, in pixels of the picture (`recon.measurement.picture`), not of the whole field
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
        return {"spot": 1.0, "disc": 0.5, "lines": (BARS - 0.5) * np.sqrt(2)}[self.kind] * self.size


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
        return sum(bars, np.zeros(1)) * _covered(y, top, length)
    distance = np.hypot(y - lesion.row, x - lesion.column)
    if lesion.kind == "disc":
        return np.clip(lesion.size / 2 - distance + 0.5, 0, 1)
    return 2.0 ** -((2 * distance / lesion.size) ** 2)


def _edge(centre: float, length: float) -> float:
    """Where a stretch begins: between two pixels, so that whole pixels are covered."""
    return round(centre - length / 2 + 0.5) - 0.5


def _covered(pixels: np.ndarray, start: float, length: float) -> np.ndarray:
    """Share of each pixel inside a stretch."""
    return np.clip(np.minimum(start + length, pixels + 0.5) - np.maximum(start, pixels - 0.5), 0, 1)


def insert(kspace: np.ndarray, lesion: Lesion) -> tuple[np.ndarray, np.ndarray]:
    """Fully sampled k-space of the same object with a lesion in it.

    At every pixel the lesion takes over the phase and the ratio of the coils that the image has
    there, so the fully sampled picture changes by exactly the second result.

    Parameters
    ----------
    kspace
        Fully sampled, complex, shape (H, W) or (C, H, W).
    lesion
        What, and where.

    Returns
    -------
    kspace
        complex64, of the same shape; untouched, bit by bit, if the lesion changes nothing.
    truth
        What the lesion adds to the picture, float32, shape (h, w).

    Raises
    ------
    InputError
        As `profile`.
    """
    kspace = np.asarray(kspace, np.complex64)
    images = ifft2c(kspace)
    seen = center_crop(images, CROP)
    intensity = combined(seen)
    amount = lesion.contrast * profile(lesion, intensity.shape[-2:])
    amount *= intensity if lesion.relative_to == "local" else intensity.max()
    truth = np.maximum(amount, -intensity).astype(np.float32)
    if not truth.any():  # adding zeros would still turn -0.0 into 0.0
        return kspace, truth
    added = np.zeros_like(images)
    center_crop(added, CROP)[...] = truth * direction(seen)
    return kspace + fft2c(added), truth


@dataclass(frozen=True)
class Finding:
    """What a method made of a lesion.

    Attributes
    ----------
    lesion, method
        What was looked for, and in whose reconstruction.
    retained
        Share of the contrast that is left: 1 is all, 0 none, below 0 inverted; NaN for a lesion
        that changes nothing. See `retained`.
    visibility
        Contrast-to-noise ratio: the contrast that is left, divided by the standard deviation of
        the reconstruction in a ring around the lesion; NaN where that is not defined. Anatomy
        in the ring counts as noise, as it does for the eye.
    image
        Reconstruction with the lesion, float32, shape (h, w).
    """

    lesion: Lesion
    method: str
    retained: float
    visibility: float
    image: np.ndarray


def sweep(
    kspace: np.ndarray,
    mask: np.ndarray,
    acceleration: float,
    lesions: Iterable[Lesion],
    methods: Mapping[str, Method],
) -> Iterator[Finding]:
    """Look for one lesion after the other, for instance of growing size or contrast.

    Parameters
    ----------
    kspace
        Fully sampled, without lesion: complex, shape (H, W) or (C, H, W).
    mask, acceleration
        See `recon.measurement.Measurement`.
    lesions
        What to look for; `dataclasses.replace` makes a series from one.
    methods
        Name to method.

    Yields
    ------
    A finding for each lesion and method, methods running faster.

    Raises
    ------
    InputError
        As `profile`.
    """
    healthy = measure(np.asarray(kspace), mask, acceleration)
    without = {name: method(healthy) for name, method in methods.items()}
    for lesion in lesions:
        full, truth = insert(kspace, lesion)
        ill = measure(full, mask, acceleration)
        for name, method in methods.items():
            image = method(ill)
            share = retained(image - without[name], truth, lesion)
            visibility = _visibility(image, share, truth, lesion)
            yield Finding(lesion, name, share, visibility, image)


def retained(difference: np.ndarray, truth: np.ndarray, lesion: Lesion) -> float:
    r"""Share of a lesion's contrast in the difference that it makes to a reconstruction.

    The difference d is projected on the true lesion t, :math:`\langle d, t \rangle / \langle t,
    t \rangle`. Of lines, only the modulation is asked for: the mean over the pattern is taken off
    t first on the left, so that bars blurred into one block retain nothing.

    Parameters
    ----------
    difference
        Reconstruction with the lesion minus the one without, shape (h, w).
    truth
        Second result of `insert`.
    lesion
        The lesion.

    Returns
    -------
    1 if all is left; NaN if there is nothing to project on.
    """
    template = truth.astype(np.float64)
    if lesion.kind == "lines":
        rows, columns = (np.flatnonzero(truth.any(axis)) for axis in (1, 0))
        if rows.size:
            pattern = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            template[pattern] -= template[pattern].mean()
    size = float((template * truth).sum())
    if size <= 1e-9 * float((truth**2).sum()):  # no lesion, or a single bar at an edge
        return np.nan
    return float((template * difference).sum()) / size


def _visibility(image: np.ndarray, share: float, truth: np.ndarray, lesion: Lesion) -> float:
    """Contrast-to-noise ratio in a reconstruction; see `Finding`."""
    y, x = np.ogrid[: truth.shape[0], : truth.shape[1]]
    distance = np.hypot(y - lesion.row, x - lesion.column)
    inner = lesion.radius + 2
    ring = image[(distance >= inner) & (distance <= inner + max(4, lesion.radius))]
    if np.isnan(share) or not (ring != ring[:1]).any():
        return np.nan
    # A disc has this amplitude everywhere, a spot on average, its bright pixels counting more.
    amplitude = float((truth.astype(np.float64) ** 2).sum() / np.abs(truth).sum())
    return float(share * amplitude / ring.std())
