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

from recon.export.common import Export, Sizes, Taker, described, whole
from recon.pipeline import Reconstruction
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

            def take(result: Reconstruction) -> None:
                if sizes.next(result.image.shape) == 0:
                    file.write(_header(nibabel, result, slices))
                file.write(np.ascontiguousarray(result.image, "<f4").tobytes())

            yield take
        sizes.check()


def _header(nibabel: Any, result: Reconstruction, slices: int) -> bytes:
    header = nibabel.Nifti1Header(endianness="<")
    height, width = result.image.shape
    header.set_data_dtype(np.float32)
    header.set_data_shape((width, height, slices))
    header["descrip"] = described(result).encode()[:79]
    header["vox_offset"], header["magic"] = OFFSET, b"n+1"
    affine = affine_of(result)
    if affine is not None:
        header.set_sform(affine, SCANNER)
        header.set_qform(affine, SCANNER)
        header.set_xyzt_units("mm")
    elif result.source.spacing is not None:
        row, column, slice_ = result.source.spacing
        header.set_zooms((column, row, slice_))
        header.set_xyzt_units("mm")
    content: bytes = header.binaryblock
    return content.ljust(OFFSET, b"\0")


def affine_of(result: Reconstruction) -> np.ndarray | None:
    """From (column, row, slice) of the pictures to millimetres, right-anterior-superior.

    Of the source's affine, which is about the whole image from slice 0 on.
    """
    affine = result.source.affine
    if affine is None:
        return None
    whole_size, shown = result.kspace_magnitude.shape, result.image.shape
    cut = [(large - small) // 2 for large, small in zip(whole_size, shown, strict=True)]
    moved = affine.copy()
    moved[:, 3] = affine @ (*cut, result.source.slice, 1)
    return moved[:, [1, 0, 2, 3]]


NII = Export("nii", "NIfTI (.nii)", ".nii", opened)
