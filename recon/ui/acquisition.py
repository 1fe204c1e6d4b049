"""The scan as it happens: lines arrive, the picture and its score grow with them."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import gradio as gr

from recon import figures, masks
from recon.errors import InputError
from recon.ui import events, instant, session
from recon.ui.components import follower, lead
from recon.ui.controls import Controls
from recon.ui.events import Values, careful
from recon.ui.session import Choice
from recon.ui.web import component


def build(shared: Controls) -> None:
    """Draw the tab; it works on the slice that is open on the first one."""
    with gr.Row(equal_height=False, elem_classes="experiment"):
        with gr.Column(scale=1, min_width=200, elem_classes="rail"):
            lead(
                "A scanner measures one line of k-space after another, one every repetition time "
                "TR (fast spin echo measures several). The middle of k-space holds contrast and "
                "shape, the edges hold detail: in which order does the picture become useful first?"
            )
            order = gr.Radio(
                [("Linear", "linear"), ("Centric", "centric"), ("Random", "random")],
                value="linear",
                label="Order of the lines",
                elem_id="film-order",
            )
            which = gr.Radio(
                [("All of them", "all"), ("Those of the mask", "mask")],
                value="all",
                label="Lines to measure",
                elem_id="film-lines",
            )
            lead(
                "<b>Two curves</b>: where there is no noise around the object, SSIM is high for a "
                "nearly empty picture, since a dark background is easy to get right, and may dip "
                "when outlines come without their brightness. The share of the energy says how "
                "much of the object is there."
            )
        with gr.Column(scale=4, min_width=260, elem_classes="stage"):
            message = gr.HTML(elem_id="film-message", elem_classes="beside")
            film = component("recon-film", elem_id="film")
            follows = follower("film-follows")

    @careful(message)
    def record(values: Values) -> dict[Any, Any]:
        return {film: reel(shared.choice(values), values[order], values[which]), message: ""}

    gr.on(
        [order.input, which.input, follows.focus],
        record,
        {order, which, *shared.inputs},
        [film, message],
        trigger_mode="always_last",
        show_progress="minimal",
        api_visibility="private",
        **events.SHORT,
    )


def reel(choice: Choice, order: str, lines: str) -> dict[str, Any]:
    """What the browser needs to play a scan.

    Parameters
    ----------
    order
        ``"linear"`` from one edge of k-space to the other, ``"centric"`` from the middle outwards,
        both sides in turn, ``"random"``.
    lines
        ``"all"``, or ``"mask"`` for those of the mask on the page.

    Of data that arrived undersampled their own lines are the whole scan, and nothing is scored.

    Raises
    ------
    InputError
        If the slice is too large for the browser.
    """
    scan = session.scan(choice)
    if instant.size(scan) > instant.LARGEST:
        raise InputError(
            f"The browser replays slices of up to {instant.LARGEST / 2**20:.0f} MiB; this one has "
            f"{instant.size(scan) / 2**20:.0f} MiB."
        )
    own = scan.source.mask
    text = None
    if own is not None or lines == "mask":
        text = masks.as_text(session.sampling(choice, scan).mask)
    if own is not None:
        scan = replace(scan, source=replace(scan.source, mask=None))
    return {
        "slice": instant.slice_of(scan),
        "kspace": base64.b64encode(figures.png(instant.log_kspace(scan))).decode(),
        "white": figures.white(scan.truth),
        "rows": scan.phase_encode == "rows",
        "order": order,
        "lines": text,
        "judged": own is None,
        "seed": 0,
    }
