"""Half of k-space is nearly enough: partial Fourier by projections (POCS).

The k-space of a real image is symmetric: the value at -k is the conjugate of that at k. Images
of MRI are not real, but their phase is smooth, so it is known from the middle of k-space, and
without it they are (Haacke et al. 1991, doi 10.1016/0022-2364(91)90253-P).
"""

from __future__ import annotations

import numpy as np

from recon.errors import InputError
from recon.fourier import ifft2c

ITERATIONS = 20
FEWEST = 3  # lines in the middle that a phase can be taken from


def centre_lines(mask: np.ndarray) -> np.ndarray:
    """Measured lines around the middle whose mirror images were measured too, side by side.

    Parameters
    ----------
    mask
        Measured lines, boolean, shape (W,).

    Returns
    -------
    Boolean, shape (W,).
    """
    width, middle = len(mask), len(mask) // 2
    reach = 0
    while middle - reach >= 0 and middle + reach < width:
        if not (mask[middle - reach] and mask[middle + reach]):
            break
        reach += 1
    lines = np.zeros(width, bool)
    lines[middle - reach + 1 : middle + reach] = reach > 0
    return lines


def pocs(kspace: np.ndarray, mask: np.ndarray, iterations: int = ITERATIONS) -> np.ndarray:
    """Images that keep the measured lines, with the phase of the middle of k-space.

    Two projections by turns: give the image the low-resolution phase, and put the measured
    lines back.

    Parameters
    ----------
    kspace
        Zero where nothing was measured: complex64, shape (..., H, W).
    mask
        Measured lines, boolean, shape (W,).
    iterations
        At least 1.

    Returns
    -------
    complex64, shape (..., H, W).

    Raises
    ------
    InputError
        If the middle of k-space was not measured.
    """
    lines = centre_lines(mask)
    if lines.sum() < FEWEST:
        raise InputError(
            f"POCS takes the phase from the middle of k-space and needs {FEWEST} lines side by "
            f"side there; this mask measures {lines.sum()} that lie evenly around it."
        )
    width = len(mask)
    # A Hann window, so that the phase does not ring.
    away = (np.arange(width) - width // 2) / (lines.sum() / 2 + 0.5)
    window = (np.cos(np.pi * away / 2) ** 2 * lines).astype(np.float32)
    smooth = ifft2c(kspace * window)
    size = np.abs(smooth)
    phase = np.where(size > 0, smooth / np.where(size > 0, size, 1), 1)
    measured = np.fft.ifftshift(mask)
    start = ifft2c(kspace)
    image = start
    for _ in range(iterations):
        image = (image * phase.conj()).real * phase
        image = image + start - np.fft.ifft(np.fft.fft(image) * measured)
    return image.astype(np.complex64)
