"""Every R-th line and a block of calibration lines, as scanners measure."""

from __future__ import annotations

import numpy as np

from recon.masks.common import FARTHEST, check, middle, never_empty

CALIBRATION_LINES = 24


def calibrated(
    width: int,
    acceleration: float,
    center_fraction: float | None = None,
    seed: int | np.random.Generator = 0,
    *,
    offset: int | None = None,
) -> np.ndarray:
    """Every R-th line and a block of calibration lines in the middle, as scanners measure.

    Parameters
    ----------
    width
        Number of lines W.
    acceleration
        Distance R between lines outside the block, rounded to a whole number. The block adds to
        them, so fewer lines are saved than R says: see `achieved_acceleration`.
    center_fraction
        Share of the lines in the block; `CALIBRATION_LINES` lines where None.
    seed
        Draws the offset where that is None.
    offset
        First line, from 0 to R - 1.

    Returns
    -------
    Boolean, shape (W,).

    Raises
    ------
    InputError
        If the acceleration is below 1, or the centre fraction not between 0 and 1.
    """
    check(acceleration, center_fraction)
    distance = round(min(acceleration, FARTHEST))
    lines = CALIBRATION_LINES if center_fraction is None else round(width * center_fraction)
    if offset is None:
        offset = int(np.random.default_rng(seed).integers(distance))
    mask = middle(width, min(lines, width))
    mask[offset::distance] = True
    return never_empty(mask)
