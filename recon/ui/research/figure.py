"""A figure to take away: chosen panels and a caption that says how they were made."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import gradio as gr

from recon import figures
from recon.errors import InputError
from recon.ui import session
from recon.ui.experiment import Action, Answer, Experiment
from recon.ui.session import Choice
from recon.ui.words import speaker

KINDS = {"PNG": "image/png", "SVG": "image/svg+xml", "PDF": "application/pdf"}
PANELS = {
    "mask": "Mask",
    "kspace": "Measured k-space",
    "zero_filled": "Zero-filled",
    "reconstruction": "Reconstruction",
    "reference": "Fully sampled",
    "zero_filled_error": "Error, zero-filled",
    "reconstruction_error": "Error, reconstruction",
}
COMPARED = ("reference", "zero_filled_error", "reconstruction_error")  # not without a reference
FIRST = ("zero_filled", "reconstruction", "reference", "reconstruction_error")
MAPS = ("gray", "viridis", "magma")
LIMITS = (0.02, 0.05, 0.1, 0.2, 0.4)


def draw(
    choice: Choice, panels: list[str], colors: str, errors: str, limit: float, kind: str
) -> Iterator[Answer]:
    """The figure as it will look, and a link that saves it."""
    if not panels or colors not in MAPS or kind not in KINDS:
        raise InputError("Choose a panel at least.")
    result, _ = session.attempt(choice)
    say = speaker(choice.language)
    wanted = [name for name in PANELS if name in panels]
    figure = figures.plate(
        result,
        wanted,
        colors=colors,
        limit=float(limit),
        signed=errors == "signed",
        say=say,
    )
    preview = base64.b64encode(figures.saved(figure, "png", dpi=100)).decode()
    data = figures.saved(figure, kind.lower())
    link = f"data:{KINDS[kind]};base64,{base64.b64encode(data).decode()}"
    words = (
        f'<p><a class="save" download="figure.{kind.lower()}" href="{link}">Save as {kind}</a> '
        f"{len(data) / 1000:.0f} kB. The caption says what it takes to make it again.</p>"
    )
    if result.reference is None:
        wanted = [name for name in wanted if name not in COMPARED]
    alt = f"{say('The figure:')} {', '.join(say(PANELS[name]) for name in wanted)}"
    chart = f'<img class="plate" src="data:image/png;base64,{preview}" alt="{alt}">'
    yield Answer(words, {}, chart)


def _controls() -> dict[str, Any]:
    return {
        "panels": gr.CheckboxGroup(
            [(title, name) for name, title in PANELS.items()],
            value=list(FIRST),
            label="Panels",
            elem_id="figure-panels",
        ),
        "colors": gr.Radio(list(MAPS), value="gray", label="Colours", elem_id="figure-colors"),
        "errors": gr.Radio(["size", "signed"], value="size", label="Errors"),
        "limit": gr.Radio(
            [(f"{value:.0%}", value) for value in LIMITS],
            value=figures.ERROR_LIMIT,
            label="Errors up to",
        ),
        "kind": gr.Radio(list(KINDS), value="PNG", label="File", elem_id="figure-kind"),
    }


EXPERIMENT = Experiment(
    "research-figure",
    "Figure",
    "Panels side by side on white, with a caption: file, slice, mask, method, scores, version.",
    (Action("Draw", "draw", draw, live=("panels", "colors", "errors", "limit", "kind")),),
    _controls,
    asks="all",
)
