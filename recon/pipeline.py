"""One slice from k-space to pictures and scores: the one act everything else is built around."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recon import masks
from recon.fourier import center_crop, combined
from recon.kspace import KSpace, Source
from recon.methods import DEFAULT, Method, find
from recon.metrics import closed_share
from recon.readers import Axes
from recon.scan import Coils, Crop, PhaseEncode, Sampling, Scan


@dataclass(frozen=True)
class Reconstruction:
    """A slice as measured, reconstructed and scored. Images share one scale.

    Attributes
    ----------
    zero_filled, image
        The inverse transform of what was measured, and the method's reconstruction:
        float32, shape (h, w), cut where the file's header says.
    reference
        The fully sampled image on the same grid; None if it was never measured.
    metrics, zero_filled_metrics
        ``ssim``, ``psnr`` (dB) and ``nmse`` of `image` and of `zero_filled`; None without a
        reference.
    data_range, data_range_from
        L of SSIM and PSNR, and in words where it comes from.
    sampling
        The lines that were measured, and how they were chosen.
    kspace_magnitude
        Magnitude of the undersampled k-space, coils combined: float32, shape (H, W).
    method, label, coils, phase_encode
        What was asked for; `label` is the method's name for people.
    source
        Where the k-space came from.
    seconds
        Wall time the method took.
    coil_images
        Where they were asked for, every coil's image before magnitudes are taken, cut as `image`
        is: complex64, shape (h, w) or (C, h, w). With ``coils="svd"`` C counts the virtual coils.
    """

    zero_filled: np.ndarray
    image: np.ndarray
    reference: np.ndarray | None
    metrics: dict[str, float] | None
    zero_filled_metrics: dict[str, float] | None
    data_range: float | None
    data_range_from: str
    sampling: Sampling
    kspace_magnitude: np.ndarray
    method: str
    label: str
    coils: Coils
    phase_encode: PhaseEncode
    source: Source
    seconds: float
    coil_images: np.ndarray | None = None

    @property
    def mask(self) -> np.ndarray:
        """1 where k-space was measured and 0 elsewhere: float32, shape (H, W)."""
        lines = self.line_mask.astype(np.float32)
        lines = lines[:, None] if self.phase_encode == "rows" else lines
        return np.broadcast_to(lines, self.kspace_magnitude.shape)

    @property
    def line_mask(self) -> np.ndarray:
        """Measured lines, boolean, shape (number of phase-encode lines,)."""
        return self.sampling.mask

    @property
    def acceleration(self) -> float:
        """Nominal; the achieved one of a mask that was not drawn."""
        return self.sampling.acceleration

    @property
    def seed(self) -> int | None:
        """Of the mask; None if that was not drawn."""
        return self.sampling.seed

    @property
    def achieved_acceleration(self) -> float:
        """Lines there are, divided by lines measured."""
        return self.sampling.achieved_acceleration

    @property
    def closed_share(self) -> float | None:
        """Share of the distance from the zero-filled SSIM to 1 that the method closed."""
        if self.metrics is None or self.zero_filled_metrics is None:
            return None
        return closed_share(self.metrics["ssim"], self.zero_filled_metrics["ssim"])

    def record(self) -> dict[str, Any]:
        """Settings and scores as plain numbers and words, ready for JSON.

        Scores are None without a reference, and where they are infinite: JSON knows no
        infinity, which is the PSNR of a perfect image.
        """

        def scores_of(metrics: dict[str, float] | None, prefix: str = "") -> dict[str, Any]:
            values = metrics or dict.fromkeys(("ssim", "psnr", "nmse"))
            return {prefix + name: value for name, value in values.items()}

        written = {
            "file": self.source.name,
            "slice": self.source.slice,
            "method": self.method,
            "acceleration": self.acceleration,
            "seed": self.seed,
            "achieved_acceleration": self.achieved_acceleration,
            **scores_of(self.metrics),
            **scores_of(self.zero_filled_metrics, "zero_filled_"),
            "closed_share": self.closed_share,
            "data_range": self.data_range,
            "data_range_from": self.data_range_from or None,
            "seconds": self.seconds,
            "simulated": self.source.simulated,
            "format": self.source.format,
            "notes": list(self.source.notes),
            "lines": self.line_mask.size,
            "lines_measured": self.sampling.measured_lines,
            "center_fraction": self.sampling.center_fraction,
            "coils": self.coils,
            "phase_encode": self.phase_encode,
            "mask_family": self.sampling.family,
        }
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in written.items()
        }


def reconstruct(
    kspace: KSpace | np.ndarray,
    acceleration: float = 4,
    seed: int = 0,
    method: str = DEFAULT,
    *,
    center_fraction: float | None = None,
    coils: Coils = "rss",
    phase_encode: PhaseEncode = "columns",
    family: str = "random",
    mask: np.ndarray | None = None,
    crop: Crop = True,
    axes: Axes = "auto",
    coil_images: bool = False,
) -> Reconstruction:
    """Undersample a slice, reconstruct it and score the result.

    Data that arrived undersampled keep their own mask and have no reference, whether a file or
    an array; `acceleration`, `seed`, `center_fraction` and `family` then have no effect, and `mask`
    only where all other lines are zero: then it says which ones were measured.

    Parameters
    ----------
    kspace
        A `recon.read` result, or any complex array of shape (H, W) or (C, H, W).
    acceleration
        Nominal acceleration, at least 1.
    seed
        Seed of the random mask, not negative.
    method
        One of `recon.methods`.
    center_fraction
        Share of fully measured lines in the middle; that of the family where None,
        mostly 0.32 / acceleration.
    coils
        ``"rss"`` combines coil images by root-sum-of-squares, ``"svd"`` first compresses the
        coils to the few virtual ones that hold nearly all of the measured energy, a number
        takes that coil alone.
    phase_encode
        Whether a phase-encode line is a column or a row of the array.
    family
        Kind of mask, a key of `recon.masks.FAMILIES`.
    mask
        Lines to measure, boolean or 0 and 1, shape (number of phase-encode lines,), in place of
        a drawn mask.
    crop
        Whether pictures are cut to the size that the file's header asks for; where it is silent,
        they are whole. Or a height and width, whole numbers of at least 1.
    axes
        Of an array with more axes than two: a letter for each, such as ``"HWC"``.
    coil_images
        Whether the complex image of every coil is kept too; with ``coils="svd"`` these are the
        virtual coils.

    Raises
    ------
    InputError
        If an argument is out of range or the k-space holds nothing to reconstruct.
    WeightsError
        If the method's weights are missing or damaged.

    Examples
    --------
    >>> from recon import phantom
    >>> result = reconstruct(phantom.kspace((128, 96)), acceleration=8, method="cs")
    >>> result.image.shape, result.line_mask.shape
    ((128, 96), (96,))
    >>> reconstruct(phantom.kspace((128, 96)), acceleration=0)
    Traceback (most recent call last):
        ...
    recon.errors.InputError: Acceleration is a number of at least 1; 0 was asked for.
    """
    way = find(method)
    scan = Scan.of(kspace, coils=coils, phase_encode=phase_encode, crop=crop, mask=mask, axes=axes)
    sampling = scan.draw(acceleration, seed, family, center_fraction, mask)
    return solve(scan, sampling, way, coil_images)


def solve(
    scan: Scan, sampling: Sampling, method: Method, coil_images: bool = False
) -> Reconstruction:
    """Measure a scan, reconstruct it and score the result.

    Parameters
    ----------
    scan, sampling
        From `Scan.of` and `Scan.draw`.
    method
        From `recon.methods.METHODS`.
    coil_images
        See `reconstruct`.

    Raises
    ------
    InputError
        If the method cannot do this: GRAPPA without calibration lines, say.
    WeightsError
        If the method's weights are missing or damaged.
    """
    measurement = scan.measure(sampling.mask, sampling.acceleration)
    start = time.perf_counter()
    if coil_images:
        image, kept = method.with_coil_images(measurement)
    else:
        image, kept = method(measurement), None
    seconds = time.perf_counter() - start
    reference = scan.reference
    before = scan.score(measurement.zero_filled)

    def shown(picture: np.ndarray) -> np.ndarray:
        return scan.upright(picture if scan.unit == 1 else picture * np.float32(scan.unit))

    return Reconstruction(
        zero_filled=shown(measurement.zero_filled),
        image=shown(image),
        reference=None if reference is None else shown(reference),
        metrics=before if image is measurement.zero_filled else scan.score(image),
        zero_filled_metrics=before,
        data_range=None if scan.data_range is None else scan.data_range * scan.unit,
        data_range_from=scan.data_range_from,
        sampling=sampling,
        kspace_magnitude=shown(combined(masks.apply(scan.kspace, sampling.mask))),
        method=method.name,
        label=method.label,
        coils=scan.coils,
        phase_encode=scan.phase_encode,
        source=replace(scan.source, notes=(*scan.source.notes, *method.notes(measurement))),
        seconds=seconds,
        coil_images=None if kept is None else shown(center_crop(kept, scan.crop)),
    )
