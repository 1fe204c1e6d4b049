"""One slice from k-space to pictures and scores: the one act everything else is built around."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from recon import masks
from recon.fourier import combined
from recon.kspace import InputError, KSpace, Source
from recon.measurement import measure, picture
from recon.methods import DEFAULT, METHODS
from recon.metrics import closed_share, scores

Coils = Literal["rss", "svd"] | int
PhaseEncode = Literal["columns", "rows"]


@dataclass(frozen=True)
class Reconstruction:
    """A slice as measured, reconstructed and scored. Images share one scale.

    Attributes
    ----------
    zero_filled, image
        The inverse transform of what was measured, and the method's reconstruction:
        float32, shape (h, w), at most 320x320.
    reference
        The fully sampled image on the same grid; None if it was never measured.
    metrics, zero_filled_metrics
        ``ssim``, ``psnr`` (dB) and ``nmse`` of `image` and of `zero_filled`; None without a
        reference.
    data_range, data_range_from
        L of SSIM and PSNR, and in words where it comes from.
    lines
        Measured lines, boolean, shape (number of phase-encode lines,).
    kspace_magnitude
        Magnitude of the undersampled k-space, coils combined: float32, shape (H, W).
    method, acceleration, seed, center_fraction, coils, phase_encode, family
        What was asked for. `acceleration` is nominal; for data that arrived undersampled, and
        for a mask that was handed over, it is the achieved one, and `seed`, `center_fraction`
        and `family` are None.
    source
        Where the k-space came from.
    seconds
        Time the method took.
    """

    zero_filled: np.ndarray
    image: np.ndarray
    reference: np.ndarray | None
    metrics: dict[str, float] | None
    zero_filled_metrics: dict[str, float] | None
    data_range: float | None
    data_range_from: str
    lines: np.ndarray
    kspace_magnitude: np.ndarray
    method: str
    acceleration: float
    seed: int | None
    center_fraction: float | None
    coils: Coils
    phase_encode: PhaseEncode
    family: str | None
    source: Source
    seconds: float

    @property
    def mask(self) -> np.ndarray:
        """1 where k-space was measured and 0 elsewhere: float32, shape (H, W)."""
        lines = self.lines.astype(np.float32)
        lines = lines[:, None] if self.phase_encode == "rows" else lines
        return np.broadcast_to(lines, self.kspace_magnitude.shape)

    @property
    def lines_measured(self) -> int:
        """Number of measured lines."""
        return int(self.lines.sum())

    @property
    def achieved_acceleration(self) -> float:
        """Lines there are, divided by lines measured."""
        return masks.achieved_acceleration(self.lines)

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
            values = metrics or dict.fromkeys(("ssim", "psnr", "nmse"), math.nan)
            return {
                prefix + name: value if math.isfinite(value) else None
                for name, value in values.items()
            }

        return {
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
            "lines": self.lines.size,
            "lines_measured": self.lines_measured,
            "center_fraction": self.center_fraction,
            "coils": self.coils,
            "phase_encode": self.phase_encode,
            "mask_family": self.family,
        }


def reconstruct(
    kspace: np.ndarray,
    acceleration: float = 4,
    seed: int = 0,
    method: str = DEFAULT,
    *,
    center_fraction: float | None = None,
    coils: Coils = "rss",
    phase_encode: PhaseEncode = "columns",
    family: str = "random",
    mask: np.ndarray | None = None,
) -> Reconstruction:
    """Undersample a slice, reconstruct it and score the result.

    Data that arrived undersampled (``kspace.source.mask``) keep their own mask;
    `acceleration`, `seed`, `center_fraction`, `phase_encode`, `family` and `mask` then have no
    effect.

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
        Share of fully measured lines in the middle; 0.32 / acceleration where None.
    coils
        ``"rss"`` combines coil images by root-sum-of-squares, ``"svd"`` compresses the coils
        to one virtual coil first, a number takes that coil alone.
    phase_encode
        Whether a phase-encode line is a column or a row of the array.
    family
        Kind of mask, a key of `recon.masks.FAMILIES`.
    mask
        Lines to measure, boolean, shape (number of phase-encode lines,), in place of a drawn
        mask.

    Raises
    ------
    InputError
        If an argument is out of range or the k-space holds nothing to reconstruct.
    WeightsError
        If the method's weights are missing or damaged.
    """
    if method not in METHODS:
        raise InputError(f"There is no method '{method}'; choose from {', '.join(METHODS)}.")
    if phase_encode not in ("columns", "rows"):
        raise InputError("Phase encoding runs along 'columns' or 'rows'.")
    if seed < 0:
        raise InputError("The mask seed is a whole number from 0 upwards.")
    if family not in masks.FAMILIES:
        raise InputError(f"Masks are of the kinds {', '.join(masks.FAMILIES)}; not '{family}'.")
    kspace = kspace if isinstance(kspace, KSpace) else KSpace(kspace)
    source = kspace.source
    data = np.asarray(kspace)
    if not np.isfinite(data).all() or not data.any():
        raise InputError("The k-space must hold finite numbers, and not only zeros.")

    drawn_with: int | None = seed
    drawn_from: str | None = family
    if source.mask is not None:
        mask, phase_encode = source.mask, "columns"
    data = data.swapaxes(-2, -1) if phase_encode == "rows" else data
    if mask is None:
        lines = masks.FAMILIES[family](data.shape[-1], acceleration, center_fraction, seed)
        if center_fraction is None:
            center_fraction = masks.default_center_fraction(acceleration)
    else:
        lines = np.asarray(mask, bool)
        if lines.shape != data.shape[-1:] or not lines.any():
            raise InputError(
                f"A mask has one value for each of the {data.shape[-1]} phase-encode lines, "
                f"and measures one of them at least."
            )
        acceleration = masks.achieved_acceleration(lines)
        drawn_with = drawn_from = center_fraction = None
    data = select_coils(data, lines, coils)

    measurement = measure(data, lines, acceleration)
    start = time.perf_counter()
    image = METHODS[method](measurement)
    seconds = time.perf_counter() - start

    reference = limit = metrics = zero_filled_metrics = None
    limit_from = ""
    if source.mask is None:
        reference = picture(data)
        limit, limit_from = _data_range(reference, source, coils if kspace.ndim == 3 else "rss")
        metrics = zero_filled_metrics = scores(reference, measurement.zero_filled, limit)
        if image is not measurement.zero_filled:
            metrics = scores(reference, image, limit)

    def upright(x: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(x.T if phase_encode == "rows" else x)

    return Reconstruction(
        zero_filled=upright(measurement.zero_filled),
        image=upright(image),
        reference=None if reference is None else upright(reference),
        metrics=metrics,
        zero_filled_metrics=zero_filled_metrics,
        data_range=limit,
        data_range_from=limit_from,
        lines=lines,
        kspace_magnitude=upright(combined(measurement.kspace)),
        method=method,
        acceleration=acceleration,
        seed=drawn_with,
        center_fraction=center_fraction,
        coils=coils,
        phase_encode=phase_encode,
        family=drawn_from,
        source=source,
        seconds=seconds,
    )


def select_coils(kspace: np.ndarray, lines: np.ndarray, coils: Coils) -> np.ndarray:
    """K-space of the coils that were asked for: (H, W), or (C, H, W) for root-sum-of-squares.

    Parameters
    ----------
    kspace
        Complex, shape (H, W) or (C, H, W).
    lines
        Measured lines, boolean, shape (W,): a virtual coil is found from them alone.
    coils
        See `reconstruct`.

    Raises
    ------
    InputError
        If there is no such coil.
    """
    if kspace.ndim == 2 or coils == "rss":
        return kspace
    if coils == "svd":
        # Principal coil (Buehrer et al. 2007, doi 10.1002/mrm.21237), from measured lines only.
        measured = kspace[..., lines].reshape(len(kspace), -1)
        _, vectors = np.linalg.eigh(measured @ measured.conj().T)
        return np.tensordot(vectors[:, -1].conj(), kspace, 1)
    if not isinstance(coils, int) or not 0 <= coils < len(kspace):
        raise InputError(f"Coils are 'rss', 'svd' or a number from 0 to {len(kspace) - 1}.")
    return kspace[coils]


def _data_range(reference: np.ndarray, source: Source, coils: Coils) -> tuple[float, str]:
    """The volume's maximum where the file knows it, as fastMRI scores; else the slice's."""
    highest = float(reference.max())
    volume = source.attrs.get("max")
    # fastMRI's attribute belongs to its own target image. A value below the slice's maximum,
    # or far above it, was written for another scale or another coil combination.
    if coils == "rss" and isinstance(volume, float) and highest <= 1.001 * volume < 100 * highest:
        return volume, "volume maximum"
    return highest, "slice maximum"
