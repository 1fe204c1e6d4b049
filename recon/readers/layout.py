"""Which axis of a stored array is what.

Files seldom say. fastMRI has a fixed order, NumPy users put slices and coils first, MATLAB users
put them last; where the sizes make that impossible or absurd (an image of 216 x 7), the
next convention is tried. What remains open, slices or coils, is told to the person.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from recon.errors import InputError
from recon.readers import evidence
from recon.readers.bounded_reading import Index
from recon.readers.stored_array import MIN_SIDE, WANTED, Stored, pair_axis, suitable

Axes = str  # "auto", "slices", "coils", or a letter for each axis

MAX_SIDE, MAX_PICTURE_SIDE = 2048, 4096
MAX_COILS = 64
MAX_SAMPLES = 2**24  # of one slice: 128 MiB as complex64
MAX_ASPECT = 4

# One letter an axis: S slices, C coils, H, W, and N for "slices or coils".
CONVENTIONS: dict[str, dict[int, tuple[str, ...]]] = {
    "numpy": {
        2: ("HW",),
        3: ("NHW", "HWN"),
        4: ("SCHW", "SHWC", "HWCS"),
        5: ("TSCHW",),
    },
    "matlab": {
        2: ("HW",),
        3: ("HWN", "NHW"),
        4: ("HWCS", "HWSC", "SCHW"),
        5: ("HWCST", "TSCHW"),  # CMRxRecon: kx, ky, coils, slices, time
    },
}


@dataclass(frozen=True)
class Layout:
    """The meaning of each axis.

    Attributes
    ----------
    letters
        One letter an axis: S slices, C coils, H, W, T for time, whose frames are counted as
        further slices, and P for real and imaginary part.
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

    @property
    def slices(self) -> int:
        """Number of slices, those of all time frames together."""
        return self.size("S") * self.size("T")

    def slice_index(self, number: int | None) -> int:
        """The slice that is meant; the middle one for None.

        Raises
        ------
        InputError
            If there is no such slice.
        """
        slices = self.slices
        if number is None:
            return slices // 2
        try:
            number = operator.index(number)
        except TypeError:
            raise InputError(f"A slice is a whole number, from 0; {number!r} is none.") from None
        if not 0 <= number < slices:
            raise InputError(
                f"There is no slice {number}; this file's slices are numbered 0 to {slices - 1}."
            )
        return number

    def index(self, number: int) -> Index:
        """What to take from the array for one slice."""
        frame, plane = divmod(number, max(1, self.size("S")))
        where = {"S": plane, "T": frame}
        return tuple(where.get(letter, slice(None)) for letter in self.letters)

    def arrange(self, values: np.ndarray) -> np.ndarray:
        """One slice, as `index` takes it, as (H, W) or (C, H, W); complex unless a picture."""
        letters = self.letters.replace("S", "").replace("T", "")
        if "P" in letters:
            pairs = np.ascontiguousarray(np.moveaxis(values, letters.index("P"), -1), np.float32)
            values = pairs.view(np.complex64)[..., 0]
            letters = letters.replace("P", "")
        order = "CHW" if "C" in letters else "HW"
        values = values.transpose([letters.index(letter) for letter in order])
        return values[0] if order == "CHW" and len(values) == 1 else values


def layout_of(stored: Stored, axes: Axes = "auto") -> Layout:
    """Decide what each axis of a stored array is.

    The format may fix it, or the person says it. Else the values decide where they can (see
    `recon.readers.evidence`), then the order in which NumPy and MATLAB users keep arrays; what was
    decided, and why, becomes a note.

    Parameters
    ----------
    stored
        The array.
    axes
        ``"auto"``; ``"slices"`` or ``"coils"`` for the third axis of an array with three; or a
        letter for each axis: H, W, S slices, C coils, T time or any further axis of slices.

    Returns
    -------
    Layout

    Raises
    ------
    InputError
        If the shape or the type is not one of k-space, or a size is out of bounds.
    """
    if axes not in ("auto", "slices", "coils"):
        axes = _checked(axes)
    if not stored.picture and not suitable(stored.shape, stored.dtype):
        kind = "complex" if stored.dtype.kind == "c" else "real"
        size = " x ".join(map(str, stored.shape[:6]))
        raise InputError(f"This array is {kind} and {size} in size; {WANTED}.")
    pair = None if stored.picture else pair_axis(stored.shape, stored.dtype)
    shape = stored.shape if pair is None else stored.shape[1:] if pair == 0 else stored.shape[:-1]

    def whole(letters: str) -> Layout:
        letters = letters if pair is None else "P" + letters if pair == 0 else letters + "P"
        return Layout(letters, stored.shape)

    notes: list[str] = []
    if stored.letters:
        letters, ambiguous = stored.letters, False
    elif axes not in ("auto", "slices", "coils"):
        if len(axes) != len(shape):
            raise InputError(
                f"This array has {len(shape)} axes beside real and imaginary part, so as many "
                f"letters are needed; '{axes}' has {len(axes)}."
            )
        letters, ambiguous = axes, False
    else:
        letters, ambiguous, notes = _decided(stored, shape, whole, axes)
    layout = replace(whole(letters), ambiguous=ambiguous, notes=tuple(notes))
    _check_sizes(layout, MAX_PICTURE_SIDE if stored.picture else MAX_SIDE)
    return layout


def _checked(axes: str) -> str:
    """Letters that a person gave, in capitals.

    Raises
    ------
    InputError
    """
    letters = axes.upper() if isinstance(axes, str) else ""
    one_each = len(set(letters)) == len(letters) and set(letters) <= set("TSCHW")
    if not one_each or not {"H", "W"} <= set(letters):
        raise InputError(
            "The axes of an array are 'auto', 'slices' or 'coils', or a letter for each, such as "
            "SCHW or HWC: slices, coils, height, width, and T for time."
        )
    return letters


WORDS = {"S": "slices", "C": "coils", "H": "rows", "W": "columns", "T": "time frames"}


def _decided(
    stored: Stored, shape: tuple[int, ...], whole: Callable[[str], Layout], axes: str
) -> tuple[str, bool, list[str]]:
    """Letters, whether slices and coils remain in doubt, and notes on what was assumed."""
    options = CONVENTIONS[stored.order][len(shape)]
    likely = [one for one in options if _plausible(one, shape, options[0])]
    plane = _kspace_plane(stored, shape, whole) if len(shape) > 2 else None
    fitting = [one for one in likely if plane is not None and _plane(one) == plane]
    if plane is not None and not fitting and len(shape) <= 4:
        fitting = [one for one in _all_orders(len(shape), plane) if _fits(one, shape)]
    letters = (fitting or likely or list(options))[0]
    why = " by where its energy lies" if fitting and letters not in likely[:1] else ""
    if len(shape) == 2:
        return letters, False, []
    if len(shape) >= 4:
        if len(shape) == 4:
            letters, told = _slices_or_coils(stored, letters, whole)
            why += told
        read = ", ".join(WORDS[one] for one in letters)
        number = {4: "four", 5: "five"}[len(shape)]
        return letters, False, [f"The {number} axes were read as {read}{why}; 'axes' changes it."]

    count = shape[letters.index("N")]
    ambiguous = count > 1
    if axes != "auto":
        return letters.replace("N", axes[0].upper()), ambiguous, []
    shown = None
    if ambiguous and not stored.picture:
        shown = _evidence(stored, whole(letters.replace("N", "S")), "S", count)
    # A short last axis in a NumPy file is how coil images are usually kept.
    coils = stored.order == "numpy" and letters == "HWN" and not stored.picture
    meaning = shown or ("coils" if coils else "slices")
    notes = []
    if shown:
        reason = {
            "coils": "one object under different sensitivities",
            "slices": "different objects under the same sensitivity",
        }[shown]
        notes = [f"The {count} planes were read as {shown}: they show {reason}; 'axes' changes it."]
    elif ambiguous:
        notes = [
            f"The file does not say whether its {count} planes are slices or coils; "
            f"they were read as {meaning}, and 'axes' changes it."
        ]
    if why:
        order = ", ".join(WORDS.get(one, meaning) for one in letters)
        notes.append(f"The axes were read as {order}{why}.")
    return letters.replace("N", meaning[0].upper()), ambiguous and not shown, notes


def _plane(letters: str) -> tuple[int, int]:
    first, second = sorted((letters.index("H"), letters.index("W")))
    return first, second


def _all_orders(axes: int, plane: tuple[int, int]) -> list[str]:
    """Every meaning in which these two axes are rows and columns."""
    rest = ["N"] if axes == 3 else ["SC", "CS"]
    found = []
    for others in rest:
        letters, left = "", list(others)
        for axis in range(axes):
            letters += "HW"[plane.index(axis)] if axis in plane else left.pop(0)
        found.append(letters)
    return found


def _fits(letters: str, shape: tuple[int, ...]) -> bool:
    size = dict(zip(letters, shape, strict=True))
    sides = size["H"], size["W"]
    return min(sides) >= MIN_SIDE and max(sides) <= MAX_SIDE and size.get("C", 1) <= MAX_COILS


def _kspace_plane(
    stored: Stored, shape: tuple[int, ...], whole: Callable[[str], Layout]
) -> tuple[int, int] | None:
    """Which two axes are k-space, by the values along each axis through the middle."""
    if stored.picture or min(shape) < 2 or len(shape) > 4 or sorted(shape)[-2] < MIN_SIDE:
        return None
    marks = "ABDE"[: len(shape)]
    letters = whole(marks).letters
    at = [slice(None) if one == "P" else shape[marks.index(one)] // 2 for one in letters]
    profiles = []
    for mark in marks:
        index = list(at)
        index[letters.index(mark)] = slice(None)
        values = np.asarray(stored.take(tuple(index)))
        if "P" in letters:
            kept = [one for one in letters if one in ("P", mark)]
            values = np.linalg.norm(values, axis=kept.index("P"))
        if not np.isfinite(values).all():
            return None
        profiles.append(values)
    return evidence.kspace_axes(profiles)


def _evidence(
    stored: Stored, layout: Layout, letter: str, count: int
) -> Literal["coils", "slices"] | None:
    """What the planes along one axis show; along other axes than H and W the middle is taken."""
    planes = []
    for number in evidence.chosen(count):
        index: Index = tuple(
            slice(None) if one in "HWP" else number if one == letter else size // 2
            for one, size in zip(layout.letters, layout.shape, strict=True)
        )
        kept = "".join(one for one in layout.letters if one in "HWP")
        planes.append(Layout(kept, ()).arrange(np.asarray(stored.take(index))))
    return evidence.meaning(planes)


def _slices_or_coils(
    stored: Stored, letters: str, whole: Callable[[str], Layout]
) -> tuple[str, str]:
    """Letters of four axes, slices and coils exchanged where the planes say so; and why."""
    layout = whole(letters)
    sizes = layout.size("S"), layout.size("C")
    if min(sizes) < 2 or max(layout.size("H"), layout.size("W")) > MAX_SIDE:
        return letters, ""
    said = [_evidence(stored, layout, one, size) for one, size in zip("SC", sizes, strict=True)]
    exchanged = letters.translate(str.maketrans("SC", "CS"))
    if "coils" in said and said[0] != said[1]:
        right = said[1] == "coils"
    elif "slices" in said and said[0] != said[1]:
        right = said[0] == "slices"
    else:
        return letters, ""
    if not right and layout.size("S") > MAX_COILS:
        return letters, ""
    return (letters if right else exchanged), " by what their planes show"


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
            f"and the axes of an array can be told by a letter for each, such as SCHW."
        )
    if layout.slices < 1:
        raise InputError("This file holds no slice; at least one is needed.")
    if coils * height * width > MAX_SAMPLES:
        raise InputError(
            f"One slice of this file has {coils * height * width / 1e6:.1f} million samples; "
            f"at most {MAX_SAMPLES / 1e6:.1f} million are accepted."
        )
