"""Components that several tabs draw alike, and one of Gradio's that writes nothing to the disk."""

from __future__ import annotations

from abc import ABCMeta
from typing import Any

import gradio as gr
from gradio.component_meta import ComponentMeta
from gradio.data_classes import FileData
from gradio.utils import NamedString

from recon.methods import DEFAULT, METHODS, methods
from recon.ui.web import component

FOLLOWS = {"of": "scan", "opens": True, "again": True}


class _Quiet(ComponentMeta):
    """Without the stub file that Gradio writes beside the source of every component."""

    def __new__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> Any:
        return ABCMeta.__new__(cls, name, bases, attributes)


class Upload(gr.File, metaclass=_Quiet):
    """One file, without the empty one that Gradio makes for every event that looks at it."""

    is_template = True  # drawn as its parent

    def _process_single_file(self, f: FileData) -> NamedString:
        return NamedString(f.path)


class Slices(gr.Slider, metaclass=_Quiet):
    """Numbers of slices. One beyond the end is for the reader to refuse, in its own words.

    Gradio refuses it with a message of its own, also where the file that had so many slices has
    just been closed: a menu asks a second time when it is left.
    """

    is_template = True

    def preprocess(self, payload: float) -> float:
        return payload


def method_choices() -> list[tuple[str, str]]:
    """Labels and names for a menu."""
    return [(METHODS[name].label, name) for name in methods()]


def method_boxes(key: str, *chosen: str) -> gr.CheckboxGroup:
    """Methods to choose some of."""
    return gr.CheckboxGroup(
        method_choices(), value=list(chosen), label="Methods", elem_id=f"{key}-methods"
    )


def method_buttons(key: str) -> gr.Radio:
    """Methods to choose one of."""
    return gr.Radio(method_choices(), value=DEFAULT, label="Method", elem_id=f"{key}-method")


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


def follower(elem_id: str) -> gr.HTML:
    """Has no looks: its `focus` says that its tab was opened, or that something else is open now.

    Call it inside of what follows, a row of the class ``experiment``.
    """
    return component("recon-about", FOLLOWS, elem_id=elem_id)


def lead(text: str) -> None:
    """A paragraph that says what the experiment is about; HTML."""
    gr.HTML(f"<p>{text}</p>", elem_classes="lead")
