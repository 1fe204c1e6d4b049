"""The scan as it happens: lines arrive, the picture and its score grow with them."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from recon import figures
from recon.fourier import combined
from recon.probes.acquisition import Replay, replay
from recon.scan import Scan
from recon.ui import controls, session
from recon.ui.controls import Controls
from recon.ui.reconstruct import ONE_AT_A_TIME, careful

REPETITION_TIME = 500  # ms, of a T1-weighted spin echo
FILM = f"""
<div class="film">
  <div class="film-pictures">
    <figure><canvas class="film-kspace" role="img" aria-label="K-space as it fills"></canvas>
      <figcaption><b>k-space</b></figcaption></figure>
    <figure><canvas class="film-image" role="img" aria-label="Image so far"></canvas>
      <figcaption><b>Image so far</b></figcaption></figure>
    <figure><canvas class="film-curve" role="img" aria-label="SSIM against lines measured">
      </canvas></figure>
  </div>
  <p class="film-words" role="status"></p>
  <div class="film-bar">
    <button type="button" class="film-play">Play</button>
    <input type="range" class="film-scrub" min="0" max="0" value="0" aria-label="Moment">
    <label>Speed <select class="film-speed"><option value="8">slow</option>
      <option value="20" selected>normal</option><option value="60">fast</option></select></label>
    <label>TR <input type="number" class="film-tr" value="{REPETITION_TIME}" min="1" step="50"> ms
    </label>
  </div>
</div>
"""
SCRIPT = (Path(__file__).parent / "acquisition.js").read_text("utf-8")


def build(shared: Controls, tab: gr.Tab) -> None:
    """Draw the tab; it works on the slice that is open on the first one."""
    gr.HTML(
        "<p>A scanner measures one line of k-space after another, one every repetition time TR. "
        "The middle of k-space holds contrast and shape, the edges hold detail: in which order "
        "does the picture become useful first?</p>",
        elem_classes="lead",
    )
    with gr.Row():
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
    message = gr.HTML(elem_id="film-message", elem_classes="beside")
    film = gr.HTML({}, html_template=FILM, js_on_load=SCRIPT, elem_id="film")

    @careful(message)
    def record(kind: Any, lines: str, *values: Any) -> dict[Any, Any]:
        choice = controls.choice(*values)
        scan = session.scan(choice)
        mask = session.sampling(choice, scan).mask if lines == "mask" else None
        done = replay(scan, mask, kind, repetition_time=REPETITION_TIME)
        return {film: content(scan, done), message: ""}

    gr.on(
        [order.input, which.input, tab.select],
        record,
        [order, which, *shared.inputs],
        [film, message],
        trigger_mode="always_last",
        show_progress="minimal",
        api_visibility="private",
        **ONE_AT_A_TIME,
    )


def content(scan: Scan, done: Replay) -> dict[str, Any]:
    """What the browser needs to play a replay."""
    frames = (np.asarray(done.images) * 255 + 0.5).astype(np.uint8)
    return {
        "width": scan.width,
        "kspace": _text(figures.png(figures.log_kspace(combined(scan.kspace)))),
        "order": done.order.tolist(),
        "counts": done.counts.tolist(),
        "ssim": [round(float(value), 4) for value in done.ssim],
        "frames": [_text(_jpeg(frame)) for frame in frames],
    }


def _jpeg(frame: np.ndarray) -> bytes:
    """A frame for the eye; scores were computed before."""
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
