"""fastMRI files and others in HDF5 that hold one k-space.

fastMRI (Zbontar et al. 2018, arXiv 1811.08839): dataset ``kspace``, (S, H, W) or
(S, C, H, W); in its test files columns are missing and ``mask`` says which. Course exercises
are handed out with several undersampled variants side by side: ``kspace_4af`` and
``mask_4af``, ``kspace_8af`` and ``mask_8af``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from recon.errors import InputError
from recon.readers import calgary, hdf5, ismrmrd, vlen
from recon.readers.bounded_reading import BoundedFile
from recon.readers.stored_array import (
    MIN_SIDE,
    NAMES,
    Chosen,
    Stored,
    check_mask,
    choose,
    in_pairs,
    is_mask,
    mask_of,
    suitable,
)

VARIANTS = range(2, 33)
OVERSAMPLED = 1.5  # times as many samples of a readout as lines

# Only these; `patient_id` and whatever else may name a person stays in the file.
ATTRIBUTES = ("acquisition", "max", "norm", "acceleration")
MARKS = ("ismrmrd_header", "reconstruction_rss", "reconstruction_esc", "mask")


@contextmanager
def opened(path: Path, acceleration: float) -> Iterator[Stored]:
    """The k-space of an HDF5 file.

    Parameters
    ----------
    path
        The file.
    acceleration
        Which variant to prefer where the file has several and none is fully sampled.

    Raises
    ------
    InputError
        If the file has no k-space that can be read.
    """
    with hdf5.opened(path) as (raw, file):
        variants = tuple(n for n in VARIANTS if hdf5.dataset(file, f"kspace_{n}af") is not None)
        attrs = {name: hdf5.scalar(file, name) for name in ATTRIBUTES}
        attrs = {name: value for name, value in attrs.items() if value not in (None, "")}
        marked = bool(variants or attrs) or any(hdf5.has(file, mark) for mark in MARKS)

        notes: tuple[str, ...] = ()
        mask_name: str | None
        if variants and hdf5.dataset(file, "kspace") is None:
            nearest = min(variants, key=lambda n: abs(n - acceleration))
            chosen, mask_name = _variant(file, nearest), f"mask_{nearest}af"
            rates = " and ".join(f"{n}x" for n in variants)
            notes = (f"The file holds k-space undersampled {rates}; {nearest}x was read.",)
        else:
            chosen, members = _find(file)
            mask_name = mask_of(members, chosen.name)
        name, shape, dtype = chosen.name, chosen.shape, chosen.dtype
        held = {part: found for part, found, _ in hdf5.numeric(file, chosen.parts)}
        take = chosen.taking(lambda part, index: hdf5.take(raw, held[part], index))
        if calgary.recognised(name, shape, dtype):
            yield Stored(**calgary.stored(shape, take), attrs=attrs, notes=(*notes, calgary.NOTE))
            return
        ours = marked and name.startswith("kspace") and len(shape) in (3, 4)
        ours = ours and dtype.kind == "c"
        size, spacing = _image(raw, file)
        height, width = shape[-2:] if ours else (0, 0)
        if ours and size is None and height >= OVERSAMPLED * width:
            size = (height // 2, width)
            notes += (
                "The file does not say how large its image is; half of each readout was taken for "
                "oversampling, as everywhere in fastMRI.",
            )
        yield Stored(
            format="fastMRI HDF5" if marked else "HDF5",
            shape=shape,
            dtype=dtype,
            take=take,
            letters={3: "SHW", 4: "SCHW"}[len(shape)] if ours else "",
            mask=mask(raw, file, mask_name),
            size=size,
            spacing=spacing,
            accelerations=variants,
            attrs=attrs,
            notes=notes,
        )


def _image(
    raw: BoundedFile, file: h5py.File
) -> tuple[tuple[int, int] | None, tuple[float, float, float] | None]:
    """Height and width of the image, and its spacing in mm, as far as the file tells them."""
    size: tuple[int, int] | None = None
    spacing = None
    header = hdf5.dataset(file, "ismrmrd_header")
    try:
        described = None if header is None else vlen.text(raw, header)
        told = None if described is None else ismrmrd.parse(described)
    except (InputError, ValueError):  # it is of no use; the k-space may be
        told = None
    if told is not None and min(told.recon.matrix[:2]) >= MIN_SIDE:
        # Pixels are those of the k-space: it is cut to a smaller matrix, never interpolated.
        size, spacing = told.recon.matrix[:2], told.encoded.spacing
    for name in ("reconstruction_rss", "reconstruction_esc"):  # what others compare with
        shape = hdf5.shape(file, name)
        if shape is not None and len(shape) == 3:
            return shape[-2:], spacing
    return size, spacing


def _variant(file: h5py.File, acceleration: int) -> Chosen:
    """The k-space that a file holds for one acceleration."""
    name = f"kspace_{acceleration}af"
    for _, found, dtype in hdf5.numeric(file, [name]):
        return Chosen(name, found.shape, dtype, (name,))
    raise InputError("The k-space in this HDF5 file is not numeric; complex is accepted.")


def _find(file: h5py.File) -> tuple[Chosen, list[str]]:
    """The k-space, and the paths of datasets that it was chosen from."""
    arrays, members = {}, hdf5.names(file)
    for name, found, dtype in hdf5.numeric(file, dict.fromkeys((*NAMES, *members))):
        arrays[name] = (found.shape, dtype)
        usual = name in NAMES and suitable(*arrays[name])
        if usual or calgary.recognised(name, *arrays[name]):
            return Chosen(name, *arrays[name], (name,)), members
    if not any(suitable(*one) for one in arrays.values()) and not in_pairs(arrays):
        below = hdf5.below(file)
        members = [*members, *below]
        for path, found, dtype in hdf5.numeric(file, below):
            if not is_mask(path):
                arrays[path] = (found.shape, dtype)
    return choose(arrays), members


def mask(raw: BoundedFile, file: h5py.File, name: str | None) -> np.ndarray | None:
    """The sampling mask beside the k-space, as it is stored; None where there is none.

    Raises
    ------
    InputError
        If it is no array of real numbers, or too large for a mask.
    """
    found = None if name is None else hdf5.dataset(file, name)
    if found is None:
        return None
    check_mask(found.shape, hdf5.number_type(found))
    return hdf5.take(raw, found, (slice(None),) * len(found.shape))
