"""What an experiment is on the page: a question, controls, and what they make.

An experiment is a module with a function that computes, free of Gradio, and an `Experiment` that
says how it is drawn. This module draws and connects: it shows progress and a way to cancel,
says which question a result answers, marks it when the question has changed, and runs what is
cheap when its tab is opened.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

import gradio as gr

from recon import figures
from recon.errors import InputError
from recon.methods import METHODS, methods
from recon.pipeline import Reconstruction
from recon.ui import answers, events
from recon.ui.controls import Controls
from recon.ui.events import TURNS, Values, careful
from recon.ui.session import Choice, attempt
from recon.ui.viewer import Panel, empty, reference_panel, viewer
from recon.ui.web import component

# Gradio hands a value on only if it is another one; the same question may be answered again.
_SERIALS = itertools.count()


@dataclass(frozen=True)
class Answer:
    """What an experiment has to show so far.

    Attributes
    ----------
    words
        HTML above the pictures; None leaves what is there.
    panels
        Value of linked panels; None leaves what is there.
    chart
        HTML below the pictures; None leaves what is there.
    controls
        Values for the experiment's own controls.
    done, of
        Pieces of the work.
    """

    words: str | None = None
    panels: dict[str, Any] | None = None
    chart: str | None = None
    controls: Mapping[str, Any] = field(default_factory=dict)
    done: int = 1
    of: int = 1


Compute = Callable[..., Iterable[Answer]]


@dataclass(frozen=True)
class Action:
    """A button and what it does.

    Attributes
    ----------
    label, name
        On the button, and in its id.
    compute
        Called with the choice on the page and the experiment's controls by name; gives answers,
        the last one being complete. It is a generator wherever the work takes a while, with one
        piece of work between two answers.
    live
        Controls that do the same as the button when they are moved.
    """

    label: str
    name: str
    compute: Compute
    live: tuple[str, ...] = ()


@dataclass(frozen=True)
class Experiment:
    """An experiment of the page.

    Attributes
    ----------
    key, title
        Of its tab; the key also begins the ids of its elements.
    lead
        HTML: what the experiment is about.
    actions
        The first one is what a person came for.
    controls
        Draws the experiment's own controls; gives them by name.
    opens
        ``"run"``: computed when its tab is opened. ``"stored"``: it takes longer, so what it gave
        on the built-in example is kept and shown at once. ``""``: neither.
    first
        What its tab shows before anybody has pressed its button, at next to no cost, of the choice
        and the button's label; `start_of` where None.
    select
        Names of two controls that take row and column of a click into a picture.
    asks_method, asks_slice
        Whether the method and the slice on the page are part of the question.
    """

    key: str
    title: str
    lead: str
    actions: tuple[Action, ...]
    controls: Callable[[], dict[str, Any]] = dict
    opens: str = "run"
    first: Callable[[Choice, str], Answer] | None = None
    select: tuple[str, str] | None = None
    asks_method: bool = False
    asks_slice: bool = True

    def question(self, choice: Choice) -> str:
        """The same for choices with the same answer."""
        return choice.key(self.asks_method, self.asks_slice)

    def about(self, choice: Choice | None = None) -> dict[str, Any]:
        """Which question a result answers, for the browser; of no result where None."""
        of = "all" if self.asks_method else "scan"
        given = {"of": of if self.asks_slice else "volume", "opens": bool(self.opens or self.first)}
        if choice is None:
            return given
        return given | {
            "question": self.question(choice),
            "words": choice.words,
            "serial": next(_SERIALS),
        }


@dataclass(frozen=True)
class _Drawn:
    own: dict[str, Any]
    about: gr.HTML
    message: gr.HTML
    words: gr.HTML
    panels: gr.HTML
    chart: gr.HTML
    progress: gr.HTML
    stop: gr.Button
    buttons: list[gr.Button]

    @property
    def results(self) -> list[Any]:
        return [
            self.about, self.message, self.words, self.panels, self.chart, self.progress,
            self.stop, *self.own.values(),
        ]  # fmt: skip


def build(experiment: Experiment, shared: Controls) -> dict[str, Any]:
    """Draw an experiment and connect it; call it inside of its tab.

    Returns
    -------
    Its own controls by their name in a link.
    """
    drawn = _draw(experiment)
    inputs = {*shared.inputs, *drawn.own.values(), drawn.about}
    cancels: list[Any] = []
    for action, button in zip(experiment.actions, drawn.buttons, strict=True):
        event = _event(experiment, action, shared, drawn)
        triggers = [button.click]
        for name in action.live:
            control = drawn.own[name]
            triggers.append(control.release if isinstance(control, gr.Slider) else control.input)
        cancels.append(gr.on(triggers, event, inputs, drawn.results, **_options(drawn)))
        if experiment.select and action is experiment.actions[0]:
            place = _place(drawn, experiment.select)
            outputs = [drawn.own[name] for name in experiment.select]
            clicked = drawn.panels.select(place, None, outputs, **events.quiet(queue=False))
            cancels.append(clicked.then(event, inputs, drawn.results, **_options(drawn)))
    if experiment.opens or experiment.first:
        opened = _opened(experiment, shared, drawn)
        cancels.append(drawn.about.focus(opened, inputs, drawn.results, **_options(drawn)))
    drawn.stop.click(
        lambda: {drawn.stop: gr.Button(visible=False), drawn.progress: "<p>Cancelled.</p>"},
        None,
        [drawn.stop, drawn.progress],
        cancels=cancels,
        **events.quiet(queue=False),
    )
    return {f"{experiment.key}_{name}": control for name, control in drawn.own.items()}


def _draw(experiment: Experiment) -> _Drawn:
    key = experiment.key
    with gr.Row(equal_height=False, elem_classes="experiment", elem_id=f"{key}-experiment"):
        with gr.Column(scale=1, min_width=200, elem_classes="rail"):
            lead(experiment.lead)
            own = experiment.controls()
            buttons = [
                gr.Button(
                    action.label,
                    variant="secondary" if number else "primary",
                    elem_id=f"{key}-{action.name}",
                    elem_classes="" if number else "main-action",
                )
                for number, action in enumerate(experiment.actions)
            ]
        with gr.Column(scale=4, min_width=260, elem_classes="stage"):
            message = gr.HTML(elem_id=f"{key}-message", elem_classes="beside")
            with gr.Row(elem_classes="progress-row"):
                progress = gr.HTML(elem_id=f"{key}-progress", elem_classes="beside")
                stop = gr.Button("Cancel", size="sm", visible=False, elem_id=f"{key}-stop")
            about = component("recon-about", experiment.about(), elem_id=f"{key}-about")
            words = gr.HTML(elem_id=f"{key}-words", elem_classes="words")
            panels = component("recon-viewer", empty(), elem_id=f"{key}-panels")
            chart = gr.HTML(elem_id=f"{key}-chart")
    return _Drawn(own, about, message, words, panels, chart, progress, stop, buttons)


def _options(drawn: _Drawn) -> dict[str, Any]:
    return {
        "trigger_mode": "once",
        "show_progress": "minimal",
        "show_progress_on": [drawn.progress],
        "api_visibility": "private",
        **events.LONG,
    }


def _event(experiment: Experiment, action: Action, shared: Controls, drawn: _Drawn) -> Callable:
    @careful(drawn.message)
    def run(values: Values) -> Iterator[dict[Any, Any]]:
        choice = shared.choice(values)
        own = {name: values[control] for name, control in drawn.own.items()}
        yield from _follow(action.compute(choice, **own), experiment, choice, drawn)

    return run


def _opened(experiment: Experiment, shared: Controls, drawn: _Drawn) -> Callable:
    action, stores = experiment.actions[0], experiment.opens == "stored"

    @careful(drawn.message)
    def opened(values: Values) -> Iterator[dict[Any, Any]]:
        """Answer when it is looked at, unless what stands there is the answer already."""
        choice = shared.choice(values)
        shown = values[drawn.about] or {}
        own = {name: values[control] for name, control in drawn.own.items()}
        if shown.get("question") == experiment.question(choice):
            yield {drawn.message: ""}
        elif experiment.opens == "run":
            try:
                yield from _follow(action.compute(choice, **own), experiment, choice, drawn)
            except InputError:
                if not shown.get("question"):  # nothing stands there yet
                    yield {drawn.panels: pictures(attempt(choice)[0])}
                raise
        elif stores and (stored := answers.find(experiment.key, choice, own)) is not None:
            yield from _follow([_said_so(Answer(**stored))], experiment, choice, drawn)
        elif stores and answers.keeps(choice):
            found = kept(action.compute(choice, **own), experiment, choice, own)
            yield from _follow(found, experiment, choice, drawn)
        elif shown.get("question"):
            yield {drawn.message: ""}  # an old answer stays, marked as one
        else:
            start = (experiment.first or start_of)(choice, action.label)
            yield {drawn.words: start.words, drawn.panels: start.panels, drawn.message: ""}

    return opened


def start_of(choice: Choice, label: str) -> Answer:
    """What stands there before an experiment was run: the slice, and what to press."""
    result, _ = attempt(choice)
    words = f"<p>This takes a while on this slice: press <b>{escape(label)}</b> to begin.</p>"
    if result.reference is None:
        words = (
            "<p>The file that is open was undersampled already: there is no truth to compare "
            "with, so this experiment needs another, fully sampled one.</p>"
        )
    return Answer(words, pictures(result))


def pictures(result: Reconstruction, *more: Panel) -> dict[str, Any]:
    """The slice that is open: zero-filled, then `more`, then what is true where that is known."""
    shown = [
        Panel("zero_filled", "Zero-filled", "", "Zero-filled image", "image", result.zero_filled),
        *more,
    ]
    if result.reference is not None:
        shown.append(reference_panel(result.reference))
    return viewer(shown, figures.window(result))


def _said_so(stored: Answer) -> Answer:
    """An answer that was kept, and that it was."""
    note = (
        '<p class="kept">Computed earlier on this server, by the code and the weights that answer '
        "now; times are of then.</p>"
    )
    return replace(stored, words=(stored.words or "") + note)


def kept(
    found: Iterable[Answer], experiment: Experiment, choice: Choice, own: dict[str, Any]
) -> Iterator[Answer]:
    """The same answers; the complete one is kept for the next person."""
    words: str | None = None
    panels: dict[str, Any] | None = None
    chart: str | None = None
    for answer in found:
        words = words if answer.words is None else answer.words
        panels = panels if answer.panels is None else answer.panels
        chart = chart if answer.chart is None else answer.chart
        if answer.done >= answer.of:
            kept = {"words": words, "panels": panels, "chart": chart}
            answers.keep(experiment.key, choice, own, kept)
        yield answer


def _follow(
    found: Iterable[Answer], experiment: Experiment, choice: Choice, drawn: _Drawn
) -> Iterator[dict[Any, Any]]:
    """Answers as they come, each with how far the work is."""
    start = time.monotonic()
    last: Answer | None = None
    for answer in found:
        last = answer
        finished = answer.done >= answer.of
        changes: dict[Any, Any] = {
            drawn.message: "",
            drawn.progress: "" if finished else _progress(answer, time.monotonic() - start),
            drawn.stop: gr.Button(visible=not finished),
            **{drawn.own[name]: value for name, value in answer.controls.items()},
        }
        for place, value in (
            (drawn.words, answer.words),
            (drawn.panels, answer.panels),
            (drawn.chart, answer.chart),
        ):
            if value is not None:
                changes[place] = value
        if answer.words is not None or answer.panels is not None:
            changes[drawn.about] = experiment.about(choice)
        yield changes
        if not finished:
            TURNS.give_way()
    if last is not None and last.done < last.of:
        yield {drawn.progress: "", drawn.stop: gr.Button(visible=False)}


def _progress(answer: Answer, seconds: float) -> str:
    left = ""
    if answer.done:
        rest = seconds / answer.done * (answer.of - answer.done)
        left = f", about {rest:.0f} s left" if rest >= 1 else ""
    return (
        f'<p class="progress-bar"><progress max="{answer.of}" value="{answer.done}" '
        f'aria-label="Progress"></progress> {answer.done} of {answer.of}{left}</p>'
    )


def _place(drawn: _Drawn, names: tuple[str, str]) -> Callable:
    row, column = (drawn.own[name] for name in names)

    def place(event: gr.EventData) -> dict[Any, Any]:
        y, x = (getattr(event, name, None) for name in ("row", "column"))
        if not all(isinstance(v, int) and 0 <= v < 2**14 for v in (y, x)):
            return {row: gr.skip(), column: gr.skip()}
        return {row: y, column: x}

    return place


def method_choices() -> list[tuple[str, str]]:
    """Labels and names for a menu."""
    return [(METHODS[name].label, name) for name in methods()]


def place_fields(key: str) -> tuple[gr.Number, gr.Number]:
    """Row and column of a place that a click on a picture fills in; -1 where none was chosen."""
    with gr.Row():
        row, column = (
            gr.Number(
                label=name,
                precision=0,
                value=-1,
                minimum=-1,
                min_width=70,
                elem_id=f"{key}-{name.lower()}",
            )
            for name in ("Row", "Column")
        )
    return row, column


def lead(text: str) -> None:
    """A paragraph that says what the experiment is about; HTML."""
    gr.HTML(f"<p>{text}</p>", elem_classes="lead")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """An HTML table; the first column names the row."""
    top = "".join(f'<th scope="col">{escape(cell)}</th>' if cell else "<td></td>" for cell in head)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table class="scores">'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )
