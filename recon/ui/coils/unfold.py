"""SENSE by hand: which pixels fold onto a pixel, and the equations that part them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from recon.errors import InputError
from recon.fourier import rss
from recon.probes.coils import Equations, crowd, equations, fold, unfold
from recon.scan import Scan
from recon.ui.coils.common import acceleration, magnitude, subject, views
from recon.ui.components import place_fields
from recon.ui.experiment import Action, Answer, Experiment
from recon.ui.html import table
from recon.ui.session import Choice
from recon.ui.viewer import Panel, viewer

Marks = tuple[tuple[float, float, float], ...]

MOST = 8  # equations that are written out


def by_hand(choice: Choice, rate: float, row: float, column: float) -> Iterator[Answer]:
    """One folded pixel, taken apart."""
    scan, where = subject(choice)
    distance = int(rate)
    seen = views(scan).even(distance)
    height, width = seen.images.shape[-2:]
    usual = scan.turned(int(0.5 * height), int(0.25 * width))
    given = [None if place is None or place < 0 else int(place) for place in (row, column)]
    chosen = given != [None, None]
    y, x = scan.turned(*(u if g is None else g for u, g in zip(usual, given, strict=True)))
    y, x = int(min(y, height - 1)), int(min(x, width - 1))
    full = seen.combined
    unit = float(np.abs(full).max()) or 1.0
    marks: Marks = ()
    at = scan.turned(y, x)
    try:
        found = equations(seen, y, x, distance)
        text = _written(found, unit, scan.phase_encode == "rows")
        marks = tuple((float(y), float(c), 4.0) for c in found.columns)
    except InputError as error:
        text = f"<p>{error}</p>"
    aliased = fold(seen.images, distance)
    crowded = crowd(seen.maps, distance).max() > len(seen.maps)
    told = "black: no solution" if crowded else "every pixel solved"
    shown = [
        magnitude(scan, "folded", "Folded", f"one line in {distance}, all coils", rss(aliased)),
        magnitude(scan, "one", "Folded, coil 0", "what this coil sees", aliased[0]),
        magnitude(scan, "unfolded", "Unfolded", told, unfold(seen, distance)),
        magnitude(scan, "reference", "All lines", "reference", full),
    ]
    marked = [
        _with_marks(panel, marks if panel.name in ("unfolded", "reference") else marks[:1], scan)
        for panel in shown
    ]
    # A place that nobody chose is none on the next scan either.
    place = {"row": int(at[0]), "column": int(at[1])} if chosen else {}
    yield Answer(where + text, viewer(marked), controls=place)


def _with_marks(panel: Panel, marks: Marks, scan: Scan) -> Panel:
    turned = tuple((*scan.turned(y, x), size) for y, x, size in marks)
    return replace(panel, marks=turned)


def _written(found: Equations, unit: float, turned: bool) -> str:
    here, there = ("In column", "at row") if turned else ("In row", "at column")
    names = [f"x{chr(0x2080 + n)}" for n in range(1, len(found.columns) + 1)]
    where = ", ".join(
        f"{name} {there} {column}" for name, column in zip(names, found.columns, strict=True)
    )
    rows = [
        [
            f"coil {n}",
            _number(value / unit),
            " + ".join(f"({_number(s)}) {x}" for s, x in zip(line, names, strict=True)),
        ]
        for n, (value, line) in enumerate(zip(found.measured, found.matrix, strict=True))
    ][:MOST]
    solved = [
        [name, _number(value / unit), _number(true / unit), "–" if np.isinf(g) else f"{g:.2f}"]
        for name, value, true, g in zip(names, found.solution, found.truth, found.g, strict=True)
    ]
    more = len(found.matrix) - len(rows)
    cannot = f"{len(found.matrix)} coils cannot part {len(names)} pixels: there is no solution."
    cannot = f"<p>{cannot}</p>" if len(names) > len(found.matrix) else ""
    condition = "infinite" if np.isinf(found.condition) else f"{found.condition:.2f}"
    return (
        f"<p>{here} {found.row}, {_counted(len(names), 'pixel')} of the object "
        f"{'lie on each other' if len(names) > 1 else 'lies here alone'}: {where}. "
        f"{len(found.matrix)} coils give {len(found.matrix)} equations in "
        f"{_counted(len(names), 'unknown')}; condition number <b>{condition}</b>.</p>"
        + table(["", "measured", "= sensitivity times unknown, added up"], rows)
        + (f"<p>And {more} equations more.</p>" if more else "")
        + cannot
        + table(["", "solution", "from all lines", "g-factor"], solved)
    )


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _number(value: complex) -> str:
    if np.isnan(value):
        return "–"
    return f"{value.real:.3f} {'-' if value.imag < 0 else '+'} {abs(value.imag):.3f}i"


def _controls() -> dict[str, Any]:
    rate = acceleration("unfold")
    row, column = place_fields("unfold")
    return {"rate": rate, "row": row, "column": column}


EXPERIMENT = Experiment(
    "unfold",
    "Unfold by hand",
    "With every R-th line only, R pixels land on each other. One coil sees their sum and cannot "
    "part them. Other coils see <b>other</b> sums of the same pixels: equations enough to solve. "
    "<b>Click</b> a picture to choose the pixel.",
    (Action("Unfold", "look", by_hand, live=("rate",)),),
    _controls,
    select=("row", "column"),
    asks="coils",
)
