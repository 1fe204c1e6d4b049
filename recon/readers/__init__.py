"""Files to k-space: fastMRI and other HDF5, NumPy, MATLAB, and pictures.

`read` gives one slice, `describe` says what a file holds. The format is recognised by content,
not by name. Files come from strangers, so nothing a file declares is believed before it is
checked, and whatever goes wrong is one `InputError` with one sentence for the person.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from recon.kspace import InputError, KSpace
from recon.readers import fastmri, matlab, numpy_file, pictures
from recon.readers.layout import Axes, layout_of
from recon.readers.settle import settle
from recon.readers.stored import Stored

__all__ = ["SUFFIXES", "Description", "describe", "read"]

SUFFIXES = (".h5", ".hdf5", ".npy", ".npz", ".mat", ".png", ".jpg", ".jpeg", ".tif", ".tiff")
ACCEPTED = "fastMRI HDF5, NumPy, MATLAB, PNG, JPEG and TIFF files are accepted"

HDF5 = b"\x89HDF\r\n\x1a\n"
PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# What people also have, by its first bytes or by bytes further in.
OTHERS = (
    (128, b"DICM", "a DICOM file"),
    (344, b"n+1\0", "a NIfTI file"),
    (0, b"\x1f\x8b", "a gzip file"),
    (0, b"\x80", "a Python pickle, which is never loaded"),
    (0, b"%PDF", "a PDF file"),
    (0, b"GIF8", "a GIF picture"),
)


@dataclass(frozen=True)
class Description:
    """What a file holds, from its headers alone.

    Attributes
    ----------
    format
        In words: ``"fastMRI HDF5"``, ``"NumPy"``, ``"MATLAB"``, ``"PNG picture"``...
    slices, coils
        Numbers of them; 1 coil where the file does not tell coils apart.
    height, width
        Of the k-space that `read` gives.
    accelerations
        Undersampled variants the file holds, such as (4, 8).
    ambiguous
        True where an axis may be slices or coils; `axes` decides.
    """

    format: str
    slices: int
    coils: int
    height: int
    width: int
    accelerations: tuple[int, ...]
    ambiguous: bool


def read(
    path: str | os.PathLike[str],
    *,
    slice: int | None = None,
    acceleration: float = 4,
    axes: Axes = "auto",
) -> KSpace:
    """One slice of k-space from a file.

    Parameters
    ----------
    path
        The file; see `SUFFIXES`.
    slice
        From 0; the middle one where None.
    acceleration
        Which variant to take from a file that holds several undersampled ones.
    axes
        What the third axis of an array with three means, where the file does not say.

    Returns
    -------
    KSpace
        complex64, (H, W) or (C, H, W), finite and not all zero. Its `source` says what was
        found, and `source.notes` what had to be assumed.

    Raises
    ------
    InputError
        If there is no such slice, or no k-space that can be read.
    """
    path = Path(path)
    try:
        with _opened(path, acceleration) as stored:
            layout = layout_of(stored, axes)
            number = layout.slice_index(slice)
            values = layout.arrange(stored.take(layout.index(number)))
            return settle(values, path.name, stored, layout, number)
    except InputError:
        raise
    except Exception:  # whatever a parser stumbles over; its words may quote the file
        raise _damaged(path) from None


def describe(
    path: str | os.PathLike[str], *, acceleration: float = 4, axes: Axes = "auto"
) -> Description:
    """What a file holds, without reading its k-space.

    Parameters
    ----------
    path, acceleration, axes
        See `read`.

    Returns
    -------
    Description

    Raises
    ------
    InputError
        If there is no k-space that can be read.
    """
    path = Path(path)
    try:
        with _opened(path, acceleration) as stored:
            layout = layout_of(stored, axes)
            height, width = layout.size("H"), layout.size("W")
            if stored.picture and stored.dtype.kind != "c":
                height, width = pictures.reduced_size(height, width)
            return Description(
                format=stored.format,
                slices=layout.size("S"),
                coils=layout.size("C"),
                height=height,
                width=width,
                accelerations=stored.accelerations,
                ambiguous=layout.ambiguous,
            )
    except InputError:
        raise
    except Exception:
        raise _damaged(path) from None


def _opened(path: Path, acceleration: float) -> AbstractContextManager[Stored]:
    """The reader for a file, by the file's first bytes."""
    if not path.is_file():
        raise InputError(f"There is no such file; {ACCEPTED}.")
    with path.open("rb") as file:
        head = file.read(2056)
    if not head:
        raise InputError(f"This file is empty; {ACCEPTED}.")
    if head.startswith(b"\x93NUMPY"):
        return numpy_file.opened_npy(path)
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        return numpy_file.opened_npz(path)
    if head.startswith(PICTURES):
        return pictures.opened(path)
    if head.startswith(b"MATLAB 7.3") and head[512:520] == HDF5:
        return matlab.opened_v73(path)
    if any(head[at : at + 8] == HDF5 for at in (0, 512, 1024, 2048)):
        return fastmri.opened(path, acceleration)
    if head[126:128] in (b"IM", b"MI") and head.startswith(b"MATLAB"):
        return matlab.opened_v5(path)
    raise _unknown(path, head)


def _unknown(path: Path, head: bytes) -> InputError:
    for at, magic, words in OTHERS:
        if head[at : at + len(magic)] == magic:
            return InputError(f"This is {words}; {ACCEPTED}.")
    suffix = path.suffix.lower()
    if suffix == ".mat":
        return InputError(
            "This is no MATLAB file of version 5 to 7.3; saved with -v7 or -v7.3 it is accepted."
        )
    if suffix in SUFFIXES:
        return InputError(f"This file is named {suffix}, but its content is not; {ACCEPTED}.")
    return InputError(f"This kind of file is not known; {ACCEPTED}.")


def _damaged(path: Path) -> InputError:
    suffix = path.suffix.lower()
    kind = f"as a {suffix} file" if suffix in SUFFIXES else "as a file with k-space"
    return InputError(f"This could not be read {kind}; it may be damaged or incomplete.")
