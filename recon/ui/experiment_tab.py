"""Draw an experiment in its tab and connect it.

It shows progress and a way to cancel, says which question a result answers, marks it when the
question has changed, and runs what is cheap when its tab is opened.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from recon.errors import InputError
from recon.ui import answers, events
from recon.ui.components import lead
from recon.ui.controls import Controls
from recon.ui.events import TURNS, Values, careful
from recon.ui.experiment import (
    Action,
    Answer,
    Experiment,
    moves_before,
    pictures,
    start_of,
)
from recon.ui.session import attempt
from recon.ui.web import component


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
    def ended(self) -> dict[Any, Any]:
        """Nothing is at work any more."""
        return {self.progress: "", self.stop: gr.update(visible=False)}

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
        # What takes longer is not begun a second time by a button that was pressed meanwhile.
        follows = bool(action.live) and experiment.opens == "run"
        options = _options(drawn, follows)
        cancels.append(gr.on(triggers, event, inputs, drawn.results, **options))
        if experiment.select and action is experiment.actions[0]:
            place = _place(drawn, experiment.select)
            outputs = [drawn.own[name] for name in experiment.select]
            clicked = drawn.panels.select(place, None, outputs, **events.quiet(queue=False))
            options = _options(drawn, follows=True)
            cancels.append(clicked.then(event, inputs, drawn.results, **options))
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
            for name in {name for action in experiment.actions for name in action.live}:
                own[name].elem_classes = [*own[name].elem_classes, "live"]
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
            panels = component("recon-viewer", {}, elem_id=f"{key}-panels")
            chart = gr.HTML(elem_id=f"{key}-chart")
    return _Drawn(own, about, message, words, panels, chart, progress, stop, buttons)


def _options(drawn: _Drawn, follows: bool = False) -> dict[str, Any]:
    """How an experiment is run; one that `follows` a control answers to where it came to rest."""
    return {
        "trigger_mode": "always_last" if follows else "once",
        "show_progress": "minimal",
        "show_progress_on": [drawn.progress],
        "api_visibility": "private",
        **events.LONG,
    }


def _event(experiment: Experiment, action: Action, shared: Controls, drawn: _Drawn) -> Callable:
    @careful(drawn.message, drawn.ended)
    def run(values: Values) -> Iterator[dict[Any, Any]]:
        choice = shared.choice(values)
        shown = values[drawn.about] or {}
        own = {name: values[control] for name, control in drawn.own.items()}
        about = partial(experiment.about, choice, moves_before(shown), action.name)
        if action is not experiment.actions[0] and _is_old(shown, experiment.question(choice)):
            # It only adds to what the first one shows, and that is of another question.
            yield {drawn.words: "", drawn.panels: pictures(attempt(choice)[0])}
        yield from _follow(action.compute(choice, **own), about, drawn)

    return run


def _is_old(shown: dict[str, Any], question: str) -> bool:
    """Whether there is a result of another question, or of other values of the controls."""
    asked = shown.get("question")
    return bool(asked) and (asked != question or shown.get("answers") != shown.get("moves"))


def _opened(experiment: Experiment, shared: Controls, drawn: _Drawn) -> Callable:
    action, stores = experiment.actions[0], experiment.opens == "stored"

    @careful(drawn.message, drawn.ended)
    def opened(values: Values) -> Iterator[dict[Any, Any]]:
        """Answer when it is looked at, unless what stands there is the answer already."""
        choice = shared.choice(values)
        shown = values[drawn.about] or {}
        about = partial(experiment.about, choice, moves_before(shown), action.name)
        own = {name: values[control] for name, control in drawn.own.items()}
        if shown.get("question") == experiment.question(choice):
            yield {drawn.message: ""}
        elif shown.get("question") and shown.get("action") != action.name:
            yield {drawn.message: ""}  # what another button gave stays, marked as old
        elif experiment.opens == "run":
            try:
                yield from _follow(action.compute(choice, **own), about, drawn)
            except InputError:
                if not shown.get("question"):  # nothing stands there yet
                    yield {drawn.panels: pictures(attempt(choice)[0])}
                raise
        elif stores and (stored := answers.find(experiment.key, choice, own)) is not None:
            yield from _follow([answers.said_so(stored)], about, drawn)
        elif stores and answers.keeps(choice):
            found = answers.kept(action.compute(choice, **own), experiment, choice, own)
            yield from _follow(found, about, drawn)
        elif shown.get("question"):
            yield {drawn.message: ""}  # an old answer stays, marked as one
        else:
            start = (experiment.first or start_of)(choice, action.label)
            yield {drawn.words: start.words, drawn.panels: start.panels, drawn.message: ""}

    return opened


def _follow(
    found: Iterable[Answer], about: Callable[[], dict[str, Any]], drawn: _Drawn
) -> Iterator[dict[Any, Any]]:
    """Answers as they come, each with how far the work is and which question it answers."""
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
        if any(part is not None for part in (answer.words, answer.panels, answer.chart)):
            changes[drawn.about] = about()
        yield changes
        if not finished:
            TURNS.give_way()
    if last is not None and last.done < last.of:
        yield drawn.ended


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
