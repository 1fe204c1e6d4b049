"""How far a reconstruction is from the fully sampled reference, as fastMRI measures it.

The definitions are those of fastMRI's ``evaluate.py`` (arXiv 1811.08839); SSIM comes from
scikit-image with its defaults: uniform 7x7 window, K1 = 0.01, K2 = 0.03, sample covariance.
SSIM and PSNR depend on `data_range`, so whoever shows a score also says which one was used.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter
from skimage.filters import threshold_otsu
from skimage.metrics import structural_similarity

from recon.errors import InputError

WINDOW = 7  # pixels; with K1 and K2 the defaults of scikit-image and of fastMRI's evaluation
K1, K2 = 0.01, 0.03


def ssim(reference: np.ndarray, image: np.ndarray, data_range: float | None = None) -> float:
    """Structural similarity (Wang et al. 2004, doi 10.1109/TIP.2003.819861).

    Parameters
    ----------
    reference, image
        Real, shape (H, W), or (S, H, W) for a volume, whose slices are averaged. Both sides
        at least 7 pixels.
    data_range
        The dynamic range L; the maximum of `reference` where None.

    Returns
    -------
    At most 1, which only identical images reach.

    Raises
    ------
    InputError
        If the images are too small, or have different shapes.
    """
    _check_size(reference)
    _check_shapes(reference, image)
    height, width = reference.shape[-2:]
    pairs = zip(reference.reshape(-1, height, width), image.reshape(-1, height, width), strict=True)
    limit = float(reference.max()) if data_range is None else data_range
    unit, factor = _unit(limit, reference.dtype)
    each = [
        structural_similarity(r * factor, x * factor, data_range=limit / unit) for r, x in pairs
    ]
    return float(np.mean(each))


def psnr(reference: np.ndarray, image: np.ndarray, data_range: float | None = None) -> float:
    """Peak signal-to-noise ratio in dB, ``10 log10(data_range^2 / MSE)``.

    Arguments as in `ssim`, any shape. Infinite for identical images.

    Raises
    ------
    InputError
        If the images have different shapes.
    """
    _check_shapes(reference, image)
    limit = float(reference.max()) if data_range is None else data_range
    return psnr_of(float(np.mean((np.asarray(reference, np.float64) - image) ** 2)), limit)


def psnr_of(mean_squared_error: float, data_range: float) -> float:
    """`psnr` in dB from its two ingredients; without an error inf, else without a range -inf."""
    if not mean_squared_error:
        return math.inf
    ratio = data_range**2 / mean_squared_error
    return 10 * math.log10(ratio) if ratio else -math.inf


def nmse(reference: np.ndarray, image: np.ndarray) -> float:
    """Normalised mean squared error, ``|image - reference|^2 / |reference|^2``; 0 is perfect.

    Raises
    ------
    InputError
        If the images have different shapes.
    """
    _check_shapes(reference, image)
    exact = np.asarray(reference, np.float64)
    return float(np.sum((exact - image) ** 2) / np.sum(exact**2))


def scores(
    reference: np.ndarray, image: np.ndarray, data_range: float | None = None
) -> dict[str, float]:
    """`ssim`, `psnr` and `nmse` of one image or volume, by name.

    >>> image = np.tri(16)
    >>> scores(image, image)
    {'ssim': 1.0, 'psnr': inf, 'nmse': 0.0}
    """
    return {
        "ssim": ssim(reference, image, data_range),
        "psnr": psnr(reference, image, data_range),
        "nmse": nmse(reference, image),
    }


def closed_share(ssim_after: float, ssim_before: float) -> float:
    """Share of the distance to a perfect SSIM that was closed: 1 is perfect, below 0 is worse.

    ``(after - before) / (1 - before)``; 0 where there was nothing to close.

    >>> closed_share(0.9, 0.5)
    0.8
    """
    return (ssim_after - ssim_before) / (1 - ssim_before) if ssim_before < 1 else 0.0


def foreground(reference: np.ndarray) -> np.ndarray:
    """Pixels of the object, brighter than Otsu's threshold (1979, 10.1109/TSMC.1979.4310076).

    Parameters
    ----------
    reference
        Real, shape (H, W).

    Returns
    -------
    Boolean, shape (H, W); all True for an image of one value.
    """
    bright: np.ndarray = reference >= threshold_otsu(reference)
    return bright


class Similarity:
    """`ssim` with one reference, at less than half of the cost per image.

    Parameters
    ----------
    reference
        Real, shape (H, W), both sides at least 7 pixels.
    data_range
        The dynamic range L; the maximum of `reference` where None.

    Raises
    ------
    InputError
        If the reference is too small.
    """

    def __init__(self, reference: np.ndarray, data_range: float | None = None) -> None:
        _check_size(reference)
        limit = float(reference.max()) if data_range is None else data_range
        unit, self._factor = _unit(limit, reference.dtype)
        self._c1, self._c2 = (K1 * limit / unit) ** 2, (K2 * limit / unit) ** 2
        self._reference = reference * self._factor
        self._mean = _local_mean(self._reference)
        self._variance = _local_mean(self._reference**2) - self._mean**2

    def __call__(self, image: np.ndarray) -> float:
        """Mean SSIM of an image, shape (H, W), of the reference's type."""
        image = image * self._factor
        mean, square, product = map(_local_mean, (image, image * image, image * self._reference))
        both = mean * self._mean
        sample = WINDOW**2 / (WINDOW**2 - 1)  # sample covariance, as scikit-image has it
        covariance = sample * (product - both)
        variances = sample * (square - mean * mean + self._variance)
        similarity = (2 * both + self._c1) * (2 * covariance + self._c2)
        similarity /= (mean * mean + self._mean**2 + self._c1) * (variances + self._c2)
        return float(similarity.mean(dtype=np.float64))


def _check_size(reference: np.ndarray) -> None:
    if min(reference.shape[-2:]) < WINDOW:
        raise InputError(f"SSIM needs an image of at least {WINDOW} x {WINDOW} pixels.")


def _check_shapes(reference: np.ndarray, image: np.ndarray) -> None:
    if reference.shape != image.shape:
        raise InputError(f"The images have different shapes: {reference.shape} and {image.shape}.")


def _unit(limit: float, dtype: np.dtype[Any]) -> tuple[float, np.floating[Any]]:
    """A power of two near the data range, and what brings values of a type to its scale.

    Products of four values leave float32's range early; a power of two changes nothing else.
    """
    unit = 2.0 ** round(math.log2(limit)) if 0 < limit < math.inf else 1.0
    return unit, np.result_type(dtype, np.float32).type(1 / unit)


def _local_mean(image: np.ndarray) -> np.ndarray:
    """Mean over every whole window: shape (H - 6, W - 6)."""
    edge = WINDOW // 2
    mean: np.ndarray = uniform_filter(image, WINDOW)[edge:-edge, edge:-edge]
    return mean
