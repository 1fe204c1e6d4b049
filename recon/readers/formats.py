"""The table of file formats: adding one is one new module and one line here.

A format is recognised by content, never by name. Every reader has the same form,
``opened(path) -> context manager of Stored``, and opens nothing but `path` itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from recon.errors import InputError
from recon.readers import (
    bruker,
    cfl,
    dicom,
    fastmri,
    ismrmrd,
    matlab,
    nifti,
    numpy_file,
    pictures,
    tensor,
    twix,
)
from recon.readers.peek import (
    ZIP,
    Peek,
    begins,
    ge_pfile,
    hdf5,
    philips,
    philips_images,
    raw,
    zipped,
)
from recon.readers.stored_array import Stored


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
    Format("PNG", (".png",), begins(b"\x89PNG\r\n\x1a\n"), pictures.opened),
    Format("JPEG", (".jpg", ".jpeg"), begins(b"\xff\xd8\xff"), pictures.opened),
    Format("DICOM", (".dcm",), begins(b"DICM", at=128), dicom.opened),
    Format("NIfTI", (".nii", ".nii.gz"), nifti.recognised, nifti.opened),
    Format(
        "TIFF",
        (".tif", ".tiff"),
        begins(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        pictures.opened,
    ),
    Format("MATLAB", (".mat",), lambda file: matlab.is_v73(file.head), matlab.opened_v73),
    Format("ISMRMRD", (".h5", ".mrd"), ismrmrd.recognised, ismrmrd.opened),
    Format("fastMRI HDF5", (".h5", ".hdf5"), hdf5, fastmri.opened, varied=True),
    Format("MATLAB", (".mat",), lambda file: matlab.is_v5(file.head), matlab.opened_v5),
    Format("Siemens TWIX", (".dat",), twix.recognised, twix.opened),
    Format("PyTorch", (".pt", ".pth"), zipped("data.pkl"), tensor.opened),
    Format("BART", (".zip",), zipped(".cfl", ".hdr"), cfl.opened),
    Format("Bruker", (".zip",), zipped("acqp", "method"), bruker.opened),
    Format("NIfTI", (".zip",), nifti.recognised_zip, nifti.opened_zip),
    Format("DICOM", (".zip",), dicom.recognised_zip, dicom.opened_zip),
    Format("NumPy", (".npz",), begins(*ZIP), numpy_file.opened_npz),
)

MRD = "{} converts it to ISMRMRD (MRD), which is accepted"
REFUSED = (
    Refused(
        ge_pfile,
        "a GE P-file, which has no open reader",
        MRD.format("'pfile2ismrmrd' of ge_to_ismrmrd, which needs GE's own Orchestra,"),
    ),
    Refused(
        philips_images,
        "an image file of Philips (PAR/REC)",
        "'parrec2nii' or 'dcm2niix' makes NIfTI of it, which is accepted",
    ),
    Refused(
        philips,
        "a Philips raw data file, which has no open reader",
        MRD.format("'philips_to_ismrmrd'"),
    ),
    Refused(
        raw,
        "a file of raw data that does not say whose",
        "of Philips's, " + MRD.format("'philips_to_ismrmrd'"),
    ),
    Refused(
        begins(b"yardl"),
        "an MRD stream of version 2",
        "'mrd_to_ismrmrd' of the MRD tools writes version 1 in HDF5, which is accepted",
    ),
    Refused(
        cfl.lonely,
        "one half of a BART pair",
        "a zip of .cfl and .hdr is accepted, and on the command line both in one folder",
    ),
    Refused(
        nifti.half,
        "one half of a NIfTI or Analyze pair",
        "'nib-convert scan.img scan.nii' of nibabel makes one file of both, which is accepted",
    ),
    Refused(begins(b"\x1f\x8b"), "a gzip file, but no NIfTI image"),
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

    Parameters
    ----------
    path
        The file.
    acceleration
        Which variant is preferred.

    Raises
    ------
    InputError
        If there is no such file, or none of the formats.
    """
    if not path.is_file():
        raise no_file(path)
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
    suffix = file.suffix
    if suffix == ".mat":
        return InputError(
            "This is no MATLAB file of version 5 to 7.3; saved with -v7 or -v7.3 it is accepted."
        )
    if suffix in suffixes():
        return InputError(f"This file is named {suffix}, but its content is not; {accepted()}.")
    return InputError(f"This kind of file is not known; {accepted()}.")


def no_file(path: Path) -> InputError:
    """What a person is told where there is no file of this name."""
    if path.is_dir():
        return InputError(
            f"This is a folder without a Bruker scan (fid, acqp and method); {accepted()}."
        )
    return InputError(f"There is no such file; {accepted()}.")


def damaged(path: Path) -> InputError:
    """What a person is told where a parser stumbled."""
    suffix = path.suffix.lower()
    kind = f"as a {suffix} file" if suffix in suffixes() else "as a file with k-space"
    return InputError(f"This could not be read {kind}; it may be damaged or incomplete.")
