"""What the scanner gives a reconstruction method: some lines of k-space, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recon import masks
from recon.fourier import Array, center_crop, combined, fft1c, ifft1c, magnitude

# Networks see k-space at a scale where the zero-filled image's maximum in the middle is 1; and
# pictures of the benchmark are cut here, as most of fastMRI's are.
CROP = (320, 320)


@dataclass(frozen=True, eq=False)
class Measurement:
    """Undersampled k-space of one slice.

    Attributes
    ----------
    kspace
        Zero where nothing was measured: complex64, shape (H, W) or (C, H, W).
    mask
        Measured lines, boolean, shape (W,).
    acceleration
        Acceleration the mask was made for; chooses among weights.
    zero_filled
        `picture` of the k-space.
    crop
        Height and width of the pictures, where they are smaller than the slice.
    sensitivities
        Of the coils, complex64, the shape of the k-space; None where nobody knows them.
    """

    kspace: np.ndarray
    mask: np.ndarray
    acceleration: float
    zero_filled: np.ndarray
    crop: tuple[int, int] = CROP
    sensitivities: np.ndarray | None = None

    def picture_of(self, images: Array) -> Array:
        """The picture that coil images show: real, (h, w) of complex (H, W) or (C, H, W)."""
        return center_crop(combined(images), self.crop)


def measure(
    kspace: np.ndarray, mask: np.ndarray, acceleration: float, crop: tuple[int, int] = CROP
) -> Measurement:
    """Keep the lines of the mask.

    Parameters
    ----------
    kspace
        Complex, shape (H, W) or (C, H, W).
    mask, acceleration, crop
        See `Measurement`.
    """
    undersampled = masks.apply(kspace, mask).astype(np.complex64)
    return Measurement(undersampled, mask, acceleration, picture(undersampled, crop), crop)


def shown_rows(kspace: np.ndarray, crop: tuple[int, int] = CROP) -> np.ndarray:
    """K-space of the rows that pictures show, where readouts are longer than they are high.

    Scanners sample the readout twice as finely as needed, which makes the image twice as high as
    the object. All of a readout is measured, so rows are parted by a transform along it, and what
    is reconstructed of each of them does not change.

    Parameters
    ----------
    kspace
        Complex, shape (..., H, W).
    crop
        Height and width of pictures.

    Returns
    -------
    complex64, shape (..., min(H, crop[0]), W).
    """
    height, rows = kspace.shape[-2], crop[0]
    if height <= rows:
        return kspace
    top = (height - rows) // 2
    kept = ifft1c(kspace, -2)[..., top : top + rows, :]
    return fft1c(kept, -2).astype(np.complex64)


def picture(kspace: np.ndarray, crop: tuple[int, int] = CROP) -> np.ndarray:
    """The image that is compared: magnitude, cropped to at most `crop`; float32, (h, w)."""
    return center_crop(magnitude(kspace), crop).astype(np.float32)
