"""One coil against many, at the same lines, with and without the network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html import escape
from typing import Any

import numpy as np

from recon.errors import InputError
from recon.masks import calibrated
from recon.methods import DEFAULT
from recon.scan import Scan
from recon.ui import session
from recon.ui.coils.common import acceleration, subject
from recon.ui.experiment import Action, Answer, Experiment
from recon.ui.html import remarks, table
from recon.ui.session import Choice
from recon.ui.viewer import Panel, reference_panel, viewer

ALONE = ("zero-filled", "cs", DEFAULT)
HEAD = ("", "error", "SSIM")
TOGETHER = ("zero-filled", "sense", "grappa", "cs-sense", DEFAULT)


def alone(scan: Scan) -> tuple[int, Scan]:
    """The coil with the most signal, by its number and as a scan of its own."""
    strongest = int(np.argmax(np.linalg.norm(scan.kspace, axis=(-2, -1))))
    return strongest, replace(scan, kspace=scan.kspace[strongest], coils=strongest)


def compare(choice: Choice, rate: float) -> Iterator[Answer]:
    """The same lines, from one coil and from all."""
    scan, where = subject(choice)
    number, one = alone(scan)
    mask = calibrated(scan.width, int(rate), seed=0)
    total, done = len(ALONE) + len(TOGETHER), 0
    rows: list[list[str]] = []
    notes: list[tuple[str, str]] = []
    shown: list[Panel] = [reference_panel(scan.upright(scan.truth))]
    yield Answer(done=0, of=total)
    for title, which, names in (
        (f"coil {number} alone", one, ALONE),
        (f"{len(scan.kspace)} coils", scan, TOGETHER),
    ):
        measurement = which.measure(mask, rate)
        for name in names:
            method = session.method(choice, name)
            done += 1
            try:
                image = method(measurement)
            except InputError as refusal:  # the others can
                notes.append((method.label, str(refusal)))
                below = table(HEAD, rows) + remarks(notes)
                yield Answer(where + below, done=done, of=total)
                continue
            notes += [(method.label, one) for one in method.notes(measurement)]
            score = which.score(image)
            assert score is not None
            # A coil's image is dark almost everywhere, which flatters its PSNR.
            error = f"{np.sqrt(score['nmse']):.1%}"
            rows.append([f"{method.label}, {title}", error, f"{score['ssim']:.3f}"])
            if which is scan:
                shown.append(
                    Panel(name, method.label, f"error {error}", method.label,
                          "image", scan.upright(image))
                )  # fmt: skip
            words = table(HEAD, rows) + remarks(notes)
            yield Answer(where + words, viewer(shown, None, scan.data_range, columns=3),
                         done=done, of=total)  # fmt: skip


def start(choice: Choice, label: str) -> Answer:
    """The scan that it would be about."""
    scan, where = subject(choice)
    words = f"<p>This takes a while: press <b>{escape(label)}</b> to begin.</p>"
    shown = viewer([reference_panel(scan.upright(scan.truth))], None, scan.data_range, columns=3)
    return Answer(where + words, shown)


def _controls() -> dict[str, Any]:
    return {"rate": acceleration("many", 3)}


EXPERIMENT = Experiment(
    "many",
    "One coil or many",
    "The same lines of the same scan: from the coil with the most signal alone, judged by its own "
    "fully sampled image, and from all coils. What do coils add, what does the network? The error "
    "is a share of the image's own size.",
    (Action("Compare", "look", compare, live=("rate",)),),
    _controls,
    opens="stored",
    first=start,
    asks="coils",
)
