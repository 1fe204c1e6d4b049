"""Results of experiments that take a while, kept for the slice that everybody opens first.

They are made by the same code that answers everybody else, and are kept under a key over that
code and the weights, so a result is never older than what would be computed now.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pooch

import recon
from recon import weights
from recon.ui.experiment import Answer, Experiment
from recon.ui.session import Choice, Origin

VARIABLE = "RECON_ANSWERS"  # environment variable: a folder to keep them in; empty for none
KEPT = Origin(example="head")
MOST = 100  # answers that are kept, of a few hundred kilobytes each; those asked for last


def keeps(choice: Choice) -> bool:
    """Whether results about this are kept: those on the first example, with its first masks."""
    return choice.origin == KEPT and choice.seed == 0 and choice.mask is None


def find(experiment: str, choice: Choice, own: dict[str, Any]) -> dict[str, Any] | None:
    """What an experiment gave for this question, if that was kept."""
    path = _path(experiment, choice, own)
    if path is None or not path.is_file():
        return None
    try:
        answer: dict[str, Any] = json.loads(path.read_text("utf-8"))
        os.utime(path)
        return answer
    except (OSError, ValueError):
        return None


def keep(experiment: str, choice: Choice, own: dict[str, Any], answer: dict[str, Any]) -> None:
    """Keep a complete result for the next one who asks."""
    path = _path(experiment, choice, own)
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written beside and renamed: nobody reads half a file.
        with tempfile.TemporaryDirectory(dir=path.parent) as beside:
            written = Path(beside) / path.name
            written.write_text(json.dumps(answer), "utf-8")
            written.replace(path)
        _make_room(path.parent)
    except OSError:  # a full or read-only disk only costs the next one some time
        return


def _make_room(folder: Path) -> None:
    """Take away what nobody has asked for since the longest, as what older code has made."""
    found = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
    for path in found[:-MOST]:
        path.unlink(missing_ok=True)


def kept(
    found: Iterable[Answer], experiment: Experiment, choice: Choice, own: dict[str, Any]
) -> Iterator[Answer]:
    """The same answers; the complete one is kept for the next person."""
    words: str | None = None
    panels: dict[str, Any] | None = None
    chart: str | None = None
    for answer in found:
        words = words if answer.words is None else answer.words
        panels = panels if answer.panels is None else answer.panels
        chart = chart if answer.chart is None else answer.chart
        if answer.done >= answer.of:
            whole = {"words": words, "panels": panels, "chart": chart}
            keep(experiment.key, choice, own, whole)
        yield answer


def said_so(stored: dict[str, Any]) -> Answer:
    """An answer that was kept, as `find` gives it, and that it was."""
    note = (
        '<p class="kept">Computed earlier on this server, by the code and the weights that answer '
        "now; times are of then.</p>"
    )
    answer = Answer(**stored)
    return replace(answer, words=(answer.words or "") + note)


def _path(experiment: str, choice: Choice, own: dict[str, Any]) -> Path | None:
    place = folder()
    if not keeps(choice) or place is None:
        return None
    # Experiments that are kept have their own choice of methods.
    asked = [experiment, choice.asked(with_method=False), {k: _plain(v) for k, v in own.items()}]
    question = json.dumps(asked, sort_keys=True, default=str)
    name = hashlib.sha256(f"{question} {state()}".encode()).hexdigest()[:32]
    return place / f"{name}.json"


def folder() -> Path | None:
    """Where answers are kept; None where they are not."""
    named = os.environ.get(VARIABLE)
    if named == "":
        return None
    return Path(named) if named else Path(pooch.os_cache("mri-recon")) / "answers"


def _plain(value: Any) -> Any:
    """3 and 3.0, of which a browser sends either, as the same."""
    return float(value) if isinstance(value, int | float) else value


@cache
def state() -> str:
    """A fingerprint of everything a result depends on: code and weights."""
    found = hashlib.sha256()
    home = Path(recon.__file__).parent
    for path in sorted(home.rglob("*.py")):
        found.update(path.relative_to(home).as_posix().encode())
        found.update(path.read_bytes())
    for name, folder in sorted(weights.default_or_shipped()[0].places().items()):
        for path in sorted(folder.glob("*.safetensors")):
            found.update(f"{name}/{path.name}".encode())
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()
