"""fastMRI's random mask, the one the networks were trained on."""

from __future__ import annotations

import numpy as np

from recon.masks.common import centre_block, never_empty


def random_cartesian(
    width: int,
    acceleration: float,
    center_fraction: float | None = None,
    seed: int | np.random.Generator = 0,
) -> np.ndarray:
    r"""Random Cartesian mask of fastMRI (Zbontar et al. 2018, arXiv 1811.08839).

    The ``n_low = round(W cf)`` lines in the middle are always measured. Every other line is
    measured with probability

    .. math:: p = (W / R - n_{low}) / (W - n_{low})

    independently, so the expected number of lines is W / R and the acceleration of a single
    mask scatters around R: see `achieved_acceleration`.

    Parameters
    ----------
    width
        Number of lines W.
    acceleration
        Nominal acceleration R, at least 1.
    center_fraction
        Share of the lines in the centre block, between 0 and 1 / R; `default_center_fraction`
        where None.
    seed
        A seed, or a generator to draw from. The same seed gives the same mask.

    Returns
    -------
    Boolean, shape (W,).

    Raises
    ------
    InputError
        If the acceleration is below 1, or the centre block alone has more than W / R lines.

    Examples
    --------
    >>> mask = random_cartesian(320, 4)
    >>> mask.shape, mask[147:173].all(), int(mask.sum())
    ((320,), np.True_, 77)
    """
    centre = centre_block(width, acceleration, center_fraction)
    n_low = int(centre.sum())
    probability = (width / acceleration - n_low) / (width - n_low) if n_low < width else 1.0
    mask = np.random.default_rng(seed).random(width) < probability
    return never_empty(mask | centre)
