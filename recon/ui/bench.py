"""What the experiments share: their subject, a table, a button that computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

import gradio as gr

from recon.errors import InputError
from recon.methods import METHODS, Method, methods
from recon.scan import Sampling, Scan
from recon.ui import controls, html, session
from recon.ui.controls import Controls
from recon.ui.reconstruct import ONE_AT_A_TIME, careful
from recon.ui.session import Choice
from recon.weights import WeightsError


def subject(values: Sequence[Any]) -> tuple[Choice, Scan, Sampling]:
    """What is open: the choice, its fully sampled scan, and the lines it measures.

    Raises
    ------
    InputError
        If it was undersampled already.
    """
    choice = controls.choice(*values)
    scan = session.scan(choice)
    scan.fully_sampled  # noqa: B018
    return choice, scan, session.sampling(choice, scan)


def method_choices() -> list[tuple[str, str]]:
    """Labels and names for a menu."""
    return [(METHODS[name].label, name) for name in methods()]


def chosen_methods(names: Sequence[str]) -> list[Method]:
    """Methods by name, the simplest first, in whatever order they were chosen.

    Raises
    ------
    InputError
        If none was chosen.
    """
    if not names:
        raise InputError("Choose a method at least.")
    return [METHODS[name] for name in reversed(METHODS) if name in names]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """An HTML table; the first column names the row."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        f"<tr><th>{escape(row[0])}</th>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        '<div class="scroll"><table class="scores">'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def lead(text: str) -> None:
    """A paragraph that says what the experiment is about; HTML."""
    gr.HTML(f"<p>{text}</p>", elem_classes="lead")


def columns() -> tuple[gr.Column, gr.Column]:
    """A narrow column for controls and a wide one for what they make, to be filled with `with`."""
    with gr.Row(equal_height=False):
        return gr.Column(scale=1, min_width=260), gr.Column(scale=4, min_width=260)


def run(
    trigger: Any,
    compute: Callable[..., Mapping[Any, Any] | Iterator[Mapping[Any, Any]]],
    inputs: Sequence[Any],
    shared: Controls,
    outputs: Sequence[Any],
    message: gr.HTML,
) -> None:
    """Connect a button or control: `compute` gets its own inputs, then the shared ones."""

    @careful(message)
    def event(*values: Any) -> dict[Any, Any]:
        try:
            return {message: "", **compute(*values)}  # type: ignore[dict-item]
        except WeightsError as error:
            return {message: html.message(str(error))}

    trigger(
        event,
        [*inputs, *shared.inputs],
        [*outputs, message],
        trigger_mode="once",
        show_progress="minimal",
        show_progress_on=list(outputs[:1]),
        api_visibility="private",
        **ONE_AT_A_TIME,
    )
