"""The page: title, the main view, what to keep in mind, and the programming interface."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from recon.ui import acquisition, api, compare, lessons, links, reconstruct, sampling, trust

CSS = (Path(__file__).parent / "style.css").read_text("utf-8")
# No fonts from the internet: a classroom may be offline.
THEME = gr.themes.Soft(
    primary_hue="blue",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
)
TABS = ("reconstruct", "sampling", "acquisition", "methods", "trust", "learn")
TITLE = """
<h1>MRI from a quarter of the measurements</h1>
<p>An MRI scanner measures k-space, line by line. Skip three of four lines and the scan is four
times faster, but the picture blurs and aliases. See what a neural network repairs, and what it
cannot. For research and teaching, not for diagnosis.</p>
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
        # Uploads go after an hour, which is longer than any wait in the queue.
        delete_cache=(3600, 3600),
    ) as demo:
        gr.HTML(TITLE, elem_id="title")
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs:
            with gr.Tab("Reconstruct", id="reconstruct"):
                view = reconstruct.build()
                shared = view.controls
            with gr.Tab("Sampling lab", id="sampling") as tab:
                lab = sampling.build(shared, tab)
            with gr.Tab("Acquisition", id="acquisition") as tab:
                acquisition.build(shared, tab)
            with gr.Tab("Methods", id="methods"):
                compare.build(shared)
            with gr.Tab("Can I trust it?", id="trust"):
                trust.build(shared)
            with gr.Tab("Learn", id="learn"):
                lesson = lessons.build(shared)
        links.build(view, lab, lesson, tabs, TABS)
        gr.HTML(REMARKS, elem_id="remarks")
        api.build()
    return demo
