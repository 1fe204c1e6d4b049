"""The benchmark in one picture: quality against time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from recon.benchmark.results import TITLES, Results
from recon.benchmark.scoring import BASELINE
from recon.benchmark.sets import ACCELERATIONS, SIMULATED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which colour-blind people tell apart; the marker tells it again.
TRAINED, UNTRAINED = ("#0072B2", "o"), ("#D55E00", "s")
RADIUS = 12  # pixels around a marker that names keep clear of
# Where a name may stand: offset in points, and which of its edges is there.
PLACES = (
    ((9, 0), "left", "center"),
    ((-9, 0), "right", "center"),
    ((6, 7), "left", "bottom"),
    ((6, -7), "left", "top"),
    ((-6, 7), "right", "bottom"),
    ((-6, -7), "right", "top"),
    ((0, 24), "center", "bottom"),
    ((0, -24), "center", "top"),
)


def quality_against_time(results: Results) -> Figure:
    """Closed share on open_ms over seconds for a 320x320 slice, 4x and 8x side by side.

    Bars are the bootstrap's 95 % intervals.
    """
    from matplotlib.figure import Figure  # slow to import, and only this needs it

    figure = Figure(figsize=(12.8, 6.4), layout="constrained", dpi=125)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, rate in zip(panels, ACCELERATIONS, strict=True):
        _panel(axes, results, rate)
    panels[0].set_ylabel("share of the SSIM gap closed", fontsize=14)
    for name, (colour, marker) in (("trained", TRAINED), ("not trained", UNTRAINED)):
        panels[0].plot([], [], color=colour, marker=marker, ls="", markersize=10, label=name)
    figure.legend(loc="outside upper right", ncols=2, frameon=False, fontsize=13)
    figure.draw_without_rendering()  # now it is settled where everything is
    for axes, rate in zip(panels, ACCELERATIONS, strict=True):
        _label(axes, _points(results, rate))
    return figure


def _points(results: Results, rate: float) -> dict[str, tuple[float, float]]:
    """Seconds and closed share by the name people read."""
    found = results.summaries[SIMULATED, "random", rate]
    return {
        one.label: (results.costs[one.name].seconds, found[one.name].closed)
        for one in results.contenders
        if one.name != BASELINE
    }


def _panel(axes: Axes, results: Results, rate: float) -> None:
    from matplotlib.colors import to_rgb
    from matplotlib.ticker import LogLocator

    found = results.summaries[SIMULATED, "random", rate]
    points = _points(results, rate)
    for one in results.contenders:
        if one.name == BASELINE:
            continue
        colour, marker = TRAINED if one.networks else UNTRAINED
        s = found[one.name]
        bars = [[max(0, s.closed - s.low)], [max(0, s.high - s.closed)]]
        axes.errorbar(
            *points[one.label], bars,
            color=colour, marker=marker, markersize=11, ecolor=(*to_rgb(colour), 0.4),
        )  # fmt: skip
    axes.axhline(0, color="0.45", linewidth=1)
    seconds = [x for x, _ in points.values()]
    axes.set_xscale("log")
    axes.set_xlim(min(seconds) / 1.6, max(seconds) * 3)  # room for the labels
    axes.margins(y=0.08)
    axes.annotate(
        "zero-filled", (min(seconds) / 1.5, 0), (0, 3), textcoords="offset points", color="0.35",
        fontsize=12,
    )  # fmt: skip
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.tick_params(labelsize=13)
    axes.grid(color="0.92")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"{rate:g}x, {TITLES[SIMULATED]}", fontsize=15)
    axes.set_xlabel("seconds for a slice of 320x320", fontsize=14)


def _label(axes: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Names beside their points: the first of a few places where nothing else stands."""
    from matplotlib.transforms import Bbox

    at = axes.transData.transform(list(points.values()))
    taken = [Bbox.from_bounds(x - RADIUS, y - RADIUS, 2 * RADIUS, 2 * RADIUS) for x, y in at]
    for label, point in points.items():
        for place in PLACES:
            offset, sideways, upright = place
            text = axes.annotate(
                label, point, offset, textcoords="offset points", ha=sideways, va=upright,
                fontsize=13,
            )  # fmt: skip
            box = text.get_window_extent()
            free = not box.count_overlaps(taken) and axes.bbox.x0 < box.x0 and box.x1 < axes.bbox.x1
            if free or place is PLACES[-1]:
                break
            text.remove()
        taken.append(box)
