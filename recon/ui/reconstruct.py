"""The main view: one slice, undersampled, reconstructed and scored, side by side.

Every event reads the controls, runs the pipeline and returns what changes. What a person did
wrong comes back as one sentence beside the control it is about. Outputs that are not returned
keep what they show, so the last good pictures stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from recon import masks
from recon.errors import InputError
from recon.ui import controls, downloads, events, html, recipe, serving, session
from recon.ui.controls import Bar, Controls
from recon.ui.events import Values, careful
from recon.ui.session import Choice, Origin, attempt
from recon.ui.web import component

FIRST = Origin(example="head")

# The browser's answer to an acceleration: the usual centre fraction.
USUAL_FRACTION = f"acceleration => {masks.default_center_fraction(1)} / acceleration"

# When a wish was made, in its place among the inputs, which a set hands on in the order they were
# drawn.
STAMPED = "(...values) => values.map((value, at) => at === %d ? Date.now() : value)"

# A download button only serves a file that existed before the click; so a hidden one is
# clicked for the person once the file is there.
CLICK_DOWNLOAD = """
() => setTimeout(() => {
  const target = document.querySelector('#%s');
  (target.querySelector('a') || target.querySelector('button') || target).click();
}, 100)
"""


def click_download(elem_id: str) -> str:
    """What the browser does once the file of a hidden button is there."""
    return CLICK_DOWNLOAD % elem_id


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


@dataclass(frozen=True)
class _Main:
    """The events of the view, without Gradio's way to call them."""

    c: Controls
    verdict: Any
    panels: Any

    @property
    def pictures(self) -> list[Any]:
        """What `shown` changes."""
        return [self.verdict, self.panels, self.c.info, self.c.file_message, self.c.message]

    @property
    def opening(self) -> list[Any]:
        """What `opened` changes."""
        c = self.c
        return [
            *self.pictures, c.origin, c.opened, c.serial, c.slice, c.coils, c.crop, c.axes,
            c.acceleration, c.seed, c.new_mask, c.center_fraction, c.phase_encode,
        ]  # fmt: skip

    def shown(self, wish: Choice) -> dict[Any, Any]:
        """The pictures of a choice, and what is said about them."""
        result, notice = attempt(wish)
        return {
            self.verdict: html.verdict(result, notice, recipe.html(wish, result)),
            self.panels: html.panels(result),
            self.c.info: html.bar(wish, result),
            self.c.file_message: "",
            self.c.message: "",
        }

    def show(self, values: Values) -> dict[Any, Any]:
        if values[self.c.newest].overtook(values[self.c.made] or 0):
            return {self.c.message: gr.skip()}
        return self.shown(self.c.choice(values))

    def opened(self, wish: Choice) -> dict[Any, Any]:
        """Show something new, and fit the controls to what it holds."""
        c = self.c
        held = session.describe(wish)
        letters = held.axes if wish.origin.example is None else ""
        axes = letters or ("auto" if wish.origin.example is None else "slices")
        middle = held.slices // 2
        wish = replace(wish, slice=middle if wish.slice is None else wish.slice, axes=axes)
        offered = controls.coil_choices(held.coils)
        if wish.coils not in dict(offered).values():  # a link named one that is not there
            wish = replace(wish, coils="rss")
        scan = session.scan(wish)
        source = scan.source
        # An option that changes nothing is not offered.
        cuttable = source.size is not None and scan.upright(scan.kspace).shape[-2:] != source.size
        slices = source.slices
        own_mask = source.mask is not None
        variants = len(held.accelerations)
        opened = controls.Opened(next(controls.SERIALS), wish)
        return {
            **self.shown(wish),
            c.origin: wish.origin,
            c.opened: opened,
            c.serial: opened.serial,
            c.slice: gr.Slider(
                maximum=max(1, slices - 1),
                value=source.slice,
                visible=slices > 1,
                label=f"Slice (0 to {slices - 1})",
            ),
            c.coils: gr.Dropdown(offered, value=wish.coils, visible=held.coils > 1),
            c.crop: gr.Checkbox(value=wish.crop, visible=cuttable),
            c.axes: gr.Dropdown(
                controls.axes_choices(letters), value=letters or None, visible=bool(letters)
            ),
            c.acceleration: gr.Radio(
                value=wish.acceleration, interactive=not own_mask or variants > 1
            ),
            c.seed: gr.Number(value=wish.seed, interactive=not own_mask),
            c.new_mask: gr.Button(interactive=not own_mask),
            c.center_fraction: gr.Slider(value=wish.center_fraction, interactive=not own_mask),
            c.phase_encode: gr.Radio(value=wish.phase_encode, interactive=not own_mask),
        }

    def anew(self, wish: Choice, **changes: Any) -> dict[Any, Any]:
        """Show the middle slice of something that was not open before.

        A share of lines in the middle that is not possible with it gives way to the usual one.
        """
        wish = replace(wish, slice=None, coils="rss", crop=True, **changes)
        try:
            session.sampling(wish, session.scan(wish))
        except InputError:
            fraction = masks.default_center_fraction(wish.acceleration)
            wish = replace(wish, center_fraction=fraction)
        return self.opened(wish)

    def upload(self, values: Values) -> dict[Any, Any]:
        wish = self.c.choice(values)
        origin = Origin(upload=serving.checked(values[self.c.file]))
        changes = self.anew(wish, origin=origin, axes="auto")
        return {**changes, self.c.example: None}

    def choose_example(self, values: Values) -> dict[Any, Any]:
        c, origin = self.c, Origin(example=values[self.c.example])
        if origin.example is None:  # the menu was left without a choice
            return {c.example: None}
        try:
            changes = self.anew(c.choice(values), origin=origin, axes="auto")
        except InputError as error:  # the menu names what is open
            return {
                c.file_message: html.message(str(error)),
                c.example: values[c.origin].example,
            }
        return {**changes, c.file: None}

    def change_axes(self, values: Values) -> dict[Any, Any]:
        return self.anew(self.c.choice(values))

    def pack(self, values: Values) -> dict[Any, Any]:
        c = self.c
        result, _ = attempt(c.choice(values))
        path = serving.produce(*downloads.download(result, values[c.download_as]))
        return {c.archive: path, c.message: ""}

    def restored(self, wish: Choice) -> dict[Any, Any]:
        changes = self.opened(wish)
        return {**changes, self.c.example: wish.origin.example, self.c.method: wish.method}


def build(bar: Bar, language: gr.State) -> View:
    """Draw the view, its first example already reconstructed, and connect its events."""
    fraction = masks.default_center_fraction(4)
    wish = Choice(FIRST, 0, center_fraction=fraction, axes="slices")
    first, notice = attempt(wish)
    with gr.Row(equal_height=False, elem_classes="experiment", elem_id="view-reconstruct"):
        with gr.Column(scale=1, min_width=200, elem_classes="rail"):
            c = controls.build(wish, bar, language)
        with gr.Column(scale=4, min_width=260, elem_classes="stage"):
            verdict = gr.HTML(
                html.verdict(first, notice, recipe.html(wish, first)), elem_id="verdict"
            )
            panels = component("recon-viewer", html.panels(first), elem_id="panels")
    bar.info.value = html.bar(wish, first)
    main = _Main(c, verdict, panels)
    _connect(main)
    return View(c, main.restored, [*main.opening, c.example, c.method])


def _connect(main: _Main) -> None:
    c = main.c
    # The newest wish wins while a control moves; older ones in between are not computed.
    options: dict[str, Any] = {
        "trigger_mode": "always_last",
        "show_progress": "minimal",
        "show_progress_on": [main.verdict, main.panels],
        "api_visibility": "private",
        **events.SHORT,
    }
    opens, changes = careful(c.file_message), careful(c.message)
    # Not when the file changes: it also does so when an example takes its place.
    c.file.upload(opens(main.upload), {c.file, *c.inputs}, [*main.opening, c.example], **options)
    c.file.clear(lambda: "", None, c.file_message, **events.quiet(queue=False))  # pictures stay
    c.example.input(
        opens(main.choose_example),
        {c.example, *c.inputs},
        [*main.opening, c.file, c.example],
        **options,
    )
    c.axes.input(opens(main.change_axes), c.inputs, main.opening, **options)
    show, asked = changes(main.show), {*c.inputs, c.newest, c.made}
    stamped = STAMPED % sorted(one._id for one in asked).index(c.made._id)
    # What another control becomes is set in the browser: the next click may come before an answer.
    for ask in (
        c.acceleration.input(
            None, c.acceleration, c.center_fraction, js=USUAL_FRACTION, **events.quiet()
        ),
        c.new_mask.click(None, c.seed, c.seed, js=events.NEXT, **events.quiet()),
    ):
        ask.then(show, asked, main.pictures, js=stamped, **options)
    moved = (c.slice, c.seed, c.method, c.center_fraction, c.coils, c.phase_encode, c.crop)
    gr.on([control.input for control in moved], show, asked, main.pictures, js=stamped, **options)
    c.download.click(
        changes(main.pack),
        {*c.inputs, c.download_as},
        [c.archive, c.message],
        **events.quiet(**events.SHORT),
    ).success(None, js=click_download("archive"), api_visibility="private")
