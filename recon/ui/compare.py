"""Methods side by side on one slice and mask; how one of them works, and how one learned."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import gradio as gr
import numpy as np

from recon import weights
from recon.classical import REGULARIZATION
from recon.errors import InputError
from recon.methods import DEFAULT, METHODS, IterativeMethod, Method
from recon.methods.networks import method_of
from recon.methods.simple import CompressedSensing
from recon.metrics import closed_share
from recon.ui import plots, session
from recon.ui.components import method_boxes
from recon.ui.experiment import Action, Answer, Experiment, pictures
from recon.ui.html import remarks, table
from recon.ui.session import Choice
from recon.ui.solved import Solved
from recon.ui.viewer import Panel, reference_panel, viewer

STRENGTHS = (0.001, 0.002, 0.004, REGULARIZATION, 0.015, 0.03, 0.06)
HEAD = ("", "SSIM", "gap closed", "PSNR", "NMSE", "time")
WIDEST = 5  # panels in one row; more are broken into rows of four
LEARNER = "resnet-dc-small"  # the network whose training was kept


def side_by_side(choice: Choice, methods: list[str], strength: float) -> Iterator[Answer]:
    """Every method on the same lines; those that are ready are shown already."""
    scan, sampling = session.subject(choice)
    regularization = STRENGTHS[int(np.clip(strength, 0, len(STRENGTHS) - 1))]
    chosen = session.methods(choice, methods)
    if regularization != REGULARIZATION:  # of this experiment alone
        chosen = [CompressedSensing(regularization) if x.name == "cs" else x for x in chosen]
    measurement = scan.measure(sampling.mask, sampling.acceleration)
    before = scan.ssim(measurement.zero_filled)
    rows: list[list[str]] = []
    images: list[Panel] = []
    errors: list[Panel] = []
    strong = f"<p>Regularisation {regularization:g} of the maximum.</p>" if "cs" in methods else ""
    notes: list[tuple[str, str]] = []
    yield Answer(done=0, of=len(chosen))
    for number, method in enumerate(chosen):
        start = time.perf_counter()
        try:
            image = method(measurement)
        except InputError as error:  # one that cannot work with this slice; the others can
            notes.append((method.label, str(error)))
            panels = (
                None if images else pictures(session.run(replace(choice, method="zero-filled")))
            )
            below = strong + remarks(notes)
            yield Answer(table(HEAD, rows) + below, panels, done=number + 1, of=len(chosen))
            continue
        seconds = time.perf_counter() - start
        if isinstance(method, Solved):
            seconds = method.seconds
        notes += [(method.label, one) for one in method.notes(measurement)]
        score = scan.score(image)
        assert score is not None
        rows.append(
            [
                method.label,
                f"{score['ssim']:.3f}",
                f"{closed_share(score['ssim'], before):.0%}",
                f"{score['psnr']:.1f} dB",
                f"{score['nmse']:.4f}",
                f"{seconds:.2f} s",
            ]
        )
        name, title = f"method{number}", method.label
        images.append(
            Panel(name, title, f"SSIM {score['ssim']:.3f}", f"{title} image", "image",
                  scan.upright(image))
        )  # fmt: skip
        errors.append(
            Panel(f"{name}_error", f"Error, {title}", "", f"Error map of {title}", "error",
                  of=name, against="reference")
        )  # fmt: skip
        shown = [*images, reference_panel(scan.upright(scan.truth))]
        shown, columns = _rows(shown, errors, len(chosen) + 1)
        yield Answer(
            table(HEAD, rows) + strong + remarks(notes),
            viewer(shown, None, scan.data_range, columns=columns),
            done=number + 1,
            of=len(chosen),
        )


def _rows(images: list[Panel], errors: list[Panel], total: int) -> tuple[list[Panel], int]:
    """Every row of images above its row of errors; `total` images in the end."""
    columns = total if total <= WIDEST else 4
    shown = [
        panel
        for start in range(0, len(images), columns)
        for row in (images, errors)
        for panel in row[start : start + columns]
    ]
    return shown, columns


def step_by_step(choice: Choice) -> Iterator[Answer]:
    """The picture after every step of the data-consistent network."""
    scan, sampling = session.subject(choice)
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
    yield Answer(_steps(ssim), viewer(shown, None, scan.data_range), chart)


def _steps(ssim: Sequence[float]) -> str:
    """In words, how the scores go on from zero-filled, the first one, to the last step."""
    before, *after = (round(value, 3) for value in ssim)
    lowest = min(after)
    why = "no step is trained to be good by itself, only what comes out after the last one"
    words = f"SSIM from {before:.3f} zero-filled to {after[-1]:.3f} after the last step."
    if lowest < min(before, after[-1]):
        step = after.index(lowest) + 1
        more = f"After step {step} it is below zero-filled, {lowest:.3f}: {why}."
    elif any(b < a for a, b in pairwise((before, *after))):
        more = f"It does not grow with every step: {why}."
    else:
        more = "No step lowers it."
    return f"<p><span>{words}</span> <span>{more}</span></p>"


def time_lapse(choice: Choice, moment: float) -> Iterator[Answer]:
    """A network as it was at one moment of its training, and how it did at all of them."""
    store = weights.default_or_shipped()[0]
    moments = store.snapshots(LEARNER)
    if not moments:
        raise InputError("No moments of a training are in the checkpoints folder.")
    scan, sampling = session.subject(choice)
    measurement = scan.measure(sampling.mask, sampling.acceleration)
    upload = choice.origin.upload
    images: list[np.ndarray] = []
    for done, step in enumerate(moments):
        if done:
            yield Answer(done=done, of=len(moments))
        images.append(Solved(_learned(store, step), upload)(measurement))
    ssim = [scan.ssim(image) for image in images]
    before = scan.ssim(measurement.zero_filled)
    number = int(np.clip(moment, 0, len(moments) - 1))
    step, image, after = moments[number], images[number], ssim[number]
    shown = [
        Panel("zero_filled", "Zero-filled", f"SSIM {before:.3f}", "Zero-filled image",
              "image", scan.upright(measurement.zero_filled)),
        Panel("reconstruction", f"After {step} steps", f"SSIM {after:.3f}",
              f"The network after {step} steps", "image", scan.upright(image)),
        reference_panel(scan.upright(scan.truth)),
    ]  # fmt: skip
    words = (
        f"<p>After <b>{step}</b> steps of training: SSIM {after:.3f}. "
        f"{_course(moments, ssim, before)}</p>"
    )
    if scan.kspace.ndim == 3 and round(ssim[0] - before, 3) > 0:
        words += (
            "<p>What it gains before it has learned anything comes from the coils: their maps and "
            "the measured lines.</p>"
        )
    chart = plots.curves(
        [plots.Series("", range(len(ssim)), ssim, points=True)],
        "moment of the training",
        "SSIM",
        f"SSIM at every moment, from {ssim[0]:.3f} to {ssim[-1]:.3f}",
        mark=(number, f"step {step}"),
    )
    yield Answer(words, viewer(shown, None, scan.data_range), chart + _loss(step))


@lru_cache(maxsize=16)
def _learned(store: weights.Store, step: int) -> Method:
    """The network of a moment."""
    return method_of(store.load_snapshot(LEARNER, step))


def _course(moments: Sequence[int], ssim: Sequence[float], before: float) -> str:
    """In words, what the training did on this slice; zero-filled has the SSIM `before`."""
    best = int(np.argmax(ssim))
    if round(ssim[-1] - before, 3) > 0:
        end = f"at the end, {ssim[-1]:.3f} against {before:.3f} zero-filled"
    else:
        end = f"at the end not better than zero-filled, {ssim[-1]:.3f} against {before:.3f}"
    if best == len(moments) - 1:
        return f"On this slice it is best {end}."
    return f"On this slice it is best after {moments[best]} steps, with {ssim[best]:.3f}; {end}."


def _loss(step: int) -> str:
    """The loss curve of the training, with a mark at a step; nothing where it was not kept."""
    path = weights.default_or_shipped()[0].folder / LEARNER / "loss.csv"
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


def _side_controls() -> dict[str, Any]:
    return {
        "methods": method_boxes("side", "zero-filled", "cs", "unet", "resnet-dc"),
        "strength": gr.Slider(
            0,
            len(STRENGTHS) - 1,
            STRENGTHS.index(REGULARIZATION),
            step=1,
            label="Regularisation of compressed sensing, weak to strong",
            elem_id="side-strength",
        ),
    }


def _lapse_controls() -> dict[str, Any]:
    last = max(1, len(weights.default_or_shipped()[0].snapshots(LEARNER)) - 1)
    return {
        "moment": gr.Slider(
            0,
            last,
            0,
            step=1,
            label="Moment of the training, first to last",
            elem_id="lapse-moment",
        )
    }


EXPERIMENTS = (
    Experiment(
        "side",
        "Side by side",
        "The same slice, the same lines, every method. Compressed sensing has learned nothing and "
        "looks for the image with the fewest edges that fits the data; how much it minds edges is "
        "the slider. The networks have learned what pictures of bodies look like, mostly of heads.",
        (Action("Compare", "look", side_by_side, live=("strength",)),),
        _side_controls,
        opens="stored",
    ),
    Experiment(
        "steps",
        "Step by step",
        "The data-consistent network works in steps: improve the image, put the measured lines "
        "back, again. Which step takes the aliasing away, and which brings detail?",
        (Action("Show the steps", "look", step_by_step),),
    ),
    Experiment(
        "lapse",
        "Training time-lapse",
        "A network begins knowing nothing. These are the weights of a small data-consistent one, "
        "a narrow ResNet-DC of three steps, as they were along its training, applied to the slice "
        "that is open.",
        (Action("Show it", "look", time_lapse, live=("moment",)),),
        _lapse_controls,
    ),
)
