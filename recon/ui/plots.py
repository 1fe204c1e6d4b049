"""Curves and histograms as SVG: sharp at any size, and in the colours of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

# Okabe and Ito 2008, told apart with any colour vision; their palest three are darker here, so that
# all stand out from light and dark.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#a87b00", "#8a63d2", "#777777")
DASH, GAP = 7, 4  # of the curves after those
WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 78, 28, 12, 48  # room for the larger words of narrow screens


@dataclass(frozen=True)
class Series:
    """A curve: its label, and numbers of the same length. NaN leaves a gap."""

    label: str
    x: Sequence[float] | np.ndarray
    y: Sequence[float] | np.ndarray
    points: bool = False


def curves(
    series: Sequence[Series],
    x_label: str,
    y_label: str,
    alt: str,
    *,
    y_range: tuple[float, float] | None = None,
    mark: tuple[float, str] | None = None,
    opens: bool = False,
) -> str:
    """A line plot.

    Parameters
    ----------
    series
        Drawn in the order of `COLORS`.
    alt
        What a person who does not see it should know.
    y_range
        Fits the data where None.
    mark
        A place on the x axis, and what it is.
    opens
        Whether x counts slices, and a press on a point opens its slice.
    """
    xs = np.concatenate([np.asarray(s.x, float) for s in series])
    ys = np.concatenate([np.asarray(s.y, float) for s in series])
    axes = _Axes(
        _range(xs if mark is None else np.append(xs, mark[0])), y_range or _range(ys, 0.05)
    )
    parts = [axes.frame(x_label, y_label, whole=opens)]
    for number, one in enumerate(series):
        color = COLORS[number % len(COLORS)]
        points = [
            (axes.x(x), axes.y(y)) for x, y in zip(one.x, one.y, strict=True) if np.isfinite(y)
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dash = f' stroke-dasharray="{DASH} {GAP}"' if number >= len(COLORS) else ""
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"{dash}/>'
        )
        if one.points:
            parts += [
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{color}"/>' for x, y in points
            ]
        if opens:
            parts += [
                f'<circle class="opens" cx="{axes.x(x):.1f}" cy="{axes.y(y):.1f}" r="4" '
                f'fill="{color}" data-slice="{x:g}"><title>slice {x:g}: {y:.4g}</title></circle>'
                for x, y in zip(one.x, one.y, strict=True)
                if np.isfinite(y)
            ]
    if mark is not None:
        parts.append(axes.mark(*mark))
    legend = "" if len(series) < 2 else _legend([s.label for s in series])
    return _svg(parts, alt) + legend


def histogram(
    values: Sequence[float] | np.ndarray, x_label: str, alt: str, mark: tuple[float, str]
) -> str:
    """How often values fall where, and where one marked value stands among them."""
    values = np.asarray(values, float)
    low, high = _range(np.append(values, mark[0]), 0.05)
    counts, edges = np.histogram(values, bins=24, range=(low, high))
    axes = _Axes((low, high), (0, max(1, counts.max()) * 1.1))
    bars = [
        f'<rect x="{axes.x(a) + 0.5:.1f}" y="{axes.y(n):.1f}" fill="{COLORS[0]}" '
        f'width="{max(0.5, axes.x(b) - axes.x(a) - 1):.1f}" height="{axes.y(0) - axes.y(n):.1f}"/>'
        for n, a, b in zip(counts, edges, edges[1:], strict=False)
        if n
    ]
    return _svg([axes.frame(x_label, "masks"), *bars, axes.mark(*mark)], alt)


class _Axes:
    def __init__(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        self.ranges = x, y

    def x(self, value: float) -> float:
        low, high = self.ranges[0]
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        low, high = self.ranges[1]
        share = min(1.0, max(0.0, (value - low) / (high - low)))
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def frame(self, x_label: str, y_label: str, whole: bool = False) -> str:
        bottom, middle = HEIGHT - BOTTOM, (TOP + HEIGHT - BOTTOM) / 2
        parts = []
        for value in _ticks(*self.ranges[0], 6):
            if whole and value % 1:
                continue
            x = self.x(value)
            parts.append(
                f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{value:g}</text>'
            )
        for value in _ticks(*self.ranges[1], 4):
            y = self.y(value)
            parts.append(
                f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
            )
        parts.append(
            f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">'
            f"{escape(x_label)}</text>"
            f'<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">'
            f"{escape(y_label)}</text>"
        )
        return "".join(parts)

    def mark(self, value: float, words: str) -> str:
        x = self.x(value)
        anchor, shift = ("end", -6) if x > WIDTH / 2 else ("start", 6)
        return (
            f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
            f'<text class="mark" x="{x + shift:.1f}" y="{TOP + 12}" text-anchor="{anchor}">'
            f"{escape(words)}</text>"
        )


def _range(values: np.ndarray, margin: float = 0.0) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    return low - margin * (high - low), high + margin * (high - low)


def _ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers between two ends: steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / about
    power = 10 ** np.floor(np.log10(rough))
    sizes = (0.5, 1, 2, 5, 10)
    at = next(n for n, m in enumerate(sizes) if n and m * power >= rough * 0.999)
    # The ends may lie so that the step, though right for the length, meets one or two of its
    # multiples: too few to read a value from.
    several, finer = (_multiples(low, high, power * sizes[n]) for n in (at, at - 1))
    return several if len(several) >= 3 else finer


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = int(np.ceil(low / step)), int(np.floor(high / step))
    return [round(v * step, 10) for v in range(first, last + 1)]


def _legend(labels: Sequence[str]) -> str:
    entries = "".join(
        f'<span><i style="background: {_fill(n)}"></i>{escape(label)}</span>'
        for n, label in enumerate(labels)
    )
    return f'<p class="legend">{entries}</p>'


def _fill(number: int) -> str:
    color = COLORS[number % len(COLORS)]
    if number < len(COLORS):
        return color
    return f"repeating-linear-gradient(90deg, {color} 0 {GAP}px, transparent {GAP}px {DASH}px)"


def _svg(parts: Sequence[str], alt: str) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(alt)}">'
        f"{''.join(parts)}</svg>"
    )
