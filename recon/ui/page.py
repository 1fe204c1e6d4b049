"""The page: a bar that says what is open, the tabs, what to keep in mind, and the interface."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import gradio as gr

from recon.errors import InputError
from recon.methods import DEFAULT, METHODS
from recon.ui import (
    acquisition,
    compare,
    controls,
    events,
    experiment,
    lessons,
    links,
    reconstruct,
    sampling,
    serving,
    session,
    trust,
)
from recon.ui.controls import Controls
from recon.ui.experiment import Experiment
from recon.ui.links import TabBar
from recon.ui.session import Choice, Origin
from recon.weights import WeightsError

TITLE = """
<h1>MRI from a quarter of the measurements</h1>
<p>Skip three of four lines of k-space: what does a network repair, and what can it not? For
research and teaching, not for diagnosis.</p>
"""
REMARKS = """
<p><b>What is measured, what is made up.</b> The mask decides which lines of k-space are used;
everything else in a reconstruction is an estimate. A network can remove structures that are
there and invent some that are not. SSIM says how alike two pictures are, not whether a diagnosis
would be the same. Scores on simulated k-space are optimistic. Not a medical device.</p>
"""


def build() -> gr.Blocks:
    """The whole page."""
    with gr.Blocks(
        title="MRI from a quarter of the measurements",
        fill_width=True,
        analytics_enabled=False,
    ) as demo:
        with gr.Row(elem_id="header"):
            gr.HTML(TITLE, elem_id="title")
        bar = controls.bar()
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs:
            with gr.Tab("Reconstruct", id="reconstruct"):
                view = reconstruct.build(bar)
                shared = view.controls
            with gr.Tab("Sampling lab", id="sampling") as tab:
                lab = sampling.build(shared, tab)
            with gr.Tab("Acquisition", id="acquisition") as tab:
                acquisition.build(shared, tab)
            with gr.Tab("Methods", id="methods"):
                compared = experiments("method", "compare-tabs", compare.EXPERIMENTS, shared)
            with gr.Tab("Can I trust it?", id="trust"):
                trusted = experiments("test", "trust", trust.EXPERIMENTS, shared)
            with gr.Tab("Learn", id="learn"):
                lesson = lessons.build(shared)
        keys = ("reconstruct", "sampling", "acquisition", "methods", "trust", "learn")
        links.build(view, lab, lesson, [TabBar("tab", tabs, keys), compared, trusted])
        gr.HTML(REMARKS, elem_id="remarks")
        gr.api(reconstruct_file, api_name="reconstruct", **events.SHORT)
    return demo


def experiments(name: str, elem_id: str, table: Sequence[Experiment], shared: Controls) -> TabBar:
    """A tab for each of some experiments."""
    with gr.Tabs(elem_id=elem_id, overflow_behavior="wrap") as tabs:
        for one in table:
            with gr.Tab(one.title, id=one.key):
                experiment.build(one, shared)
    return TabBar(name, tabs, tuple(one.key for one in table))


def reconstruct_file(
    file: gr.FileData,
    acceleration: float = 4,
    seed: int = 0,
    method: str = DEFAULT,
    slice: int = -1,
) -> dict:
    """Undersample and reconstruct one slice of an uploaded file; answers with the scores.

    `slice` counts from 0; -1 is the middle one.
    """
    try:
        wish = _asked(file, acceleration, seed, method, slice)
        with events.TURNS.short():
            return session.run(wish).record()
    except (InputError, WeightsError) as error:
        raise gr.Error(str(error), print_exception=False) from None


def _asked(file: Any, acceleration: Any, seed: Any, method: Any, slice_: Any) -> Choice:
    """What a stranger's arguments mean.

    Raises
    ------
    InputError
        If one of them is of the wrong kind.
    """
    if not isinstance(file, dict):  # what Gradio hands over for FileData
        raise InputError("Upload a file first; the client libraries do so with handle_file.")
    if not _number(acceleration) or not 1 <= acceleration <= 64:
        raise InputError("The acceleration is a number from 1 to 64.")
    if not _number(seed) or seed != int(seed) or not 0 <= seed < 2**31:
        raise InputError("The seed is a whole number from 0 to 2147483647.")
    if not isinstance(method, str):
        raise InputError(f"The method is one of {', '.join(METHODS)}.")
    if not _number(slice_) or slice_ != int(slice_) or not -1 <= slice_ < 2**31:
        raise InputError("The slice is a whole number from 0, or -1 for the middle one.")
    origin = Origin(upload=serving.checked(file.get("path")))
    number = None if slice_ < 0 else int(slice_)
    return Choice(origin, number, acceleration, int(seed), method)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
