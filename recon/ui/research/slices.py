"""All slices of a volume at a glance: SSIM of each, and a way to open it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from html import escape

import numpy as np

from recon.errors import InputError
from recon.methods import find
from recon.pipeline import solve
from recon.ui import session
from recon.ui.experiment import Action, Answer, Experiment
from recon.ui.session import Choice

MOST = 48  # slices that are scored; of more, evenly spaced ones

Row = tuple[int, float, float]


def score(choice: Choice) -> Iterator[Answer]:
    """SSIM of the slices of a file, one after the other, before and after."""
    source = session.subject(choice)[0].source
    if source.slices < 2:
        yield Answer("<p>What is open holds one slice.</p>", {}, "")
        return
    method = find(choice.method)
    numbers = np.unique(np.linspace(0, source.slices - 1, MOST).round()).astype(int).tolist()
    rows: list[Row] = []
    yield Answer("", {}, "", done=0, of=len(numbers))
    for done, number in enumerate(numbers, 1):
        wish = replace(choice, slice=number)
        try:
            scan, sampling = session.subject(wish)
            result = solve(scan, sampling, method)
        except InputError:  # a slice without signal, at the end of many volumes
            yield Answer(done=done, of=len(numbers))
            continue
        assert result.metrics is not None
        assert result.zero_filled_metrics is not None
        rows.append((number, result.zero_filled_metrics["ssim"], result.metrics["ssim"]))
        yield Answer(
            _words(rows, len(numbers), source.slices, method.label),
            chart=_strip(rows, choice.slice),
            done=done,
            of=len(numbers),
        )
    if not rows:
        raise InputError("None of these slices can be scored.")


def _words(rows: list[Row], wanted: int, slices: int, label: str) -> str:
    before, after = np.mean([row[1:] for row in rows], 0)
    worst = min(rows, key=lambda row: row[2])
    some = "" if wanted == slices else f", evenly spaced among {slices}"
    return (
        f"<p>Mean SSIM of {len(rows)} slices{some}: zero-filled {before:.3f}, {escape(label)} "
        f"<b>{after:.3f}</b>. Lowest: slice {worst[0]}, {worst[2]:.3f}. Press a bar to open its "
        "slice.</p>"
    )


def _strip(rows: list[Row], at: int | None) -> str:
    data = escape(json.dumps([[number, round(a, 4), round(b, 4)] for number, a, b in rows]))
    return f'<recon-slices rows="{data}" at="{at}"></recon-slices>'


EXPERIMENT = Experiment(
    "research-slices",
    "All slices",
    "SSIM of every slice of the volume that is open, with this mask and method: gray for the "
    "zero-filled image, blue for the method.",
    (Action("Score all slices", "score", score),),
    opens="stored",
    asks_method=True,
    asks_slice=False,
)
