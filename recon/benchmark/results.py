"""What came out of a run: means by method, and the sentences they justify."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from recon.benchmark.contenders import Contender, Cost
from recon.benchmark.scoring import BASELINE, Row, Summary, summary
from recon.benchmark.sets import ACCELERATIONS, HIGH, LOW, SIMULATED

TITLES = {
    SIMULATED: "open_ms, simulated",
    HIGH: "high field, measured",
    LOW: "0.055 T, measured",
}


class Results:
    """Scores and costs of a run.

    Parameters
    ----------
    rows
        All of them.
    contenders
        In the order of the tables.
    costs
        By name of the method.
    """

    def __init__(
        self, rows: Sequence[Row], contenders: Sequence[Contender], costs: Mapping[str, Cost]
    ) -> None:
        self.rows, self.contenders, self.costs = rows, contenders, costs

    @cached_property
    def summaries(self) -> dict[tuple[str, str, float], dict[str, Summary]]:
        """By set, condition and acceleration, then by method."""
        groups: dict[tuple[str, str, float], list[Row]] = {}
        for row in self.rows:
            groups.setdefault((row.set, row.condition, row.acceleration), []).append(row)
        return {
            key: {one.name: summary(rows, one.name) for one in self.contenders}
            for key, rows in groups.items()
        }

    @property
    def sets(self) -> list[str]:
        """Those that were run."""
        return [name for name in TITLES if (name, "random", ACCELERATIONS[0]) in self.summaries]

    def files(self, acceleration: float) -> dict[str, dict[str, float]]:
        """Mean SSIM of every measured file, then by method."""
        found: dict[str, dict[str, list[float]]] = {}
        for row in self.rows:
            if row.set != SIMULATED and row.acceleration == acceleration:
                of_file = found.setdefault(row.subject, {})
                of_file.setdefault(row.method, []).append(row.ssim)
        return {
            file: {method: float(np.mean(values)) for method, values in scores.items()}
            for file, scores in found.items()
        }

    def statements(self, name: str = "resnet-dc") -> list[str]:
        """Sentences on the order of all methods and on one of them, as it came out."""
        labels = {one.name: one.label for one in self.contenders}
        found = []
        for rate in ACCELERATIONS:
            shares = {m: s.closed for m, s in self.summaries[SIMULATED, "random", rate].items()}
            order = sorted(shares, key=lambda m: -shares[m])
            words = ", ".join(f"{labels[m]} {shares[m]:.1%}" for m in order)
            found.append(f"Order on open_ms at {rate:g}x: {words}.")
        if name not in labels:
            return found
        for rate in ACCELERATIONS:
            found += [self._lead(name, labels, where, rate) for where in self.sets]
            files = self.files(rate)
            for other in ("zero-filled", "cs") if files else ():
                below = [file for file, scores in files.items() if scores[name] <= scores[other]]
                found.append(
                    f"Measured files at {rate:g}x: {labels[name]} has the higher SSIM than "
                    f"{labels[other]} on {len(files) - len(below)} of {len(files)}"
                    + (f"; not on {', '.join(below)}." if below else ".")
                )
        times = (f"{labels[m]} {self.costs[m].seconds:.2f} s" for m in labels if m != BASELINE)
        found.append(f"Time for a slice: {', '.join(times)}.")
        return found

    def _lead(self, name: str, labels: Mapping[str, str], where: str, rate: float) -> str:
        """By how much a method leads the best of the field's baselines, in a sentence."""
        shares = {m: s.closed for m, s in self.summaries[where, "random", rate].items()}
        rivals = [m for m in labels if m in ("cs", "unet", "varnet") or m.startswith("bart")]
        best = max(rivals, key=lambda m: shares[m])
        factor = f", {shares[name] / shares[best]:.2f} times that" if shares[best] > 0 else ""
        return (
            f"{TITLES[where]}, {rate:g}x: the best of {', '.join(labels[m] for m in rivals)} is "
            f"{labels[best]} with {shares[best]:.1%}; {labels[name]} closes "
            f"{shares[name]:.1%}{factor}."
        )
