"""Files to k-space: scanners' own formats, those of laboratories, arrays, and pictures.

`read` gives one slice, `describe` says what a file holds, `formats` is the table of what is
read. The format is recognised by content, not by name. Files come from strangers, so nothing a
file declares is believed before it is checked, and whatever goes wrong is one `InputError` with
one sentence for the person.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from recon.errors import InputError
from recon.kspace import KSpace
from recon.limits import LimitError
from recon.readers import formats, isolated, pictures
from recon.readers.as_kspace import BLANK, as_kspace
from recon.readers.isolated import NotStartedError, warm
from recon.readers.layout import Axes, Layout, layout_of
from recon.readers.stored_array import Stored

__all__ = ["BLANK", "SUFFIXES", "Axes", "Description", "describe", "read", "slices", "warm"]

SUFFIXES = formats.suffixes()
# Seconds of reading slices after which a file is opened anew. What one opening may take is bounded
# (see `isolated`); enough of it is left for a slice that could be read alone.
OPEN_FOR = isolated.PROCESSOR_SECONDS / 4


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
        What the axes of an array mean, where the file does not say: a letter for each, such as
        ``"SCHW"`` (S slices, C coils, H rows, W columns, T time); ``"slices"`` or ``"coils"``
        for the third axis of three; ``"auto"`` to guess.

    Returns
    -------
    KSpace
        complex64, (H, W) or (C, H, W), finite and not all zero. Its `source` says what was
        found, and `source.notes` what had to be assumed.

    Raises
    ------
    InputError
        If there is no such slice, or no k-space that can be read.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from recon import phantom
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/scan.npy", phantom.kspace((64, 48)))
    ...     kspace = read(f"{folder}/scan.npy")
    >>> kspace.data.shape, kspace.source.format
    ((64, 48), 'NumPy')
    """
    path = Path(path)
    with _in_words(path), isolated.opened(path, acceleration) as stored:
        layout = layout_of(stored, axes)
        return _slice(path, stored, layout, layout.slice_index(slice))


def slices(
    path: str | os.PathLike[str],
    numbers: Sequence[int] | None = None,
    *,
    acceleration: float = 4,
    axes: Axes = "auto",
) -> Iterator[tuple[int, KSpace | InputError]]:
    """Several slices of a file, one after another, each as `read` gives it.

    The file stays open between them, for as long as one opening may take.

    Parameters
    ----------
    path, acceleration, axes
        See `read`.
    numbers
        Which slices, in this order; all where None.

    Yields
    ------
    Number of a slice, and the slice, or why it cannot be read. The others still can.

    Raises
    ------
    InputError
        If there is no k-space that can be read at all.
    """
    path = Path(path)
    left = None if numbers is None else list(numbers)
    while left is None or left:
        with ExitStack() as stack:
            with _in_words(path):
                stored = stack.enter_context(isolated.opened(path, acceleration))
                layout = layout_of(stored, axes)
            left = list(range(layout.slices)) if left is None else left
            spent = 0.0
            while left and spent <= OPEN_FOR:
                number, start = left.pop(0), time.monotonic()
                try:
                    with _in_words(path):
                        kspace = _slice(path, stored, layout, layout.slice_index(number))
                except LimitError:
                    raise
                except InputError as error:  # after which a reader has ended
                    yield number, error
                    break
                spent += time.monotonic() - start
                yield number, kspace


def _slice(path: Path, stored: Stored, layout: Layout, number: int) -> KSpace:
    values = layout.arrange(stored.take(layout.index(number)))
    return as_kspace(values, path.name, stored, layout, number)


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Whatever a parser stumbles over as one sentence; its own words may quote the file."""
    try:
        yield
    except (InputError, NotStartedError):
        raise
    except Exception:
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
    with _in_words(path), isolated.opened(path, acceleration) as stored:
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


def _open_axes(stored: Stored, layout: Layout) -> str:
    letters = layout.letters.replace("P", "")
    return "" if stored.letters or len(letters) < 3 else letters
