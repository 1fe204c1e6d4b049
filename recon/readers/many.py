"""Many axes brought to one: slices, then time frames, echoes, repetitions..."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from recon.errors import InputError
from recon.readers.bounded_reading import Index

MAX_SLICES = 100_000


def unravelled(
    counts: Sequence[tuple[int, str]], take: Callable[[tuple[int, ...]], np.ndarray]
) -> tuple[int, Callable[[Index], np.ndarray], tuple[str, ...]]:
    """Several axes as one axis of slices.

    Parameters
    ----------
    counts
        Length and meaning in words ("slices", "time frames") of each axis, the fastest first.
    take
        Gives one plane by its index on each of these axes.

    Returns
    -------
    Number of planes, a `Stored.take` whose first index is that of the plane, and notes.

    Raises
    ------
    InputError
        If there are too many.
    """
    sizes = [count for count, _ in counts]
    total = math.prod(sizes)
    if not 0 < total <= MAX_SLICES:
        raise InputError(f"This file holds {total} slices; 1 to {MAX_SLICES} are accepted.")
    notes: tuple[str, ...] = ()
    if sum(count > 1 for count in sizes) > 1:
        words = " of ".join(f"{count} {word}" for count, word in reversed(counts) if count > 1)
        fastest = next(word for count, word in counts if count > 1)
        notes = (f"The file holds {words}; slice numbers run through the {fastest} first.",)

    def plane(index: Index) -> np.ndarray:
        number = index[0]
        if not isinstance(number, int):
            raise ValueError("one plane at a time")
        where = []
        for size in sizes:
            number, rest = divmod(number, size)
            where.append(rest)
        return take(tuple(where))

    return total, plane, notes
