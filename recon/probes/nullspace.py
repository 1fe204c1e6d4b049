r"""Measured or made up: what of a reconstruction the scanner measured, and what was filled in.

With the transform F and the mask M, :math:`P = F^{-1} M F` projects an image onto what the
measured lines determine. The rest, :math:`x - P x`, lies in the null space of one coil's
measurement: no line that this coil measured says anything about it. With one coil all of it is the
method's own (Antun et al. 2020, doi 10.1073/pnas.1907377117); with several, the others may have
known it, which is parallel imaging.

This needs the complex image of every coil. Methods that give a magnitude lack it:
`recon.phase.with_phase` lends them the phase of the zero-filled image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recon import masks
from recon.fourier import fft2c, ifft2c


@dataclass(frozen=True)
class Split:
    """The two parts of coil images, complex, shape (H, W) or (C, H, W). They add up to them.

    Attributes
    ----------
    measured, filled
        P x and x - P x.
    """

    measured: np.ndarray
    filled: np.ndarray

    @property
    def filled_share(self) -> float:
        """Share of the energy that was filled in, 0 to 1; the parts are orthogonal."""
        measured, filled = (float(np.linalg.norm(p)) ** 2 for p in (self.measured, self.filled))
        return filled / (measured + filled) if filled else 0.0


def split(images: np.ndarray, mask: np.ndarray) -> Split:
    """Split a reconstruction by the mask it was made from.

    Parameters
    ----------
    images
        Complex coil images, shape (H, W) or (C, H, W), not cropped.
    mask
        Measured lines, boolean, shape (W,).
    """
    measured = ifft2c(masks.apply(fft2c(images), mask))
    return Split(measured, images - measured)


def residual(images: np.ndarray, kspace: np.ndarray, mask: np.ndarray) -> float:
    r"""How far a reconstruction is from the measured lines: :math:`|M(Fx - y)| / |M y|`.

    Parameters
    ----------
    images
        x: complex coil images, shape (H, W) or (C, H, W), not cropped.
    kspace
        y: of the images' shape; only the lines of the mask are looked at.
    mask
        M: boolean, shape (W,).

    Returns
    -------
    0 for a method that keeps to what was measured; NaN if that is nothing but zeros.
    """
    measured = kspace[..., mask]
    size = np.linalg.norm(measured)
    return float(np.linalg.norm(fft2c(images)[..., mask] - measured) / size) if size else np.nan


def reimpose(
    images: np.ndarray, kspace: np.ndarray, mask: np.ndarray, weight: float = 1.0
) -> np.ndarray:
    """Blend the measured lines back into a reconstruction: data consistency.

    Parameters
    ----------
    images, kspace, mask
        See `residual`.
    weight
        0 leaves the images as they are, 1 puts the measured lines in their place; what was
        filled in stays either way.

    Returns
    -------
    Complex, of the images' shape. The residual falls by the factor 1 - weight.
    """
    # The missing part is added in the image, so that weight 0 costs no rounding.
    missing = masks.apply(kspace - fft2c(images), mask)
    return images + weight * ifft2c(missing)
