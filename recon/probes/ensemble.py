"""The same slice under many masks: where the picture depends on luck, the method is unsure.

The deviation between masks shows one kind of error only. What a method does wrong under every
mask, it does not show; `agreement` says how far it can be trusted on a slice whose truth is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from recon.methods import Method
from recon.metrics import foreground
from recon.scan import Scan

ENOUGH = 4  # masks before a standard deviation is trusted
REACH = 2  # standard deviations within which `agreement` expects the error


@dataclass(frozen=True)
class Ensemble:
    """What some masks gave.

    Attributes
    ----------
    mean, deviation
        Mean and sample standard deviation of the reconstructions, pixel by pixel, the deviation
        of one being zero: float64, shape (h, w).
    ssim
        Of each reconstruction against the fully sampled image, in the order of the seeds.
    """

    mean: np.ndarray
    deviation: np.ndarray
    ssim: tuple[float, ...]


def ensemble(
    scan: Scan,
    method: Method,
    seeds: Iterable[int],
    acceleration: float = 4,
    *,
    center_fraction: float | None = None,
    family: str = "random",
) -> Iterator[Ensemble]:
    """Reconstruct a slice under one mask after the other.

    Parameters
    ----------
    scan
        Fully sampled.
    method
        Who reconstructs.
    seeds
        One for each mask.
    acceleration, center_fraction, family
        Of the masks; see `recon.masks.FAMILIES`.

    Yields
    ------
    The ensemble of all masks so far, after each of them.

    Raises
    ------
    InputError
        If there is no such mask, or the scan was undersampled already.
    """
    shape = scan.truth.shape
    mean, squares = np.zeros(shape), np.zeros(shape)
    ssim: tuple[float, ...] = ()
    for seed in seeds:
        mask = scan.draw(acceleration, seed, family, center_fraction).mask
        image = method(scan.measure(mask, acceleration))
        ssim = (*ssim, scan.similarity(image))
        # Welford 1962, doi 10.1080/00401706.1962.10490022: equal images deviate by exactly zero.
        change = image - mean
        mean = mean + change / len(ssim)
        squares = squares + change * (image - mean)
        yield Ensemble(mean, np.sqrt(squares / max(len(ssim) - 1, 1)), ssim)


@dataclass(frozen=True)
class Agreement:
    """How well the deviation between masks tells the error of the mean.

    Attributes
    ----------
    correlation
        Spearman's rank correlation over the pixels of the object, -1 to 1; NaN where the
        deviation is the same everywhere, as it is with one mask.
    covered
        Share of these pixels whose error is at most two standard deviations; normally
        distributed deviations of at least `ENOUGH` masks without any common error would give 0.95
        or more.
    sentence
        Both in words.
    """

    correlation: float
    covered: float
    sentence: str


def agreement(result: Ensemble, reference: np.ndarray) -> Agreement:
    """Compare the deviation with the error of the mean, which only a known truth allows.

    Only pixels of the object count (`recon.metrics.foreground`): in the air around it
    both are small, which would look like agreement.

    Parameters
    ----------
    result
        Of as many masks as possible.
    reference
        The fully sampled image, float, shape (h, w).
    """
    inside = foreground(reference)
    error = np.abs(result.mean - reference)[inside]
    deviation = result.deviation[inside]
    correlation = _spearman(deviation, error)
    covered = float(np.mean(error <= REACH * deviation))
    if np.isnan(correlation):
        sentence = "The deviation is the same everywhere, so it says nothing about the error."
    else:
        strengths = ("less", "hardly more", "somewhat more", "clearly more")
        strength = strengths[np.digitize(correlation, (-0.3, 0.3, 0.6))]
        sentence = (
            f"Where the masks disagree, the mean is {strength} likely to be wrong (rank "
            f"correlation {correlation:.2f})"
        )
        if len(result.ssim) < ENOUGH:  # too few for a standard deviation to be trusted
            sentence += "."
        else:
            sentence += (
                f"; {1 - covered:.0%} of the object is off by more than two standard deviations, "
                f"which their disagreement does not show."
            )
    return Agreement(correlation, covered, sentence)


def _spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Correlation of the ranks, ties sharing theirs; NaN where one of them never changes."""
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])
