"""What the scanner gives a reconstruction method: some lines of k-space, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recon import masks
from recon.fourier import center_crop, magnitude

CROP = (320, 320)  # fastMRI compares the middle 320x320 pixels


@dataclass(frozen=True)
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
    """

    kspace: np.ndarray
    mask: np.ndarray
    acceleration: float
    zero_filled: np.ndarray


def measure(kspace: np.ndarray, mask: np.ndarray, acceleration: float) -> Measurement:
    """Keep the lines of the mask.

    Parameters
    ----------
    kspace
        Complex, shape (H, W) or (C, H, W).
    mask, acceleration
        See `Measurement`.
    """
    undersampled = masks.apply(kspace, mask).astype(np.complex64)
    return Measurement(undersampled, mask, acceleration, picture(undersampled))


def picture(kspace: np.ndarray) -> np.ndarray:
    """The image that is compared: magnitude, cropped to at most `CROP`; float32, (h, w)."""
    return center_crop(magnitude(kspace), CROP).astype(np.float32)
