"""The phantom as many coils see it, exactly: truth for maps, g-factors and noise.

The fields of loops are smooth, so a few slow waves make them up (the sinusoidal model of
Guerquin-Kern et al. 2012, doi 10.1109/TMI.2011.2174158). A wave moves k-space, so the k-space of
object times field is a sum of moved copies of the object's own, whose formula is known: no FFT of
a picture is taken, and none of the crimes that this would be is committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from recon import phantom
from recon.coils.simulate import Loops, fields
from recon.phantom import DETAILS, HEAD, Ellipse

ORDERS = 4  # waves of up to so many half periods across the field of view, both ways
DAMPING = 1e-5  # of the fit, as a share of its largest singular value
COILS, SHAPE = 8, (256, 256)
NOISE = 0.003  # standard deviation of real and imaginary part of a sample


def _extents(shape: tuple[int, int]) -> tuple[float, float]:
    """Half of the field of view, down and across, in the phantom's units."""
    return shape[0] / min(shape), shape[1] / min(shape)


def _waves(position: np.ndarray, extent: float) -> np.ndarray:
    """Waves along an axis at some places: shape (places, 2 n + 1)."""
    orders = np.arange(-ORDERS, ORDERS + 1)
    return np.exp(0.5j * np.pi / extent * position[:, None] * orders)


@lru_cache(maxsize=8)
def _fit(extents: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of the circle that holds the object, waves there, and the matrix that fits them."""
    line = np.linspace(-1, 1, 41)
    y, x = (part.ravel() for part in np.meshgrid(line, line, indexing="ij"))
    inside = np.hypot(x, y) <= 1
    y, x = y[inside], x[inside]
    waves = _waves(y, extents[0])[:, :, None] * _waves(x, extents[1])[:, None, :]
    waves = waves.reshape(len(y), -1)
    u, s, vh = np.linalg.svd(waves, full_matrices=False)
    fit = (vh.conj().T * (s / (s**2 + (DAMPING * s[0]) ** 2))) @ u.conj().T
    return np.stack([x, y, 0 * x], -1), waves, fit


def coefficients(loops: Loops, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """The waves that make up the fields of loops around the phantom.

    Parameters
    ----------
    loops
        In the phantom's units.
    shape
        Height and width of the k-space.

    Returns
    -------
    complex128, shape (C, 2 n + 1, 2 n + 1), for waves of -n to n half periods in the field of
    view, upwards and to the right; scaled so that the root-sum-of-squares of the fields is 1 on
    average over the object.
    """
    points, waves, fit = _fit(_extents(shape))
    weights = fit @ fields(loops, points).T
    size = np.sqrt((np.abs(waves @ weights) ** 2).sum(1)).mean()
    count = 2 * ORDERS + 1
    coefficients: np.ndarray = (weights.T / size).reshape(-1, count, count)
    return coefficients


def sensitivities(loops: Loops, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """The true maps, looked up at the centre of every pixel: complex64, shape (C, H, W).

    They mean something inside the circle that holds the object; beyond it the waves go on.
    """
    pixel = 2 / min(shape)
    y, x = ((np.arange(length) - length // 2) * pixel for length in shape)
    up, across = (_waves(p, e) for p, e in zip((-y, x), _extents(shape), strict=True))
    weights = coefficients(loops, shape)
    maps: np.ndarray = np.einsum("cmn,hm,wn->chw", weights, up, across, optimize=True)
    return maps.astype(np.complex64)


def kspace(
    loops: Loops,
    shape: tuple[int, int] = SHAPE,
    *,
    noise: float = NOISE,
    seed: int | np.random.Generator = 0,
    ellipses: Sequence[Ellipse] = HEAD + DETAILS,
) -> np.ndarray:
    """Exact, fully sampled k-space of every coil, plus white noise.

    Parameters
    ----------
    loops
        The coils.
    shape
        Height and width.
    noise
        Standard deviation of the real and of the imaginary part of a sample.
    seed
        Of the noise.
    ellipses
        The object.

    Returns
    -------
    complex64, shape (C, H, W).
    """
    height, width = shape
    # A wave of half a period moves k-space by half a sample: y and ky point up.
    rows, columns = (np.arange(-ORDERS, 2 * length + ORDERS) / 2 for length in shape)
    fine = phantom.spectrum(rows, columns, shape, ellipses)
    weights = coefficients(loops, shape)
    samples = np.zeros((len(weights), *shape), np.complex128)
    for m in range(2 * ORDERS + 1):
        for n in range(2 * ORDERS + 1):
            top, left = m, 2 * ORDERS - n
            moved = fine[top : top + 2 * height : 2, left : left + 2 * width : 2]
            samples += weights[:, m, n, None, None] * moved
    if noise:
        rng = np.random.default_rng(seed)
        white = rng.standard_normal((2, *samples.shape))
        samples += noise * (white[0] + 1j * white[1])
    return samples.astype(np.complex64)
