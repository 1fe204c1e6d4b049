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

import numpy as np

from recon.datasets.volumes import Measured, Volume
from recon.errors import InputError
from recon.measurement import picture
from recon.readers import describe

VALIDATION = 20  # one of so many training files chooses the best weights


def volumes(folder: Path, split: str, coils: str = "singlecoil") -> Iterable[Volume]:
    """The volumes of a split, each without the slices at its start that are mostly noise.

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
    published = "val" if split == "test" else "train"
    paths = sorted(folder.glob(f"*{coils}_{published}/*.h5"))
    for number, path in enumerate(paths):
        if split == "test" or (split == "validation") == (number % VALIDATION == 0):
            yield Volume(path.stem, path.stem, _without_start(path))


def _without_start(path: Path) -> list[Measured]:
    """Slices from the first one on whose picture has a quarter of the middle slice's signal.

    The original work dropped the first slices of a volume, which are mostly noise, without
    saying how many.
    """
    try:
        slices = [Measured(path, index) for index in range(describe(path).slices)]
        first, enough = 0, 0.25 * _signal(slices[len(slices) // 2])
        while first < len(slices) // 2 and _signal(slices[first]) < enough:
            first += 1
    except InputError as error:
        raise InputError(f"{path.name} cannot be read: {error}") from None
    return slices[first:]


def _signal(measured: Measured) -> float:
    return float(np.percentile(picture(measured.kspace().data), 99))
