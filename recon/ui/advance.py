"""What takes a while is computed in advance, while nobody asks for anything.

So a tab that is opened first on a fresh server has its result already. The code is that which
answers everybody, and what it gave is kept by `answers`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from recon import limits, masks
from recon.errors import InputError
from recon.ui import answers, coils, compare, trust
from recon.ui.events import TURNS, Turns
from recon.ui.experiment import Experiment
from recon.ui.session import Choice
from recon.weights import WeightsError

START = 20.0  # seconds, in which the server comes up and shows its first page
ACCELERATIONS = (4, 8)  # the first is the one that the page begins with

Question = tuple[Experiment, Choice, dict[str, Any]]


def questions() -> list[Question]:
    """What the page asks about the first example where nobody has moved a control."""
    dear = [
        one
        for one in (*compare.EXPERIMENTS, *trust.EXPERIMENTS, *coils.EXPERIMENTS)
        if one.opens == "stored"
    ]
    with gr.Blocks(analytics_enabled=False):  # of which only the values of the controls are wanted
        values = [{name: c.value for name, c in one.controls().items()} for one in dear]
    first = Choice(answers.KEPT, 0)
    return [
        (
            one,
            replace(first, acceleration=rate, center_fraction=masks.default_center_fraction(rate)),
            own,
        )
        for rate in ACCELERATIONS
        for one, own in zip(dear, values, strict=True)
    ]


def begin() -> None:
    """Compute them in a thread of its own, in a while, unless answers are not kept."""
    if answers.folder() is not None:
        timer = threading.Timer(START, work, (questions(),))
        timer.daemon = True
        timer.start()


def work(asked: list[Question], turns: Turns = TURNS) -> None:
    """Compute and keep what is not kept yet; between two pieces anybody else comes first."""
    for experiment, choice, own in asked:
        if answers.find(experiment.key, choice, own) is not None:
            continue
        try:
            for _ in _pieces(experiment, choice, own):
                turns.until_idle()
        except (InputError, WeightsError):
            continue  # whoever asks is told why
        except Exception:
            logging.getLogger(__name__).exception("%s was not computed in advance", experiment.key)


def _pieces(experiment: Experiment, choice: Choice, own: dict[str, Any]) -> Iterator[None]:
    found = experiment.actions[0].compute(choice, **own)
    kept = answers.kept(found, experiment, choice, own)
    while True:
        yield
        with limits.limited():
            if next(kept, None) is None:
                return
