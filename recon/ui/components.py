"""A component of Gradio's that writes nothing to the disk."""

from __future__ import annotations

from abc import ABCMeta
from typing import Any

import gradio as gr
from gradio.component_meta import ComponentMeta
from gradio.data_classes import FileData
from gradio.utils import NamedString


class _Quiet(ComponentMeta):
    """Without the stub file that Gradio writes beside the source of every component."""

    def __new__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> Any:
        return ABCMeta.__new__(cls, name, bases, attributes)


class Upload(gr.File, metaclass=_Quiet):
    """One file, without the empty one that Gradio makes for every event that looks at it."""

    is_template = True  # drawn as its parent

    def _process_single_file(self, f: FileData) -> NamedString:
        return NamedString(f.path)
