"""The phase of coil images, and how to lend it to pictures that have none."""

from __future__ import annotations

import numpy as np

from recon.fourier import center_crop, combined, ifft2c


def with_phase(magnitude: np.ndarray, kspace: np.ndarray) -> np.ndarray:
    """Complex coil images whose combination is a given magnitude image.

    Phase, and the ratio of the coils, are those of the zero-filled image, which is also kept
    outside the crop that a magnitude image shows. The reconstruction a method had in mind is not
    known better than that: the split of such images is one reading of them, and it favours them,
    as the phase is the measured one.

    Parameters
    ----------
    magnitude
        Not negative, shape (h, w), as `recon.measurement.picture` crops.
    kspace
        Undersampled, complex, shape (H, W) or (C, H, W).

    Returns
    -------
    complex64, shape of the k-space.
    """
    images = ifft2c(np.asarray(kspace, np.complex64))
    inside = center_crop(images, magnitude.shape)  # a view
    inside[...] = magnitude * direction(inside)
    return images


def direction(images: np.ndarray) -> np.ndarray:
    """Coil images divided by their root-sum-of-squares: phase and coil ratio of every pixel.

    Parameters
    ----------
    images
        Complex, shape (H, W) or (C, H, W).

    Returns
    -------
    Of the same shape. Where all coils are zero, phase zero and coils alike.
    """
    size = combined(images)
    coils = images.shape[0] if images.ndim == 3 else 1
    return np.where(size > 0, images / np.where(size > 0, size, 1), 1 / np.sqrt(coils)).astype(
        images.dtype
    )
