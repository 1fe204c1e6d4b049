"""Mask ensemble: the same slice under many masks. Where do they disagree?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import numpy as np

from recon.probes.ensemble import agreement, ensemble
from recon.ui import session
from recon.ui.components import method_buttons
from recon.ui.experiment import Action, Answer, Experiment
from recon.ui.session import Choice
from recon.ui.viewer import Panel, reference_panel, viewer

LIMIT = 0.1  # share of the maximum at the top of the colour scale


def repeat(choice: Choice, method: str, masks: float) -> Iterator[Answer]:
    """Mean and deviation over masks, after each of them."""
    scan, _ = session.subject(choice)
    count, reference, way = int(masks), scan.truth, session.method(choice, method)
    top = float(reference.max())
    found = ensemble(
        scan,
        way,
        range(choice.seed, choice.seed + count),
        choice.acceleration,
        center_fraction=choice.center_fraction,
        family=choice.family,
    )
    yield Answer(done=0, of=count)
    for done, last in enumerate(found, 1):
        if done not in (1, count) and done % 4:
            yield Answer(done=done, of=count)
            continue
        error = np.abs(last.mean - reference) / top
        size = "1 mask" if done == 1 else f"{done} masks"
        shown = [
            Panel("mean", "Mean", size, "Mean of the reconstructions", "image",
                  scan.upright(last.mean.astype(np.float32))),
            Panel("deviation", "Standard deviation", f"scale 0 to {LIMIT:.0%}",
                  "Standard deviation between masks", "share",
                  scan.upright(last.deviation / top), limit=LIMIT),
            Panel("error", "Error of the mean", f"scale 0 to {LIMIT:.0%}", "Error of the mean",
                  "share", scan.upright(error), limit=LIMIT),
            reference_panel(scan.upright(reference)),
        ]  # fmt: skip
        low, high = min(last.ssim), max(last.ssim)
        scores = f"SSIM {low:.3f} with this mask."
        if done > 1:
            scores = (
                f"SSIM from {low:.3f} to {high:.3f}, mean {np.mean(last.ssim):.3f}, depending on "
                f"nothing but the mask."
            )
        text = f"{way.label}: {scores} {agreement(last, reference).sentence}"
        panels = viewer(shown, None, scan.data_range)
        yield Answer(f"<p>{text}</p>", panels, done=done, of=count)


def _controls() -> dict[str, Any]:
    return {
        "method": method_buttons("ensemble"),
        "masks": gr.Slider(1, 20, 8, step=1, label="Masks", elem_id="ensemble-count"),
    }


EXPERIMENT = Experiment(
    "ensemble",
    "Mask ensemble",
    "Another mask measures other lines, and the method makes up others. What changes from "
    "mask to mask was never certain. But what all masks get wrong in the same way does not "
    "show here: agreement is not truth.",
    (Action("Reconstruct them all", "look", repeat),),
    _controls,
    opens="stored",
)
