"""Out of distribution: turn the object, add noise, change the mask. Who breaks?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from recon import examples, weights
from recon.errors import InputError
from recon.probes.shift import INSIDE, SHIFTS, Outcome, Shift, evaluate, known
from recon.scan import Scan
from recon.ui import session
from recon.ui.components import method_boxes
from recon.ui.experiment import Action, Answer, Experiment
from recon.ui.html import remark, table
from recon.ui.session import Choice
from recon.ui.viewer import Panel, viewer
from recon.weights import WeightsError

# Of those that were accelerated nothing is known to judge by.
OTHERS = {
    key: f"another object: {example.title}"
    for key, example in examples.EXAMPLES.items()
    if example.calibration is None
}
NOTE = (
    "<p>SSIM, and in brackets the share of the gap between zero-filled and perfect that was "
    "closed; below zero the method made it worse. “In training” marks a change that the network's "
    "last training had too. The pictures show the last row.</p>"
)


def change(choice: Choice, methods: list[str], changes: list[int | str]) -> Iterator[Answer]:
    """Score methods on the slice as it is and changed, a row at a time."""
    scan, _ = session.subject(choice)
    chosen = session.methods(choice, methods)
    shifts = [INSIDE, *(shift for number, shift in enumerate(SHIFTS) if number in changes)]
    given: dict[str, Any] = {"center_fraction": choice.center_fraction, "seed": choice.seed}
    jobs = [("", shift) for shift in shifts]
    others = [key for key in OTHERS if key in changes and key != choice.origin.example]
    jobs += [(key, Shift(OTHERS[key])) for key in others]
    rate, several = choice.acceleration, scan.kspace.ndim > 2
    total, done, panels = len(jobs) * len(chosen), 0, None
    rows: list[list[str]] = []
    refused: dict[str, str] = {}
    yield Answer(done=0, of=total)
    for key, shift in jobs:
        looked = Scan.of(examples.load(key)) if key else scan
        found: list[Outcome] = []
        cells = []
        for method in chosen:
            try:
                (one,) = evaluate(looked, [method], [shift], rate, **given)
                found.append(one)
                score = f"{one.scores['ssim']:.3f} ({one.closed:+.0%})"
                cells.append(score + _known(one, several, rate))
            except InputError as error:
                if not (rows or found) and len(cells) == len(chosen) - 1:
                    raise  # none of them can
                refused[method.label] = remark(method.label, str(error))
                cells.append("–")
            done += 1
            if len(cells) < len(chosen):
                yield Answer(done=done, of=total)
        rows.append([shift.label, *cells])
        words = table(["", *(method.label for method in chosen)], rows)
        panels = _pictures(found, shift) if found else panels
        yield Answer(words + "".join(refused.values()) + NOTE, panels, done=done, of=total)


def _known(outcome: Outcome, several: bool, rate: float) -> str:
    """Whether the network was trained for it; nothing of what is none, or has no record."""
    store = weights.default_or_shipped()[0]
    try:
        run = store.record(store.nearest(outcome.method.name, rate, several)).get("run")
    except WeightsError:
        return ""
    return " · in training" if run and known(outcome.shift, run) else ""


def _pictures(found: list[Outcome], shift: Shift) -> dict[str, Any]:
    shown = [
        Panel(f"method{n}", one.method.label, f"SSIM {one.scores['ssim']:.3f}",
              f"{one.method.label} reconstruction, change: {one.shift.label}", "image", one.image)
        for n, one in enumerate(found)
    ]  # fmt: skip
    shown.append(
        Panel("reference", "Fully sampled", shift.label, "Fully sampled reference",
              "image", found[0].reference)
    )  # fmt: skip
    return viewer(shown)


def _controls() -> dict[str, Any]:
    return {
        "methods": method_boxes("shift", "zero-filled", "unet", "resnet-dc"),
        "changes": gr.CheckboxGroup(
            [
                *((shift.label, number) for number, shift in enumerate(SHIFTS)),
                *((label, key) for key, label in OTHERS.items()),
            ],
            value=[*range(len(SHIFTS)), "phantom"],
            label="Changes",
            elem_id="shift-which",
        ),
    }


EXPERIMENT = Experiment(
    "shift",
    "Out of distribution",
    "A network knows what it was trained on: for those built in, mostly heads of a few people. "
    "Ask for something else: the same slice turned, noisier, with other masks, measured along the "
    "other axis, or for another object or scanner altogether. Your own file of another anatomy "
    "goes in on the first tab.",
    (Action("Try them", "look", change),),
    _controls,
    opens="stored",
)
