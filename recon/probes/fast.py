"""Exact shortcuts for experiments that try many masks on one slice.

Masks keep or drop whole columns of k-space, so the transform along a column is the same for all
of them and is done once; and every picture is compared with the same reference, whose local
means and variances are found once too.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter

from recon.fourier import center_crop, combined
from recon.kspace import InputError
from recon.measurement import CROP

WINDOW = 7  # pixels; with K1 and K2 the defaults of scikit-image and of fastMRI's evaluation
K1, K2 = 0.01, 0.03


def readout(kspace: np.ndarray) -> np.ndarray:
    """K-space transformed along its columns alone, cropped to the rows that a picture shows.

    Parameters
    ----------
    kspace
        Complex, shape (H, W) or (C, H, W).

    Returns
    -------
    complex64, shape (h, W) or (C, h, W): rows are those of the image, columns of k-space.
    """
    rows = _inverse(np.asarray(kspace, np.complex64), -2)
    return np.ascontiguousarray(center_crop(rows, (CROP[0], rows.shape[-1])))


def zero_filled(lines: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """What `recon.measurement.measure` shows for a mask, to the rounding of 32-bit numbers.

    Parameters
    ----------
    lines
        Result of `readout`.
    mask
        Boolean, shape (W,).

    Returns
    -------
    float32, shape (h, w).
    """
    return combined(center_crop(_inverse(lines * mask, -1), CROP))


def _inverse(array: np.ndarray, axis: int) -> np.ndarray:
    """Centred orthonormal inverse transform along one axis."""
    shifted = np.fft.ifftshift(array, axes=axis)
    return np.fft.fftshift(np.fft.ifft(shifted, axis=axis, norm="ortho"), axes=axis)


class Similarity:
    """`recon.metrics.ssim` with one reference, at less than half of the cost per image.

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
        if min(reference.shape) < WINDOW:
            raise InputError(f"SSIM needs an image of at least {WINDOW} x {WINDOW} pixels.")
        limit = float(reference.max()) if data_range is None else data_range
        self._c1, self._c2 = (K1 * limit) ** 2, (K2 * limit) ** 2
        self._reference = reference
        self._mean = _local_mean(reference)
        self._variance = _local_mean(reference * reference) - self._mean**2

    def __call__(self, image: np.ndarray) -> float:
        """Mean SSIM of an image, shape (H, W), of the reference's type."""
        mean, square, product = map(_local_mean, (image, image * image, image * self._reference))
        both = mean * self._mean
        sample = WINDOW**2 / (WINDOW**2 - 1)  # sample covariance, as scikit-image has it
        covariance = sample * (product - both)
        variances = sample * (square - mean * mean + self._variance)
        similarity = (2 * both + self._c1) * (2 * covariance + self._c2)
        similarity /= (mean * mean + self._mean**2 + self._c1) * (variances + self._c2)
        return float(similarity.mean(dtype=np.float64))


def _local_mean(image: np.ndarray) -> np.ndarray:
    """Mean over every whole window: shape (H - 6, W - 6)."""
    edge = WINDOW // 2
    return uniform_filter(image, WINDOW)[edge:-edge, edge:-edge]
