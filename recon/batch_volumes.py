"""Volumes of a batch: slices are kept as they come, and brought together when all are there.

Slices of one volume may be done by several processes, and some of them in an earlier run. Each is
written into a folder beside the volume that it belongs to, which goes when the volume is whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recon import export
from recon.errors import InputError
from recon.export import Slice
from recon.pipeline import Reconstruction

if TYPE_CHECKING:
    from recon.batch import Question, Task


def keep(result: Reconstruction, task: Task, out: Path) -> None:
    """Write a slice that was reconstructed."""
    folder = _slices(task, result.method, out)
    folder.mkdir(parents=True, exist_ok=True)
    Slice.of(result).write(folder / f"{result.source.slice:05}.npz")


def assemble(question: Question, tasks: Sequence[Task], out: Path) -> list[tuple[str, str]]:
    """Save every volume whose slices are all there; a file and a sentence where some are not."""
    problems = []
    for task in tasks:
        for method in question.methods:
            folder = _slices(task, method, out)
            there = sorted(folder.glob("*.npz"))
            if not there:  # it was brought together before, or the method could do none
                continue
            try:
                with export.opened(
                    question.save, folder.parent, task.stem, len(task.numbers)
                ) as take:
                    for path in there:
                        take(Slice.read(path))
                shutil.rmtree(folder)
            except (InputError, OSError) as error:
                problems.append((str(task.file), f"{method}: {error}"))
    return problems


def _slices(task: Task, method: str, out: Path) -> Path:
    return out / f"{method}-{task.acceleration:.3g}x" / f"{task.stem}-slices"
