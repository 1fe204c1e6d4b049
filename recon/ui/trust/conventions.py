"""One pair, many SSIMs: the same two images under every definition in use."""

from __future__ import annotations

from typing import Any

import gradio as gr

from recon.errors import InputError
from recon.probes.conventions import conventions
from recon.ui import bench, controls
from recon.ui.controls import Controls
from recon.ui.reconstruct import attempt


def build(shared: Controls) -> None:
    bench.lead(
        "A score without its definition says little. These are all SSIMs of the reconstruction "
        "on the first tab against its reference: the same two images every time."
    )
    message = gr.HTML(elem_id="conventions-message", elem_classes="beside")
    look = gr.Button("Score them all", variant="primary", elem_id="conventions-look")
    words = gr.HTML(elem_id="conventions-words")

    def score(*values: Any) -> dict[Any, Any]:
        result, _ = attempt(controls.choice(*values))
        if result.reference is None:
            raise InputError("The file that is open has no reference to compare with.")
        rows = [
            [one.label, f"{one.value:.3f}", one.why]
            for one in conventions(result.reference, result.image, result.data_range)
        ]
        return {words: bench.table(["definition", "SSIM", ""], rows)}

    bench.run(look.click, score, [], shared, [words], message)
