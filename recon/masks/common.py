"""What every family of masks shares: the centre block, and how masks are applied and counted."""

from __future__ import annotations

import math
from numbers import Real

import numpy as np

from recon.errors import InputError

FARTHEST = 2.0**62  # distance of lines in masks that have next to none; offsets are 64-bit integers


def default_center_fraction(acceleration: float) -> float:
    """Share of the lines kept in the centre block: 0.08 at 4x and 0.04 at 8x, as in fastMRI."""
    return 0.32 / acceleration


def achieved_acceleration(mask: np.ndarray) -> float:
    """Lines there are, divided by lines measured: those of a boolean mask, shape (W,)."""
    return mask.size / int(mask.sum())


def shortly(acceleration: float) -> str:
    """For tables and names of files: what a person typed as it is, what was computed rounded.

    >>> shortly(4), shortly(4.004), shortly(97 / 24)
    ('4x', '4.004x', '4.04x')
    """
    exact = f"{acceleration:g}"
    return f"{exact if float(exact) == acceleration else format(acceleration, '.3g')}x"


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
    kept: np.ndarray = kspace * mask + 0.0
    return kept


def check(acceleration: float, center_fraction: float | None) -> None:
    """Refuse what no mask can have.

    Raises
    ------
    InputError
        If the acceleration or the centre fraction is out of range.
    """
    if not isinstance(acceleration, Real):
        raise InputError(f"Acceleration is a number of at least 1; {acceleration!r} is none.")
    if not isinstance(center_fraction, Real | None):
        raise InputError(f"Centre fraction is a number or None; {center_fraction!r} is neither.")
    if not 1 <= acceleration < math.inf:
        raise InputError(f"Acceleration is a number of at least 1; {acceleration:g} was asked for.")
    if center_fraction is not None and not 0 <= center_fraction <= 1:
        raise InputError(f"Centre fraction lies between 0 and 1; {center_fraction:g} does not.")


def centre_block(width: int, acceleration: float, center_fraction: float | None) -> np.ndarray:
    """The lines that are always measured: boolean, shape (W,).

    Raises
    ------
    InputError
        As `check`, or if acceleration and centre fraction contradict each other.
    """
    check(acceleration, center_fraction)
    if center_fraction is None:
        center_fraction = default_center_fraction(acceleration)
    n_low = round(width * center_fraction)
    # Rounding up may pass W / R by less than one line; that is no reason to refuse.
    if n_low > np.ceil(width / acceleration):
        raise InputError(
            f"A centre fraction of {center_fraction:g} alone keeps {n_low} of {width} lines, "
            f"more than {acceleration:g}x allows; choose at most {1 / acceleration:.3g}."
        )
    return middle(width, n_low)


def middle(width: int, lines: int) -> np.ndarray:
    """So many lines in the middle, where fastMRI puts them: boolean, shape (W,)."""
    mask = np.zeros(width, bool)
    start = (width - lines + 1) // 2
    mask[start : start + lines] = True
    return mask


def never_empty(mask: np.ndarray) -> np.ndarray:
    """A narrow slice without a centre block may draw no line at all: then the middle one.

    The mask, boolean, shape (W,), is changed in place.
    """
    if not mask.any():
        mask[mask.size // 2] = True
    return mask
