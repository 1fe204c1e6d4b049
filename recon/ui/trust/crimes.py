"""Data crime: the same slice as raw k-space, interpolated, and from a JPEG. Which looks best?"""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from recon.probes.crimes import commit
from recon.probes.traces import inspect
from recon.ui import bench
from recon.ui.controls import Controls

VERSIONS = {
    "raw": "k-space as it is",
    "magnitude": "made from the magnitude image",
    "zero-padded": "made from an interpolated image",
    "jpeg": "made from a JPEG",
}


def build(shared: Controls) -> None:
    bench.lead(
        "Images on the internet were processed: coils combined, interpolated, compressed. Make "
        "k-space from them and every method looks better than it is, because the hard part is "
        "gone: an <i>implicit data crime</i> (<a href='https://doi.org/10.1073/pnas.2117203119' "
        "target='_blank' rel='noopener'>Shimron et al. 2022</a>). Open a measured example on the "
        "first tab to see the real difference."
    )
    names = gr.CheckboxGroup(
        bench.method_choices(),
        value=["zero-filled", "cs", "resnet-dc"],
        label="Methods",
        elem_id="crimes-methods",
    )
    message = gr.HTML(elem_id="crimes-message", elem_classes="beside")
    look = gr.Button("Commit the crime", variant="primary", elem_id="crimes-look")
    words = gr.HTML(elem_id="crimes-words")

    def compare(chosen: list[str], *values: Any) -> dict[Any, Any]:
        choice, scan, _ = bench.subject(values)
        methods = bench.chosen_methods(chosen)
        found = list(
            commit(
                scan,
                methods,
                choice.acceleration,
                center_fraction=choice.center_fraction,
                seed=choice.seed,
            )
        )
        rows = [
            [title]
            + [
                f"{one.scores['ssim']:.3f} ({one.gain:+.3f})"
                for one in found
                if one.version == version
            ]
            for version, title in VERSIONS.items()
        ]
        clues = "".join(f"<li>{escape(clue.sentence)}</li>" for clue in inspect(scan).values())
        return {
            words: bench.table(
                ["SSIM (illusory gain)", *(method.label for method in methods)], rows
            )
            + f"<p>What this file's k-space says about itself:</p><ul>{clues}</ul>"
        }

    bench.run(look.click, compare, [names], shared, [words], message)
