"""Which lines of a slice were measured: what the zeros in it say, and what was declared."""

from __future__ import annotations

import numpy as np

from recon.errors import InputError
from recon.readers import detect

# Partial Fourier of 7/8 lacks an eighth; an odd line or a rounded matrix lacks far less.
ONE_SIDED = 0.1

ROWS_MISSING = (
    "Rows of this k-space are missing; phase encoding has to run along the last axis, "
    "so transposed k-space is accepted."
)
SCATTERED = (
    "Samples of this k-space are missing here and there; fully sampled k-space, "
    "or one that lacks whole columns, is accepted."
)


def measured_lines(
    kspace: np.ndarray, declared: np.ndarray | None = None
) -> tuple[np.ndarray | None, list[str]]:
    """Mask of an undersampled slice, None for a fully sampled one; and notes.

    Zero-padding lies on both sides alike and is taken as measured. What lacks samples on one
    side only was cut short (partial Fourier, asymmetric echo) and has no fully sampled image. A
    scan of the middle lines alone cannot be told from zero-padding but by a declared mask.

    Parameters
    ----------
    kspace
        Complex, shape (H, W) or (C, H, W), zero frequency in the middle.
    declared
        Lines that the file or the person says were measured: boolean, shape (W,).

    Raises
    ------
    InputError
        If samples are missing that are no whole columns.
    """
    there = detect.support(kspace)
    columns: np.ndarray = np.any(there, axis=0)
    rows: np.ndarray = np.any(there, axis=1)
    width = len(columns)
    notes = []
    if declared is not None and not declared.all():
        if not (columns & ~declared).any():
            return declared, []
        notes.append("There are samples outside the file's mask, so the mask was passed over.")
    if detect.has_gaps(rows):
        raise InputError(ROWS_MISSING)
    if detect.has_scattered_gaps(there):
        raise InputError(SCATTERED)
    if detect.has_gaps(columns):
        notes.append(
            f"{width - columns.sum()} of {width} columns are zero, so the slice was "
            f"taken as undersampled."
        )
        return columns, notes
    mask = None
    if missing := _one_sided(columns):
        notes.append(
            f"{missing} of {width} columns, at one edge only, are zero: "
            f"partial Fourier, so there is no fully sampled image to compare with."
        )
        mask = columns
    elif not columns.all():
        notes.append(
            f"{width - columns.sum()} of {width} columns, at the edges, are zero: "
            f"zero-padding, which was taken as measured."
        )
    if missing := _one_sided(rows):
        notes.append(
            f"{missing} of {len(rows)} rows, at one edge only, are zero: an asymmetric "
            f"echo, so there is no fully sampled image to compare with, and no line is left out."
        )
        mask = np.ones(width, bool) if mask is None else mask
    return mask, notes


def _one_sided(there: np.ndarray) -> int:
    """How many lines are missing at one edge and not at the other; 0 of zero-padding."""
    measured = np.flatnonzero(there)
    first, last = int(measured[0]), int(len(there) - 1 - measured[-1])
    return max(first, last) if abs(first - last) > max(2, ONE_SIDED * len(there)) else 0
