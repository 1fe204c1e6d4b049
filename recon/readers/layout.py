"""Which axis of a stored array is what.

Files seldom say. fastMRI has a fixed order, NumPy users put slices and coils first, MATLAB users
put them last; where the sizes make that impossible or absurd (an image of 216 x 7), the
next convention is tried. What remains open, slices or coils, is told to the person.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from recon.kspace import InputError
from recon.readers.bounded import Index
from recon.readers.stored import WANTED, Stored, pair_axis, suitable

Axes = Literal["auto", "slices", "coils"]

MIN_SIDE, MAX_SIDE, MAX_PICTURE_SIDE = 16, 2048, 4096
MAX_COILS = 64
MAX_SAMPLES = 2**24  # of one slice: 128 MiB as complex64
MAX_ASPECT = 4

# One letter an axis: S slices, C coils, H, W, and N for "slices or coils".
CONVENTIONS: dict[str, dict[int, tuple[str, ...]]] = {
    "numpy": {2: ("HW",), 3: ("NHW", "HWN"), 4: ("SCHW", "SHWC", "HWCS")},
    "matlab": {2: ("HW",), 3: ("HWN", "NHW"), 4: ("HWCS", "HWSC", "SCHW")},
}


@dataclass(frozen=True)
class Layout:
    """The meaning of each axis.

    Attributes
    ----------
    letters
        One letter an axis: S slices, C coils, H, W, and P for real and imaginary part.
    shape
        Sizes, in the same order.
    ambiguous
        True where slices and coils cannot be told apart.
    notes
        What had to be assumed.
    """

    letters: str
    shape: tuple[int, ...]
    ambiguous: bool = False
    notes: tuple[str, ...] = ()

    def size(self, letter: str) -> int:
        """Length of an axis, 1 where there is none."""
        at = self.letters.find(letter)
        return self.shape[at] if at >= 0 else 1

    def slice_index(self, number: int | None) -> int:
        """The slice that is meant; the middle one for None.

        Raises
        ------
        InputError
            If there is no such slice.
        """
        slices = self.size("S")
        if number is None:
            return slices // 2
        number = operator.index(number)
        if not 0 <= number < slices:
            raise InputError(
                f"There is no slice {number}; this file's slices are numbered 0 to {slices - 1}."
            )
        return number

    def index(self, number: int) -> Index:
        """What to take from the array for one slice."""
        return tuple(number if letter == "S" else slice(None) for letter in self.letters)

    def arrange(self, values: np.ndarray) -> np.ndarray:
        """One slice, as `index` takes it, as (H, W) or (C, H, W); complex unless a picture."""
        letters = self.letters.replace("S", "")
        if "P" in letters:
            pairs = np.ascontiguousarray(np.moveaxis(values, letters.index("P"), -1), np.float32)
            values = pairs.view(np.complex64)[..., 0]
            letters = letters.replace("P", "")
        order = "CHW" if "C" in letters else "HW"
        values = values.transpose([letters.index(letter) for letter in order])
        return values[0] if order == "CHW" and len(values) == 1 else values


def layout_of(stored: Stored, axes: Axes = "auto") -> Layout:
    """Decide what each axis of a stored array is, from its shape alone.

    Parameters
    ----------
    stored
        The array.
    axes
        What the third axis of an array with three means; ``"auto"`` decides.

    Returns
    -------
    Layout

    Raises
    ------
    InputError
        If the shape or the type is not one of k-space, or a size is out of bounds.
    """
    if axes not in ("auto", "slices", "coils"):
        raise InputError("The axes of an array are 'auto', 'slices' or 'coils'.")
    if not stored.picture and not suitable(stored.shape, stored.dtype):
        kind = "complex" if stored.dtype.kind == "c" else "real"
        size = " x ".join(map(str, stored.shape[:6]))
        raise InputError(f"This array is {kind} and {size} in size; {WANTED}.")
    pair = None if stored.picture else pair_axis(stored.shape, stored.dtype)
    shape = stored.shape if pair is None else stored.shape[1:] if pair == 0 else stored.shape[:-1]

    options = (stored.letters,) if stored.letters else CONVENTIONS[stored.order][len(shape)]
    letters = next((one for one in options if _plausible(one, shape, options[0])), options[0])
    ambiguous = "N" in letters and shape[letters.index("N")] > 1
    notes = []
    if "N" in letters:
        # A short last axis in a NumPy file is how coil images are usually kept.
        coils = stored.order == "numpy" and letters == "HWN" and not stored.picture
        meaning = axes if axes != "auto" else "coils" if coils else "slices"
        if ambiguous and axes == "auto":
            planes = shape[letters.index("N")]
            notes.append(
                f"The file does not say whether its {planes} planes are slices or coils; "
                f"they were read as {meaning}."
            )
        letters = letters.replace("N", meaning[0].upper())
    elif len(shape) == 4 and not stored.letters:
        words = {"S": "slices", "C": "coils", "H": "rows", "W": "columns"}
        notes.append(f"The four axes were read as {', '.join(words[one] for one in letters)}.")
    if pair is not None:
        letters = "P" + letters if pair == 0 else letters + "P"

    layout = Layout(letters, stored.shape, ambiguous, tuple(notes))
    _check_sizes(layout, MAX_PICTURE_SIDE if stored.picture else MAX_SIDE)
    return layout


def _plausible(letters: str, shape: tuple[int, ...], first_choice: str) -> bool:
    size = dict(zip(letters, shape, strict=True))
    low, high = sorted((size["H"], size["W"]))
    if low < MIN_SIDE or high > MAX_SIDE or high > MAX_ASPECT * low:
        return False
    if size.get("C", 1) > MAX_COILS:
        return False
    # A second convention needs better evidence: clearly fewer planes than lines.
    return letters == first_choice or "N" not in size or 4 * size["N"] <= min(low, 128)


def _check_sizes(layout: Layout, longest: int) -> None:
    height, width, coils = (layout.size(letter) for letter in "HWC")
    if min(height, width) < MIN_SIDE or max(height, width) > longest:
        raise InputError(
            f"A slice of this file is {height} x {width}; "
            f"height and width from {MIN_SIDE} to {longest} are accepted."
        )
    if not 1 <= coils <= MAX_COILS:
        raise InputError(
            f"A slice of this file has {coils} coils; 1 to {MAX_COILS} are accepted, "
            f"and the axes of an array can be set to 'slices' or 'coils'."
        )
    if layout.size("S") < 1:
        raise InputError("This file holds no slice; at least one is needed.")
    if coils * height * width > MAX_SAMPLES:
        raise InputError(
            f"One slice of this file has {coils * height * width / 1e6:.1f} million samples; "
            f"at most {MAX_SAMPLES / 1e6:.1f} million are accepted."
        )
