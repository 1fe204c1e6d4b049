"""What parting folded pixels costs: the g-factor, with fewer lines or fewer coils."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import gradio as gr
import numpy as np

from recon.probes.coils import Cost, cost, unfold
from recon.ui import plots
from recon.ui.coils.common import acceleration, g_panel, magnitude, subject, unsolved, views
from recon.ui.experiment import Action, Answer, Experiment
from recon.ui.session import Choice
from recon.ui.viewer import viewer

RATES = (1, 2, 3, 4, 5, 6)
MOST = 16  # coils that can be taken away
HIGHEST = 20.0  # g-factor that is drawn


def take_away(choice: Choice, rate: float, away: list[int]) -> Iterator[Answer]:
    """The g-factor of the coils that are left."""
    scan, where = subject(choice)
    every = views(scan)
    left = every.without(away)
    distance = int(rate)
    seen = left.even(distance)
    found = cost(seen.maps, distance)
    whole = every.even(distance)
    shown = [
        g_panel(scan, found),
        magnitude(scan, "unfolded", f"SENSE at {distance}x", f"{len(seen.maps)} coils",
                  unfold(seen, distance)),
        magnitude(scan, "reference", "All lines, all coils", "reference",
                  whole.combined),
    ]  # fmt: skip
    means = [cost(left.even(step).maps, step) for step in RATES]
    chart = plots.curves(
        [
            plots.Series("mean", RATES, [_drawn(one, one.mean) for one in means], points=True),
            plots.Series("one pixel in 20 above", RATES, [_drawn(one, one.worst) for one in means],
                         points=True),
        ],
        "acceleration R",
        f"g-factor, up to {HIGHEST:.0f}",
        "g-factor over acceleration",
    )  # fmt: skip
    words = unsolved(found)
    if found.unsolved < 1:
        solved = (found.g > 0) & np.isfinite(found.g)
        noise = np.sqrt(distance) * np.mean((found.g * whole.lost(away))[solved])
        more = ", and more where coils are missing" if len(seen.maps) < len(every.maps) else ""
        words += (
            f"<p>{len(seen.maps)} coils at {distance}x: g is {found.mean:.2f} on average, above "
            f"{found.worst:.2f} in one pixel of twenty. Noise grows {np.sqrt(distance):.2f} times "
            f"because less is measured, and g times because pixels have to be parted"
            f"{more}: <b>{noise:.2f} times</b> in all.</p>"
        )
    offered = range(min(len(every.maps), MOST))  # no more than this scan has
    boxes: dict[str, Any] = {"choices": _numbered(offered)}
    if not set(away) <= set(offered):  # else they stay as they are: more may be ticked by now
        boxes["value"] = [n for n in away if n in offered]
    yield Answer(where + words, viewer(shown), chart, controls={"away": gr.update(**boxes)})


def _drawn(found: Cost, value: float) -> float:
    """A g-factor of the curve, which has a gap where some pixels have none."""
    return np.nan if found.unsolved else min(value, HIGHEST)


def _numbered(coils: Iterable[int]) -> list[tuple[str, int]]:
    return [(str(n), n) for n in coils]


def _controls() -> dict[str, Any]:
    return {
        "rate": acceleration("cost", 4),
        "away": gr.CheckboxGroup(
            _numbered(range(MOST)), value=[], label="Take coils away", elem_id="cost-away"
        ),
    }


EXPERIMENT = Experiment(
    "cost",
    "What it costs",
    "R times fewer lines measure √R times more noise, as any shorter scan would. Where coils see "
    "folded pixels nearly alike, parting them takes large numbers with opposite signs, and noise "
    "grows <b>g times</b> more. Take coils away and look where. Here every coil has the same "
    "noise, and its own.",
    (Action("Compute g", "look", take_away, live=("rate", "away")),),
    _controls,
    asks="coils",
)
