"""The table of file formats: adding one is one new module and one line here.

A format is recognised by content, never by name. Every reader has the same form,
``opened(path) -> context manager of Stored``, and opens nothing but `path` itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from recon.kspace import InputError
from recon.readers import fastmri, matlab, numpy_file, pictures
from recon.readers.peek import Peek, begins, hdf5
from recon.readers.stored import Stored


@dataclass(frozen=True)
class Format:
    """One kind of file.

    Attributes
    ----------
    name
        In words, as it stands in the sentence that lists what is accepted.
    suffixes
        What such files are usually called.
    recognised
        Whether a file is of this kind, by its first bytes.
    opened
        Opens it.
    varied
        Whether `opened` also takes the acceleration that is preferred, for files that hold
        several undersampled variants.
    """

    name: str
    suffixes: tuple[str, ...]
    recognised: Callable[[Peek], bool]
    opened: Callable[..., AbstractContextManager[Stored]]
    varied: bool = False


@dataclass(frozen=True)
class Refused:
    """A kind of file that people also have, and what to do with it."""

    recognised: Callable[[Peek], bool]
    words: str  # "a PDF file"
    advice: str = ""  # in place of what is accepted


# In the order in which they are tried.
FORMATS = (
    Format("NumPy", (".npy",), begins(b"\x93NUMPY"), numpy_file.opened_npy),
    Format("NumPy", (".npz",), begins(b"PK\3\4", b"PK\5\6"), numpy_file.opened_npz),
    Format("PNG", (".png",), begins(b"\x89PNG\r\n\x1a\n"), pictures.opened),
    Format("JPEG", (".jpg", ".jpeg"), begins(b"\xff\xd8\xff"), pictures.opened),
    Format(
        "TIFF",
        (".tif", ".tiff"),
        begins(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        pictures.opened,
    ),
    Format("MATLAB", (".mat",), lambda file: matlab.is_v73(file.head), matlab.opened_v73),
    Format("fastMRI HDF5", (".h5", ".hdf5"), hdf5, fastmri.opened, varied=True),
    Format("MATLAB", (".mat",), lambda file: matlab.is_v5(file.head), matlab.opened_v5),
)

REFUSED = (
    Refused(begins(b"DICM", at=128), "a DICOM file"),
    Refused(begins(b"n+1\0", at=344), "a NIfTI file"),
    Refused(begins(b"\x1f\x8b"), "a gzip file"),
    Refused(begins(b"\x80"), "a Python pickle, which is never loaded"),
    Refused(begins(b"%PDF"), "a PDF file"),
    Refused(begins(b"GIF8"), "a GIF picture"),
)


def suffixes() -> tuple[str, ...]:
    """Every suffix that an accepted file may have."""
    return tuple(dict.fromkeys(suffix for one in FORMATS for suffix in one.suffixes))


def _listed(words: Iterable[str]) -> str:
    *most, last = dict.fromkeys(words)
    return f"{', '.join(most)} and {last}"


def accepted() -> str:
    """What is accepted, as the second half of a sentence."""
    return f"{_listed(one.name for one in FORMATS)} files are accepted"


def opened(path: Path, acceleration: float = 4) -> AbstractContextManager[Stored]:
    """The reader for a file, by the file's content.

    Raises
    ------
    InputError
        If there is no such file, or none of the formats.
    """
    if not path.is_file():
        raise InputError(f"There is no such file; {accepted()}.")
    file = Peek(path)
    if not file.head:
        raise InputError(f"This file is empty; {accepted()}.")
    for one in FORMATS:
        if one.recognised(file):
            return one.opened(path, acceleration) if one.varied else one.opened(path)
    raise _unknown(file)


def _unknown(file: Peek) -> InputError:
    for one in REFUSED:
        if one.recognised(file):
            return InputError(f"This is {one.words}; {one.advice or accepted()}.")
    suffix = file.path.suffix.lower()
    if suffix == ".mat":
        return InputError(
            "This is no MATLAB file of version 5 to 7.3; saved with -v7 or -v7.3 it is accepted."
        )
    if suffix in suffixes():
        return InputError(f"This file is named {suffix}, but its content is not; {accepted()}.")
    return InputError(f"This kind of file is not known; {accepted()}.")


def damaged(path: Path) -> InputError:
    """What a person is told where a parser stumbled."""
    suffix = path.suffix.lower()
    kind = f"as a {suffix} file" if suffix in suffixes() else "as a file with k-space"
    return InputError(f"This could not be read {kind}; it may be damaged or incomplete.")
