"""Beat the random mask: a mask drawn by hand against random ones with the same number of lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from recon import masks
from recon.errors import InputError
from recon.methods import Method
from recon.probes.many_masks import ZeroFilledPictures
from recon.scan import Scan


def random_masks(
    width: int,
    budget: int,
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
    budget
        Number of lines to measure, 1 to W.
    count
        Number of masks N.
    seed
        A seed, or a generator to draw from.
    center_fraction
        Of all lines; `recon.masks.default_center_fraction` at this acceleration where None.

    Returns
    -------
    Boolean, shape (N, W), `budget` of each row True.

    Raises
    ------
    InputError
        If the number of lines is out of range, or smaller than the centre block.
    """
    if not 1 <= budget <= width:
        raise InputError(f"A mask measures 1 to {width} lines, not {budget}.")
    if center_fraction is None:
        center_fraction = masks.default_center_fraction(width / budget)
    block = round(width * center_fraction)
    if not 0 <= block <= budget:
        raise InputError(f"A centre block of {block} lines does not fit {budget} measured ones.")
    # Lines with the lowest numbers are measured, and those of the block have the lowest of all.
    numbers = np.random.default_rng(seed).random((count, width))
    start = (width - block + 1) // 2
    numbers[:, start : start + block] = -1
    chosen = np.argpartition(numbers, budget - 1, axis=1)[:, :budget]
    result = np.zeros((count, width), bool)
    np.put_along_axis(result, chosen, True, axis=1)
    return result


def score_masks(
    scan: Scan,
    candidates: Iterable[np.ndarray],
    method: Method | None = None,
    acceleration: float | None = None,
) -> Iterator[float]:
    """SSIM of one slice under one mask after the other.

    Parameters
    ----------
    scan
        Fully sampled.
    candidates
        Masks, each boolean, shape (W,), with at least one line.
    method
        Who reconstructs; None is zero-filled, by a quick way.
    acceleration
        That the method is told; the achieved one of each mask where None.

    Yields
    ------
    SSIM against the fully sampled image.
    """
    zero_filled = ZeroFilledPictures(scan)
    for mask in candidates:
        if method is None:
            yield scan.similarity(zero_filled(mask))
        else:
            yield scan.similarity(method(scan.measure(mask, acceleration)))


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
    def beaten(self) -> int:
        """Number of random masks that are worse."""
        return int((self.others < self.ssim).sum())

    @property
    def percentile(self) -> float:
        """Percentage of random masks that are worse, ties counting half; 0 to 100.

        With N masks it is known to about ``50 / sqrt(N)`` in the middle of the scale.
        """
        worse = np.mean(self.others < self.ssim) + np.mean(self.others == self.ssim) / 2
        return 100 * float(worse)


def standings(
    scan: Scan,
    drawn: np.ndarray,
    count: int = 200,
    *,
    seed: int | np.random.Generator = 0,
    method: Method | None = None,
    acceleration: float | None = None,
    center_fraction: float | None = None,
) -> Iterator[Standing]:
    """Set a mask against more and more random ones.

    Parameters
    ----------
    scan, method
        See `score_masks`.
    drawn
        The mask, boolean, shape (W,), at least one line.
    count, seed, center_fraction
        See `random_masks`.
    acceleration
        That the method is told of every mask, by which it may choose its weights; the achieved
        one where None.

    Yields
    ------
    The mask's standing among none, one, ... and `count` others.

    Raises
    ------
    InputError
        If the mask has no line, or as `random_masks`.
    """
    rivals = random_masks(drawn.size, int(drawn.sum()), count, seed, center_fraction)
    scored = score_masks(scan, [drawn, *rivals], method, acceleration)
    own, others = next(scored), np.zeros(0)
    yield Standing(own, others)
    for one in scored:
        others = np.append(others, one)
        yield Standing(own, others)


def against_random(
    scan: Scan,
    drawn: np.ndarray,
    count: int = 200,
    *,
    seed: int | np.random.Generator = 0,
    method: Method | None = None,
    acceleration: float | None = None,
    center_fraction: float | None = None,
) -> Standing:
    """Set a mask against random ones: the last of its `standings`, whose arguments these are.

    With a method other than zero-filled, which takes its time, 20 to 30 masks place a mask
    within about 10 percent.

    Raises
    ------
    InputError
        If the mask has no line, or as `random_masks`.
    """
    found = standings(
        scan,
        drawn,
        count,
        seed=seed,
        method=method,
        acceleration=acceleration,
        center_fraction=center_fraction,
    )
    return deque(found, maxlen=1).pop()  # the last, and none of those before
