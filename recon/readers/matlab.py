"""MATLAB's .mat files: version 5 to 7 by `mat5`, version 7.3, which is HDF5, by `hdf5`.

MATLAB users put slices and coils last: (H, W, N). HDF5 shows the same array with its axes
reversed, and complex numbers as a compound of ``real`` and ``imag``. Fields of structures are
looked at where no variable can be k-space.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from recon.readers import fastmri, hdf5, mat5
from recon.readers.bounded_reading import BoundedFile
from recon.readers.peek import HDF5
from recon.readers.stored_array import (
    NAMES,
    PICTURE_NAMES,
    Arrays,
    Stored,
    check_mask,
    choose,
    in_pairs,
    is_mask,
    mask_of,
    suitable,
)


def is_v5(head: bytes) -> bool:
    """Whether a file that begins so is of version 5 to 7."""
    return head.startswith(b"MATLAB") and head[126:128] in (b"IM", b"MI")


def is_v73(head: bytes) -> bool:
    """Whether a file that begins so is of version 7.3."""
    return head.startswith(b"MATLAB 7.3") and head[512:520] == HDF5


@contextmanager
def opened_v5(path: Path) -> Iterator[Stored]:
    """The k-space, or the image ``Img``, of a .mat file of version 5 to 7.

    Raises
    ------
    InputError
        If no variable can be k-space.
    """
    with BoundedFile(path) as file:
        found = {one.name: one for one in mat5.variables(file)}
        arrays = {
            name: (
                one.shape,
                np.result_type(one.dtype, np.complex64) if one.is_complex else one.dtype,
            )
            for name, one in found.items()
            if not is_mask(name)
        }
        chosen = choose(arrays, pictures=True)
        mask = None
        if (name := mask_of(found, chosen.name)) is not None:
            one = found[name]
            check_mask(one.shape, np.dtype(np.complex64) if one.is_complex else one.dtype)
            mask = mat5.take_variable(file, one, (slice(None),) * len(one.shape))
        yield Stored(
            "MATLAB",
            chosen.shape,
            chosen.dtype,
            take=chosen.taking(lambda name, index: mat5.take_variable(file, found[name], index)),
            order="matlab",
            picture=chosen.picture,
            mask=mask,
        )


@contextmanager
def opened_v73(path: Path) -> Iterator[Stored]:
    """The k-space, or the image ``Img``, of a .mat file of version 7.3.

    Raises
    ------
    InputError
        If no variable can be k-space.
    """
    with hdf5.opened(path) as (raw, file):
        members = hdf5.names(file) or [*NAMES, *PICTURE_NAMES, "Img"]
        found = {name: (one, dtype) for name, one, dtype in hdf5.numeric(file, members)}
        arrays = _declared(found)
        if not any(suitable(*one) for one in arrays.values()) and not in_pairs(arrays):
            fields = hdf5.below(file)  # of structures
            members = [*members, *fields]
            found |= {name: (one, dtype) for name, one, dtype in hdf5.numeric(file, fields)}
            arrays = _declared(found)
        chosen = choose(arrays, pictures=True)
        mask = fastmri.mask(raw, file, mask_of(members, chosen.name))
        yield Stored(
            "MATLAB 7.3",
            chosen.shape,
            chosen.dtype,
            take=chosen.taking(lambda name, index: hdf5.take(raw, found[name][0], index[::-1]).T),
            order="matlab",
            picture=chosen.picture,
            mask=None if mask is None else mask.T,
        )


def _declared(found: Mapping[str, tuple[h5py.Dataset, np.dtype]]) -> Arrays:
    """Shape as MATLAB has it, and type, of all but masks."""
    return {
        name: (one.shape[::-1], dtype) for name, (one, dtype) in found.items() if not is_mask(name)
    }
