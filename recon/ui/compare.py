"""Methods side by side on one slice and mask; how one of them works, and how one learned."""

from __future__ import annotations

import csv
import time
from typing import Any

import gradio as gr
import numpy as np

from recon import weights
from recon.classical import REGULARIZATION
from recon.errors import InputError
from recon.methods import DEFAULT, METHODS, IterativeMethod
from recon.methods.networks import method_of
from recon.methods.simple import CompressedSensing
from recon.metrics import closed_share
from recon.ui import bench, plots
from recon.ui.controls import Controls
from recon.ui.viewer import SCRIPT, Panel, reference_panel, viewer

STRENGTHS = (0.001, 0.002, 0.004, REGULARIZATION, 0.015, 0.03, 0.06)
WIDEST = 5  # panels in one row; more are broken into rows of four
STORE = weights.Store()
LEARNER = "cnn"  # the network whose training was kept


def build(shared: Controls) -> None:
    """Draw the tab; it works on the slice and mask that are set on the first one."""
    with gr.Tabs(elem_id="compare-tabs", overflow_behavior="wrap"):
        with gr.Tab("Side by side", id="side-by-side"):
            _side_by_side(shared)
        with gr.Tab("Step by step", id="steps"):
            _steps(shared)
        with gr.Tab("Training time-lapse", id="time-lapse"):
            _time_lapse(shared)


def _side_by_side(shared: Controls) -> None:
    bench.lead(
        "The same slice, the same lines, every method. Compressed sensing has learned nothing and "
        "looks for the image with the fewest edges that fits the data; how much it minds edges is "
        "the slider. The networks have learned what heads look like."
    )
    left, right = bench.columns()
    with left:
        names = gr.CheckboxGroup(
            bench.method_choices(),
            value=["zero-filled", "cs", "resnet", "resnet-dc"],
            label="Methods",
            elem_id="side-methods",
        )
        strength = gr.Slider(
            0,
            len(STRENGTHS) - 1,
            STRENGTHS.index(REGULARIZATION),
            step=1,
            label="Regularisation of compressed sensing, weak to strong",
            elem_id="side-strength",
        )
        message = gr.HTML(elem_id="side-message", elem_classes="beside")
        look = gr.Button("Compare", variant="primary", elem_id="side-look")
    with right:
        words = gr.HTML(elem_id="side-words")
        panels = gr.HTML(js_on_load=SCRIPT, elem_id="side-panels")

    def compare(chosen: list[str], position: float, *values: Any) -> dict[Any, Any]:
        _, scan, sampling = bench.subject(values)
        regularization = STRENGTHS[int(np.clip(position, 0, len(STRENGTHS) - 1))]
        methods = [
            CompressedSensing(regularization) if method.name == "cs" else method
            for method in bench.chosen_methods(chosen)
        ]
        measurement = scan.measure(sampling.mask, sampling.acceleration)
        before = scan.ssim(measurement.zero_filled)
        rows, images, errors = [], [], []
        for number, method in enumerate(methods):
            title = method.label
            start = time.perf_counter()
            image = method(measurement)
            seconds = time.perf_counter() - start
            score = scan.score(image)
            assert score is not None
            rows.append(
                [
                    title,
                    f"{score['ssim']:.3f}",
                    f"{closed_share(score['ssim'], before):.0%}",
                    f"{score['psnr']:.1f} dB",
                    f"{score['nmse']:.4f}",
                    f"{seconds:.2f} s",
                ]
            )
            name, short = f"method{number}", f"SSIM {score['ssim']:.3f}"
            images.append(Panel(name, title, short, f"{title} image", "image", scan.upright(image)))
            errors.append(
                Panel(f"{name}_error", f"Error, {title}", "", f"Error map of {title}", "error",
                      of=name, against="reference")
            )  # fmt: skip
        images.append(reference_panel(scan.upright(scan.truth)))
        columns = len(images) if len(images) <= WIDEST else 4
        shown = [  # every row of images above its row of errors
            panel
            for start in range(0, len(images), columns)
            for row in (images, errors)
            for panel in row[start : start + columns]
        ]
        text = f"Regularisation {regularization:g} of the maximum." if "cs" in chosen else ""
        return {
            words: bench.table(["", "SSIM", "gap closed", "PSNR", "NMSE", "time"], rows)
            + f"<p>{text}</p>",
            panels: viewer(shown, columns=columns),
        }

    for trigger in (look.click, strength.release):
        bench.run(trigger, compare, [names, strength], shared, [panels, words], message)


def _steps(shared: Controls) -> None:
    bench.lead(
        "The data-consistent network works in steps: improve the image, put the measured lines "
        "back, again. Watch the aliasing go first and detail come later."
    )
    message = gr.HTML(elem_id="steps-message", elem_classes="beside")
    look = gr.Button("Show the steps", variant="primary", elem_id="steps-look")
    words = gr.HTML(elem_id="steps-words")
    panels = gr.HTML(js_on_load=SCRIPT, elem_id="steps-panels")

    def follow(*values: Any) -> dict[Any, Any]:
        _, scan, sampling = bench.subject(values)
        measurement = scan.measure(sampling.mask, sampling.acceleration)
        stepped = METHODS[DEFAULT]
        assert isinstance(stepped, IterativeMethod)
        images = [measurement.zero_filled, *stepped.steps(measurement)]
        ssim = [scan.ssim(image) for image in images]
        shown = [
            Panel(f"step{n}", f"After step {n}" if n else "Zero-filled", f"SSIM {value:.3f}",
                  f"Image after step {n}", "image", scan.upright(image))
            for n, (image, value) in enumerate(zip(images, ssim, strict=True))
        ]  # fmt: skip
        shown.append(reference_panel(scan.upright(scan.truth)))
        chart = plots.curves(
            [plots.Series("", range(len(ssim)), ssim, points=True)],
            "step",
            "SSIM",
            f"SSIM from {ssim[0]:.3f} zero-filled to {ssim[-1]:.3f} after the last step",
        )
        return {words: chart, panels: viewer(shown)}

    bench.run(look.click, follow, [], shared, [panels, words], message)


def _time_lapse(shared: Controls) -> None:
    bench.lead(
        "A network begins with random weights and knows nothing. These are the weights of the "
        "plain CNN as they were along its training, applied to the slice that is open."
    )
    moments = STORE.snapshots(LEARNER)
    moment = gr.Slider(
        0,
        max(1, len(moments) - 1),
        0,
        step=1,
        label="Moment of the training, first to last",
        elem_id="lapse-moment",
    )
    message = gr.HTML(elem_id="lapse-message", elem_classes="beside")
    look = gr.Button("Show it", variant="primary", elem_id="lapse-look")
    words = gr.HTML(elem_id="lapse-words")
    panels = gr.HTML(js_on_load=SCRIPT, elem_id="lapse-panels")

    def travel(position: float, *values: Any) -> dict[Any, Any]:
        if not moments:
            raise InputError("No moments of a training are in the checkpoints folder.")
        _, scan, sampling = bench.subject(values)
        step = moments[int(np.clip(position, 0, len(moments) - 1))]
        measurement = scan.measure(sampling.mask, sampling.acceleration)
        image = method_of(STORE.load_snapshot(LEARNER, step))(measurement)
        before, after = (scan.ssim(x) for x in (measurement.zero_filled, image))
        label = METHODS[LEARNER].label
        shown = [
            Panel("zero_filled", "Zero-filled", f"SSIM {before:.3f}", "Zero-filled image",
                  "image", scan.upright(measurement.zero_filled)),
            Panel("reconstruction", label, f"SSIM {after:.3f}",
                  f"{label} after {step} steps", "image", scan.upright(image)),
            reference_panel(scan.upright(scan.truth)),
        ]  # fmt: skip
        curve = _loss(step)
        return {
            words: f"<p>After <b>{step}</b> steps of training: SSIM {after:.3f}.</p>{curve}",
            panels: viewer(shown),
        }

    for trigger in (look.click, moment.release):
        bench.run(trigger, travel, [moment], shared, [panels, words], message)


def _loss(step: int) -> str:
    """The loss curve of the training, with a mark at a step; nothing where it was not kept."""
    path = STORE.folder / LEARNER / "loss.csv"
    if not path.is_file():
        return ""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return plots.curves(
        [plots.Series("", [int(r["step"]) for r in rows], [float(r["loss"]) for r in rows])],
        "step of the training",
        "loss",
        "Training loss over steps",
        mark=(step, f"step {step}"),
    )
