"""One pair of images, many SSIMs: a score says little without its definition.

SSIM (Wang et al. 2004, doi 10.1109/TIP.2003.819861) compares windows of two images, with two
constants in proportion to a data range. Papers differ in all three, and in what they do to the
images first, so rows of different papers cannot be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from skimage.metrics import structural_similarity

from recon.metrics import foreground, ssim


@dataclass(frozen=True)
class Convention:
    """An SSIM and its definition.

    Attributes
    ----------
    label
        A few words.
    value
        The SSIM.
    why
        One sentence: who uses it, or what it does.
    """

    label: str
    value: float
    why: str


def conventions(
    reference: np.ndarray, image: np.ndarray, data_range: float | None = None
) -> list[Convention]:
    """SSIM of the same two images under every definition.

    Parameters
    ----------
    reference, image
        Real, not negative, shape (H, W), both sides at least 11 pixels. Data ranges are those
        of the reference, whose maximum is above 0.
    data_range
        The L that this project scores with where that is not the slice's maximum: the volume's.

    Returns
    -------
    The project's own definition first.
    """
    top = float(reference.max())
    inside = foreground(reference)
    _, local = structural_similarity(reference, image, data_range=top, full=True)
    wider = (
        Convention(
            f"range {factor:g} × slice maximum",
            ssim(reference, image, factor * top),
            f"A volume's maximum may be {factor:g} times that of this slice, and fastMRI takes "
            "the volume's: larger constants forgive more.",
        )
        for factor in (1.5, 2, 3)
    )
    known = data_range is not None and data_range != top
    ours = Convention(
        "volume maximum",
        ssim(reference, image, data_range),
        "Uniform 7 × 7 windows and the maximum of the volume, which this file tells: fastMRI's "
        "definition, and the one this project uses here.",
    )
    return [
        *([ours] if known else []),
        Convention(
            "slice maximum",
            ssim(reference, image, top),
            "Uniform 7 × 7 windows and the maximum of this slice: fastMRI's definition where the "
            "rest of the volume is not known"
            + ("." if known else ", and the one this project uses here."),
        ),
        *wider,
        Convention(
            "Gaussian window",
            float(
                structural_similarity(
                    reference,
                    image,
                    data_range=top,
                    gaussian_weights=True,
                    sigma=1.5,
                    use_sample_covariance=False,
                )
            ),
            "Windows of 11 × 11 pixels that fade outwards, as SSIM was first defined.",
        ),
        Convention(
            "rounded to 8 bits",
            ssim(_eight_bits(reference, top), _eight_bits(image, top), 255),
            "Both images are stored as PNG first: noise below one gray level is gone, and "
            "everything above white is cut off.",
        ),
        Convention(
            "object only",
            float(local[inside].mean()),
            "The mean over pixels brighter than Otsu's threshold: the air around the object no "
            "longer counts.",
        ),
        Convention(
            "each image from 0 to 1",
            ssim(_unit(reference), _unit(image), 1),
            "Each image is stretched by its own minimum and maximum, which hides errors of "
            "brightness, and lets one bright pixel darken all others.",
        ),
    ]


def _eight_bits(image: np.ndarray, white: float) -> np.ndarray:
    return np.round(np.clip(image / white, 0, 1) * 255)


def _unit(image: np.ndarray) -> np.ndarray:
    span = np.ptp(image)
    scaled: np.ndarray = (image - image.min()) / (span if span else 1)
    return scaled
