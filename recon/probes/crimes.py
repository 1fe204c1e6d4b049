"""Implicit data crimes: how processed data make every method look better.

Public image data are magnitude images, often zero-padded and JPEG-compressed. K-space computed
from them is smooth, symmetric and partly empty, so less has to be guessed, and scores on it promise
what no scanner data hold. Shimron et al. 2022, doi 10.1073/pnas.2117203119.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from recon import masks
from recon.fourier import center_crop, fft2c, magnitude
from recon.kspace import InputError
from recon.measurement import CROP, measure, picture
from recon.metrics import scores
from recon.probes import Method


def zero_padded(kspace: np.ndarray, factor: float) -> np.ndarray:
    """The magnitude image a scanner's console stores: interpolated by zeros around k-space.

    Parameters
    ----------
    kspace
        Fully sampled, complex, shape (H, W) or (C, H, W).
    factor
        Growth of both sides, at least 1; 1 gives the plain magnitude image.

    Returns
    -------
    Same field of view in smaller pixels: float32, shape (round(H factor), round(W factor)).

    Raises
    ------
    InputError
        If the factor is below 1.
    """
    if not factor >= 1:
        raise InputError("Zero-padding makes an image larger: its factor is at least 1.")
    height, width = kspace.shape[-2:]
    rows, columns = round(height * factor), round(width * factor)
    padded = np.zeros((*kspace.shape[:-2], rows, columns), np.complex64)
    top, left = rows // 2 - height // 2, columns // 2 - width // 2  # centre onto centre
    padded[..., top : top + height, left : left + width] = kspace
    return magnitude(padded)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """A magnitude image after JPEG compression, with 8 bits between 0 and its maximum.

    Parameters
    ----------
    image
        Not negative, shape (H, W).
    quality
        1 to 95, as Pillow counts.

    Returns
    -------
    float32, shape (H, W), on the image's scale.

    Raises
    ------
    InputError
        If there is no such quality.
    """
    if not 1 <= quality <= 95:
        raise InputError("The quality of a JPEG lies between 1 and 95.")
    scale = float(image.max()) or 1.0
    file = io.BytesIO()
    Image.fromarray(np.round(image / scale * 255).astype(np.uint8)).save(
        file, "JPEG", quality=quality
    )
    return np.asarray(Image.open(file), np.float32) * np.float32(scale / 255)


@dataclass(frozen=True)
class Score:
    """One method on one version of the slice.

    Attributes
    ----------
    version
        ``"raw"``, ``"magnitude"``, ``"zero-padded"`` or ``"jpeg"``.
    method
        Who reconstructed.
    scores
        ``ssim``, ``psnr`` and ``nmse`` against that version's own fully sampled image.
    gain
        SSIM minus that on raw k-space: nothing but illusion.
    error_drop
        Share of the raw root-mean-square error (that of NMSE) that seems to be gone.
    """

    version: str
    method: str
    scores: dict[str, float]
    gain: float
    error_drop: float


def commit(
    kspace: np.ndarray,
    methods: Mapping[str, Method],
    acceleration: float = 4,
    *,
    center_fraction: float | None = None,
    seed: int = 0,
    factor: float = 1.5,
    quality: int = 75,
) -> Iterator[Score]:
    """Score the same slice raw and processed.

    Processed versions are magnitude images that count as fully sampled: they are transformed,
    undersampled and compared with themselves. All are scored on the same part of the object, the
    part that the crop leaves of the padded image, with that part's maximum as the data range.

    Parameters
    ----------
    kspace
        Fully sampled, as measured: complex, shape (H, W) or (C, H, W).
    methods
        Name to method.
    acceleration, center_fraction, seed
        Of the random mask, drawn anew where padding adds lines.
    factor, quality
        See `zero_padded` and `jpeg`.

    Yields
    ------
    A score for each version and method, methods running faster, raw k-space first.

    Raises
    ------
    InputError
        As `zero_padded`, `jpeg` and the masks.
    """
    kspace = np.asarray(kspace)
    plain = zero_padded(kspace, 1)
    versions: dict[str, tuple[np.ndarray, float]] = {
        "raw": (kspace, 1),
        "magnitude": (fft2c(plain), 1),
        "zero-padded": (fft2c(zero_padded(kspace, factor)), factor),
        "jpeg": (fft2c(jpeg(plain, quality)), 1),
    }
    seen = [min(size, limit / factor) for size, limit in zip(plain.shape, CROP, strict=True)]
    honest: dict[str, dict[str, float]] = {}
    for version, (full, growth) in versions.items():
        part = (round(seen[0] * growth), round(seen[1] * growth))
        reference = center_crop(picture(full), part)
        mask = masks.random_cartesian(full.shape[-1], acceleration, center_fraction, seed)
        measurement = measure(full, mask, acceleration)
        for name, method in methods.items():
            values = scores(reference, center_crop(method(measurement), part))
            raw = honest.setdefault(name, values)
            drop = 1 - math.sqrt(values["nmse"] / raw["nmse"]) if raw["nmse"] else 0.0
            yield Score(version, name, values, values["ssim"] - raw["ssim"], drop)
