"""GRAPPA: a kernel drawn over k-space, its weights, and the line it fills."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import numpy as np

from recon import figures
from recon.coils.grappa import Kernel
from recon.fourier import combined
from recon.methods.parallel import Grappa
from recon.probes.coils import calibration_lines, kernel
from recon.ui.coils.common import acceleration, subject
from recon.ui.experiment import Action, Answer, Experiment
from recon.ui.session import Choice
from recon.ui.viewer import Panel, reference_panel, viewer

STEP = 26  # of the drawing, in units of the SVG


def learn(choice: Choice, rate: float, lines: float) -> Iterator[Answer]:
    """Learn the weights in the middle and fill the other lines."""
    scan, where = subject(choice)
    mask, found = kernel(scan, int(rate), int(lines))
    measurement = scan.measure(mask)
    image = Grappa()(measurement)
    before = measurement.zero_filled
    shown = [
        Panel("kspace", "Measured k-space", f"{int(mask.sum())} of {mask.size} lines",
              "Measured k-space", "decibels",
              scan.upright(figures.log_kspace(combined(measurement.kspace)))),
        Panel("zero_filled", "Zero-filled", f"SSIM {scan.ssim(before):.3f}", "Zero-filled image",
              "image", scan.upright(before)),
        Panel("grappa", "GRAPPA", f"SSIM {scan.ssim(image):.3f}", "GRAPPA image",
              "image", scan.upright(image)),
        reference_panel(scan.upright(scan.truth)),
    ]  # fmt: skip
    coils = found.weights.shape[0]
    words = (
        f"<p>Every missing sample is a weighted sum of {found.weights[..., 0].numel()} neighbours: "
        f"{coils} coils, {found.weights.shape[1]} samples along the line, {len(found.offsets)} "
        f"measured lines. Its weights were learned from {calibration_lines(mask)} lines in the "
        f"middle. This kernel fills {len(found.targets)} lines.</p>"
    )
    yield Answer(where + words, viewer(shown, None, scan.data_range), drawing(found, mask))


def drawing(found: Kernel, mask: np.ndarray) -> str:
    """K-space lines as columns; a source is as large as its weights, all coils together."""
    target = min(found.targets, key=lambda line: abs(line - len(mask) // 3))
    lines = [line for line in range(target - 12, target + 13) if 0 <= line < len(mask)]
    sizes = found.weights.abs().square().sum((0, 3)).sqrt().numpy()  # (readout, lines)
    height = (len(sizes) + 2) * STEP
    parts = []
    for place, line in enumerate(lines):
        x = (place + 0.5) * STEP
        dash = "" if mask[line] else ' stroke-dasharray="2 5"'
        parts.append(
            f'<line x1="{x}" x2="{x}" y1="6" y2="{height - 22}" stroke="currentColor" '
            f'stroke-width="{2 if mask[line] else 1}" opacity="0.45"{dash}/>'
        )
        if place % 3 == 0:  # room for three digits in the larger words of narrow screens
            parts.append(f'<text x="{x}" y="{height - 6}" text-anchor="middle">{line}</text>')
    for column, offset in enumerate(found.offsets):
        if target + offset not in lines:
            continue
        x = (lines.index(target + offset) + 0.5) * STEP
        parts += [
            f'<circle cx="{x}" cy="{(row + 1) * STEP}" r="{2 + 9 * size / sizes.max():.1f}" '
            f'fill="#0072b2"/>'
            for row, size in enumerate(sizes[:, column])
        ]
    x, y = (lines.index(target) + 0.5) * STEP, (len(sizes) // 2 + 1) * STEP
    parts.append(f'<circle cx="{x}" cy="{y}" r="9" fill="none" stroke="#d55e00" stroke-width="4"/>')
    width = len(lines) * STEP
    return (
        f'<svg class="plot" viewBox="0 0 {width} {height}" role="img" aria-label="GRAPPA kernel: '
        f"line {target} is filled from lines "
        f'{", ".join(str(target + offset) for offset in found.offsets)}">{"".join(parts)}</svg>'
        f"<p>Lines of k-space by number: solid ones are measured, dotted ones are not. The ring is "
        f"the sample that is filled; a disc is as large as the weights of that neighbour, all "
        f"coils together. Neighbours at {', '.join(f'{o:+d}' for o in found.offsets)} lines.</p>"
    )


def _controls() -> dict[str, Any]:
    return {
        "rate": acceleration("grappa", 3),
        "lines": gr.Slider(8, 64, 24, step=4, label="Calibration lines", elem_id="grappa-lines"),
    }


EXPERIMENT = Experiment(
    "grappa",
    "GRAPPA",
    "The same idea without maps: coils are smooth, so a sample of k-space is a weighted sum of its "
    "neighbours in all coils, with the <b>same weights everywhere</b>. They are learned in the "
    "middle, where every line was measured.",
    (Action("Learn and fill", "look", learn, live=("rate", "lines")),),
    _controls,
    asks="coils",
)
