"""Many files and slices: what is to be done, what is done already, and who does which part.

The work is dealt out in shares: one for each process of ``--jobs``, of each rank of a launcher
(``torchrun``, ``accelerate launch``: environment variables ``RANK`` and ``WORLD_SIZE``). Every
share knows the whole plan, so nobody has to be asked. What became of it is kept by
`recon.batch_results`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from recon import batch_names, figures, masks, readers
from recon.batch_volumes import keep, leave_blank
from recon.errors import InputError
from recon.methods import METHODS
from recon.pipeline import Reconstruction
from recon.scan import Coils, PhaseEncode
from recon.volume import Share, Volume, VolumeRun
from recon.weights import WeightsError

Record = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """What is asked of every file; the same question has the same answer."""

    accelerations: tuple[float, ...] = (4.0,)
    methods: tuple[str, ...] = ("resnet-dc",)
    slice: int | str | None = None  # "all", or None for the middle one
    seed: int = 0
    center_fraction: float | None = None
    family: str = "random"
    coils: Coils = "rss"
    phase_encode: PhaseEncode = "columns"
    axes: str = "auto"
    weights: str | None = None
    crop: bool = True
    save: tuple[str, ...] = ()  # kinds of volumes, see `recon.export`
    coil_images: bool = False
    mask: str | None = None  # lines to measure in place of a drawn mask: a text of 1 and 0


@dataclass(frozen=True)
class Task:
    """Slices of one file at one acceleration.

    Attributes
    ----------
    file, stem
        The file, and how names of its figures begin.
    acceleration
        That is asked for.
    held
        How many slices the file holds.
    numbers
        Those to be done.
    """

    file: Path
    stem: str
    acceleration: float
    held: int
    numbers: tuple[int, ...]


@dataclass
class Plan:
    """Everything that is to be done, and what is wrong with files that cannot be read."""

    question: Question
    tasks: list[Task] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)  # of all files: what is made of them

    def ordered(self, records: Iterable[Record]) -> list[Record]:
        """Those records that the plan asks for, each once, in its order, whoever made them."""
        places = {(str(one.file), one.acceleration): at for at, one in enumerate(self.tasks)}
        methods = {name: at for at, name in enumerate(self.question.methods)}
        found = {}
        for record in records:
            task = places.get((record["file"], record["asked_acceleration"]))
            method = methods.get(record["method"])
            if task is None or method is None:
                continue
            if record["slice"] in self.tasks[task].numbers:
                found[task, record["slice"], method] = record
        return [found[key] for key in sorted(found)]


def plan(
    files: Sequence[Path], question: Question, names: Mapping[str, str] = MappingProxyType({})
) -> Plan:
    """Look into every file; each gets a name of its own, also where two folders hold one name.

    Files that an earlier run knew keep their `names`.
    """
    made = Plan(question)
    for file in files:
        taken = {*names.values(), *made.names.values()}
        stem = names.get(str(file)) or batch_names.free(file, taken)
        made.names[str(file)] = stem
        try:
            for acceleration in question.accelerations:
                held = readers.describe(file, acceleration=acceleration, axes=question.axes).slices
                wanted = question.slice
                numbers = range(held) if wanted == "all" else [held // 2]
                if isinstance(wanted, int):
                    numbers = [wanted]
                made.tasks.append(Task(file, stem, acceleration, held, tuple(numbers)))
        except (InputError, OSError) as error:
            made.problems.append((str(file), str(error)))
    return made


def share_of(tasks: Sequence[Task], rank: int, world: int) -> list[Task]:
    """What one of `world` does: whole tasks if there are enough, else slices of each of them."""
    if len(tasks) >= world:
        return list(tasks[rank::world])
    dealt, at = [], 0
    for task in tasks:
        mine = tuple(n for i, n in enumerate(task.numbers) if (at + i) % world == rank)
        at += len(task.numbers)
        if mine:
            dealt.append(replace(task, numbers=mine))
    return dealt


def left_of(tasks: Sequence[Task], done: Sequence[Record], methods: Sequence[str]) -> list[Task]:
    """What is not done yet: a slice counts as done with all of its methods."""
    have = {(r["file"], r["asked_acceleration"], r["slice"], r["method"]) for r in done}
    left = []
    for task in tasks:
        key = str(task.file), task.acceleration
        numbers = tuple(
            number
            for number in task.numbers
            if any((*key, number, method) not in have for method in methods)
        )
        if numbers:
            left.append(replace(task, numbers=numbers))
    return left


# ---- doing it ------------------------------------------------------------------------------

# "record", "problem" with file and sentence, or "look": a slice was looked at for its maximum.
Told = Callable[[str, Any], None]


def work(question: Question, tasks: Sequence[Task], out: Path, tell: Told) -> None:
    """Do some tasks: figures into a folder, everything else is told."""
    for task in tasks:
        try:
            for result, share in _results(question, task, out, tell):
                _save_figure(result, task.stem, out)
                if question.save:
                    keep(result, task, out)
                record = {**result.record(), "file": str(task.file)}
                record["asked_acceleration"] = task.acceleration
                if question.slice == "all":
                    record["in_volume"] = None if share is None else asdict(share)
                tell("record", record)
        except (InputError, WeightsError, OSError) as error:
            tell("problem", (str(task.file), str(error)))


def _results(
    question: Question, task: Task, out: Path, tell: Told
) -> Iterator[tuple[Reconstruction, Share | None]]:
    mask = None if question.mask is None else masks.from_text(question.mask)
    volume = Volume(
        [(task.file, number) for number in range(task.held)],
        task.acceleration,
        question.axes,
        question.coils,
        question.phase_encode,
        question.crop,
        mask,
    )
    drawn = {
        "acceleration": task.acceleration,
        "seed": question.seed,
        "family": question.family,
        "center_fraction": question.center_fraction,
        "mask": mask,
    }
    run = VolumeRun(volume, [METHODS[name] for name in question.methods], drawn)
    run.coil_images = question.coil_images
    for _ in run.look(scored=question.slice == "all"):
        tell("look", task.stem)
    told = 0
    for result in run.pieces([(task.file, number) for number in task.numbers]):
        if result is not None:
            yield result, run.shares.get(((task.file, result.source.slice), result.method))
        for ((_, number), _), sentence in list(run.problems.items())[told:]:
            where = f"slice {number}: " if question.slice == "all" else ""
            tell("problem", (str(task.file), f"{where}{sentence}"))
            if question.save and sentence == readers.BLANK:
                leave_blank(question, task, out, number)
        told = len(run.problems)


def _save_figure(result: Reconstruction, stem: str, out: Path) -> None:
    name = batch_names.figure(stem, result.source.slice, result.method, result.acceleration)
    figures.sheet(result).savefig(out / name, dpi=110)
