"""How well every method does: scores of each slice, their means, and how far to trust those."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from recon import metrics
from recon.benchmark.contenders import Contender
from recon.benchmark.sets import Case, Group
from recon.errors import InputError

BASELINE = "zero-filled"
DRAWS = 2000  # of the bootstrap


@dataclass(frozen=True)
class Row:
    """One slice by one method: a line of ``benchmark.csv``. SSIM and PSNR use its maximum."""

    set: str
    condition: str
    acceleration: float
    subject: str
    volume: str
    slice: int
    seed: int
    achieved_acceleration: float
    method: str
    setting: float | None  # the regularisation that was chosen, if one was
    ssim: float
    psnr: float
    nmse: float
    seconds: float

    @property
    def case(self) -> tuple[object, ...]:
        """Which slice and mask it is about."""
        where = (self.set, self.condition, self.acceleration, self.subject, self.volume)
        return (*where, self.slice, self.seed)


def replaced(before: Sequence[Row], after: Sequence[Row]) -> list[Row]:
    """Rows of an earlier run, in which some methods were scored again on the very same cases.

    Cases that the earlier run did not have are left out.

    Raises
    ------
    InputError
        If a case is missing or another one, which its zero-filled score tells.
    """
    known, now = (
        {row.case: row.ssim for row in rows if row.method == BASELINE} for rows in (before, after)
    )
    if not known.keys() <= now.keys() or any(abs(known[c] - now[c]) > 1e-6 for c in known):
        raise InputError("The earlier scores are of other cases; run the whole benchmark again.")
    again = {row.method for row in after} - {BASELINE}
    return [row for row in before if row.method not in again] + [
        row for row in after if row.method in again and row.case in known
    ]


def score(
    groups: Iterable[Group],
    contenders: Sequence[Contender],
    tuning: int,
    tick: Callable[[str], object],
) -> list[Row]:
    """Reconstruct every case with every method.

    Parameters
    ----------
    groups, contenders
        What and who.
    tuning
        Cases of a group that settings are chosen on, spread over it.
    tick
        Called with a word on what is being done, once for each case.
    """
    rows: list[Row] = []
    chosen: dict[str, float] = {}
    for group in groups:
        spread = np.linspace(0, len(group.cases) - 1, min(tuning, len(group.cases)))
        some = [group.cases[round(place)] for place in spread]
        for one in contenders:
            if one.settings:
                start = chosen.get(one.name, one.settings[len(one.settings) // 2])
                chosen[one.name] = best_setting(one, some, start)
        for case in group.cases:
            tick(f"{group.set}, {group.condition}, {group.acceleration:g}x")
            for one in contenders:
                rows.append(_row(group, case, one, chosen.get(one.name)))
    return rows


def _row(group: Group, case: Case, one: Contender, setting: float | None) -> Row:
    start = time.perf_counter()
    image = one.reconstruct(case.measurement, setting or 0.0)
    seconds = time.perf_counter() - start
    return Row(
        group.set,
        group.condition,
        group.acceleration,
        case.subject,
        case.volume,
        case.slice,
        case.sampling.seed or 0,
        case.sampling.achieved_acceleration,
        one.name,
        setting,
        **case.score(image),
        seconds=seconds,
    )


def best_setting(one: Contender, cases: Sequence[Case], start: float) -> float:
    """The setting with the highest mean SSIM on cases that are scored themselves.

    That knows the answer, so it favours the method. From `start`, it goes up or down as long as
    that helps; the score has one maximum over the regularisation.
    """
    known: dict[int, float] = {}

    def quality(index: int) -> float:
        if not 0 <= index < len(one.settings):
            return -np.inf
        if index not in known:
            setting = one.settings[index]
            images = [one.reconstruct(case.measurement, setting) for case in cases]
            scores = [case.score(x)["ssim"] for case, x in zip(cases, images, strict=True)]
            known[index] = float(np.mean(scores))
        return known[index]

    here = one.settings.index(start)
    while True:
        best = max((here, here - 1, here + 1), key=quality)
        if best == here:
            return one.settings[here]
        here = best


@dataclass(frozen=True)
class Summary:
    """A method's mean scores over a group, and the share of the SSIM gap it closed.

    `low` and `high` bound the central 95 % of the bootstrap's closed shares.
    """

    slices: int
    ssim: float
    psnr: float
    nmse: float
    closed: float
    low: float
    high: float
    setting: float | None


def summary(rows: Sequence[Row], method: str) -> Summary:
    """Mean over slices of one group's rows.

    Parameters
    ----------
    rows
        Of all methods, all of the same set, condition and acceleration.
    method
        Which one to sum up.
    """
    ours = [row for row in rows if row.method == method]
    before = [row for row in rows if row.method == BASELINE]
    means = {key: float(np.mean([getattr(r, key) for r in ours])) for key in ("ssim", "psnr")}
    nmse = float(np.mean([row.nmse for row in ours]))
    closed = metrics.closed_share(means["ssim"], float(np.mean([row.ssim for row in before])))
    low, high = interval(ours, before)
    return Summary(
        len(ours), **means, nmse=nmse, closed=closed, low=low, high=high, setting=ours[0].setting
    )


def interval(after: Sequence[Row], before: Sequence[Row]) -> tuple[float, float]:
    """95 % bootstrap interval of the closed share (Efron 1979, doi 10.1214/aos/1176344552).

    Slices of a volume resemble each other, and so do volumes of a subject, so whole subjects are
    drawn with replacement, then volumes within each. With two subjects that says little about a
    third one.

    Parameters
    ----------
    after, before
        Rows of a method and of the baseline, in the same order.
    """
    units: dict[str, dict[str, np.ndarray]] = {}  # sums over slices: count, SSIM after, before
    for one, other in zip(after, before, strict=True):
        volumes = units.setdefault(one.subject, {})
        total = volumes.setdefault(one.volume, np.zeros(3))
        total += 1, one.ssim, other.ssim
    subjects = [np.array(list(volumes.values())) for volumes in units.values()]  # each (V, 3)
    rng = np.random.default_rng(0)
    shares = np.empty(DRAWS)
    for draw in range(DRAWS):
        total = np.zeros(3)
        for subject in rng.integers(len(subjects), size=len(subjects)):
            volumes_ = subjects[subject]
            total += volumes_[rng.integers(len(volumes_), size=len(volumes_))].sum(0)
        shares[draw] = metrics.closed_share(total[1] / total[0], total[2] / total[0])
    low, high = np.quantile(shares, (0.025, 0.975))
    return float(low), float(high)
