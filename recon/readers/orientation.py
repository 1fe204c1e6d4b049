"""Where slices lie in the patient, from the places and directions that readouts' heads give.

Heads, as DICOM, point to the left, the back and the head (LPS); an affine, as in NIfTI, to the
right, the front and the head. An image's sample ``n // 2`` is where its k-space has no phase, the
middle of the field of view.
"""

from __future__ import annotations

import numpy as np

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
COSINES = 1e-3  # by which directions may differ
MILLIMETRES = 0.05  # by which places may


def affine(
    centres: np.ndarray,
    directions: np.ndarray,
    slices: np.ndarray,
    spacing: tuple[float, float, float] | None,
    shape: tuple[int, int, int],
) -> np.ndarray | None:
    """From (row, column, slice) to millimetres, right-anterior-superior.

    Parameters
    ----------
    centres
        Middle of the slice, or slab, that each readout belongs to, in mm: shape (N, 3).
    directions
        Of rows, columns and partitions, for each readout: unit vectors, shape (N, 3, 3).
    slices
        Index of each readout's slice, from 0 without gaps, shape (N,).
    spacing
        Millimetres from one row, column and partition to the next.
    shape
        Rows, columns and partitions of the image; one partition where slices are single.

    Returns
    -------
    4 x 4; None where the heads do not describe slices that are parallel and evenly spaced.
    """
    told = np.isfinite(centres).all() and np.isfinite(directions).all()
    if spacing is None or not told or not len(slices):
        return None
    centres, directions = centres.astype(float), directions.astype(float)
    number, first = np.unique(slices, return_index=True)
    places, axes = centres[first], directions[0]
    square = np.abs(axes @ axes.T - np.eye(3)).max() < COSINES
    parallel = np.abs(directions - axes).max() < COSINES
    at_rest = np.abs(centres - places[slices]).max() < MILLIMETRES
    if not (square and parallel and at_rest):
        return None
    steps = axes * np.array(spacing)[:, None]
    if len(number) > 1:
        steps[2] = (places[-1] - places[0]) / (len(number) - 1)
        even = np.abs(places - places[0] - np.outer(number, steps[2])).max() < MILLIMETRES
        if not even or abs(axes[2] @ steps[2]) < MILLIMETRES:
            return None
    middle = np.array([n // 2 for n in shape])
    result = np.eye(4)
    result[:3, :3] = steps.T
    result[:3, 3] = places[0] - middle @ steps
    return LPS_TO_RAS @ result
