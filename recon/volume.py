"""Whole files: one slice after another, and the scores of all of them together.

fastMRI's scores are those of a volume (``evaluate.py`` of its repository, arXiv 1811.08839): SSIM
of every slice with the volume's maximum as data range, averaged over slices; PSNR and NMSE over
all pixels. So the maximum has to be known before a slice is scored. It is found by a look at
every slice's reference, which costs a small part of reconstructing it; nothing but a few numbers
of a slice is kept.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from recon import masks
from recon.errors import InputError
from recon.limits import LimitError
from recon.methods import DEFAULT, Method, find
from recon.metrics import psnr_of, ssim
from recon.pipeline import Reconstruction, solve
from recon.readers import Axes, describe, slices
from recon.scan import Coils, Crop, PhaseEncode, Scan

DEFINITION = (
    "fastMRI evaluate.py: SSIM of each slice with the maximum of the volume's reference as data "
    "range, averaged over slices; PSNR with that maximum and NMSE over all pixels"
)


@dataclass(frozen=True)
class Share:
    """What one slice adds to the scores of its volume.

    Attributes
    ----------
    maximum
        Of the reference over the whole volume.
    ssim, zero_filled_ssim
        With `maximum` as data range.
    squared_error, zero_filled_squared_error, squared_reference
        Sums over the slice's pixels.
    pixels
        How many.
    """

    maximum: float
    ssim: float
    zero_filled_ssim: float
    squared_error: float
    zero_filled_squared_error: float
    squared_reference: float
    pixels: int

    @classmethod
    def of(cls, result: Reconstruction, maximum: float) -> Share | None:
        """The share of a slice; None if it has no reference."""
        if result.reference is None:
            return None
        exact = result.reference.astype(np.float64)

        def error(image: np.ndarray) -> float:
            return float(np.sum((exact - image) ** 2))

        return cls(
            maximum=maximum,
            ssim=ssim(result.reference, result.image, maximum),
            zero_filled_ssim=ssim(result.reference, result.zero_filled, maximum),
            squared_error=error(result.image),
            zero_filled_squared_error=error(result.zero_filled),
            squared_reference=float(np.sum(exact**2)),
            pixels=exact.size,
        )


@dataclass(frozen=True)
class VolumeScores:
    """Scores of a volume, by fastMRI's definitions (see `DEFINITION`).

    Attributes
    ----------
    metrics, zero_filled_metrics
        ``ssim``, ``psnr`` (dB) and ``nmse`` of the reconstruction and of the zero-filled volume.
    maximum
        Of the reference over the volume: the data range.
    slices
        How many were scored.
    """

    metrics: dict[str, float]
    zero_filled_metrics: dict[str, float]
    maximum: float
    slices: int

    def record(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON; an infinite PSNR is None."""
        values = {**self.metrics}
        values |= {f"zero_filled_{name}": value for name, value in self.zero_filled_metrics.items()}
        finite = {name: v if math.isfinite(v) else None for name, v in values.items()}
        return {
            "slices": self.slices,
            **finite,
            "data_range": self.maximum,
            "data_range_from": "volume maximum",
            "definition": DEFINITION,
        }


def volume_scores(shares: Sequence[Share]) -> VolumeScores | None:
    """Scores of a volume from the shares of its slices; None without any.

    Raises
    ------
    ValueError
        If the shares are of different volumes.
    """
    if not shares:
        return None
    (maximum,) = {share.maximum for share in shares}
    pixels = sum(share.pixels for share in shares)
    signal = math.fsum(share.squared_reference for share in shares)

    def scores(similarities: list[float], errors: list[float]) -> dict[str, float]:
        error = math.fsum(errors)
        return {
            "ssim": math.fsum(similarities) / len(similarities),
            "psnr": psnr_of(error / pixels, maximum),
            "nmse": error / signal,
        }

    return VolumeScores(
        metrics=scores([s.ssim for s in shares], [s.squared_error for s in shares]),
        zero_filled_metrics=scores(
            [s.zero_filled_ssim for s in shares], [s.zero_filled_squared_error for s in shares]
        ),
        maximum=maximum,
        slices=len(shares),
    )


Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
Place = tuple[Path, int]  # a file, and the number of one of its slices


@dataclass
class Volume:
    """The slices of one file, or of several that are one volume. `Volume.of` opens it.

    Attributes
    ----------
    places
        Where its slices are.
    acceleration, axes
        See `recon.read`.
    coils, phase_encode, crop, mask
        See `recon.scan.Scan.of`.
    """

    places: list[Place]
    acceleration: float = 4
    axes: Axes = "auto"
    coils: Coils = "rss"
    phase_encode: PhaseEncode = "columns"
    crop: Crop = True
    mask: np.ndarray | None = None

    @classmethod
    def of(cls, paths: Paths, **options: Any) -> Volume:
        """All slices of one or more files.

        Raises
        ------
        InputError
            If a file has no k-space that can be read.
        """
        several = [paths] if isinstance(paths, str | os.PathLike) else paths
        opened = cls([], **options)
        for path in map(Path, several):
            held = describe(path, acceleration=opened.acceleration, axes=opened.axes)
            opened.places += [(path, number) for number in range(held.slices)]
        return opened

    def scans(self, places: Sequence[Place] | None = None) -> Iterator[tuple[Place, Scan | str]]:
        """Slices one after another, each file opened once; or a sentence why there is none.

        Parameters
        ----------
        places
            Some of the volume's; all where None.
        """
        places = self.places if places is None else places
        for path in dict.fromkeys(path for path, _ in places):
            numbers = [number for file, number in places if file == path]
            found = slices(path, numbers, acceleration=self.acceleration, axes=self.axes)
            for number, kspace in found:
                if isinstance(kspace, InputError):
                    yield (path, number), str(kspace)
                    continue
                try:
                    scan = Scan.of(
                        kspace,
                        coils=self.coils,
                        phase_encode=self.phase_encode,
                        crop=self.crop,
                        mask=self.mask,
                    )
                except InputError as error:
                    yield (path, number), str(error)
                else:
                    yield (path, number), scan

    def peaks(self) -> Iterator[float]:
        """Maximum of the reference of each slice, on its own scale; 0 where there is none."""
        for _, scan in self.scans():
            if isinstance(scan, str) or scan.reference is None:
                yield 0.0
            else:
                yield float(scan.reference.max()) * scan.unit


@dataclass
class VolumeRun:
    """A volume while it is reconstructed: iterate over it for one result a slice.

    Attributes
    ----------
    volume, methods, drawn
        What is reconstructed, how, and with which arguments of `Scan.draw`.
    maximum
        Of the reference over the volume; None until it was looked for, 0 without a reference.
    shares
        What each slice adds to the volume's scores, by its place and the method's name.
    problems
        Sentences about slices that could not be done, by their place and the method's name,
        which is empty where no method could.
    coil_images
        Whether every result keeps them.
    """

    volume: Volume
    methods: Sequence[Method]
    drawn: Mapping[str, Any]
    maximum: float | None = None
    shares: dict[tuple[Place, str], Share] = field(default_factory=dict)
    problems: dict[tuple[Place, str], str] = field(default_factory=dict)
    coil_images: bool = False

    def __iter__(self) -> Iterator[Reconstruction]:
        done = False
        for result in self.pieces():
            if result is not None:
                done = True
                yield result
        if not done and self.problems:
            raise InputError(next(iter(self.problems.values())))

    def pieces(self, places: Sequence[Place] | None = None) -> Iterator[Reconstruction | None]:
        """The same in smaller pieces of work: None where one of them gives no picture.

        Parameters
        ----------
        places
            Some of the volume's; all where None.
        """
        for place, scan in self.volume.scans(places):
            if isinstance(scan, str):
                self.problems[place, ""] = scan
                yield None
                continue
            early = []  # results of the first slice, which comes before the maximum is known
            for method in self.methods:
                try:
                    result = solve(scan, scan.draw(**self.drawn), method, self.coil_images)
                except LimitError:  # of all the work, and not of this slice
                    raise
                except InputError as error:
                    self.problems[place, method.name] = str(error)
                    yield None
                    continue
                if self.maximum is None:
                    early.append(result)
                else:
                    self._score(place, result)
                yield result
            if early:
                yield from self.look()
            for result in early:
                self._score(place, result)

    def look(self, scored: bool = True) -> Iterator[None]:
        """Find the volume's maximum, slice by slice; there is none where it is not `scored`."""
        highest = 0.0
        if scored:
            for peak in self.volume.peaks():
                highest = max(highest, peak)
                yield None
        self.maximum = highest

    def _score(self, place: Place, result: Reconstruction) -> None:
        share = Share.of(result, self.maximum) if self.maximum else None
        if share is not None:
            self.shares[place, result.method] = share

    @property
    def scores(self) -> VolumeScores | None:
        """By the first method, of the slices that have been done and have a reference."""
        return self.scores_of(self.methods[0].name)

    def scores_of(self, method: str) -> VolumeScores | None:
        """By one of the methods; None where no slice with a reference has been done."""
        return volume_scores([one for (_, name), one in self.shares.items() if name == method])


def reconstruct_volume(
    path: Paths,
    acceleration: float = 4,
    seed: int = 0,
    method: str = DEFAULT,
    *,
    center_fraction: float | None = None,
    coils: Coils = "rss",
    phase_encode: PhaseEncode = "columns",
    family: str = "random",
    mask: np.ndarray | None = None,
    axes: Axes = "auto",
    crop: Crop = True,
    coil_images: bool = False,
) -> VolumeRun:
    """Reconstruct a whole volume, slice by slice.

    Iterate over what is returned: each slice comes when it is done, equal to
    ``reconstruct(read(path, slice=n), ...)``, and memory does not grow with their number. All
    slices are measured with the same mask, as fastMRI does. Afterwards `scores` holds those of the
    volume.

    Parameters
    ----------
    path
        A file, or several that make up one volume.
    acceleration, seed, method, center_fraction, coils, phase_encode, family, mask
        See `recon.reconstruct`. The mask that undersampled slices were measured with may be given.
    axes
        See `recon.read`.
    crop, coil_images
        See `recon.reconstruct`.

    Returns
    -------
    VolumeRun

    Raises
    ------
    InputError
        If an argument is out of range, or a file cannot be read; while iterating, if no slice
        at all could be done. What is wrong with single slices stands in `problems`.
    WeightsError
        While iterating, if the method's weights are missing or damaged.

    Examples
    --------
    >>> import tempfile
    >>> from recon import phantom
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stack = [phantom.kspace((64, 48), seed=number) for number in range(3)]
    ...     np.save(f"{folder}/scan.npy", stack)
    ...     run = reconstruct_volume(f"{folder}/scan.npy", method="zero-filled", axes="slices")
    ...     slices = [result.source.slice for result in run]
    >>> slices, run.scores.slices
    ([0, 1, 2], 3)
    """
    way = find(method)
    if mask is None:
        masks.check_draw(acceleration, seed, family, center_fraction)
    opened = Volume.of(
        path,
        acceleration=acceleration,
        axes=axes,
        coils=coils,
        phase_encode=phase_encode,
        crop=crop,
        mask=mask,
    )
    drawn = {
        "acceleration": acceleration,
        "seed": seed,
        "family": family,
        "center_fraction": center_fraction,
        "mask": mask,
    }
    return VolumeRun(opened, [way], drawn, coil_images=coil_images)
