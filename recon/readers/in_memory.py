"""Arrays that somebody's program hands over, examined as the same array in a file is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from recon.errors import InputError
from recon.kspace import KSpace
from recon.readers.as_kspace import as_kspace
from recon.readers.layout import Axes, Layout, layout_of
from recon.readers.stored_array import WANTED, Stored, suitable


def of_array(array: Any, *, transposed: bool = False, axes: Axes = "auto") -> KSpace:
    """K-space of one slice from an array.

    Three axes are (coils, H, W) where the values do not show another order.

    Parameters
    ----------
    array
        What NumPy takes for an array: complex, or real with a first or last axis of two.
    transposed
        Whether its phase-encode lines are the rows; they become the columns.
    axes
        A letter for each axis, see `recon.readers.read`.

    Raises
    ------
    InputError
        If it cannot be k-space of one slice.
    """
    values = np.asarray(array)
    if not suitable(values.shape, values.dtype):
        raise InputError(f"An array of the type {values.dtype} cannot be k-space; {WANTED}.")
    if not values.size:
        raise InputError(f"This array has no values at all; {WANTED}.")
    # A person's own array keeps its unit, which a power of two does not round; what looks at its
    # values needs squares of them.
    largest = float(np.abs(values).max())
    unit = 2.0 ** round(math.log2(largest)) if 0 < largest < math.inf else 1.0
    values = values * (1 / unit)
    stored = Stored("array", values.shape, values.dtype, lambda index: values[index])
    layout = _layout(stored, axes)
    if layout.slices > 1:
        raise InputError(
            f"This array holds {layout.slices} slices; one of them, of shape (H, W) or "
            f"(coils, H, W), is accepted, and axes='CHW' says that they are coils after all."
        )
    if transposed:
        layout = Layout(layout.letters.translate(str.maketrans("HW", "WH")), layout.shape)
    found = as_kspace(layout.arrange(values[layout.index(0)]), "array", stored, layout, 0)
    with np.errstate(over="ignore"):  # `Scan.of` says what is accepted
        return KSpace(found.data * np.float32(unit), found.source)


def _layout(stored: Stored, axes: Axes) -> Layout:
    if axes == "auto" and stored.dtype.kind == "c" and len(stored.shape) == 2:
        return Layout("HW", stored.shape)
    layout = layout_of(stored, axes)
    return layout_of(stored, "coils") if layout.ambiguous and axes == "auto" else layout
