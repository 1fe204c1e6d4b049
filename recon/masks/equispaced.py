"""Lines at equal distance, as fastMRI's ``equispaced_fraction`` has them."""

from __future__ import annotations

import numpy as np

from recon.masks.common import FARTHEST, centre_block, never_empty


def equispaced(
    width: int,
    acceleration: float,
    center_fraction: float | None = None,
    seed: int | np.random.Generator = 0,
    *,
    offset: int | None = None,
) -> np.ndarray:
    r"""A centre block, and lines at equal distance: fastMRI's ``equispaced_fraction``.

    The distance makes up for the centre block, so that W / R lines are measured:

    .. math:: d = R (W - n_{low}) / (W - R n_{low})

    It is no whole number, so lines are rounded to the nearest column. Unless all columns are
    measured, the last is never one of them, as in fastMRI, whose masks this repeats line by line.

    Parameters
    ----------
    width, acceleration, center_fraction
        See `random_cartesian`.
    seed
        Draws the offset where that is None.
    offset
        First line, from 0 to ``round(d) - 1``.

    Returns
    -------
    Boolean, shape (W,).

    Raises
    ------
    InputError
        As `random_cartesian`.
    """
    mask = centre_block(width, acceleration, center_fraction)
    n_low = int(mask.sum())
    if width > acceleration * n_low:
        distance = acceleration * (width - n_low) / (width - acceleration * n_low)
        distance = min(distance, FARTHEST)
        if offset is None:
            offset = int(np.random.default_rng(seed).integers(round(distance)))
        last = width - 1 if distance > 1 else width
        mask[np.around(np.arange(offset, last, distance)).astype(int)] = True
    return never_empty(mask)
