"""The sampling lab: which lines to measure, and what that does to the picture.

Every move of a control is answered twice: at once with mask, point spread and zero-filled image,
and, when it is ready, with the reconstruction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from recon import figures, masks
from recon.kspace import InputError
from recon.methods import DEFAULT, METHODS, methods
from recon.pipeline import Reconstruction
from recon.probes.handdrawn import against_random
from recon.probes.psf import full_width, point_spread, sidelobe_level
from recon.ui import controls, html, plots, session
from recon.ui.controls import Controls
from recon.ui.reconstruct import ONE_AT_A_TIME, attempt, careful
from recon.ui.session import Choice
from recon.ui.viewer import SCRIPT

RIVALS = 200  # random masks that a hand-drawn one is set against
FEW_RIVALS = 24  # where every mask takes a reconstruction
EDITOR = (
    '<div class="mask-editor"><canvas tabindex="0" role="slider" aria-label="Mask: click or drag '
    'lines on and off; with the keyboard arrows move and space switches"></canvas>'
    '<p><span class="mask-used"></span> Click or drag in the mask to take lines away or add some. '
    "Blue marks the middle of k-space.</p></div>"
)
EDITOR_SCRIPT = (Path(__file__).parent / "mask.js").read_text("utf-8")


@dataclass(frozen=True)
class Lab:
    """The controls of the lab, for links."""

    family: gr.Radio
    acceleration: gr.Slider
    center: gr.Slider
    seed: gr.Number
    method: gr.Dropdown
    hand: gr.Textbox  # the mask drawn by hand, as `session.Choice.mask`; empty where none is


def build(shared: Controls, tab: gr.Tab) -> Lab:
    """Draw the tab; it works on the slice that is open on the first one."""
    gr.HTML(
        "<p>Every skipped line costs something. The <b>point spread function</b> says what: it is "
        "the picture of one bright point, and the zero-filled image is the object smeared with "
        "it. Spikes beside the peak are aliasing, a wide peak is blur.</p>",
        elem_classes="lead",
    )
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=290):
            family = gr.Radio(
                [(family.title, name) for name, family in masks.FAMILIES.items()],
                value="random",
                label="Mask family",
                elem_id="lab-family",
            )
            acceleration = gr.Slider(
                2, 16, 4, step=0.5, label="Acceleration", elem_id="lab-acceleration"
            )
            center = gr.Slider(
                0, 0.3, 0.08, step=0.01, label="Centre fraction", elem_id="lab-center"
            )
            with gr.Row():
                seed = gr.Number(
                    0, label="Mask seed", precision=0, minimum=0, min_width=90, elem_id="lab-seed"
                )
                new = gr.Button("New mask", min_width=110, elem_id="lab-new")
            message = gr.HTML(elem_id="lab-message", elem_classes="beside")
            method = gr.Dropdown(
                [(METHODS[name].label, name) for name in methods()],
                value=DEFAULT,
                label="Reconstruction",
                elem_id="lab-method",
            )
            judge = gr.Radio(
                [("zero-filled image", "zero-filled"), ("reconstruction", "reconstruction")],
                value="zero-filled",
                label="Judge masks by the",
                elem_id="lab-judge",
            )
            beat = gr.Button("Beat the random mask", variant="primary", elem_id="lab-beat")
        with gr.Column(scale=4, min_width=320):
            editor = gr.HTML(
                {"lines": "1", "budget": 1},
                html_template=EDITOR,
                js_on_load=EDITOR_SCRIPT,
                elem_id="lab-editor",
            )
            standing = gr.HTML(elem_id="lab-standing")
            spread = gr.HTML(elem_id="lab-spread")
            panels = gr.HTML(js_on_load=SCRIPT, elem_id="lab-panels")
            hand = gr.Textbox("", visible="hidden", elem_id="lab-hand")

    inputs = [*shared.inputs, family, acceleration, center, seed, method]
    size = len(shared.inputs)

    def wish(values: tuple[Any, ...]) -> Choice:
        kind, rate, fraction, number, how = values[size : size + 5]
        if number is None:
            raise InputError("The mask seed is a whole number from 0 upwards.")
        opened = controls.choice(*values[:size])
        return replace(
            opened,
            family=kind,
            acceleration=rate,
            center_fraction=fraction,
            seed=int(number),
            method=how,
        )

    def drawn(chosen: Choice, value: Any) -> Choice:
        """The same with a mask drawn by hand: the editor's value, or its lines alone."""
        text = value.get("lines") if isinstance(value, dict) else value
        if not is_mask(text):
            raise InputError("The mask that was drawn could not be read; draw it again.")
        return replace(chosen, mask=text)

    def quick(chosen: Choice) -> dict[Any, Any]:
        """The first answer."""
        result, _ = attempt(replace(chosen, method="zero-filled"))
        if result.source.mask is not None:
            raise InputError(
                "The file that is open was undersampled already, so no other lines can be "
                "chosen; open a fully sampled one on the first tab."
            )
        return {
            spread: _spread(result),
            panels: html.panels(result, pending=METHODS[chosen.method].label),
            message: "",
        }

    def redrawn(chosen: Choice) -> dict[Any, Any]:
        """The same and the editor, which is left alone while somebody draws in it."""
        shown = quick(chosen)
        lines = attempt(replace(chosen, method="zero-filled"))[0].line_mask  # of the same result
        budget = max(1, round(lines.size / chosen.acceleration), int(lines.sum()))
        text = "".join("1" if line else "0" for line in lines)
        return {**shown, editor: {"lines": text, "budget": budget}}

    @careful(message)
    def moved(*values: Any) -> dict[Any, Any]:
        return {**redrawn(wish(values)), standing: "", hand: ""}

    @careful(message)
    def returned(text: str, *values: Any) -> dict[Any, Any]:
        """A mask drawn by hand stays when the tab is left, as long as it fits what is open."""
        try:
            return redrawn(drawn(wish(values), text))
        except InputError:
            return moved(*values)

    @careful(message)
    def accelerated(*values: Any) -> dict[Any, Any]:
        fraction = round(masks.default_center_fraction(values[size + 1]), 3)
        values = (*values[: size + 2], fraction, *values[size + 3 :])
        return {**moved(*values), center: fraction}

    @careful(message)
    def renewed(*values: Any) -> dict[Any, Any]:
        number = int(values[size + 3] or 0) + 1
        return {**moved(*values[: size + 3], number, *values[size + 4 :]), seed: number}

    @careful(message)
    def drew(value: dict[str, Any], *values: Any) -> dict[Any, Any]:
        chosen = drawn(wish(values), value)
        return {**quick(chosen), standing: "", hand: chosen.mask}

    @careful(message)
    def reconstructed(value: dict[str, Any], *values: Any) -> dict[Any, Any]:
        """The second answer, for the mask that is in the editor by now."""
        result, notice = attempt(drawn(wish(values), value))
        return {panels: html.panels(result), message: html.message(notice)}

    @careful(message)
    def compared(value: dict[str, Any], judged_by: str, *values: Any) -> dict[Any, Any]:
        chosen = drawn(wish(values), value)
        lines = chosen.drawn_mask
        assert lines is not None
        quickly = "zero-filled" in (judged_by, chosen.method)
        method = METHODS[chosen.method]
        count, label = (RIVALS, "zero-filled") if quickly else (FEW_RIVALS, method.label)
        place = against_random(
            session.scan(chosen),
            lines,
            count,
            method=None if quickly else method,
            center_fraction=chosen.center_fraction,
        )
        words = (
            f"This mask: SSIM {place.ssim:.3f}, better than {place.percentile:.0f} % of "
            f"{count} random masks with the same {lines.sum()} lines ({label})."
        )
        picture = plots.histogram(place.others, f"{label} SSIM", words, (place.ssim, "yours"))
        return {standing: f"<p>{words}</p>{picture}", message: ""}

    first = [panels, spread, editor, standing, message, hand]
    options: dict[str, Any] = {
        "trigger_mode": "always_last",
        "show_progress": "hidden",
        "api_visibility": "private",
        **ONE_AT_A_TIME,
    }
    events = [
        gr.on([family.input, center.input, seed.input], moved, inputs, first, **options),
        tab.select(returned, [hand, *inputs], first, **options),
        acceleration.input(accelerated, inputs, [*first, center], **options),
        new.click(renewed, inputs, [*first, seed], **options),
        editor.input(drew, [editor, *inputs], first, **options),
    ]
    for event in events:
        event.then(reconstructed, [editor, *inputs], [panels, message], **options)
    method.input(reconstructed, [editor, *inputs], [panels, message], **options)
    beat.click(
        compared,
        [editor, judge, *inputs],
        [standing, message],
        **{**options, "show_progress": "full", "show_progress_on": [standing]},
    )
    return Lab(family, acceleration, center, seed, method, hand)


def is_mask(text: object) -> bool:
    """Whether a stranger's word is a mask as `session.Choice.mask` has it."""
    return isinstance(text, str) and "1" in text and len(text) <= 2**16 and not set(text) - {*"01"}


def _spread(result: Reconstruction) -> str:
    """The point spread function as a curve, and what to read from it in one sentence."""
    lines = result.line_mask
    values = np.abs(point_spread(lines))
    decibels = 20 * np.log10(np.maximum(values / values.max(), 1e-3))
    level, width = sidelobe_level(lines), full_width(lines)
    assert result.zero_filled_metrics is not None
    words = (
        f"Point spread: largest sidelobe {level:.1%} of the peak, main lobe {width:.1f} pixels "
        f"wide; {result.sampling.measured_lines} of {lines.size} lines "
        f"({result.achieved_acceleration:.2f}x); zero-filled "
        f"{figures.score_line(result.zero_filled_metrics).split(' · ')[0]}."
    )
    picture = plots.curves(
        [plots.Series("", np.arange(lines.size) - lines.size // 2, decibels)],
        "pixels along the phase-encode direction",
        "dB below the peak",
        words,
        y_range=(-60, 0),
    )
    return f"<p>{words}</p>{picture}"
