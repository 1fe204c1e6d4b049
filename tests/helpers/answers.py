"""What tests ask of experiments, and read from their answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import gradio as gr

from recon.ui.experiment import Answer, Experiment


def settings(experiment: Experiment) -> dict[str, Any]:
    """What its controls say before anybody has moved one."""
    with gr.Blocks(analytics_enabled=False):
        return {name: control.value for name, control in experiment.controls().items()}


def last(answers: Iterable[Answer]) -> Answer:
    """The complete one."""
    *_, complete = answers
    assert complete.done >= complete.of
    return complete


def numbers(text: str, pattern: str = r"\d\.\d+") -> list[float]:
    return [float(x) for x in re.findall(pattern, text)]
