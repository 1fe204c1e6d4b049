"""The centred, orthonormal Fourier transform of MRI, and what is done around it.

K-space and image are a Fourier pair. Both keep their origin in the middle of the array, at
index ``n // 2``, and the transform is orthonormal, so energy is the same on both sides
(Parseval). Functions take NumPy arrays or torch tensors alike and give back the same kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from recon import limits

if TYPE_CHECKING:
    import torch

Array = TypeVar("Array", np.ndarray, "torch.Tensor")


def fft2c(image: Array) -> Array:
    """K-space of an image: centred orthonormal FFT over the last two axes.

    Parameters
    ----------
    image
        Complex or real, shape (..., H, W).

    Returns
    -------
    Complex, shape (..., H, W); 32-bit input gives 32-bit output.

    Examples
    --------
    >>> point = np.zeros((5, 4), np.complex64)
    >>> point[5 // 2, 4 // 2] = 1
    >>> np.allclose(fft2c(point), 1 / np.sqrt(5 * 4)), fft2c(point).dtype
    (True, dtype('complex64'))
    """
    return _centred("fft2", image, (-2, -1))


def ifft2c(kspace: Array) -> Array:
    """Image of a k-space: the inverse, and the adjoint, of `fft2c`.

    Parameters
    ----------
    kspace
        Complex, shape (..., H, W), zero frequency at (H // 2, W // 2).

    Returns
    -------
    Complex, shape (..., H, W).
    """
    return _centred("ifft2", kspace, (-2, -1))


def fft1c(array: Array, axis: int) -> Array:
    """The same transform along one axis alone, from image to k-space.

    Parameters
    ----------
    array
        Complex or real, of any shape.
    axis
        Such as -2, the readout.
    """
    return _centred("fftn", array, (axis,))


def ifft1c(array: Array, axis: int) -> Array:
    """The inverse of `fft1c`."""
    return _centred("ifftn", array, (axis,))


def _centred(transform: str, array: Array, axes: tuple[int, ...]) -> Array:
    limits.check()
    if isinstance(array, np.ndarray):
        shifted = np.fft.ifftshift(array, axes=axes)
        whole = getattr(np.fft, transform)(shifted, axes=axes, norm="ortho")
        return np.fft.fftshift(whole, axes=axes)
    import torch  # slow to load, and reading a file needs none

    moved = torch.fft.ifftshift(array, dim=axes)
    transformed: Array = getattr(torch.fft, transform)(moved, dim=axes, norm="ortho")
    centred: Array = torch.fft.fftshift(transformed, dim=axes)
    return centred


def center_crop(image: Array, size: tuple[int, int]) -> Array:
    """The middle of an image, at most `size` large; a smaller side is left as it is.

    Parameters
    ----------
    image
        Shape (..., H, W).
    size
        Largest height and width to keep.

    Returns
    -------
    View of shape (..., min(H, size[0]), min(W, size[1])), cut where fastMRI cuts.
    """
    height, width = image.shape[-2:]
    h, w = min(height, size[0]), min(width, size[1])
    top, left = (height - h) // 2, (width - w) // 2
    return image[..., top : top + h, left : left + w]


def rss(images: Array) -> Array:
    """Root-sum-of-squares over coils (Roemer et al. 1990, doi 10.1002/mrm.1910160203).

    Parameters
    ----------
    images
        Coil images, complex or real, shape (..., C, H, W).

    Returns
    -------
    Real, not negative, shape (..., H, W).
    """
    if isinstance(images, np.ndarray):
        root: np.ndarray = np.sqrt((np.abs(images) ** 2).sum(-3))
        return root
    return (images.abs() ** 2).sum(-3).sqrt()


def combined(data: Array) -> Array:
    """Magnitude of one slice, of either side of the transform; coils by `rss`.

    Parameters
    ----------
    data
        Complex, shape (H, W) or (C, H, W).

    Returns
    -------
    Real, not negative, shape (H, W).
    """
    return rss(data) if data.ndim == 3 else abs(data)


def magnitude(kspace: Array) -> Array:
    """The picture a k-space shows: |image|, coils combined by root-sum-of-squares.

    Parameters
    ----------
    kspace
        One slice, complex, shape (H, W) or (C, H, W).

    Returns
    -------
    Real, not negative, shape (H, W).
    """
    return combined(ifft2c(kspace))
