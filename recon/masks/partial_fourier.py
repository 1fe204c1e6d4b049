"""Lines of one side of k-space and a little of the other."""

from __future__ import annotations

import numpy as np

from recon.masks.common import centre_block, never_empty

PARTIAL_FOURIER = 5 / 8  # share of k-space that is reached


def partial_fourier(
    width: int,
    acceleration: float,
    center_fraction: float | None = None,
    seed: int | np.random.Generator = 0,
) -> np.ndarray:
    """A centre block, and random lines of one side of k-space and a little of the other.

    The image of a real object has symmetric k-space, so scanners often leave out most of one
    half (Noll et al. 1991, doi 10.1109/42.79473). Leaving out all but a little over a half saves
    less than a factor of two; for more, lines are skipped in the part that is reached: the first
    or the last 5/8 of k-space, or W / R lines where that is more. As many are measured, in all
    ``round(W / R)``, each of them equally likely beside the centre block.

    Parameters and errors as `random_cartesian`; `seed` also draws the side.

    Returns
    -------
    Boolean, shape (W,).
    """
    mask = centre_block(width, acceleration, center_fraction)
    lines = round(width / acceleration)
    reached = np.arange(width) < max(lines, round(PARTIAL_FOURIER * width))
    rng = np.random.default_rng(seed)
    if rng.random() < 0.5:
        reached = reached[::-1]
    free = np.flatnonzero(reached & ~mask)
    missing = min(lines - int(mask.sum()), free.size)
    if missing > 0:
        mask[rng.choice(free, missing, replace=False)] = True
    return never_empty(mask)
