"""Out of distribution: turn the object, add noise, change the mask. Who breaks?"""

from __future__ import annotations

from typing import Any

import gradio as gr

from recon import examples
from recon.probes.shift import INSIDE, SHIFTS, Shift, evaluate
from recon.scan import Scan
from recon.ui import bench
from recon.ui.controls import Controls
from recon.ui.viewer import SCRIPT, Panel, viewer

OTHERS = {key: f"another object: {example.title}" for key, example in examples.EXAMPLES.items()}


def build(shared: Controls) -> None:
    bench.lead(
        "A network has learned from a few heads, with random masks. Ask for something else: the "
        "same slice turned, noisier, with other masks, measured along the other axis, or for "
        "another object or scanner altogether. Your own file of another anatomy goes in on the "
        "first tab."
    )
    left, right = bench.columns()
    with left:
        names = gr.CheckboxGroup(
            bench.method_choices(),
            value=["zero-filled", "resnet", "resnet-dc"],
            label="Methods",
            elem_id="shift-methods",
        )
        which = gr.CheckboxGroup(
            [
                *((shift.label, number) for number, shift in enumerate(SHIFTS)),
                *((label, key) for key, label in OTHERS.items()),
            ],
            value=[*range(len(SHIFTS)), "phantom"],
            label="Changes",
            elem_id="shift-which",
        )
        message = gr.HTML(elem_id="shift-message", elem_classes="beside")
        look = gr.Button("Try them", variant="primary", elem_id="shift-look")
    with right:
        words = gr.HTML(elem_id="shift-words")
        panels = gr.HTML(js_on_load=SCRIPT, elem_id="shift-panels")

    def change(chosen: list[str], changes: list[int | str], *values: Any) -> dict[Any, Any]:
        choice, scan, _ = bench.subject(values)
        methods = bench.chosen_methods(chosen)
        shifts = [INSIDE, *(shift for number, shift in enumerate(SHIFTS) if number in changes)]
        given: dict[str, Any] = {"center_fraction": choice.center_fraction, "seed": choice.seed}
        found = list(evaluate(scan, methods, shifts, choice.acceleration, **given))
        for key, label in OTHERS.items():
            if key in changes:
                shifts.append(Shift(label))
                other = Scan.of(examples.load(key))
                found += evaluate(other, methods, shifts[-1:], choice.acceleration, **given)
        rows = []
        for shift in shifts:
            these = [one for one in found if one.shift == shift]
            rows.append(
                [shift.label] + [f"{one.scores['ssim']:.3f} ({one.closed:+.0%})" for one in these]
            )
        last = [one for one in found if one.shift == shifts[-1]]
        reference = last[0].reference
        shown = [
            Panel(f"method{n}", one.method.label, f"SSIM {one.scores['ssim']:.3f}",
                  f"{one.method.label}, {one.shift.label}", "image", one.image)
            for n, one in enumerate(last)
        ]  # fmt: skip
        shown.append(
            Panel("reference", "Fully sampled", shifts[-1].label, "Fully sampled reference",
                  "image", reference)
        )  # fmt: skip
        text = (
            "SSIM, and in brackets the share of the gap between zero-filled and perfect that was "
            "closed; below zero the method made it worse. The pictures show the last row."
        )
        return {
            words: bench.table(["", *(method.label for method in methods)], rows)
            + f"<p>{text}</p>",
            panels: viewer(shown),
        }

    bench.run(look.click, change, [names, which], shared, [panels, words], message)
