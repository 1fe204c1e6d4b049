"""What the benchmark reconstructs: simulated and measured scans, usual and unusual masks, noise.

The test subjects and the measured scans took no part in any training or choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from recon import datasets, masks
from recon.errors import InputError
from recon.measurement import CROP, Measurement
from recon.readers import describe, read
from recon.scan import Sampling, Scan

ACCELERATIONS = (4.0, 8.0)
NOISE = 0.005  # of the simulated scans, share of the image's maximum, as in `train.py`
ADDED_NOISE = (0.02, 0.05)
SIMULATED, HIGH, LOW = "open_ms", "high-field", "low-field"


@dataclass(frozen=True)
class Case:
    """One slice, measured once: whose it is, which mask, and the scan that judges it."""

    subject: str
    volume: str
    slice: int
    scan: Scan
    sampling: Sampling

    @cached_property
    def measurement(self) -> Measurement:
        """All that a method may see."""
        return self.scan.measure(self.sampling.mask, self.sampling.acceleration)

    def score(self, image: np.ndarray) -> dict[str, float]:
        """SSIM, PSNR and NMSE of a picture."""
        found = self.scan.score(image)
        assert found is not None
        return found


@dataclass(frozen=True)
class Group:
    """Cases that are averaged: of one set, under one condition, at one acceleration."""

    set: str
    condition: str
    acceleration: float
    cases: list[Case]


@dataclass(frozen=True)
class Plan:
    """How much is done.

    Attributes
    ----------
    every
        Every so many-th slice of the simulated volumes.
    every_unusual
        The same, with unusual masks and added noise.
    seeds
        Masks of the measured files of a single slice.
    volumes, files, slices
        At most so many simulated volumes, measured files of a kind, and slices of each file;
        all where None.
    tuning
        Slices of a group that BART's regularisation is chosen on.
    repeats
        Times the cost of a method is measured.
    """

    every: int = 10
    every_unusual: int = 60
    seeds: int = 5
    volumes: int | None = None
    files: int | None = None
    slices: int | None = None
    tuning: int = 2
    repeats: int = 5

    def words(self) -> str:
        """The plan in a sentence or two."""
        limits = (
            f" At most {self.volumes} volume and {self.files} measured files of a kind, "
            f"{self.slices} slice each."
        )
        return (
            f"One slice in {self.every} of the test volumes of open_ms, one in "
            f"{self.every_unusual} with unusual masks and added noise, at least one of each; "
            f"measured files with mask seed 0, those of one slice with seeds 0 to "
            f"{self.seeds - 1}.{limits if self.volumes else ''}"
        )


QUICK = Plan(1000, 1000, seeds=1, volumes=1, files=2, slices=1, tuning=1, repeats=2)


def groups(data: Path, real: Path | None, plan: Plan) -> list[Group]:
    """Everything the benchmark reconstructs.

    Parameters
    ----------
    data
        Folder with the layout of `recon.datasets`; its test split is used.
    real
        Folder of measured k-space: high-field files in it, others in ``ultra_low_field``.
    plan
        How much of it.

    Raises
    ------
    InputError
        If a folder holds nothing, or a file cannot be read.
    """
    volumes = datasets.load(data, "test")[: plan.volumes]
    found = [
        Group(SIMULATED, "random", rate, simulated(volumes, rate, plan.every))
        for rate in ACCELERATIONS
    ]
    if real is not None:
        folders = {HIGH: real, LOW: real / "ultra_low_field"}
        files = {name: _files(folder)[: plan.files] for name, folder in folders.items()}
        if not any(files.values()):
            raise InputError("The folder of measured k-space holds no .mat or .npz files.")
        found += [
            Group(name, "random", rate, measured(paths, rate, plan.seeds, plan.slices))
            for name, paths in files.items()
            if paths
            for rate in ACCELERATIONS
        ]
    conditions = [(family, family, 0.0) for family in masks.FAMILIES if family != "random"]
    conditions += [(f"noise +{noise:.0%}", "random", noise) for noise in ADDED_NOISE]
    found += [
        Group(SIMULATED, name, rate, simulated(volumes, rate, plan.every_unusual, family, noise))
        for name, family, noise in conditions
        for rate in ACCELERATIONS
    ]
    return found


def simulated(
    volumes: Sequence[datasets.Volume],
    acceleration: float,
    every: int,
    family: str = "random",
    added_noise: float = 0.0,
) -> list[Case]:
    """Every so many-th slice, the same scan each time: the seed is the slice.

    They are `recon.datasets.fixed_scan`.

    Parameters
    ----------
    volumes
        Of magnitude images.
    acceleration
        Nominal.
    every
        At least one slice of each volume is taken.
    family
        A key of `recon.masks.FAMILIES`.
    added_noise
        Missing from the truth.
    """
    cases = []
    for volume in volumes:
        count = len(volume.slices)
        for index in range(min(every, count) // 2, count, every):
            scan, sampling = datasets.fixed_scan(
                volume, index, acceleration, NOISE, family, added_noise=added_noise
            )
            cases.append(Case(volume.subject, volume.name, index, scan, sampling))
    return cases


def measured(
    paths: Sequence[Path], acceleration: float, seeds: int, slices: int | None = None
) -> list[Case]:
    """The slices of some files, with mask seed 0; a file of one slice alone gets several masks.

    Parameters
    ----------
    paths
        Of fully sampled files.
    acceleration
        Nominal.
    seeds
        Masks of a file that holds one slice.
    slices
        At most so many of each file; all where None.
    """
    cases = []
    for path in paths:
        count = describe(path).slices
        for number in range(count)[:slices]:
            scan = Scan.of(read(path, slice=number), crop=CROP)
            for seed in range(seeds if count == 1 else 1):
                unit = f"slice {number}" if count > 1 else f"mask {seed}"
                cases.append(Case(path.stem, unit, number, scan, scan.draw(acceleration, seed)))
    return cases


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*") if p.is_file() and p.suffix in (".mat", ".npz"))
