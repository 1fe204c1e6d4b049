"""The main view: one slice, undersampled, reconstructed and scored, side by side.

Every event reads the controls, runs the pipeline and returns what changes. What a person did
wrong comes back as one sentence beside the control it is about. Outputs that are not returned
keep what they show, so the last good pictures stay.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from recon import figures, masks
from recon.kspace import InputError
from recon.pipeline import Reconstruction
from recon.ui import controls, html, serving, session
from recon.ui.components import Slider
from recon.ui.controls import Controls
from recon.ui.session import Choice, Origin
from recon.ui.viewer import SCRIPT
from recon.weights import WeightsError

FIRST = Origin(example="head")

# One reconstruction uses all cores and, at worst, most of a gigabyte; others wait their turn.
ONE_AT_A_TIME: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "reconstruct"}

# A download button only serves a file that existed before the click; so a hidden one is
# clicked for the person once the file is there.
CLICK_DOWNLOAD = """
() => setTimeout(() => {
  const target = document.querySelector('#archive');
  (target.querySelector('a') || target.querySelector('button') || target).click();
}, 100)
"""


@dataclass(frozen=True)
class View:
    """The main view, for others of the same slice and for links.

    Attributes
    ----------
    controls
        They say what is open.
    restored
        What changes when the view is set to a choice of an example.
    outputs
        What `restored` may change.
    """

    controls: Controls
    restored: Callable[[Choice], dict[Any, Any]]
    outputs: list[Any]


def build() -> View:
    """Draw the view, its first example already reconstructed, and connect its events."""
    first, notice = attempt(Choice(FIRST))
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=290):
            c = controls.build(FIRST)
        with gr.Column(scale=4, min_width=320):
            verdict = gr.HTML(html.verdict(first, notice), elem_id="verdict")
            panels = gr.HTML(html.panels(first), js_on_load=SCRIPT, elem_id="panels")
            gr.HTML("<b>Compare</b>: zero-filled on the left, reconstruction on the right")
            slider = Slider(
                compare(first),
                label="Zero-filled and reconstruction",
                show_label=False,
                buttons=["fullscreen"],
                max_height=560,
                elem_id="compare",
            )

    def shown(result: Reconstruction, notice: str) -> dict[Any, Any]:
        return {
            verdict: html.verdict(result, notice),
            panels: html.panels(result),
            slider: compare(result),
            c.file_message: "",
            c.message: "",
        }

    @careful(c.message)
    def show(*values: Any) -> dict[Any, Any]:
        return shown(*attempt(controls.choice(*values)))

    @careful(c.message)
    def change_acceleration(*values: Any) -> dict[Any, Any]:
        wish = controls.choice(*values)
        fraction = masks.default_center_fraction(wish.acceleration)
        result = attempt(replace(wish, center_fraction=fraction))
        return {**shown(*result), c.center_fraction: fraction}

    @careful(c.message)
    def change_mask(*values: Any) -> dict[Any, Any]:
        wish = controls.choice(*values)
        wish = replace(wish, seed=wish.seed + 1)
        return {**shown(*attempt(wish)), c.seed: wish.seed}

    def opened(wish: Choice) -> dict[Any, Any]:
        """Show something new, and fit the controls to what it holds."""
        held = session.describe(wish)
        result, notice = attempt(wish)
        slices, coils = result.source.slices, held.coils if held else 1
        own_mask = result.source.mask is not None
        variants = len(held.accelerations) if held else 0
        return {
            **shown(result, notice),
            c.origin: wish.origin,
            c.slice: gr.Slider(
                maximum=max(1, slices - 1),
                value=result.source.slice,
                visible=slices > 1,
                label=f"Slice (0 to {slices - 1})",
            ),
            c.coils: gr.Dropdown(controls.coil_choices(coils), value=wish.coils, visible=coils > 1),
            c.axes: gr.Radio(
                value="coils" if coils > 1 else "slices", visible=bool(held and held.ambiguous)
            ),
            c.acceleration: gr.Radio(
                value=wish.acceleration, interactive=not own_mask or variants > 1
            ),
            c.seed: gr.Number(value=wish.seed, interactive=not own_mask),
            c.new_mask: gr.Button(interactive=not own_mask),
            c.center_fraction: gr.Slider(value=wish.center_fraction, interactive=not own_mask),
            c.phase_encode: gr.Radio(value=wish.phase_encode, interactive=not own_mask),
        }

    def anew(wish: Choice, **changes: Any) -> dict[Any, Any]:
        """Show the middle slice of something that was not open before."""
        return opened(replace(wish, slice=None, coils="rss", **changes))

    @careful(c.file_message)
    def upload(path: str | None, *values: Any) -> dict[Any, Any]:
        if path is None:  # cleared: what is shown stays
            return {c.file_message: ""}
        wish = controls.choice(*values)
        origin = Origin(upload=serving.checked(path))
        return {**anew(wish, origin=origin, axes="auto"), c.example: None}

    @careful(c.file_message)
    def choose_example(key: str, *values: Any) -> dict[Any, Any]:
        wish = controls.choice(*values)
        return {**anew(wish, origin=Origin(example=key), axes="auto"), c.file: None}

    @careful(c.file_message)
    def change_axes(*values: Any) -> dict[Any, Any]:
        return anew(controls.choice(*values))

    @careful(c.message)
    def pack(*values: Any) -> dict[Any, Any]:
        result, _ = attempt(controls.choice(*values))
        path = serving.produce("reconstruction.zip", session.archive(result))
        return {c.archive: path, c.message: ""}

    pictures = [verdict, panels, slider, c.file_message, c.message]
    opening = [
        *pictures, c.origin, c.slice, c.coils, c.axes, c.acceleration, c.seed, c.new_mask,
        c.center_fraction, c.phase_encode,
    ]  # fmt: skip
    # The newest wish wins while a control moves; older ones in between are not computed.
    options: dict[str, Any] = {
        "trigger_mode": "always_last",
        "show_progress": "minimal",
        "show_progress_on": [verdict],
        "api_visibility": "private",
        **ONE_AT_A_TIME,
    }
    c.file.change(upload, [c.file, *c.inputs], [*opening, c.example], **options)
    c.example.input(choose_example, [c.example, *c.inputs], [*opening, c.file], **options)
    c.axes.input(change_axes, c.inputs, opening, **options)
    c.acceleration.input(change_acceleration, c.inputs, [*pictures, c.center_fraction], **options)
    c.new_mask.click(change_mask, c.inputs, [*pictures, c.seed], **options)
    moved = (c.slice, c.seed, c.method, c.center_fraction, c.coils, c.phase_encode)
    gr.on([control.input for control in moved], show, c.inputs, pictures, **options)
    c.download.click(
        pack,
        c.inputs,
        [c.archive, c.message],
        show_progress="hidden",
        api_visibility="private",
        **ONE_AT_A_TIME,
    ).success(None, js=CLICK_DOWNLOAD, api_visibility="private")

    def restored(wish: Choice) -> dict[Any, Any]:
        return {**opened(wish), c.example: wish.origin.example, c.method: wish.method}

    return View(c, restored, [*opening, c.example, c.method])


def careful(message: gr.HTML) -> Callable[[Callable], Callable]:
    """Turn whatever goes wrong in an event into one sentence in `message`, and nothing else."""

    def decorate(event: Callable) -> Callable:
        @functools.wraps(event)
        def guarded(*values: Any) -> dict[Any, Any]:
            try:
                return event(*values)
            except InputError as error:
                return {message: html.message(str(error))}
            except Exception:  # a mistake of ours: the log gets it, the person keeps the page
                logging.getLogger(__name__).exception("an event failed")
                return {
                    message: html.message(
                        "This could not be done because of a mistake in this program; "
                        "the pictures still show what was there before."
                    )
                }

        return guarded

    return decorate


def attempt(choice: Choice) -> tuple[Reconstruction, str]:
    """The result; without the method's weights the zero-filled image, and a sentence why."""
    try:
        return session.run(choice), ""
    except WeightsError as error:
        fallback = session.run(replace(choice, method="zero-filled"))
        return fallback, f"{error} Until then the zero-filled image stands in its place."


def compare(result: Reconstruction) -> tuple[Any, Any]:
    """The two pictures under the comparison slider."""
    upper = figures.window(result)
    return figures.gray(result.zero_filled, upper), figures.gray(result.image, upper)
