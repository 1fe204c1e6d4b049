r"""The point spread function: what a mask does to a single bright point.

Leaving out lines multiplies k-space by the mask, so it convolves the image, along the
phase-encode axis, with the transform of the mask: the aliasing in a zero-filled picture is this
function, repeated at every pixel. Lustig et al. 2007, doi 10.1002/mrm.21391.
"""

from __future__ import annotations

import numpy as np

from recon.errors import InputError
from recon.fourier import ifft2c

FINE = 32  # steps per pixel in which `full_width` looks at the main lobe


def point_spread(mask: np.ndarray) -> np.ndarray:
    r"""Complex point spread function along the phase-encode axis.

    .. math:: h(d) = \frac{1}{W} \sum_{j} m_j\, e^{2 \pi i (j - \lfloor W/2 \rfloor) d / W}

    The zero-filled image is the circular convolution of the fully sampled one with h.

    Parameters
    ----------
    mask
        Boolean, shape (W,), at least one line.

    Returns
    -------
    complex128, shape (W,), d = 0 at index W // 2, where h is the share of measured lines.

    Raises
    ------
    InputError
        If no line is measured.
    """
    _check(mask)
    spread: np.ndarray = ifft2c(mask[None].astype(complex))[0] / np.sqrt(mask.size)
    return spread


def decibels(mask: np.ndarray, floor: float = -60.0) -> np.ndarray:
    """|h| in decibels below its peak, shape (W,), cut off at `floor`.

    Parameters and errors as `point_spread`.
    """
    size = np.abs(point_spread(mask))
    level: np.ndarray = 20 * np.log10(np.maximum(size / size.max(), 10 ** (floor / 20)))
    return level


def incoherence(mask: np.ndarray) -> float:
    """Largest value beside the origin: max |h(d)| over d not 0, divided by |h(0)|.

    The sidelobe-to-peak ratio of Lustig et al. 2007: 0 where all lines are measured, 1 where
    the image folds onto itself undiminished. With a centre block the neighbours of the origin
    decide it, which blur and do not fold; `sidelobe_level` leaves them out.

    Parameters and errors as `point_spread`.

    Returns
    -------
    Between 0 and 1.
    """
    side = _one_side(mask)
    return float(side[1:].max(initial=0))


def sidelobe_level(mask: np.ndarray) -> float:
    """Largest value outside the main lobe, as a share of |h(0)|.

    The main lobe reaches from the origin to where |h| first stops falling, pixel by pixel.

    Parameters and errors as `point_spread`.

    Returns
    -------
    Between 0 and 1.
    """
    side = _one_side(mask)
    stops = np.diff(side, append=np.inf) >= 0
    return float(side[max(1, int(np.argmax(stops))) :].max(initial=0))


def full_width(mask: np.ndarray) -> float:
    """Full width of the main lobe at half of its maximum: the smallest detail that is resolved.

    Between pixels h is the same sum at a fraction d. Where all lines are measured it is 1.21
    pixels wide, and ``1.21 W / n`` for n lines in the middle.

    Parameters and errors as `point_spread`.

    Returns
    -------
    Pixels, at most W, which means that h falls nowhere to its half.
    """
    _check(mask)
    fine = np.abs(np.fft.fft(mask, FINE * mask.size))[: FINE * mask.size // 2] / mask.sum()
    below = int(np.argmax(fine < 0.5))
    if fine[below] >= 0.5:
        return float(mask.size)
    before, after = fine[below - 1 : below + 1]
    return float(2 * (below - (0.5 - after) / (before - after)) / FINE)


def _one_side(mask: np.ndarray) -> np.ndarray:
    """|h(d)| / |h(0)| for d = 0 to W // 2. A mask is real, so the other side mirrors it."""
    side = np.abs(point_spread(mask))[mask.size // 2 :: -1]
    share: np.ndarray = side / side[0]
    return share


def _check(mask: np.ndarray) -> None:
    if not mask.any():
        raise InputError("A mask needs at least one measured line to have a point spread.")
