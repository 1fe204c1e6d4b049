"""Files to k-space: fastMRI and other HDF5, NumPy, MATLAB, and pictures.

`read` gives one slice, `describe` says what a file holds, `formats` is the table of what is
read. The format is recognised by content, not by name. Files come from strangers, so nothing a
file declares is believed before it is checked, and whatever goes wrong is one `InputError` with
one sentence for the person.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from recon.errors import InputError
from recon.kspace import KSpace
from recon.readers import formats, isolated, pictures
from recon.readers.as_kspace import as_kspace
from recon.readers.isolated import NotStartedError, warm
from recon.readers.layout import Axes, Layout, layout_of
from recon.readers.stored_array import Stored

__all__ = ["SUFFIXES", "Axes", "Description", "describe", "read", "warm"]

SUFFIXES = formats.suffixes()


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
    axes
        A letter for each axis of an array of which the format does not say it, as it was read;
        empty of others. Given as `axes`, other letters read it otherwise.
    """

    format: str
    slices: int
    coils: int
    height: int
    width: int
    accelerations: tuple[int, ...]
    ambiguous: bool
    axes: str = ""


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
        with isolated.opened(path, acceleration) as stored:
            layout = layout_of(stored, axes)
            number = layout.slice_index(slice)
            values = layout.arrange(stored.take(layout.index(number)))
        return as_kspace(values, path.name, stored, layout, number)
    except (InputError, NotStartedError):
        raise
    except Exception:  # whatever a parser stumbles over; its words may quote the file
        raise formats.damaged(path) from None


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
        with isolated.opened(path, acceleration) as stored:
            layout = layout_of(stored, axes)
            height, width = layout.size("H"), layout.size("W")
            if stored.picture and stored.dtype.kind != "c":
                height, width = pictures.reduced_size(height, width)
            return Description(
                format=stored.format,
                slices=layout.slices,
                coils=layout.size("C"),
                height=height,
                width=width,
                accelerations=stored.accelerations,
                ambiguous=layout.ambiguous,
                axes=_open_axes(stored, layout),
            )
    except (InputError, NotStartedError):
        raise
    except Exception:
        raise formats.damaged(path) from None


def _open_axes(stored: Stored, layout: Layout) -> str:
    letters = layout.letters.replace("P", "")
    return "" if stored.letters or len(letters) < 3 else letters
