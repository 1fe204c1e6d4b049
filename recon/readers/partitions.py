"""Slices of a 3-D acquisition: the Fourier transform along its partitions, one slice at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np


def slice_of(
    number: int, total: int, there: Iterable[int], take: Callable[[int], np.ndarray]
) -> np.ndarray:
    """K-space of one slice, with a single partition in memory at a time.

    Centred and orthonormal, as everywhere: the sum over k of
    ``exp(2 pi i (k - total // 2) (number - total // 2) / total) / sqrt(total)`` times partition k.

    Parameters
    ----------
    number, total
        Which slice, of how many.
    there
        The partitions that were measured; others are zero.
    take
        Gives the k-space of a partition, (H, W) or (C, H, W).

    Raises
    ------
    ValueError
        If none was measured.
    """
    result: np.ndarray | None = None
    for k in there:
        turn = np.exp(2j * np.pi * (k - total // 2) * (number - total // 2) / total)
        part = take(k).astype(np.complex64) * np.complex64(turn / np.sqrt(total))
        result = part if result is None else result + part
    if result is None:
        raise ValueError("no partition at all")
    return result
