"""Volumes of a batch: slices are kept as they come, and brought together when all are there.

Slices of one volume may be done by several processes, and some of them in an earlier run. Each is
written into a folder beside the volume that it belongs to, which goes when the volume is whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recon import export, masks
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


def forget(question: Question, tasks: Sequence[Task], out: Path) -> None:
    """Remove what an earlier run, of which nothing is wanted, kept of slices that will be done."""
    for task in tasks:
        for method in question.methods:
            for number in task.numbers:
                _slice(task, method, out, number).unlink(missing_ok=True)


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
                    for path in there:
                        take(Slice.read(path))
                shutil.rmtree(slices)
            except (InputError, OSError) as error:
                problems.append((str(task.file), f"{method}: {error}"))
    return problems


def _slice(task: Task, method: str, out: Path, number: int) -> Path:
    folder = out / f"{method}-{masks.shortly(task.acceleration)}" / f"{task.stem}-slices"
    return folder / f"{number:05}.npz"
