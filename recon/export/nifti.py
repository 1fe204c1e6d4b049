"""NIfTI, with an affine where the file that was read knows one.

Voxels are (column, row, slice), float32. One affine holds for slices that follow each other evenly;
repetitions, echoes and separate files may lie elsewhere, and then there is none. Without one the
header's codes say that nothing is known of the orientation, and only the size of voxels is given,
where that is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from recon.export.common import Export, Sizes, Slice, Taker, described, whole
from recon.readers.missing import needs

SCANNER = 1  # code of an affine to the scanner's coordinates
MILLIMETRES = 0.05  # that a slice may lie off its place
OFFSET = 352  # of the voxels, behind the header and four bytes that say: no extension


@contextmanager
def opened(path: Path, slices: int) -> Iterator[Taker]:
    """A file for the slices of one volume.

    Raises
    ------
    InputError
        If nibabel is not installed.
    """
    nibabel = needs("nibabel", "Writing NIfTI files")
    sizes = Sizes(slices)
    first: Slice | None = None
    even = True
    with whole(path) as unfinished:
        with unfinished.open("wb") as file:

            def take(one: Slice) -> None:
                nonlocal first, even
                number = sizes.next(one.image.shape)
                if first is None:
                    first = one
                    file.write(_header(nibabel, one, slices))
                even = even and _follows(first, one, number)
                file.write(np.ascontiguousarray(one.image, "<f4").tobytes())

            yield take
            if first is not None and not even:
                file.seek(0)
                file.write(_header(nibabel, replace(first, affine=None), slices))
        sizes.check()


def _follows(first: Slice, one: Slice, number: int) -> bool:
    """Whether a slice lies where the affine of the first one has it."""
    if first.affine is None or one.affine is None:
        return first.affine is one.affine
    expected = first.affine.copy()
    expected[:, 3] = first.affine @ (0, 0, number, 1)
    return bool(np.abs(one.affine - expected).max() < MILLIMETRES)


def _header(nibabel: Any, one: Slice, slices: int) -> bytes:
    header = nibabel.Nifti1Header(endianness="<")
    height, width = one.image.shape
    header.set_data_dtype(np.float32)
    header.set_data_shape((width, height, slices))
    header["descrip"] = described(one).encode()[:79]
    header["vox_offset"], header["magic"] = OFFSET, b"n+1"
    affine = one.affine
    if affine is not None:
        header.set_sform(affine, SCANNER)
        header.set_qform(affine, SCANNER)
        header.set_xyzt_units("mm")
    elif one.spacing is not None:
        row, column, slice_ = one.spacing
        header.set_zooms((column, row, slice_))
        header.set_xyzt_units("mm")
    content: bytes = header.binaryblock
    return content.ljust(OFFSET, b"\0")


NII = Export("nii", "NIfTI (.nii)", ".nii", opened)
