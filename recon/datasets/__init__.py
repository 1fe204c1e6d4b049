"""Training data: volumes split by subject, and what is drawn from them.

``open`` data are magnitude images that anybody may download (`open_images`); their k-space is
simulated. ``fastmri`` is a person's own copy (`fastmri`); its k-space was measured.
"""

from __future__ import annotations

from pathlib import Path

from recon.datasets import fastmri, open_images
from recon.datasets.batches import (
    Sample,
    any_mask,
    band,
    draw,
    fixed_scan,
    patch,
    strip,
    undersample,
)
from recon.datasets.volumes import Measured, Slice, Volume
from recon.errors import InputError

__all__ = [
    "DATASETS",
    "SPLITS",
    "Measured",
    "Sample",
    "Slice",
    "Volume",
    "any_mask",
    "band",
    "draw",
    "fixed_scan",
    "load",
    "patch",
    "strip",
    "subjects",
    "undersample",
]

# Subjects, never slices, are split. The validation subject chooses the best weights; the test
# subjects are looked at once, by the finished network.
SPLITS = {
    "train": (
        *("open_ms_01", "open_ms_03", "open_ms_04", "open_ms_12"),
        *("hanke", "sag-anon", "mskt", "legs"),
    ),
    "validation": ("open_ms_09",),
    "test": ("open_ms_19", "open_ms_20"),
}
DATASETS = ("open", "fastmri", "fastmri-multicoil")


def load(folder: Path, split: str, dataset: str = "open") -> list[Volume]:
    """All volumes of one split, without the slices that hold mostly noise.

    Parameters
    ----------
    folder
        Where the data are: see `open_images` and `fastmri`.
    split
        A key of `SPLITS`.
    dataset
        One of `DATASETS`.

    Returns
    -------
    Volumes in a fixed order.

    Raises
    ------
    InputError
        If the folder holds nothing of the split.
    """
    subjects(folder, split, dataset)
    if dataset == "open":
        return list(open_images.volumes(folder, SPLITS[split]))
    return list(fastmri.volumes(folder, split, _coils(dataset)))


def subjects(folder: Path, split: str, dataset: str = "open") -> list[str]:
    """Whose volumes `load` gives; nothing is read to know it.

    Parameters
    ----------
    folder, split, dataset
        See `load`.

    Raises
    ------
    InputError
        If the folder holds nothing of the split.
    """
    if dataset == "open":
        found = open_images.present(folder, SPLITS[split])
        layout = "open_ms_data, example-dicom-structural, SAG-anon, mskt or QMRITools"
    else:
        coils = _coils(dataset)
        found = sorted({path.stem for path in fastmri.paths(folder, split, coils)})
        layout = f"{coils}_train and {coils}_val with fastMRI's files"
        if not found and split == "train" and fastmri.paths(folder, "validation", coils):
            raise InputError(
                f"One file of {coils}_train is not enough, for one in {fastmri.VALIDATION} is kept "
                f"for validation; two are accepted."
            )
    if not found:
        raise InputError(
            f"The data folder holds nothing of the {split} split; it should contain {layout}."
        )
    return found


def _coils(dataset: str) -> str:
    return "multicoil" if dataset == "fastmri-multicoil" else "singlecoil"
