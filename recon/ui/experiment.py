"""What an experiment is on the page: a question, controls, and what they make.

An experiment is a module with a function that computes, free of Gradio, and an `Experiment` that
says how it is drawn; `experiment_tab` draws and connects it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal, TypeVar

from recon import figures
from recon.errors import InputError
from recon.methods import Method
from recon.pipeline import Reconstruction
from recon.ui.session import Choice, attempt, with_coils
from recon.ui.viewer import Panel, reference_panel, viewer

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
Asks = Literal["all", "scan", "volume", "lesson", "coils"]


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
    asks
        What on the page is part of the question: see `recon.ui.session.Choice.questions`.
    """

    key: str
    title: str
    lead: str
    actions: tuple[Action, ...]
    controls: Callable[[], dict[str, Any]] = dict
    opens: str = "run"
    first: Callable[[Choice, str], Answer] | None = None
    select: tuple[str, str] | None = None
    asks: Asks = "scan"

    def question(self, choice: Choice) -> str:
        """The same for choices with the same answer."""
        return choice.questions[self.asks]

    def about(
        self, choice: Choice | None = None, moves: int = 0, action: str = ""
    ) -> dict[str, Any]:
        """Which question a result answers, and to which action, for the browser.

        Of no result where there is no choice.
        """
        given = {"of": self.asks, "opens": bool(self.opens or self.first)}
        if choice is None:
            return given
        words = with_coils(choice)[0].name if self.asks == "coils" else choice.words(self.asks)
        return given | {"action": action} | result_of(self.asks, choice, words, moves)


def result_of(kind: Asks, choice: Choice, words: str, moves: int) -> dict[str, Any]:
    """Which question a result answers, by its key and in words; another one every time.

    `moves`: how often a control of its own had been moved when it was asked.
    """
    asked = {"of": kind, "question": choice.questions[kind], "words": words}
    return asked | {"answers": moves, "moves": moves, "serial": next(_SERIALS)}


def moves_before(shown: Any) -> int:
    """What the browser says with a question; see `result_of`."""
    moves = shown.get("moves") if isinstance(shown, dict) else 0
    return moves if isinstance(moves, int) else 0


Found = TypeVar("Found")


def each(
    methods: Sequence[Method], pieces: int, work: Callable[[Method], Iterator[Found]]
) -> Iterator[tuple[Method, Found | InputError, int]]:
    """Work for every method in turn, as many pieces each; one that cannot is left out.

    Yields
    ------
    The method; what was found, or why it cannot; and how many pieces are done, with those that
    are left out.

    Raises
    ------
    InputError
        If none of them can.
    """
    running, able = {method: work(method) for method in methods}, False
    done = dict.fromkeys(methods, 0)
    for _ in range(pieces):
        for method in list(running):
            found: Found | InputError
            try:
                found, able = next(running[method]), True
                done[method] += 1
            except InputError as error:
                del running[method]
                if not (running or able):
                    raise
                found, done[method] = error, pieces
            yield method, found, sum(done.values())


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
