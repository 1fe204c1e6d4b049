"""The sampling lab: which lines to measure, and what that does to the picture.

Every move of a control or of the drawing hand is answered in the browser (`web/lab.mjs`): mask,
point spread, masked k-space, zero-filled image and its SSIM. When the hand rests, the server is
asked for the reconstruction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
import numpy as np

from recon import examples, masks
from recon.errors import InputError
from recon.methods import DEFAULT, METHODS
from recon.probes.handdrawn import Standing, standings
from recon.ui import events, html, instant, plots, session
from recon.ui.components import follower, lead, method_choices
from recon.ui.controls import Controls
from recon.ui.events import TURNS, Values, careful
from recon.ui.room import Room, entered
from recon.ui.session import Choice, attempt
from recon.ui.viewer import packed
from recon.ui.web import component

BY_HAND = "hand"  # the family of a mask that a person drew
RIVALS = 200  # random masks that a hand-drawn one is set against
# Every mask meets the same ones, so they are judged once. A seed of the page's masks would draw
# the random mask itself as its first rival.
RIVAL_SEED = (0, 1)
FEW_RIVALS = 8  # more with every press of the button, where every mask takes a reconstruction

# The browser's answer to a control: the centre fraction to show.
ASK = """
(...values) => {
  const lab = document.querySelector('#lab-editor recon-lab');
  return lab ? lab.ask('%s', ...values) : values[2];
}
"""


@dataclass(frozen=True)
class Lab:
    """The controls of the lab, for links."""

    family: gr.Radio
    acceleration: gr.Slider
    center: gr.Slider
    seed: gr.Number
    method: gr.Dropdown
    hand: gr.Textbox  # the mask drawn by hand, as `session.Choice.mask`; empty where none is


@dataclass(frozen=True)
class _View:
    """The events of the lab, without Gradio's way to call them."""

    shared: Controls
    lab: Lab
    judge: Any
    editor: Any
    panels: Any
    standing: Any
    message: Any
    sent: Any  # key of the slice that the browser has
    judged: Any  # which mask was set against how many others
    room: Room
    place: Any  # what the class's leaderboard said

    @property
    def inputs(self) -> set[Any]:
        own = {*vars(self.lab).values(), self.judge, self.sent, self.judged, self.room.code}
        return {*self.shared.inputs, *own}

    def wish(self, values: Values, hand: str | None = None) -> Choice:
        """What the lab is set to; `hand` in place of the mask that is drawn so far."""
        lab = self.lab
        if values[lab.seed] is None:
            raise InputError("The mask seed is a whole number from 0 upwards.")
        text = values[lab.hand] if hand is None else hand
        by_hand = is_mask(text)
        return replace(
            self.shared.choice(values),
            family=values[lab.family] if values[lab.family] in masks.FAMILIES else "random",
            acceleration=values[lab.acceleration],
            center_fraction=values[lab.center],
            seed=int(values[lab.seed]),
            method=values[lab.method],
            mask=text if by_hand else None,
        )

    def opened(self, values: Values) -> dict[Any, Any]:
        """What the lab shows when it is opened, of the slice that is open."""
        wish, sent = self.wish(values), values[self.sent]
        try:
            value, panels = laboratory(wish, sent)
        except InputError:  # a mask drawn for another slice
            wish = replace(wish, mask=None)
            value, panels = laboratory(wish, sent)
        changes = {
            self.editor: value,
            self.panels: panels,
            self.message: "",
            self.sent: value["about"],
        }
        if value["about"] != sent:  # what was said is about another slice
            changes |= {self.standing: "", self.place: ""}
        if wish.mask is None and values[self.lab.hand]:
            changes |= {self.lab.hand: "", self.lab.family: wish.family}
        return changes

    def rested(self, values: Values, event: gr.EventData) -> dict[Any, Any]:
        """The reconstruction, once the hand rests."""
        hand = getattr(event, "hand", "")
        if hand and not is_mask(hand):
            raise InputError("The mask that was drawn could not be read; draw it again.")
        wish = self.wish(values, hand)
        result, notice = attempt(wish)
        family = BY_HAND if hand else gr.skip()
        return {
            self.panels: html.panels(result),
            self.standing: "",
            self.message: html.message(notice),
            self.lab.hand: hand,
            self.lab.family: family,
        }

    def compete(self, values: Values) -> Iterator[dict[Any, Any]]:
        wish, quickly = self.wish(values), values[self.judge] == "zero-filled"
        count = RIVALS if quickly else FEW_RIVALS
        before, so_far = values[self.judged] or ("", 0)
        if not quickly and before == wish.key():  # pressed again: the same ones, and more
            count += so_far
        for words in beaten(wish, quickly, count):
            yield {self.standing: words, self.message: ""}
            TURNS.give_way()
        if not quickly:
            yield {self.judged: (wish.key(), count)}

    def enter(self, values: Values) -> dict[Any, Any]:
        """Send the mask to the class: it is scored here, whatever the browser believes."""
        wish, quickly = self.wish(values), values[self.judge] == "zero-filled"
        said = entered(values[self.room.code], *contribution(wish, quickly))
        return {self.place: said, self.message: ""}


def contribution(choice: Choice, quickly: bool) -> tuple[str, float, int]:
    """A mask for a class's leaderboard: which question it answers, its SSIM, its lines.

    Parameters
    ----------
    quickly
        Judge by the zero-filled image, not by the reconstruction.

    Raises
    ------
    InputError
        If it is on a slice that others do not have, or has more lines than others may have.
    """
    key = choice.origin.example
    if key is None:
        raise InputError(
            "A class compares masks on one of the examples, which everybody has; choose one on "
            "the first tab."
        )
    scan, sampling = session.subject(choice)
    lines, budget = int(sampling.mask.sum()), max(1, round(scan.width / choice.acceleration))
    if lines > budget:
        raise InputError(
            f"This mask has {lines} lines; at {choice.acceleration:g}x a class compares masks of "
            f"at most {budget}, so take {lines - budget} away."
        )
    method = METHODS["zero-filled" if quickly else choice.method]
    ssim = scan.ssim(method(scan.measure(sampling.mask, sampling.acceleration)))
    slices = f", slice {scan.source.slice}" if scan.source.slices > 1 else ""
    turned = ", rows" if choice.phase_encode == "rows" else ""
    coils = "" if choice.coils == "rss" else f", coils {choice.coils}"
    question = (
        f"{examples.EXAMPLES[key].title}{slices}{turned}{coils}, {choice.acceleration:g}x: at most "
        f"{budget} of {scan.width} lines, judged by {method.label}"
    )
    return question, ssim, lines


def laboratory(choice: Choice, sent: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    """What the browser's lab is given, and the linked panels beside it.

    Parameters
    ----------
    sent
        `about` of the slice that the browser has already; it is not sent again.

    Raises
    ------
    InputError
        If the mask that was drawn is for another slice.
    """
    scan = session.scan(choice)
    result, _ = attempt(choice)
    mask = result.line_mask
    budget = max(1, round(mask.size / choice.acceleration), int(mask.sum()))
    value: dict[str, Any] = {
        "lines": masks.as_text(mask),
        "budget": budget,
        "locked": scan.source.mask is not None,
        "rows": scan.phase_encode == "rows",
        "about": Choice(
            choice.origin,
            choice.slice,
            coils=choice.coils,
            phase_encode=choice.phase_encode,
            crop=choice.crop,
            axes=choice.axes,
        ).key(),
    }
    if scan.source.mask is not None:
        value["message"] = (
            "The file that is open was undersampled already: these are its own lines, and no "
            "others can be chosen. Open a fully sampled one on the first tab to draw masks."
        )
    elif instant.fits(scan) and value["about"] != sent:
        value["slice"] = instant.slice_of(scan)
        value["kspace"] = packed(instant.log_kspace(scan))
    return value, html.panels(result)


def beaten(choice: Choice, quickly: bool, count: int) -> Iterator[str]:
    """A mask against random ones of as many lines: HTML as the rivals come in.

    Parameters
    ----------
    quickly
        Judge by the zero-filled image, not by the reconstruction.
    count
        Of random masks.
    """
    scan, sampling = session.subject(choice)
    method = session.method(choice)
    places = standings(
        scan,
        sampling.mask,
        count,
        seed=np.random.default_rng(RIVAL_SEED),
        method=None if quickly else method,
        acceleration=sampling.acceleration,  # as in the picture that is shown
    )
    label = "zero-filled" if quickly else method.label
    pieces = 50 if quickly else 1
    for number, place in enumerate(places):
        if number % pieces == 0 or number == count:
            yield _standing(place, sampling.mask, label, count)


def _standing(place: Standing, drawn: np.ndarray, label: str, count: int) -> str:
    done = place.others.size
    if not done:
        return f"<p>This mask: SSIM {place.ssim:.3f} ({label}); {count} random ones to come.</p>"
    more = f" so far; {count - done} of {count} to come." if done < count else "."
    if count < RIVALS:
        share = f"{place.beaten} of {done}"  # a percentage would say more than is known
        more += "" if done < count else f" Press again for {FEW_RIVALS} more."
    else:
        share = f"{place.percentile:.0f} % of {done}"
    lines = int(drawn.sum())
    block = round(drawn.size * masks.default_center_fraction(drawn.size / lines))
    words = (
        f"This mask: SSIM {place.ssim:.3f}, better than {share} random masks with the same "
        f"{lines} lines, of which the middle {block} are fixed ({label}){more}"
    )
    return f"<p>{words}</p>" + plots.histogram(
        place.others, f"{label} SSIM", words, (place.ssim, "yours")
    )


def build(shared: Controls, room: Room) -> Lab:
    """Draw the tab; it works on the slice that is open on the first one."""
    with gr.Row(equal_height=False, elem_classes="experiment"):
        with gr.Column(scale=1, min_width=200, elem_classes="rail"):
            lab, judge, beat, message = _controls()
            send = gr.Button("Send to the class", elem_id="lab-send")
            place = gr.HTML(elem_id="lab-place", elem_classes="beside")
        with gr.Column(scale=4, min_width=260, elem_classes="stage"):
            editor = component("recon-lab", elem_id="lab-editor")
            standing = gr.HTML(elem_id="lab-standing")
            panels = component("recon-viewer", elem_id="lab-panels")
            follows = follower("lab-follows")
    sent, judged = gr.State(""), gr.State(None)
    view = _View(shared, lab, judge, editor, panels, standing, message, sent, judged, room, place)
    _connect(view, follows, beat)
    send.click(
        careful(message)(view.enter),
        view.inputs,
        [place, message],
        **events.quiet(**events.SHORT),
    )
    return lab


def _controls() -> tuple[Lab, gr.Radio, gr.Button, gr.HTML]:
    lead(
        "Every skipped line costs something. The <b>point spread function</b> says what: it is "
        "the picture of one bright point, and the zero-filled image is the object smeared with "
        "it. Spikes beside the peak are aliasing, a wide peak is blur."
    )
    lead("The lab has lines of its own: the acceleration in the bar above changes nothing here.")
    family = gr.Radio(
        [*((one.title, name) for name, one in masks.FAMILIES.items()), ("By hand", BY_HAND)],
        value="random",
        label="Mask family",
        elem_id="lab-family",
    )
    acceleration = gr.Slider(2, 16, 4, step=0.5, label="Acceleration", elem_id="lab-acceleration")
    center = gr.Slider(0, 0.3, 0.08, step=0.01, label="Centre fraction", elem_id="lab-center")
    with gr.Row():
        seed = gr.Number(
            0, label="Mask seed", precision=0, minimum=0, min_width=70, elem_id="lab-seed"
        )
        new = gr.Button("New mask", min_width=80, elem_id="lab-new")
    message = gr.HTML(elem_id="lab-message", elem_classes="beside")
    method = gr.Dropdown(
        method_choices(),
        value=DEFAULT,
        label="Reconstruction with",
        filterable=False,
        elem_id="lab-method",
    )
    judge = gr.Radio(
        [("zero-filled image", "zero-filled"), ("reconstruction", "reconstruction")],
        value="zero-filled",
        label="Judge masks by the",
        elem_id="lab-judge",
    )
    beat = gr.Button("Beat the random mask", variant="primary", elem_id="lab-beat")
    new.click(None, seed, seed, js=events.NEXT, **events.quiet())
    hand = gr.Textbox("", visible="hidden", elem_id="lab-hand")
    return Lab(family, acceleration, center, seed, method, hand), judge, beat, message


def _connect(view: _View, follows: gr.HTML, beat: gr.Button) -> None:
    lab, catch = view.lab, careful(view.message)
    asked = [lab.family, lab.acceleration, lab.center, lab.seed]
    for trigger, name in (
        (lab.family.input, "family"),
        (lab.acceleration.input, "acceleration"),
        (lab.center.input, "center"),
        (lab.seed.change, "seed"),
    ):
        trigger(None, asked, lab.center, js=ASK % name, **events.quiet())
    options: dict[str, Any] = {
        "trigger_mode": "always_last",
        "show_progress": "hidden",
        "api_visibility": "private",
    }
    answers = [
        view.sent,
        view.editor,
        view.panels,
        view.message,
        view.standing,
        view.place,
        lab.hand,
        lab.family,
    ]
    follows.focus(catch(view.opened), view.inputs, answers, **options, **events.SHORT)
    rested = [view.panels, view.standing, view.message, lab.hand, lab.family]
    view.editor.input(catch(view.rested), view.inputs, rested, **options, **events.SHORT)

    @catch
    def reconstructed(values: Values) -> dict[Any, Any]:
        result, notice = attempt(view.wish(values))
        return {view.panels: html.panels(result), view.message: html.message(notice)}

    lab.method.input(
        reconstructed,
        view.inputs,
        [view.panels, view.message],
        **options,
        **events.SHORT,
    )
    beat.click(
        catch(view.compete),
        view.inputs,
        [view.standing, view.message, view.judged],
        **{**options, "show_progress": "minimal", "show_progress_on": [view.standing]},
        **events.LONG,
    )


def is_mask(text: object) -> bool:
    """Whether a stranger's word is a mask as `session.Choice.mask` has it."""
    return isinstance(text, str) and "1" in text and len(text) <= 2**16 and not set(text) - {*"01"}
