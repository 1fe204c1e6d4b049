"""One slice of k-space that remembers where it came from, and the error a person can cause."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np


class InputError(ValueError):
    """Something is wrong with what a person gave us.

    The message is one sentence that says what is wrong and what would be accepted. It is
    shown to that person as it is, so it never contains a path, a traceback or raw file text.
    """


@dataclass(frozen=True)
class Source:
    """Where a slice of k-space came from.

    Attributes
    ----------
    name
        File or example name, without any folder.
    format
        What the file was read as, in words: ``"fastMRI HDF5"``, ``"NumPy"``...
    slice, slices
        Index of this slice, and how many the file holds.
    simulated
        True where k-space was computed from a magnitude image and never measured. Scores on
        such data are optimistic (Shimron et al. 2022, doi 10.1073/pnas.2117203119).
    mask
        For data that arrived already undersampled: boolean, shape (W,), True where a line
        was measured. None for fully sampled data.
    attrs
        What the file says of itself: a few plain scalars (``acquisition``, ``max``,
        ``norm``, ``acceleration``), never anything that names a patient.
    notes
        Sentences for the person: what had to be assumed or changed to read the file.
    """

    name: str = "array"
    format: str = "array"
    slice: int = 0
    slices: int = 1
    simulated: bool = False
    mask: np.ndarray | None = None
    attrs: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class KSpace(np.ndarray):
    """Centred k-space of one slice: complex64, shape (H, W) or (C, H, W), with a `source`.

    Phase encoding runs along the last axis. A view on an ordinary array: every NumPy
    function works on it.

    Parameters
    ----------
    array
        Anything NumPy turns into a complex array of shape (H, W) or (C, H, W).
    source
        Where it came from.

    Raises
    ------
    InputError
        If the array does not have two or three axes.
    """

    source: Source

    def __new__(cls, array: Any, source: Source | None = None) -> Self:
        view = np.ascontiguousarray(array, dtype=np.complex64).view(cls)
        if view.ndim not in (2, 3):
            raise InputError(
                f"K-space of one slice has the shape (H, W) or (coils, H, W); "
                f"this array has {view.ndim} axes."
            )
        view.source = source or Source()
        return view

    def __array_finalize__(self, parent: Any) -> None:
        self.source = getattr(parent, "source", None) or Source()
