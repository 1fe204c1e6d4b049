"""Lesion test: a small structure is put into the object before sampling. Who shows it?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr
import numpy as np

from recon.probes.lesion import Lesion, insert
from recon.probes.survival import sweep
from recon.scan import Scan
from recon.ui import bench, plots
from recon.ui.controls import Controls
from recon.ui.viewer import SCRIPT, Panel, viewer

SIZES = (1.5, 2, 3, 4, 6, 8, 12)
CONTRASTS = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0)


def build(shared: Controls) -> None:
    bench.lead(
        "A spot or a fine pattern is added to the object <b>before</b> it is sampled, as if it had "
        "been there in the scanner. <b>Click</b> a picture to choose the place. What is left of "
        "its contrast, and does it stand out from its surroundings?"
    )
    left, right = bench.columns()
    with left:
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
        with gr.Row():
            row = gr.Number(label="Row", precision=0, value=-1, minimum=-1, min_width=80,
                            elem_id="lesion-row")  # fmt: skip
            column = gr.Number(label="Column", precision=0, value=-1, minimum=-1,
                               min_width=80, elem_id="lesion-column")  # fmt: skip
        names = gr.CheckboxGroup(
            bench.method_choices(),
            value=["zero-filled", "cs", "resnet-dc"],
            label="Methods",
            elem_id="lesion-methods",
        )
        against = gr.Radio(
            [("Size", "size"), ("Contrast", "contrast")], value="size", label="Curve over"
        )
        message = gr.HTML(elem_id="lesion-message", elem_classes="beside")
        look = gr.Button("Put it in", variant="primary", elem_id="lesion-look")
        curve = gr.Button("Draw the curve", elem_id="lesion-curve")
    with right:
        findings = gr.HTML(elem_id="lesion-findings")
        panels = gr.HTML(js_on_load=SCRIPT, elem_id="lesion-panels")
        chart = gr.HTML(elem_id="lesion-chart")

    own = [kind, size, contrast, row, column, names]

    def lesion_of(values: tuple[Any, ...], scan: Scan) -> Lesion:
        shape, width, strength, y, x = values[:5]
        height, breadth = scan.turned(*scan.truth.shape)
        # -1: not chosen yet, so somewhere inside the object
        y = height * 0.45 if y is None or y < 0 else y
        x = breadth * 0.55 if x is None or x < 0 else x
        return Lesion(*scan.turned(float(y), float(x)), float(width), float(strength), shape)

    def put(*values: Any) -> dict[Any, Any]:
        _, scan, sampling = bench.subject(values[len(own) :])
        lesion = lesion_of(values, scan)
        methods = bench.chosen_methods(values[5])
        found = list(sweep(scan, sampling, [lesion], methods))
        reference = scan.upright(insert(scan, lesion)[0].truth)
        shown = [
            Panel(
                "reference",
                "Fully sampled",
                "with the structure",
                "Fully sampled image",
                "image",
                reference,
            )
        ]
        shown += [
            Panel(
                f"method{n}",
                one.method.label,
                f"retained {one.retained:.0%}",
                f"{one.method.label} with the structure",
                "image",
                scan.upright(one.image),
            )
            for n, one in enumerate(found)
        ]
        rows = [[one.method.label, _share(one.retained), _number(one.visibility)] for one in found]
        return {
            findings: bench.table(["", "contrast retained", "contrast-to-noise ratio"], rows),
            panels: viewer(shown),
            row: int(scan.turned(lesion.row, lesion.column)[0]),
            column: int(scan.turned(lesion.row, lesion.column)[1]),
        }

    def draw(over: str, *values: Any) -> dict[Any, Any]:
        _, scan, sampling = bench.subject(values[len(own) :])
        lesion = lesion_of(values, scan)
        methods = bench.chosen_methods(values[5])
        steps = SIZES if over == "size" else CONTRASTS
        sign = -1 if over == "contrast" and lesion.contrast < 0 else 1
        series = [
            replace(lesion, size=value)
            if over == "size"
            else replace(lesion, contrast=sign * value)
            for value in steps
        ]
        found = list(sweep(scan, sampling, series, methods))
        curves = [
            plots.Series(
                method.label,
                steps,
                [one.retained for one in found if one.method is method],
                points=True,
            )
            for method in methods
        ]
        unit = "size of the structure (pixels)" if over == "size" else "contrast"
        picture_ = plots.curves(
            curves, unit, "contrast retained", f"Contrast retained over {unit}", y_range=(-0.2, 1.3)
        )
        return {chart: f"<p>1 is all of the contrast, 0 none of it.</p>{picture_}"}

    bench.run(look.click, put, own, shared, [panels, findings, row, column], message)
    bench.run(curve.click, draw, [against, *own], shared, [chart], message)

    def place(event: gr.EventData) -> dict[Any, Any]:
        y, x = (getattr(event, name, None) for name in ("row", "column"))
        if not all(isinstance(v, int) and 0 <= v < 2**14 for v in (y, x)):
            return {row: gr.skip(), column: gr.skip()}
        return {row: y, column: x}

    picked = panels.select(
        place, None, [row, column], show_progress="hidden", api_visibility="private"
    )
    bench.run(picked.then, put, own, shared, [panels, findings, row, column], message)


def _share(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.0%}"


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.1f}"
