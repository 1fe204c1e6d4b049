"""Measured or made up: which part of a reconstruction do the measured lines fix?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import numpy as np

from recon.methods import METHODS
from recon.probes.nullspace import reimpose, residual, split
from recon.ui import session
from recon.ui.components import method_buttons
from recon.ui.experiment import Action, Answer, Experiment
from recon.ui.session import Choice
from recon.ui.viewer import Panel, reference_panel, viewer


def take_apart(choice: Choice, method: str, weight: float) -> Iterator[Answer]:
    """A reconstruction as the sum of what was measured and what was made up."""
    scan, sampling = session.subject(choice)
    mask, way = sampling.mask, METHODS[method]
    measurement = scan.measure(mask, sampling.acceleration)
    images = way.coil_images(measurement)
    before = residual(images, measurement.kspace, mask)
    images = reimpose(images, measurement.kspace, mask, weight)
    after = residual(images, measurement.kspace, mask)
    parts = split(images, mask)
    image = way.picture(images, measurement)
    measured, filled = (
        measurement.picture_of(part).astype(np.float32) for part in (parts.measured, parts.filled)
    )
    shown = [
        Panel("reconstruction", way.label, f"SSIM {scan.ssim(image):.3f}",
              f"{way.label} image", "image", scan.upright(image)),
        Panel("measured", "Fixed by measured lines", "magnitude",
              "Part fixed by measured lines", "image", scan.upright(measured)),
        Panel("filled", "Filled in", f"{parts.filled_share:.1%} of the energy",
              "Part that the method filled in", "image", scan.upright(filled)),
        reference_panel(scan.upright(scan.truth)),
    ]  # fmt: skip
    text = (
        f"{way.label} leaves the measured lines by {_percent(before)} of their size"
        + (f"; with the slider at {weight:.0%}, by {_percent(after)}" if weight else "")
        + f". {parts.filled_share:.1%} of the picture's energy is on lines nobody measured."
    )
    if way.needs == "image":
        text += (
            " This method only knows magnitudes: the phase of the zero-filled image stands in "
            "for the one it does not have."
        )
    paragraphs = f"<p>{text}</p>"
    if images.ndim == 3 and len(images) > 1:
        paragraphs += (
            "<p>This scan has several coils: what one of them did not measure on a line, the "
            "others may tell. That part is computed where they do, and made up where not.</p>"
        )
    yield Answer(paragraphs, viewer(shown, None, scan.data_range))


def _percent(value: float) -> str:
    return "less than 0.01 %" if value < 1e-4 else f"{value:.2%}".replace("%", " %")


def _controls() -> dict[str, Any]:
    return {
        "method": method_buttons("parts"),
        "weight": gr.Slider(
            0, 1, 0, step=0.05, label="Put measured lines back", elem_id="parts-weight"
        ),
    }


EXPERIMENT = Experiment(
    "parts",
    "Measured or made up",
    "A reconstruction has two parts. One lives on the lines that were <b>measured</b>; the "
    "other lives on the lines between them, and the method <b>filled it in</b>: with one coil "
    "it made it up. Data consistency means that the first part is exactly what the scanner "
    "measured. Where a method left it, the slider puts it back.",
    (Action("Split it", "look", take_apart, live=("method", "weight")),),
    _controls,
)
