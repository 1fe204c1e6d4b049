"""Volumes of a batch: slices are kept as they come, and brought together when all are there.

Slices of one volume may be done by several processes, and some of them in an earlier run. Each is
written into a folder beside the volume that it belongs to, which goes when the volume is whole.
Slices that are zero everywhere, as at the ends of brains without their skulls, are saved so.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from recon import batch_names, export
from recon.errors import InputError
from recon.export import Slice
from recon.pipeline import Reconstruction

if TYPE_CHECKING:
    from recon.batch import Question, Task


def keep(result: Reconstruction, task: Task, out: Path) -> None:
    """Write a slice that was reconstructed."""
    path = _slice(task, result.method, out, result.source.slice)
    path.parent.mkdir(parents=True, exist_ok=True)
    Slice.of(result).write(path)


def leave_blank(question: Question, task: Task, out: Path, number: int) -> None:
    """Write down that a slice is zero everywhere."""
    for method in question.methods:
        path = _blank(_slice(task, method, out, number))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def forget(question: Question, tasks: Sequence[Task], out: Path) -> None:
    """Remove what an earlier run, of which nothing is wanted, kept of slices that will be done."""
    for task in tasks:
        for method in question.methods:
            for number in task.numbers:
                path = _slice(task, method, out, number)
                path.unlink(missing_ok=True)
                _blank(path).unlink(missing_ok=True)


def remove(question: Question, stems: Sequence[str], out: Path) -> None:
    """Remove figures and volumes that an earlier run made of files that give nothing now."""
    for path in out.iterdir() if stems else ():
        stem, method = batch_names.of_figure(path.name) or ("", "")
        if stem in stems and method in question.methods:
            path.unlink()
    for stem, rate, method in product(stems, question.accelerations, question.methods):
        for suffix in {kind.suffix for kind in export.EXPORTS.values()}:
            path = out / batch_names.folder(method, rate) / f"{stem}{suffix}"
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def assemble(question: Question, tasks: Sequence[Task], out: Path) -> list[tuple[str, str]]:
    """Save every volume whose slices are all there; a file and a sentence where some are not."""
    problems = []
    for task in tasks:
        for method in question.methods:
            wanted = [_slice(task, method, out, number) for number in task.numbers]
            there = [path for path in wanted if path.is_file()]
            if not there:  # it was brought together before, or the method could do none
                continue
            try:
                slices = there[0].parent
                with export.opened(question.save, slices.parent, task.stem, len(wanted)) as take:
                    for path in wanted:
                        if path in there:
                            take(Slice.read(path))
                        elif _blank(path).is_file():
                            like, apart = there[0], int(path.stem) - int(there[0].stem)
                            take(Slice.read(like).blank(apart))
                shutil.rmtree(slices)
            except (InputError, OSError) as error:
                problems.append((str(task.file), f"{method}: {error}"))
    return problems


def _slice(task: Task, method: str, out: Path, number: int) -> Path:
    folder = out / batch_names.folder(method, task.acceleration) / f"{task.stem}-slices"
    return folder / f"{number:05}.npz"


def _blank(path: Path) -> Path:
    """What stands in the place of a slice that is zero everywhere."""
    return path.with_suffix(".blank")
