"""NIfTI, with an affine where the file that was read knows one.

Voxels are (column, row, slice), float32. Without an affine the header's codes say that nothing is
known of the orientation, and only the size of voxels is given, where that is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from recon.export.common import Export, Sizes, Slice, Taker, described, whole
from recon.readers.missing import needs

SCANNER = 1  # code of an affine to the scanner's coordinates
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
    with whole(path) as unfinished:
        with unfinished.open("wb") as file:

            def take(one: Slice) -> None:
                if sizes.next(one.image.shape) == 0:
                    file.write(_header(nibabel, one, slices))
                file.write(np.ascontiguousarray(one.image, "<f4").tobytes())

            yield take
        sizes.check()


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
