"""Masks that somebody hands over: as an array, as a text of 1 and 0, or as a file of either."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from recon.errors import InputError

MAX_TEXT = 2**20  # characters


def checked(mask: Any, width: int) -> np.ndarray:
    """A mask that fits k-space: boolean, shape (width,).

    Parameters
    ----------
    mask
        Boolean, or 0 and 1.
    width
        Number of phase-encode lines.

    Raises
    ------
    InputError
        If it is none, or measures no line.
    """
    try:
        given = np.asarray(mask)
        fits = given.shape == (width,) and given.dtype.kind in "buif"
        fits = fits and bool(np.isin(given, (0, 1)).all() and given.any())
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise InputError(
            f"A mask has one value, 0 or 1, for each of the {width} phase-encode lines, "
            f"and measures one of them at least."
        )
    return given.astype(bool)


def as_text(mask: np.ndarray) -> str:
    """1 for a line that is measured and 0 for another.

    >>> as_text(np.array([True, False, True]))
    '101'
    """
    return "".join("1" if line else "0" for line in mask)


def from_text(text: str) -> np.ndarray:
    """The mask that `as_text` wrote: boolean, shape (len(text),)."""
    return np.array([mark == "1" for mark in text], bool)


def read(path: Path) -> np.ndarray:
    """A mask from a file: NumPy's ``.npy``, or a text of 1 and 0.

    Returns
    -------
    Boolean, shape (W,).

    Raises
    ------
    InputError
        If the file holds no mask.
    """
    try:
        if path.suffix.lower() == ".npy":
            found: np.ndarray = np.lib.format.open_memmap(path, mode="r")
        else:
            with path.open(encoding="ascii") as file:
                text = file.read(MAX_TEXT).strip()
            found = from_text(text) if not set(text) - {*"01"} else np.zeros(0)
        return checked(found, found.size)
    except OSError as error:
        raise InputError(
            f"{path.name} could not be opened ({error.strerror or 'damaged'}); a file "
            f"that can be is accepted."
        ) from None
    except (ValueError, InputError):
        raise InputError(
            f"{path.name} is no mask; a .npy file with 0 or 1 for each phase-encode line, or a "
            f"text file of 1 and 0 without spaces, is accepted."
        ) from None
