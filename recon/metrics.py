"""How far a reconstruction is from the fully sampled reference, as fastMRI measures it.

The definitions are those of fastMRI's ``evaluate.py`` (arXiv 1811.08839); SSIM comes from
scikit-image with its defaults: uniform 7x7 window, K1 = 0.01, K2 = 0.03, sample covariance.
SSIM and PSNR depend on `data_range`, so whoever shows a score also says which one was used.
"""

from __future__ import annotations

import math

import numpy as np
from skimage.metrics import structural_similarity


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
    """
    height, width = reference.shape[-2:]
    pairs = zip(reference.reshape(-1, height, width), image.reshape(-1, height, width), strict=True)
    limit = float(reference.max()) if data_range is None else data_range
    return float(np.mean([structural_similarity(r, x, data_range=limit) for r, x in pairs]))


def psnr(reference: np.ndarray, image: np.ndarray, data_range: float | None = None) -> float:
    """Peak signal-to-noise ratio in dB, ``10 log10(data_range^2 / MSE)``.

    Arguments as in `ssim`, any shape. Infinite for identical images.
    """
    limit = float(reference.max()) if data_range is None else data_range
    error = float(np.mean((np.asarray(reference, np.float64) - image) ** 2))
    return 10 * math.log10(limit**2 / error) if error else math.inf


def nmse(reference: np.ndarray, image: np.ndarray) -> float:
    """Normalised mean squared error, ``|image - reference|^2 / |reference|^2``; 0 is perfect."""
    exact = np.asarray(reference, np.float64)
    return float(np.sum((exact - image) ** 2) / np.sum(exact**2))


def scores(
    reference: np.ndarray, image: np.ndarray, data_range: float | None = None
) -> dict[str, float]:
    """`ssim`, `psnr` and `nmse` of one image or volume, by name."""
    return {
        "ssim": ssim(reference, image, data_range),
        "psnr": psnr(reference, image, data_range),
        "nmse": nmse(reference, image),
    }


def closed_share(ssim_after: float, ssim_before: float) -> float:
    """Share of the distance to a perfect SSIM that was closed: 1 is perfect, below 0 is worse.

    ``(after - before) / (1 - before)``; 0 where there was nothing to close.
    """
    return (ssim_after - ssim_before) / (1 - ssim_before) if ssim_before < 1 else 0.0
