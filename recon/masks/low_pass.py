"""The middle of k-space and nothing else."""

from __future__ import annotations

import numpy as np

from recon.masks.common import centre_block, middle, never_empty


def low_pass(
    width: int,
    acceleration: float,
    center_fraction: float | None = None,
    seed: int | np.random.Generator = 0,
) -> np.ndarray:
    """The ``round(W / R)`` lines in the middle and no others: a plain scan of low resolution.

    Parameters and errors as `random_cartesian`; the block is all there is, so
    `center_fraction` is only checked, and nothing is drawn with `seed`.

    Returns
    -------
    Boolean, shape (W,).
    """
    centre_block(width, acceleration, center_fraction)
    return never_empty(middle(width, round(width / acceleration)))
