"""Two of Gradio's components that write nothing to the disk."""

from __future__ import annotations

import base64
from abc import ABCMeta
from typing import Any

import gradio as gr
from gradio.component_meta import ComponentMeta
from gradio.data_classes import FileData
from gradio.utils import NamedString

from recon.figures import png


class _Quiet(ComponentMeta):
    """Without the stub file that Gradio writes beside the source of every component."""

    def __new__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> Any:
        return ABCMeta.__new__(cls, name, bases, attributes)


class Slider(gr.ImageSlider, metaclass=_Quiet):
    """Two pictures under a slider, sent with the answer; they also show when the disk is full."""

    is_template = True  # drawn as its parent

    def postprocess(self, value: Any) -> Any:
        """Two uint8 pictures as ``data:`` addresses."""
        if value is None:
            return None
        return [
            {"url": "data:image/png;base64," + base64.b64encode(png(picture)).decode()}
            for picture in value
        ]


class Upload(gr.File, metaclass=_Quiet):
    """One file, without the empty one that Gradio makes for every event that looks at it."""

    is_template = True

    def _process_single_file(self, f: FileData) -> NamedString:
        return NamedString(f.path)
