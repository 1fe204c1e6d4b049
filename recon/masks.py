"""Which lines of k-space are measured.

A mask is boolean, shape (W,): one value for each phase-encode line (a column of k-space).
The readout along a line costs no time, so a line is measured whole or not at all.
"""

from __future__ import annotations

import numpy as np

from recon.kspace import InputError


def default_center_fraction(acceleration: float) -> float:
    """Share of the lines kept in the centre block: 0.08 at 4x and 0.04 at 8x, as in fastMRI."""
    return 0.32 / acceleration


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
    """
    if not acceleration >= 1:
        raise InputError(f"Acceleration is at least 1; {acceleration:g} was asked for.")
    if center_fraction is None:
        center_fraction = default_center_fraction(acceleration)
    if not 0 <= center_fraction <= 1:
        raise InputError(f"Centre fraction lies between 0 and 1; {center_fraction:g} does not.")
    n_low = round(width * center_fraction)
    # Rounding up may pass W / R by less than one line; that is no reason to refuse.
    if n_low > np.ceil(width / acceleration):
        raise InputError(
            f"A centre fraction of {center_fraction:g} alone keeps {n_low} of {width} lines, "
            f"more than {acceleration:g}x allows; choose at most {1 / acceleration:.3g}."
        )
    rng = np.random.default_rng(seed)
    probability = (width / acceleration - n_low) / (width - n_low) if n_low < width else 1.0
    mask = rng.random(width) < probability
    start = (width - n_low + 1) // 2
    mask[start : start + n_low] = True
    if not mask.any():  # a narrow slice without a centre block may draw no line at all
        mask[width // 2] = True
    return mask


def achieved_acceleration(mask: np.ndarray) -> float:
    """Lines there are, divided by lines measured."""
    return mask.size / int(mask.sum())


def apply(kspace: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """K-space with the lines that were not measured set to zero.

    Parameters
    ----------
    kspace
        Complex, shape (..., H, W).
    mask
        Boolean, shape (W,).

    Returns
    -------
    Complex, shape (..., H, W). Adding 0.0 turns -0.0 into 0.0: the sign of a zero would
    otherwise carry one bit of every unmeasured value to the reconstruction.
    """
    return kspace * mask + 0.0
