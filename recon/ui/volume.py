"""All slices of the file that is open: their scores as they come, then those of the volume."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from recon.errors import InputError
from recon.limits import LimitError
from recon.ui import plots, session
from recon.ui.experiment import Action, Answer, Experiment, pictures
from recon.ui.html import table
from recon.ui.session import Choice
from recon.ui.viewer import Panel
from recon.volume import DEFINITION, VolumeRun, VolumeScores

SCORES = (("ssim", "SSIM", ".3f"), ("psnr", "PSNR (dB)", ".1f"), ("nmse", "NMSE", ".4f"))
COLUMNS = ["slice", *(f"{of}{name}" for of in ("", "zero_filled_") for name, *_ in SCORES)]

ONE = "What is open holds one slice; a file with several has more to show."
UNDERSAMPLED = (
    "The file that is open was undersampled already: there is no truth to score its slices with."
)
LACKS = "Lines of this slice are missing, so there is no truth to score it with."

Record = dict[str, Any]


def one_slice(choice: Choice, label: str) -> Answer:
    """The slice that is open, whose scores are known, and what all of them would take."""
    return _open_slice(choice, _slices(session.volume(choice)), label)


def _slices(run: VolumeRun | None) -> int:
    return 1 if run is None else len(run.volume.places)


def _open_slice(choice: Choice, total: int, label: str = "") -> Answer:
    result, problem = session.attempt(choice)
    if total == 1:
        words = f"<p>{ONE}</p>"
    else:
        words = (
            f"<p>One of {total} slices. All of them take about "
            f"{max(1, round(total * result.seconds))} s: "
            f"press <b>{escape(label)}</b>.</p>"
        )
    if result.reference is None:
        words = f"<p>{UNDERSAMPLED}</p>"
    else:
        words += _table([result.record()], result.label)
    where = f"slice {result.source.slice} of 0 to {total - 1}" if total > 1 else ""
    made = Panel(
        "reconstruction", result.label, where, f"Made by {result.label}", "image", result.image
    )
    return Answer(escape(problem) + words, pictures(result, made))


def all_slices(choice: Choice) -> Iterator[Answer]:
    """Reconstruct and score slice after slice."""
    run = session.volume(choice)
    total = _slices(run)
    if run is None or total == 1:
        yield _open_slice(choice, total)
        return
    label = run.methods[0].label
    records: list[Record] = []
    lacking: list[int] = []  # slices that have no truth
    done, words, chart, looked = 0, "", "", 0
    yield Answer("", _open_slice(choice, total).panels, "", done=0, of=total)
    try:
        for result in run.pieces():
            if run.maximum == 0:  # the whole volume was looked through for a truth
                raise InputError(UNDERSAMPLED)
            if result is not None and result.reference is None:
                lacking.append(result.source.slice)
            elif result is not None:
                records.append(result.record())
            elif run.maximum is None and (records or lacking):
                looked += 1
                note = f"<p>Looking for the maximum of the volume: {looked} of {total} slices.</p>"
                yield Answer(words + note, done=done, of=total)
                continue
            done += 1
            words, chart = _words(records, total, label), _chart(records, label)
            # The last one is complete when the volume has its scores.
            yield Answer(words, chart=chart, done=min(done, total - 1), of=total)
    except LimitError as error:
        yield Answer(f"{words}<p>Stopped after {len(records)} slices. {escape(str(error))}</p>")
        return
    if not records:
        raise InputError(UNDERSAMPLED if lacking else next(iter(run.problems.values())))
    assert run.scores is not None
    words = _volume(run.scores, label) + _left_out(run, lacking) + _downloads(records, run.scores)
    yield Answer(words + _table(records, label), chart=chart, done=total, of=total)


def _words(records: Sequence[Record], total: int, label: str) -> str:
    return f"<p>{len(records)} of {total} slices, {escape(label)}.</p>" + _table(records, label)


def _volume(scores: VolumeScores, label: str) -> str:
    """Scores of the volume, and how they are defined."""
    rows = [
        [name, *(format(metrics[key], spec) for key, _, spec in SCORES)]
        for name, metrics in (
            ("Zero-filled", scores.zero_filled_metrics),
            (label, scores.metrics),
        )
    ]
    head = ["", *(title for _, title, _ in SCORES)]
    return (
        f"<p><b>The volume</b>, {scores.slices} slices with the same mask:</p>{table(head, rows)}"
        f"<p>As in {escape(DEFINITION)}. Slices below are scored one by one, each with the data "
        "range that the first tab uses.</p>"
    )


def _left_out(run: VolumeRun, lacking: Sequence[int]) -> str:
    why = [(number, sentence) for ((_, number), _), sentence in run.problems.items()]
    why = sorted([*why, *((number, LACKS) for number in lacking)])
    if not why:
        return ""
    items = "".join(f"<li>slice {number}: {escape(sentence)}</li>" for number, sentence in why)
    return f"<details><summary>{len(why)} slices left out</summary><ul>{items}</ul></details>"


def _table(records: Sequence[Record], label: str) -> str:
    """A row for each slice, whose number opens it."""
    names = [f"{title}, {escape(label)}" for _, title, _ in SCORES]
    head = ["Slice", "SSIM, zero-filled", *names]
    rows = []
    for record in records:
        number = record["slice"]
        cells = [_cell(record["zero_filled_ssim"], ".3f")]
        cells += [_cell(record[key], spec) for key, _, spec in SCORES]
        rows.append(
            f'<tr><th scope="row"><button type="button" data-slice="{number}" '
            f'aria-label="Open slice {number}">{number}</button></th>'
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + "</tr>"
        )
    top = "".join(f'<th scope="col">{title}</th>' for title in head)
    return (
        '<div class="scroll volume" tabindex="0" role="group" aria-label="Scores of slices">'
        f'<table class="scores"><thead><tr>{top}</tr></thead><tbody>{"".join(rows)}</tbody>'
        "</table></div>"
    )


def _cell(value: float | None, spec: str) -> str:
    return "∞" if value is None else format(value, spec)


def _chart(records: Sequence[Record], label: str) -> str:
    """Scores over slices, one plot each; a press on a point opens its slice."""
    numbers = [record["slice"] for record in records]
    parts = []
    for key, title, _ in SCORES:
        series = [
            plots.Series(
                name,
                numbers,
                [float("nan") if r[prefix + key] is None else r[prefix + key] for r in records],
            )
            for name, prefix in (("Zero-filled", "zero_filled_"), (label, ""))
        ]
        parts.append(plots.curves(series, "slice", title, f"{title} of every slice", opens=True))
    return "".join(parts)


def _downloads(records: Sequence[Record], scores: VolumeScores) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(records)
    whole = json.dumps({"volume": scores.record(), "slices": records}, indent=1, allow_nan=False)
    links = " · ".join(
        f'<a download="slices.{kind}" href="data:{mime};base64,'
        f'{base64.b64encode(content.encode()).decode()}">{kind.upper()}</a>'
        for kind, mime, content in (
            ("csv", "text/csv", text.getvalue()),
            ("json", "application/json", whole),
        )
    )
    return f"<p>Download all scores: {links}</p>"


EXPERIMENT = Experiment(
    "volume",
    "All slices",
    "One slice says little about a volume: the same mask and method on every slice of the file "
    "that is open. A press on a point or on a number opens its slice.",
    (Action("Score all slices", "run", all_slices),),
    opens="",
    first=one_slice,
    asks="volume",
)
