"""The page: a bar that says what is open, the tabs, what to keep in mind, and the interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from recon.ui import (
    acquisition,
    api,
    classroom,
    coils,
    compare,
    controls,
    events,
    experiment_tab,
    lessons,
    links,
    private,
    reconstruct,
    research,
    sampling,
    thumbnails,
    trust,
    volume,
    words,
)
from recon.ui.controls import Controls
from recon.ui.experiment import Experiment
from recon.ui.links import TabBar
from recon.ui.room import Room
from recon.ui.web import component

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
            gr.HTML(TITLE + thumbnails.style(), elem_id="title")
            language = _switch()
        bar, room = controls.bar(), Room(gr.State(""))
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs:
            with gr.Tab("Reconstruct", id="reconstruct"):
                view = reconstruct.build(bar, language)
                shared = view.controls
                with gr.Column(elem_id="research"):
                    experiments("research", "research-tabs", research.EXPERIMENTS, shared)
            with gr.Tab("All slices", id="volume", elem_id="view-volume"):
                whole = experiment_tab.build(volume.EXPERIMENT, shared)
            with gr.Tab("Sampling lab", id="sampling", elem_id="view-sampling"):
                lab = sampling.build(shared, room)
            with gr.Tab("Acquisition", id="acquisition", elem_id="view-acquisition"):
                acquisition.build(shared)
            with gr.Tab("Methods", id="methods", elem_id="view-methods"):
                compared = experiments("methods", "compare-tabs", compare.EXPERIMENTS, shared)
            with gr.Tab("Coils", id="coils", elem_id="view-coils"):
                coiled = experiments("coil", "coils-tabs", coils.EXPERIMENTS, shared)
            with gr.Tab("Can I trust it?", id="trust", elem_id="view-trust"):
                trusted = experiments("test", "trust", trust.EXPERIMENTS, shared)
            with gr.Tab("Private", id="private-mode", elem_id="view-private-mode"):
                private.build()
            with gr.Tab("Learn", id="learn", elem_id="view-learn"):
                lesson = lessons.build(shared, room)
            with gr.Tab("Class", id="class") as tab:
                code = classroom.build(room, tab)
        keys = tuple(tab.id for tab in tabs.children)
        bars = [TabBar("tab", tabs, keys, whole), compared, coiled, trusted]
        links.build(view, lab, lesson, code, bars)
        gr.HTML(REMARKS, elem_id="remarks")
        api.build()
    return demo


def _switch() -> gr.State:
    """Draw the switch between the languages: which one is read, for what is printed here."""
    read = gr.State("en")

    def turn(event: gr.EventData) -> str:
        return words.known(getattr(event, "language", None))

    switch = component("recon-language", "en", elem_id="language")
    switch.input(turn, None, read, **events.quiet(queue=False))
    return read


def experiments(name: str, elem_id: str, table: Sequence[Experiment], shared: Controls) -> TabBar:
    """A tab for each of some experiments."""
    settings: dict[str, Any] = {}
    with gr.Tabs(elem_id=elem_id, overflow_behavior="wrap") as tabs:
        for one in table:
            with gr.Tab(one.title, id=one.key):
                settings |= experiment_tab.build(one, shared)
    return TabBar(name, tabs, tuple(one.key for one in table), settings)
