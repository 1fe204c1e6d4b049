"""Lesion test: a small structure is put into the object before sampling. Who shows it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr
import numpy as np

from recon.errors import InputError
from recon.probes.lesion import Lesion, insert
from recon.probes.survival import Finding, sweep
from recon.scan import Scan
from recon.ui import plots, session
from recon.ui.components import method_boxes, place_fields
from recon.ui.experiment import Action, Answer, Experiment, each
from recon.ui.html import remark, table
from recon.ui.session import Choice
from recon.ui.viewer import Panel, viewer

# In the order in which they are computed: the course first, then what lies between.
SIZES = (3, 12, 1.5, 6, 2, 8, 4)
CONTRASTS = (0.5, 0.1, 1.0, 0.3, 0.75, 0.2)
FAINT = 0.03  # of the picture's maximum; what is darker is air, or nearly
PLACE = (0.45, 0.55)  # of a structure nobody placed: shares of height and width


def lesion_at(
    scan: Scan, kind: str, size: float, contrast: float, row: float | None, column: float | None
) -> Lesion:
    """A structure where a person wants it; -1 or None: somewhere inside the object."""
    height, breadth = scan.turned(*scan.truth.shape)
    y = height * PLACE[0] if row is None or row < 0 else row
    x = breadth * PLACE[1] if column is None or column < 0 else column
    return Lesion(*scan.turned(float(y), float(x)), float(size), float(contrast), kind)  # type: ignore[arg-type]


def added(scan: Scan, lesion: Lesion) -> Scan:
    """The scan with the structure in it.

    Raises
    ------
    InputError
        If there is next to nothing that it could be brighter or darker than.
    """
    changed, change = insert(scan, lesion)
    if np.abs(change).max() < FAINT * abs(lesion.contrast) * scan.truth.max():
        raise InputError("There is next to nothing at this place; choose one inside the object.")
    return changed


def put(choice: Choice, methods: list[str], over: str, **where: Any) -> Iterator[Answer]:
    """The structure in what every method makes of the slice."""
    scan, sampling = session.subject(choice)
    lesion = lesion_at(scan, **where)
    chosen = session.methods(choice, methods)
    y, x = scan.turned(lesion.row, lesion.column)
    mark = ((y, x, lesion.radius + 3),)
    shown = [
        Panel("reference", "Fully sampled", "with the structure", "Fully sampled image",
              "image", scan.upright(added(scan, lesion).truth), marks=mark)
    ]  # fmt: skip
    rows, refused = [], ""
    found = each(chosen, 1, lambda method: sweep(scan, sampling, [lesion], [method]))
    # The curve that may stand there is of another question.
    yield Answer(panels=viewer(shown), chart="", done=0, of=len(chosen))
    for method, one, done in found:
        label = method.label
        if isinstance(one, InputError):
            refused += remark(label, str(one))
        else:
            left = _share(one.retained)
            shown.append(
                Panel(f"method{done}", label, f"retained {left}", f"{label} with the structure",
                      "image", scan.upright(one.image), marks=mark)
            )  # fmt: skip
            rows.append([label, left, _number(one.visibility)])
        words = table(["", "contrast retained", "contrast / variation around it"], rows) + refused
        yield Answer(words, viewer(shown), "", done=done, of=len(chosen))


def draw(choice: Choice, methods: list[str], over: str, **where: Any) -> Iterator[Answer]:
    """How much is retained of structures of growing size or contrast."""
    scan, sampling = session.subject(choice)
    lesion = lesion_at(scan, **where)
    chosen = session.methods(choice, methods)
    added(scan, lesion)
    steps = SIZES if over == "size" else CONTRASTS
    sign = -1 if over == "contrast" and lesion.contrast < 0 else 1
    series = [
        replace(lesion, size=value) if over == "size" else replace(lesion, contrast=sign * value)
        for value in steps
    ]
    total = len(series) * len(chosen)
    found: list[Finding] = []
    refused = ""
    yield Answer(done=0, of=total)
    for method, one, done in each(
        chosen, len(series), lambda method: sweep(scan, sampling, series, [method])
    ):
        if isinstance(one, InputError):
            refused += remark(method.label, str(one))
        else:
            found.append(one)
        chart = _chart(found, steps, over) + refused if found else None
        yield Answer(chart=chart, done=done, of=total)


def _chart(found: list[Finding], steps: Any, over: str) -> str:
    curves = []
    for method in dict.fromkeys(one.method for one in found):
        left = [one.retained for one in found if one.method is method]
        order = np.argsort(steps[: len(left)])
        x, y = np.take(steps, order), np.take(left, order)
        curves.append(plots.Series(method.label, x, y, points=True))
    unit = "size of the structure (pixels)" if over == "size" else "contrast"
    picture = plots.curves(
        curves, unit, "contrast retained", f"Contrast retained over {unit}", y_range=(-0.2, 1.3)
    )
    return f"<p>1 is all of the contrast, 0 none of it.</p>{picture}"


def _share(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.0%}"


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.1f}"


def _controls() -> dict[str, Any]:
    kind = gr.Radio(
        [("Spot", "spot"), ("Disc", "disc"), ("Line pairs", "lines")],
        value="spot",
        label="Structure",
        elem_id="lesion-kind",
    )
    size = gr.Slider(1, 16, 3, step=0.5, label="Size (pixels)", elem_id="lesion-size")
    contrast = gr.Slider(
        -1,
        1,
        0.5,
        step=0.05,
        label="Contrast",
        info="Share of what is there: 1 doubles it, -1 takes it away",
        elem_id="lesion-contrast",
    )
    row, column = place_fields("lesion")
    methods = method_boxes("lesion", "zero-filled", "cs", "resnet-dc")
    over = gr.Radio(
        [("Size", "size"), ("Contrast", "contrast")],
        value="size",
        label="Curve over",
        elem_id="lesion-over",
    )
    return {
        "kind": kind,
        "size": size,
        "contrast": contrast,
        "row": row,
        "column": column,
        "methods": methods,
        "over": over,
    }


EXPERIMENT = Experiment(
    "lesion",
    "Lesion test",
    "A spot or a fine pattern is added to the object <b>before</b> it is sampled, as if it had "
    "been there in the scanner. <b>Click</b> a picture to choose the place. What is left of "
    "its contrast, and does it stand out from its surroundings?",
    (Action("Put it in", "look", put), Action("Draw the curve", "curve", draw)),
    _controls,
    opens="stored",
    select=("row", "column"),
)
