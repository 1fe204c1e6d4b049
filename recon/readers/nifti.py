"""NIfTI, plain or in gzip: magnitude images, or complex ones.

The header is read by nibabel; the voxels are taken by `recon.readers.bounded_reading`, so a small
file cannot unpack to much. A magnitude and a phase image in one zip archive are joined to complex
images. Slices are turned as radiologists look at them, by the file's affine.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recon.errors import InputError
from recon.readers import archive, many
from recon.readers.bounded_reading import (
    GZIP,
    MIB,
    BoundedFile,
    Index,
    Stream,
    inflated,
    take,
)
from recon.readers.missing import needs
from recon.readers.peek import Peek
from recon.readers.phases import joined, pair
from recon.readers.stored_array import Stored

MAX_UNPACKED = 2048 * MIB
WORDS = ("slices", "volumes", "fifth-axis volumes", "sixth-axis volumes", "seventh-axis volumes")


@dataclass(frozen=True)
class Volume:
    """The header's facts and a way to the voxels."""

    shape: tuple[int, ...]
    dtype: np.dtype
    slope: float
    offset: float
    affine: np.ndarray
    start: int
    stream: Callable[[], Stream]

    def plane(self, where: tuple[int, ...]) -> np.ndarray:
        """Voxels of one slice, scaled: float32 or complex64, shape (i, j)."""
        stream = self.stream()
        stream.skip(self.start)
        index: Index = (slice(None), slice(None), *where)
        values = take(stream, self.shape[::-1], self.dtype, index[::-1]).T
        if values.dtype.kind == "c":
            return values
        return values.astype(np.float32) * np.float32(self.slope) + np.float32(self.offset)


def recognised(file: Peek) -> bool:
    """Whether a file, unpacked if need be, begins with a NIfTI header of one file."""
    begin = file.unpacked
    return begin[344:348] == b"n+1\0" or begin[4:8] == b"n+2\0"


def recognised_zip(file: Peek) -> bool:
    """Whether a zip archive holds NIfTI files."""
    return any(name.lower().endswith((".nii", ".nii.gz")) for name in file.members)


def half(file: Peek) -> bool:
    """Whether a file is a header of NIfTI or Analyze alone, or, by its name, its voxels."""
    sizes = (348, 540)  # bytes of a header, which begins with that
    begins = [size.to_bytes(4, order) for size in sizes for order in ("little", "big")]
    return file.head[:4] in begins or file.suffix == ".img"


@contextmanager
def opened(path: Path) -> Iterator[Stored]:
    """The volume of a .nii or .nii.gz file.

    Raises
    ------
    InputError
        If it holds no image that can be used, or is not all there.
    """
    with BoundedFile(path) as file:
        packed = file.read(2) == b"\x1f\x8b"

        def stream() -> Stream:
            file.seek(0)
            if packed:
                return inflated(file, file.size, wbits=GZIP)
            return Stream(file.read, lambda step: file.seek(step, io.SEEK_CUR))

        volume = _volume(stream, None if packed else file.size)
        yield _stored(volume.shape, volume.affine, volume.plane, _is_complex(volume))


@contextmanager
def opened_zip(path: Path) -> Iterator[Stored]:
    """One NIfTI image in a zip archive, or a magnitude and a phase image.

    Raises
    ------
    InputError
        If there are others.
    """
    with archive.opened(path) as packed:
        files = {
            one.filename: one
            for one in archive.members(packed)
            if one.filename.lower().endswith((".nii", ".nii.gz"))
        }
        volumes = {
            name: _volume(_member(packed, info), None) for name, info in list(files.items())[:3]
        }
        if len(volumes) == 1:
            (volume,) = volumes.values()
            yield _stored(volume.shape, volume.affine, volume.plane, _is_complex(volume))
            return
        found = pair(list(files)) if len(files) == 2 else None
        if found is None or volumes[found[0]].shape != volumes[found[1]].shape:
            raise InputError(
                f"This archive holds {len(files)} NIfTI images; one, or a magnitude and a phase "
                f"image of one size with 'mag' and 'phase' in their names, are accepted."
            )
        size, angle = (volumes[name] for name in found)
        yield _stored(
            size.shape,
            size.affine,
            lambda where: joined(size.plane(where), angle.plane(where)),
            True,
            ("Magnitude and phase were joined to complex images.",),
        )


def _member(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], Stream]:
    archive.check(info)

    def stream() -> Stream:
        member = packed.open(info)
        plain = Stream(lambda size: member.read(min(size, MIB)))
        if not info.filename.lower().endswith(".gz"):
            return plain
        return inflated(member, info.file_size, wbits=GZIP)

    return stream


def _volume(stream: Callable[[], Stream], size: int | None) -> Volume:
    nibabel = needs("nibabel", "Reading NIfTI files")
    start = stream().exactly(540)
    kind, length = (
        (nibabel.Nifti2Header, 540) if start[4:8] == b"n+2\0" else (nibabel.Nifti1Header, 348)
    )
    header: Any = kind(start[:length], check=True)
    shape, dtype = tuple(int(n) for n in header.get_data_shape()), header.get_data_dtype()
    offset = header["vox_offset"].item()
    if not 2 <= len(shape) <= 7 or min(shape) < 1 or dtype.kind not in "uifc":
        size_words = " x ".join(map(str, shape[:7]))
        raise InputError(
            f"This NIfTI image is {size_words} in size and of a kind that holds no brightness; "
            f"real or complex numbers with 2 to 7 axes are accepted."
        )
    shape = shape + (1,) * (3 - len(shape))
    bytes_ = math.prod(shape) * dtype.itemsize
    if dtype.itemsize > 16 or bytes_ > MAX_UNPACKED or not length <= offset < 2**31:
        raise InputError(
            f"This NIfTI image declares {bytes_ / MIB:.4g} MiB of voxels; "
            f"at most {MAX_UNPACKED // MIB} MiB in ordinary numbers are accepted."
        )
    if size is not None and offset + bytes_ > size:
        raise InputError(
            f"This NIfTI image declares {bytes_ / MIB:.1f} MiB of voxels and ends before; "
            f"a complete file is accepted."
        )
    slope, intercept = header.get_slope_inter()
    affine = np.asarray(header.get_best_affine(), float)
    return Volume(
        shape,
        dtype,
        1.0 if slope is None else float(slope),
        0.0 if intercept is None else float(intercept),
        affine,
        int(offset),
        stream,
    )


def _is_complex(volume: Volume) -> bool:
    return volume.dtype.kind == "c"


def _stored(
    shape: tuple[int, ...],
    affine: np.ndarray,
    plane: Callable[[tuple[int, ...]], np.ndarray],
    is_complex: bool,
    notes: tuple[str, ...] = (),
) -> Stored:
    turn, height, width, turned = upright(affine, shape)
    counts = list(zip(shape[2:], WORDS, strict=False))
    total, chosen, more = many.unravelled(counts, lambda where: turn(plane(where)))
    return Stored(
        "NIfTI",
        (total, height, width),
        np.dtype(np.complex64 if is_complex else np.float32),
        chosen,
        letters="SHW",
        picture=True,
        affine=turned,
        stack=shape[2],
        notes=notes + more,
    )


def upright(
    affine: np.ndarray, shape: tuple[int, ...]
) -> tuple[Callable[[np.ndarray], np.ndarray], int, int, np.ndarray | None]:
    """How to turn voxels (i, j) of a slice into rows and columns.

    The row axis is the one that runs most from head to feet, else from front to back; rows run
    downwards (to the feet, to the back) and columns to the patient's left, or to the back.

    Parameters
    ----------
    affine
        From voxels (i, j, slice) to millimetres, right-anterior-superior: shape (4, 4).
    shape
        Of the volume.

    Returns
    -------
    The turning, height, width, and the affine from (row, column, slice), shape (4, 4); None where
    that of the file is none.
    """
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-12:
        return (lambda x: x.T), shape[1], shape[0], None
    directions = affine[:3, :2] / np.linalg.norm(affine[:3, :2], axis=0)
    # Weight of each world axis (right, front, head) when rows are chosen.
    uprightness = np.abs(directions).T @ np.array([0.0, 1.0, 2.0])
    rows = int(uprightness[1] >= uprightness[0])
    columns = 1 - rows
    flips = []
    turned = affine[:, [rows, columns, 2, 3]].copy()
    for place, axis in enumerate((rows, columns)):
        main = int(np.argmax(np.abs(directions[:, axis])))
        grows = directions[main, axis] > 0  # to the right, the front or the head
        flips.append(bool(grows))
        if grows:
            turned[:, 3] += turned[:, place] * (shape[axis] - 1)
            turned[:, place] *= -1

    def turn(values: np.ndarray) -> np.ndarray:
        values = values.T if rows == 1 else values
        values = values[::-1] if flips[0] else values
        return values[:, ::-1] if flips[1] else values

    return turn, shape[rows], shape[columns], turned
