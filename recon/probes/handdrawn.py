"""Beat the random mask: a mask drawn by hand against random ones with the same number of lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from recon import masks
from recon.kspace import InputError
from recon.measurement import measure, picture
from recon.probes import Method
from recon.probes.fast import Similarity, readout, zero_filled


def random_masks(
    width: int,
    lines: int,
    count: int,
    seed: int | np.random.Generator = 0,
    center_fraction: float | None = None,
) -> np.ndarray:
    """Random masks of one budget: `recon.masks.random_cartesian`, given the number of lines.

    The centre block is always measured; the rest of the budget is spread evenly at random over
    all other lines, which is how masks of that family are distributed among those that have that
    many lines.

    Parameters
    ----------
    width
        Number of lines W there are.
    lines
        Number of lines to measure, 1 to W.
    count
        Number of masks N.
    seed
        A seed, or a generator to draw from.
    center_fraction
        Of all lines; `recon.masks.default_center_fraction` at this acceleration where None.

    Returns
    -------
    Boolean, shape (N, W), `lines` of each row True.

    Raises
    ------
    InputError
        If the number of lines is out of range, or smaller than the centre block.
    """
    if not 1 <= lines <= width:
        raise InputError(f"A mask measures 1 to {width} lines, not {lines}.")
    if center_fraction is None:
        center_fraction = masks.default_center_fraction(width / lines)
    block = round(width * center_fraction)
    if not 0 <= block <= lines:
        raise InputError(f"A centre block of {block} lines does not fit {lines} measured ones.")
    # Lines with the lowest numbers are measured, and those of the block have the lowest of all.
    numbers = np.random.default_rng(seed).random((count, width))
    start = (width - block + 1) // 2
    numbers[:, start : start + block] = -1
    chosen = np.argpartition(numbers, lines - 1, axis=1)[:, :lines]
    result = np.zeros((count, width), bool)
    np.put_along_axis(result, chosen, True, axis=1)
    return result


def score_masks(
    kspace: np.ndarray,
    candidates: Iterable[np.ndarray],
    method: Method | None = None,
    data_range: float | None = None,
) -> Iterator[float]:
    """SSIM of one slice under one mask after the other.

    Parameters
    ----------
    kspace
        Fully sampled, complex, shape (H, W) or (C, H, W).
    candidates
        Masks, each boolean, shape (W,), with at least one line.
    method
        Who reconstructs; None is zero-filled, by a quick way.
    data_range
        L of the SSIM; the maximum of the fully sampled image where None.

    Yields
    ------
    SSIM against the fully sampled image.
    """
    kspace = np.asarray(kspace)
    similarity = Similarity(picture(kspace), data_range)
    lines = readout(kspace)
    for mask in candidates:
        if method is None:
            yield similarity(zero_filled(lines, mask))
        else:
            yield similarity(method(measure(kspace, mask, masks.achieved_acceleration(mask))))


@dataclass(frozen=True)
class Standing:
    """Where a mask stands among random ones of the same budget.

    Attributes
    ----------
    ssim
        Of the mask.
    others
        Of the random masks, shape (N,).
    """

    ssim: float
    others: np.ndarray

    @property
    def percentile(self) -> float:
        """Percentage of random masks that are worse, ties counting half; 0 to 100.

        With N masks it is known to about ``50 / sqrt(N)`` in the middle of the scale.
        """
        worse = np.mean(self.others < self.ssim) + np.mean(self.others == self.ssim) / 2
        return 100 * float(worse)


def against_random(
    kspace: np.ndarray,
    drawn: np.ndarray,
    count: int = 200,
    *,
    seed: int = 0,
    method: Method | None = None,
    center_fraction: float | None = None,
    data_range: float | None = None,
) -> Standing:
    """Set a mask against random ones.

    With a method other than zero-filled, which takes its time, 20 to 30 masks place a mask
    within about 10 percent; `score_masks` shows progress.

    Parameters
    ----------
    kspace, method, data_range
        See `score_masks`.
    drawn
        The mask, boolean, shape (W,), at least one line.
    count, seed, center_fraction
        See `random_masks`.

    Raises
    ------
    InputError
        If the mask has no line, or as `random_masks`.
    """
    rivals = random_masks(drawn.size, int(drawn.sum()), count, seed, center_fraction)
    own, *others = score_masks(kspace, [drawn, *rivals], method, data_range)
    return Standing(own, np.array(others))
