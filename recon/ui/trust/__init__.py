"""Can I trust it? Experiments on the slice that is open, all of them computed when asked for."""

from __future__ import annotations

import gradio as gr

from recon.ui.controls import Controls
from recon.ui.trust import conventions, crimes, ensemble, lesion, nullspace, shift

EXPERIMENTS = (
    ("Lesion test", "lesion", lesion),
    ("Measured or made up", "nullspace", nullspace),
    ("Mask ensemble", "ensemble", ensemble),
    ("Out of distribution", "shift", shift),
    ("Data crime", "crimes", crimes),
    ("One pair, many SSIMs", "conventions", conventions),
)


def build(shared: Controls) -> None:
    """Draw the tab; it works on the slice, mask and method that are set on the first one."""
    with gr.Tabs(elem_id="trust", overflow_behavior="wrap"):
        for title, key, experiment in EXPERIMENTS:
            with gr.Tab(title, id=key):
                experiment.build(shared)
