"""Implicit data crimes: how processed data make every method look better.

Public image data are magnitude images, often zero-padded and JPEG-compressed. K-space computed
from them is smooth, symmetric and partly empty, so less has to be guessed, and scores on it promise
what no scanner data hold. Shimron et al. 2022, doi 10.1073/pnas.2117203119.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from recon.errors import InputError
from recon.fourier import fft2c, magnitude
from recon.methods import Method
from recon.scan import Scan


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
    Same field of view and brightness in smaller pixels: float32, shape (round(H factor),
    round(W factor)).

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
    # An orthonormal transform spreads the same energy over more pixels.
    return magnitude(padded) * np.float32(math.sqrt(rows * columns / (height * width)))


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
    method: Method
    scores: dict[str, float]
    gain: float
    error_drop: float


def commit(
    scan: Scan,
    methods: Iterable[Method],
    acceleration: float = 4,
    *,
    center_fraction: float | None = None,
    seed: int = 0,
    factor: float = 1.5,
    quality: int = 75,
) -> Iterator[Score]:
    """Score the same slice raw and processed.

    Processed versions are magnitude images that count as fully sampled: they are transformed,
    undersampled and compared with themselves. All show the same part of the object, and the raw
    one is the scan itself, judged as everywhere.

    Parameters
    ----------
    scan
        Fully sampled.
    methods
        Who reconstructs.
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
        As `zero_padded`, `jpeg` and the masks, or if the scan was undersampled already.
    """
    methods = list(methods)
    plain = zero_padded(scan.fully_sampled, 1)
    shown = [min(sizes) for sizes in zip(plain.shape, scan.crop, strict=True)]
    larger = (round(shown[0] * factor), round(shown[1] * factor))
    versions = {
        "raw": scan,
        "magnitude": scan.with_kspace(fft2c(plain)),
        "zero-padded": replace(
            scan.with_kspace(fft2c(zero_padded(scan.fully_sampled, factor))), crop=larger
        ),
        "jpeg": scan.with_kspace(fft2c(jpeg(plain, quality))),
    }
    honest: dict[Method, dict[str, float]] = {}
    for version, one in versions.items():
        mask = one.draw(acceleration, seed, center_fraction=center_fraction).mask
        measurement = one.measure(mask, acceleration)
        for method in methods:
            values = one.score(method(measurement))
            assert values is not None
            raw = honest.setdefault(method, values)
            drop = 1 - math.sqrt(values["nmse"] / raw["nmse"]) if raw["nmse"] else 0.0
            yield Score(version, method, values, values["ssim"] - raw["ssim"], drop)
