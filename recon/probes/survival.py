"""Does a small structure survive? Look for a lesion in what the methods make of it.

Small structures can vanish, or be invented, while SSIM hardly moves: Antun et al. 2020,
doi 10.1073/pnas.1907377117.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from recon.methods import Method
from recon.probes.lesion import Lesion, insert
from recon.scan import Sampling, Scan


@dataclass(frozen=True)
class Finding:
    """What a method made of a lesion.

    Attributes
    ----------
    lesion, method
        What was looked for, and in whose reconstruction.
    retained
        Share of the contrast that is left: 1 is all, 0 none, below 0 inverted; NaN for a lesion
        that changes nothing. See `retained`.
    visibility
        Contrast-to-noise ratio: the contrast that is left, divided by the standard deviation of
        the reconstruction in a ring around the lesion; NaN where that is not defined. Anatomy
        in the ring counts as noise, as it does for the eye.
    image
        Reconstruction with the lesion, float32, shape (h, w).
    """

    lesion: Lesion
    method: Method
    retained: float
    visibility: float
    image: np.ndarray


def sweep(
    scan: Scan,
    sampling: Sampling,
    lesions: Iterable[Lesion],
    methods: Iterable[Method],
) -> Iterator[Finding]:
    """Look for one lesion after the other, for instance of growing size or contrast.

    Parameters
    ----------
    scan
        Fully sampled, without lesion.
    sampling
        From `Scan.draw`.
    lesions
        What to look for; `dataclasses.replace` makes a series from one.
    methods
        Who reconstructs.

    Yields
    ------
    A finding for each lesion and method, methods running faster.

    Raises
    ------
    InputError
        As `profile`.
    """
    methods = list(methods)
    healthy = scan.measure(sampling.mask, sampling.acceleration)
    without = {method: method(healthy) for method in methods}
    for lesion in lesions:
        with_lesion, truth = insert(scan, lesion)
        ill = with_lesion.measure(sampling.mask, sampling.acceleration)
        for method in methods:
            image = method(ill)
            share = retained(image - without[method], truth, lesion)
            visibility = _visibility(image, share, truth, lesion)
            yield Finding(lesion, method, share, visibility, image)


def retained(difference: np.ndarray, truth: np.ndarray, lesion: Lesion) -> float:
    r"""Share of a lesion's contrast in the difference that it makes to a reconstruction.

    The difference d is projected on the true lesion t, :math:`\langle d, t \rangle / \langle t,
    t \rangle`. Of lines, only the modulation is asked for: the mean over the pattern is taken off
    t first on the left, so that bars blurred into one block retain nothing.

    Parameters
    ----------
    difference
        Reconstruction with the lesion minus the one without, shape (h, w).
    truth
        Second result of `insert`.
    lesion
        The lesion.

    Returns
    -------
    1 if all is left; NaN if there is nothing to project on.
    """
    template = truth.astype(np.float64)
    if lesion.kind == "lines":
        rows, columns = (np.flatnonzero(truth.any(axis)) for axis in (1, 0))
        if rows.size:
            pattern = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            template[pattern] -= template[pattern].mean()
    size = float((template * truth).sum())
    if size <= 1e-9 * float((truth**2).sum()):  # no lesion, or a single bar at an edge
        return np.nan
    return float((template * difference).sum()) / size


def _visibility(image: np.ndarray, share: float, truth: np.ndarray, lesion: Lesion) -> float:
    """Contrast-to-noise ratio in a reconstruction; see `Finding`."""
    y, x = np.ogrid[: truth.shape[0], : truth.shape[1]]
    distance = np.hypot(y - lesion.row, x - lesion.column)
    inner = lesion.radius + 2
    ring = image[(distance >= inner) & (distance <= inner + max(4, lesion.radius))]
    if np.isnan(share) or not (ring != ring[:1]).any():
        return np.nan
    # A disc has this amplitude everywhere, a spot on average, its bright pixels counting more.
    amplitude = float((truth.astype(np.float64) ** 2).sum() / np.abs(truth).sum())
    return float(share * amplitude / ring.std())
