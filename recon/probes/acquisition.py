"""The scan as it happens: lines arrive one after the other, and the picture grows.

Every line of k-space adds one wave to the image, of the line's frequency along the phase-encode
axis. Adding the waves as they come costs one full transform for the whole film.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from recon.errors import InputError
from recon.fourier import center_crop, combined
from recon.probes.many_masks import readout
from recon.scan import Scan

Order = Literal["linear", "centric", "random"]
WINDOW_PERCENTILE = 99.9  # as in `recon.figures`


def line_order(mask: np.ndarray, order: Order = "linear", seed: int = 0) -> np.ndarray:
    """The measured lines, first to last.

    Parameters
    ----------
    mask
        Boolean, shape (W,).
    order
        ``"linear"`` from one edge of k-space to the other, ``"centric"`` from the middle
        outwards, both sides in turn, ``"random"`` as drawn with `seed`.
    seed
        For the random order.

    Returns
    -------
    Column indices, shape (lines,).

    Raises
    ------
    InputError
        If there is no such order.
    """
    lines = np.flatnonzero(mask)
    if order == "linear":
        return lines
    if order == "centric":
        return lines[np.argsort(np.abs(lines - mask.size // 2), kind="stable")]
    if order == "random":
        return np.random.default_rng(seed).permutation(lines)
    raise InputError(f"Lines come in linear, centric or random order; '{order}' is none of them.")


@dataclass(frozen=True)
class Replay:
    """A scan as a film of n frames.

    Attributes
    ----------
    order
        Column indices in the order they were measured: shape (lines,).
    counts
        Lines measured at each frame, increasing, the last frame with all: shape (n,).
    images
        Zero-filled images in one window for all frames, 0 black and 1 white: float32, shape
        (n, h, w).
    ssim
        Against the fully sampled image, before windowing: shape (n,).
    seconds
        Scan time so far, lines times repetition time: shape (n,).
    """

    order: np.ndarray
    counts: np.ndarray
    images: np.ndarray
    ssim: np.ndarray
    seconds: np.ndarray


def replay(
    scan: Scan,
    mask: np.ndarray | None = None,
    order: Order = "linear",
    *,
    seed: int = 0,
    frames: int = 60,
    repetition_time: float = 500.0,
) -> Replay:
    """Measure line by line, and look at evenly spaced moments.

    Parameters
    ----------
    scan
        Fully sampled.
    mask
        Lines to measure, boolean, shape (W,), at least one; all where None.
    order, seed
        See `line_order`.
    frames
        Moments, at least 1; no more than there are lines are made.
    repetition_time
        TR in milliseconds, above 0: the time one line takes.

    Raises
    ------
    InputError
        If an argument is out of range, or no line is measured.
    """
    width = scan.width
    mask = np.ones(width, bool) if mask is None else mask
    if frames < 1 or not repetition_time > 0 or not mask.any():
        raise InputError("A replay takes a frame, a repetition time above 0 and a measured line.")
    arriving = line_order(mask, order, seed)
    moments = np.linspace(0, arriving.size, min(frames, arriving.size) + 1)
    counts = np.ceil(moments[1:] - 1e-9).astype(int)  # a whole number may come out a hair high

    reference = scan.truth
    white = float(np.percentile(reference, WINDOW_PERCENTILE)) or 1.0
    # The virtual coils of all that is measured: the film ends where `Scan.measure` begins.
    measured = scan.with_kspace(scan.measure(mask).kspace)
    columns, waves = readout(measured), _waves(width, scan.crop[1])
    coils = np.zeros((*columns.shape[:-1], waves.shape[-1]), np.complex64)  # ([C,] h, w)
    images = np.empty((counts.size, *reference.shape), np.float32)
    ssim = np.empty(counts.size)
    for frame, (start, stop) in enumerate(zip([0, *counts], counts, strict=False)):
        new = arriving[start:stop]
        coils += columns[..., new] @ waves[new]
        image = combined(coils)
        ssim[frame] = scan.similarity(image)
        np.clip(image / white, 0, 1, out=images[frame])
    return Replay(arriving, counts, images, ssim, counts * repetition_time / 1000)


def _waves(width: int, shown: int) -> np.ndarray:
    """Row j is what line j adds to the image: complex64, shape (W, w)."""
    index = np.arange(width) - width // 2
    turns = np.outer(index, index) % width / width  # whole turns away, for the sake of rounding
    waves: np.ndarray = np.exp(2j * np.pi * turns) / np.sqrt(width)
    return center_crop(waves, (width, shown)).astype(np.complex64)
