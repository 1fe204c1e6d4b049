"""A person's own copy of fastMRI (Zbontar et al. 2018, arXiv 1811.08839).

A folder as it is unpacked: ``singlecoil_train/*.h5`` and ``singlecoil_val/*.h5``, or
``multicoil_train`` and ``multicoil_val``, with or without ``knee_`` or ``brain_`` in front. The
published training files are divided by file, which in fastMRI means by patient, into training
and validation; the published validation files, which have references, are for testing. Nothing
of it is ever copied: fastMRI may not be passed on.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from recon.datasets.volumes import Measured, Volume
from recon.errors import InputError
from recon.measurement import picture
from recon.readers import describe
from recon.readers.as_kspace import MIN_VALUE

VALIDATION = 20  # one of so many training files chooses the best weights


def volumes(folder: Path, split: str, coils: str = "singlecoil") -> Iterable[Volume]:
    """The volumes of a split, each without blank slices and those at its start that are mostly
    noise.

    Parameters
    ----------
    folder
        Holds ``{coils}_train`` and ``{coils}_val``.
    split
        ``"train"``, ``"validation"`` or ``"test"``.
    coils
        ``"singlecoil"`` or ``"multicoil"``.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    for path in paths(folder, split, coils):
        yield Volume(path.stem, path.stem, _without_start(path))


def paths(folder: Path, split: str, coils: str) -> list[Path]:
    """The files of a split; see `volumes`."""
    published = "val" if split == "test" else "train"
    return [
        path
        for number, path in enumerate(sorted(folder.glob(f"*{coils}_{published}/*.h5")))
        if split == "test" or (split == "validation") == (number % VALIDATION == 0)
    ]


def _without_start(path: Path) -> list[Measured]:
    """Slices but blank ones, from the first whose picture has a quarter of the middle's signal.

    The original work dropped the first slices of a volume, which are mostly noise, without
    saying how many.
    """
    try:
        held, blank = describe(path).slices, _blank(path)
    except (InputError, OSError) as error:
        raise InputError(f"{path.name} cannot be read: {error}") from None
    slices = [Measured(path, index) for index in range(held) if index not in blank]
    if not slices:
        raise InputError(f"{path.name} is zero everywhere; a file with a signal is accepted.")
    first, enough = 0, 0.25 * _signal(slices[len(slices) // 2])
    while first < len(slices) // 2 and _signal(slices[first]) < enough:
        first += 1
    return slices[first:]


def _blank(path: Path) -> set[int]:
    """Slices of nothing but zeros. A row in their middle tells most others, so little is read."""
    with h5py.File(path) as file:
        kspace = file.get("kspace")
        if not isinstance(kspace, h5py.Dataset) or kspace.dtype.kind != "c" or kspace.ndim < 3:
            return set()
        middle = kspace.shape[-2] // 2

        def zero(*index: Any) -> bool:
            return bool(np.abs(kspace[index]).max() < MIN_VALUE)

        return {n for n in range(len(kspace)) if zero(n, ..., middle, slice(None)) and zero(n)}


def _signal(measured: Measured) -> float:
    return float(np.percentile(picture(measured.kspace().data), 99))
