"""Mask ensemble: the same slice under many masks. Where do they disagree?"""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np

from recon.methods import DEFAULT, METHODS
from recon.probes.ensemble import agreement, ensemble
from recon.ui import bench
from recon.ui.controls import Controls
from recon.ui.viewer import SCRIPT, Panel, reference_panel, viewer

LIMIT = 0.1  # share of the maximum at the top of the colour scale


def build(shared: Controls) -> None:
    bench.lead(
        "Another mask measures other lines, and the method makes up others. What changes from "
        "mask to mask was never certain. But what all masks get wrong in the same way does not "
        "show here: agreement is not truth."
    )
    left, right = bench.columns()
    with left:
        name = gr.Radio(
            bench.method_choices(), value=DEFAULT, label="Method", elem_id="ensemble-method"
        )
        count = gr.Slider(1, 20, 8, step=1, label="Masks", elem_id="ensemble-count")
        message = gr.HTML(elem_id="ensemble-message", elem_classes="beside")
        look = gr.Button("Reconstruct them all", variant="primary", elem_id="ensemble-look")
    with right:
        words = gr.HTML(elem_id="ensemble-words")
        panels = gr.HTML(js_on_load=SCRIPT, elem_id="ensemble-panels")

    def repeat(method: str, number: int, *values: Any) -> dict[Any, Any]:
        choice, scan, _ = bench.subject(values)
        *_, last = ensemble(
            scan,
            METHODS[method],
            range(choice.seed, choice.seed + int(number)),
            choice.acceleration,
            center_fraction=choice.center_fraction,
            family=choice.family,
        )
        reference = scan.truth
        top = float(reference.max())
        error = np.abs(last.mean - reference) / top
        shown = [
            Panel("mean", "Mean", f"{number:g} masks", "Mean of the reconstructions", "image",
                  scan.upright(last.mean.astype(np.float32))),
            Panel("deviation", "Standard deviation", f"scale 0 to {LIMIT:.0%}",
                  "Standard deviation between masks", "share",
                  scan.upright(last.deviation / top), limit=LIMIT),
            Panel("error", "Error of the mean", f"scale 0 to {LIMIT:.0%}", "Error of the mean",
                  "share", scan.upright(error), limit=LIMIT),
            reference_panel(scan.upright(reference)),
        ]  # fmt: skip
        low, high = min(last.ssim), max(last.ssim)
        text = (
            f"{METHODS[method].label}: SSIM from {low:.3f} to {high:.3f}, mean "
            f"{np.mean(last.ssim):.3f}, depending on nothing but the mask. "
            f"{agreement(last, reference).sentence}"
        )
        return {
            words: f"<p>{text}</p>",
            panels: viewer(shown),
        }

    bench.run(look.click, repeat, [name, count], shared, [panels, words], message)
