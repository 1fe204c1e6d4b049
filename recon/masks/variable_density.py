"""Random lines that get rarer outwards."""

from __future__ import annotations

import numpy as np

from recon.masks.common import centre_block, never_empty

DENSITY_POWER = 3  # of the falling density


def variable_density(
    width: int,
    acceleration: float,
    center_fraction: float | None = None,
    seed: int | np.random.Generator = 0,
) -> np.ndarray:
    r"""A centre block, and random lines that get rarer outwards (Lustig et al. 2007).

    At a distance r from the middle, 1 at the edge, lines are drawn in proportion to
    ``(1 - r)**3`` (doi 10.1002/mrm.21391), without replacement and as many as make
    ``round(W / R)`` with the centre block: the acceleration holds for every single mask.

    Parameters and errors as `random_cartesian`.

    Returns
    -------
    Boolean, shape (W,).
    """
    mask = centre_block(width, acceleration, center_fraction)
    distance = np.abs(np.arange(width) - width // 2) / (width // 2 + 1)
    density = np.where(mask, 0, (1 - distance) ** DENSITY_POWER)
    missing = round(width / acceleration) - int(mask.sum())
    if missing > 0:
        rng = np.random.default_rng(seed)
        mask[rng.choice(width, missing, replace=False, p=density / density.sum())] = True
    return never_empty(mask)
