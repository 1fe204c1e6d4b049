"""Which lines of k-space are measured.

A mask is boolean, shape (W,): one value for each phase-encode line (a column of k-space).
The readout along a line costs no time, so a line is measured whole or not at all.

All families of masks share one signature, so that one can stand in for another: see `FAMILIES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from recon.kspace import InputError

PARTIAL_FOURIER = 5 / 8  # share of k-space that `partial_fourier` reaches over
CALIBRATION_LINES = 24  # of `calibrated`
DENSITY_POWER = 3  # of the falling density of `variable_density`


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
    centre = _centre_block(width, acceleration, center_fraction)
    n_low = int(centre.sum())
    probability = (width / acceleration - n_low) / (width - n_low) if n_low < width else 1.0
    mask = np.random.default_rng(seed).random(width) < probability
    return _never_empty(mask | centre)


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
    mask = _centre_block(width, acceleration, center_fraction)
    n_low = int(mask.sum())
    if width > acceleration * n_low:
        distance = acceleration * (width - n_low) / (width - acceleration * n_low)
        if offset is None:
            offset = int(np.random.default_rng(seed).integers(round(distance)))
        last = width - 1 if distance > 1 else width
        mask[np.around(np.arange(offset, last, distance)).astype(int)] = True
    return _never_empty(mask)


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
    _centre_block(width, acceleration, 0)  # refuses an impossible acceleration
    distance = round(acceleration)
    lines = CALIBRATION_LINES if center_fraction is None else round(width * center_fraction)
    if not 0 <= lines <= width and center_fraction is not None:
        raise InputError(f"Centre fraction lies between 0 and 1; {center_fraction:g} does not.")
    if offset is None:
        offset = int(np.random.default_rng(seed).integers(distance))
    mask = _middle(width, min(lines, width))
    mask[offset::distance] = True
    return _never_empty(mask)


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
    mask = _centre_block(width, acceleration, center_fraction)
    distance = np.abs(np.arange(width) - width // 2) / (width // 2 + 1)
    density = np.where(mask, 0, (1 - distance) ** DENSITY_POWER)
    missing = round(width / acceleration) - int(mask.sum())
    if missing > 0:
        rng = np.random.default_rng(seed)
        mask[rng.choice(width, missing, replace=False, p=density / density.sum())] = True
    return _never_empty(mask)


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
    _centre_block(width, acceleration, center_fraction)
    return _never_empty(_middle(width, round(width / acceleration)))


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
    mask = _centre_block(width, acceleration, center_fraction)
    lines = round(width / acceleration)
    reached = np.arange(width) < max(lines, round(PARTIAL_FOURIER * width))
    rng = np.random.default_rng(seed)
    if rng.random() < 0.5:
        reached = reached[::-1]
    free = np.flatnonzero(reached & ~mask)
    missing = min(lines - int(mask.sum()), free.size)
    if missing > 0:
        mask[rng.choice(free, missing, replace=False)] = True
    return _never_empty(mask)


FAMILIES: Mapping[str, Callable[..., np.ndarray]] = {
    "random": random_cartesian,
    "equispaced": equispaced,
    "variable-density": variable_density,
    "partial-fourier": partial_fourier,
    "low-pass": low_pass,
}
"""Every family by name, called as ``(width, acceleration, center_fraction=None, seed=0)``."""


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


def _centre_block(width: int, acceleration: float, center_fraction: float | None) -> np.ndarray:
    """The lines that are always measured, once the arguments have been found possible."""
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
    return _middle(width, n_low)


def _middle(width: int, lines: int) -> np.ndarray:
    """So many lines in the middle, where fastMRI puts them."""
    mask = np.zeros(width, bool)
    start = (width - lines + 1) // 2
    mask[start : start + lines] = True
    return mask


def _never_empty(mask: np.ndarray) -> np.ndarray:
    """A narrow slice without a centre block may draw no line at all: then the middle one."""
    if not mask.any():
        mask[mask.size // 2] = True
    return mask
