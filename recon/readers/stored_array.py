"""An array as a file holds it, and which of a file's arrays is the k-space."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal

import numpy as np

from recon.errors import InputError
from recon.readers.bounded_reading import Index

# Names that people give to k-space, most telling first.
NAMES = ("kspace", "ksp", "k", "kdata", "rawdata", "data")
PICTURE_NAMES = ("img",)
# Of one of two arrays that are real and imaginary part: what it is called without that, and which.
# Lazy and greedy at once, it takes the square of a name's length.
PART = re.compile(r"(.*?)[ _.-]*(?:(real|imag)(?:inary)?|(?:^|(?<=[ _.-]))(re|im))", re.IGNORECASE)

MAX_NAME = 64  # characters

MIN_SIDE = 16  # pixels of a slice, either way

WANTED = (
    "k-space is complex, or real with a first or last axis of exactly 2 "
    "(real and imaginary part), or two real arrays called real and imag, with 2 to 5 axes"
)

MAX_MASK = 4 * 2**20  # values
WRONG_MASK = (
    "The mask in this file is none; one value, 0 or 1, for each column is accepted, "
    "or no mask at all."
)


@dataclass(frozen=True)
class Stored:
    """One array of an open file. Nothing of its content has been read yet.

    Attributes
    ----------
    format
        What the file was read as, in words.
    shape, dtype
        As declared; complex for pairs that the file itself calls real and imaginary.
    take
        ``take(index)`` reads ``array[index]``; one entry an axis, an int or ``slice(None)``.
    order
        Convention for the axes where `letters` does not fix them: slices or coils first as in
        NumPy, or last as in MATLAB.
    letters
        Meaning of each axis where the format fixes it, see `recon.readers.layout.Layout`;
        empty where it does not.
    certain
        True where the format says that this is centred k-space, so that nothing is guessed.
    picture
        True where the file says that this is an image and no k-space.
    mask
        Declared sampling mask, any shape; None where the file has none.
    complete
        False where the file itself says that the object was not sampled in full, although no
        column may be missing (asymmetric echo, partitions left out): no reference exists.
    size
        Height and width of the image that the file's header asks for; None where it is silent.
    spacing
        Millimetres from one row, column and slice of that image to the next; None if untold.
    affine
        4 x 4, from (row, column, slice) of the stored image to millimetres, right-anterior-
        superior as in NIfTI; None where the file does not say.
    stack
        How many slices it holds for, where numbers go on through time frames or echoes of the
        same ones; 0 where all slices lie in different places.
    accelerations
        Undersampled variants the file holds.
    noise_covariance, attrs, notes
        See `recon.kspace.Source`.
    """

    format: str
    shape: tuple[int, ...]
    dtype: np.dtype
    take: Callable[[Index], np.ndarray]
    order: Literal["numpy", "matlab"] = "numpy"
    letters: str = ""
    certain: bool = False
    picture: bool = False
    mask: np.ndarray | None = None
    complete: bool = True
    size: tuple[int, int] | None = None
    spacing: tuple[float, float, float] | None = None
    affine: np.ndarray | None = None
    stack: int = 0
    accelerations: tuple[int, ...] = ()
    noise_covariance: np.ndarray | None = None
    attrs: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def pair_axis(shape: tuple[int, ...], dtype: np.dtype) -> int | None:
    """Axis of a real array that holds real and imaginary part: -1, 0, or None.

    Whole numbers, as converters count, have it last: two slices of a picture have it first.
    """
    counts = _counts(dtype)
    if not (dtype.kind == "f" or counts) or len(shape) < 3:
        return None
    return -1 if shape[-1] == 2 else 0 if shape[0] == 2 and not counts else None


def _counts(dtype: np.dtype) -> bool:
    """Whether these are whole numbers of the kind that converters write."""
    return dtype.kind == "i" and dtype.itemsize > 1


def suitable(shape: tuple[int, ...], dtype: np.dtype) -> bool:
    """Whether an array of this shape and type may be k-space."""
    axes = len(shape) - (pair_axis(shape, dtype) is not None)
    is_complex = dtype.kind == "c" and dtype.itemsize in (8, 16)
    return 2 <= axes <= 5 and (is_complex or axes < len(shape))


def is_mask(name: str) -> bool:
    """Whether an array of this name, its groups before it, is a sampling mask."""
    return PurePosixPath(name).name.lower() == "mask"


def mask_of(names: Iterable[str], beside: str | None = None) -> str | None:
    """Which of a file's arrays is its sampling mask, by its name; None where none is.

    Parameters
    ----------
    names
        With their groups before them, parted by slashes.
    beside
        The k-space, where only what is in the same group belongs to it.

    Raises
    ------
    InputError
        If there are several.
    """
    found = [name for name in names if is_mask(name)]
    if beside is not None:
        group = PurePosixPath(beside).parent
        found = [name for name in found if PurePosixPath(name).parent == group]
    if len(found) > 1:
        raise InputError(WRONG_MASK)
    return found[0] if found else None


def check_mask(shape: tuple[int, ...], dtype: np.dtype | None) -> None:
    """Refuse what cannot be a mask: no array of real numbers, or too large a one.

    Raises
    ------
    InputError
    """
    able = dtype is not None and dtype.kind in "fiub" and 0 < math.prod(shape) <= MAX_MASK
    if not (able and shape):
        raise InputError(WRONG_MASK)


Arrays = Mapping[str, tuple[tuple[int, ...], np.dtype]]
"""Shape and type by name, its groups before it, parted by slashes."""


@dataclass(frozen=True)
class Chosen:
    """The array that is meant to be read; of two where those are its real and imaginary part.

    Attributes
    ----------
    name
        With its groups before it.
    shape, dtype
        Of the whole.
    parts
        Names of the arrays in the file that it is made of.
    picture
        Whether it is an image.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    parts: tuple[str, ...]
    picture: bool = False

    def taking(self, take: Callable[[str, Index], np.ndarray]) -> Callable[[Index], np.ndarray]:
        """``take(index)`` of it, from ``take(name, index)`` of what the file holds."""

        def taken(index: Index) -> np.ndarray:
            first, *second = (take(name, index) for name in self.parts)
            return first + np.complex64(1j) * second[0] if second else first

        return taken


def in_pairs(arrays: Arrays) -> dict[str, tuple[str, str]]:
    """Names of real and imaginary parts that two arrays of one shape are, by that of the whole."""
    halves: dict[tuple[PurePosixPath, str], dict[str, list[str]]] = {}
    for name in arrays:
        path = PurePosixPath(name)
        if len(path.name) <= MAX_NAME and (found := PART.fullmatch(path.name)):
            part = (found[2] or found[3])[0].lower()
            halves.setdefault((path.parent, found[1]), {}).setdefault(part, []).append(name)
    pairs: dict[str, tuple[str, str]] = {}
    # Those that are called "real" and "imag" and no more come last: they have no name of their own.
    for (group, prefix), two in sorted(halves.items(), key=lambda item: not item[0][1]):
        whole = str(group / (prefix or NAMES[0]))
        if whole in arrays or whole in pairs or [len(two.get(part, ())) for part in "ri"] != [1, 1]:
            continue
        (real,), (imaginary,) = two["r"], two["i"]
        (shape, one), (same, other) = arrays[real], arrays[imaginary]
        if shape == same and all(t.kind == "f" or _counts(t) for t in (one, other)):
            pairs[whole] = real, imaginary
    return pairs


def choose(arrays: Arrays, pictures: bool = False) -> Chosen:
    """The array that is meant to be read; two that are called real and imaginary part are one.

    One with a name that k-space usually has; else one that is named as an image, where
    `pictures` are allowed; else the only one that can be k-space at all, complex ones first. What
    lies in groups comes into question only where nothing above them does.

    Parameters
    ----------
    arrays
        What the file holds.
    pictures
        Whether an image is accepted.

    Raises
    ------
    InputError
        If no array, or more than one, comes into question.
    """
    joined = in_pairs(arrays)
    halves = {name for two in joined.values() for name in two}
    wholes = {
        whole: (arrays[two[0]][0], np.result_type(*(arrays[n][1] for n in two), np.complex64))
        for whole, two in joined.items()
    }
    arrays = {name: one for name, one in arrays.items() if name not in halves} | wholes
    name, picture = _meant(arrays, list(wholes), pictures)
    return Chosen(name, *arrays[name], joined.get(name, (name,)), picture)


def _meant(arrays: Arrays, joined: Sequence[str], pictures: bool) -> tuple[str, bool]:
    """Its name, and whether it is an image; `joined` are made of two."""
    able = [name for name in arrays if suitable(*arrays[name])]
    nearest = min((name.count("/") for name in able), default=0)
    able = [name for name in able if name.count("/") == nearest]
    called = {name: PurePosixPath(name).name.lower() for name in arrays}
    for known in NAMES:
        named = [name for name in able if called[name] == known]
        if len(named) == 1:
            return named[0], False
    for known in ("kspace", "data"):
        begin = [name for name in able if called[name].startswith(known)]
        if len(begin) == 1:
            return begin[0], False
    if pictures:
        for name, (shape, dtype) in arrays.items():
            if called[name] in PICTURE_NAMES and dtype.kind in "uifc" and 2 <= len(shape) <= 3:
                return name, True
    # Whole numbers may be much else, such as places.
    likely = [[n for n in able if arrays[n][1].kind == kind and n not in joined] for kind in "cf"]
    able = next(filter(None, [*likely, [n for n in able if n in joined]]), able)
    if len(able) == 1:
        return able[0], False
    if able:
        raise InputError(
            f"This file holds {len(able)} arrays that may be k-space; "
            f"name the one that is meant 'kspace'."
        )
    if len(arrays) == 1:
        shape, dtype = next(iter(arrays.values()))
        kind = {"c": "complex", "f": "real", "u": "integer", "i": "integer"}.get(
            dtype.kind, "other"
        )
        raise InputError(
            f"The array in this file has the shape {_words(shape)} and {kind} values; {WANTED}."
        )
    raise InputError(f"This file holds no array that can be k-space: {WANTED}.")


def _words(shape: tuple[int, ...]) -> str:
    return "(" + ", ".join(str(size) for size in shape[:6]) + (", ...)" if len(shape) > 6 else ")")
