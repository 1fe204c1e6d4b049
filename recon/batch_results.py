"""What came of a batch: records as they come, whole volumes, and shares brought together.

Files are written beside their place and renamed, so nobody ever reads half of one, and whoever is
killed leaves what was done so far.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from recon import batch_names, batch_volumes
from recon.batch import Plan, Question, Record, share_of
from recon.errors import InputError
from recon.volume import Share, volume_scores

METRICS, VOLUMES, QUESTION = "metrics.json", "volumes.json", "question.json"
NAMES = "names"  # in what is kept of the question
CLAIM = ".merging"  # a folder that is there while a rank brings all shares together
SPARING = 20  # all records are written again after so many times as long as that takes

KEYS = ("file", "asked_acceleration", "method", "slice")  # of every record

Kind = TypeVar("Kind")


@dataclass
class Results:
    """Records of a batch, or of one rank's share of it, kept in a file.

    Attributes
    ----------
    out, plan
        The folder, and what is asked.
    rank, world
        Whose share this is; with a world of 1 it is everything.
    records, problems
        What came of it; a problem is a file and a sentence.
    others
        Records of files that are not in the plan, which an earlier run left.
    """

    out: Path
    plan: Plan
    rank: int = 0
    world: int = 1
    records: list[Record] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    others: list[Record] = field(default_factory=list)
    _written: float = -1e9
    _cost: float = 0.0

    def add(self, record: Record) -> None:
        """Keep a record, in the file too unless writing takes longer than what is new is worth."""
        self.records.append(record)
        if time.monotonic() - self._written > SPARING * self._cost:
            self.save()

    def save(self, complete: bool = False) -> None:
        """Write everything there is."""
        start = time.monotonic()
        self.records = self.plan.ordered(self.records)
        if self.world == 1:
            _write(self.out / METRICS, [*self.others, *self.records])
            if complete:
                self._save_volumes()
        else:
            share = {
                "question": _plain(self.plan.question),
                "complete": complete,
                "problems": self.problems,
                "records": self.records,
            }
            _write(self.out / _part(self.rank, self.world), share)
        self._written = time.monotonic()
        self._cost = self._written - start

    def _save_volumes(self) -> None:
        if self.plan.question.slice == "all":
            _write(self.out / VOLUMES, volumes([*self.others, *self.records]))

    def merged(self) -> Results | None:
        """The whole batch, if all ranks are complete and this one brings them together."""
        if not self._shares():
            return None
        claim = self.out / CLAIM  # of two that end at the same moment, one makes it
        try:
            claim.mkdir()
        except FileExistsError:
            return None
        try:
            shares = self._shares()
            if not shares:  # another has been quicker
                return None
            whole = Results(self.out, self.plan, others=self.others)
            for share in shares:
                whole.records += share["records"]
                whole.problems += [(file, sentence) for file, sentence in share["problems"]]
            whole.save(complete=True)
            for part in _parts(self.out):
                part.unlink(missing_ok=True)
        finally:
            claim.rmdir()
        return whole

    def _shares(self) -> list[dict[str, Any]]:
        """What all ranks have done; nothing if one of them is not complete."""
        shares = [
            share
            for rank in range(self.world)
            if (share := _share(self.out / _part(rank, self.world)))
            and share["complete"]
            and share["question"] == _plain(self.plan.question)
        ]
        return shares if len(shares) == self.world else []


def begin(results: Results, resumed: bool) -> None:
    """Say in the folder what is asked, for whoever resumes; results of other questions go."""
    with suppress(FileNotFoundError):  # of a run that was killed
        (results.out / CLAIM).rmdir()
    if not resumed:
        for name in (METRICS, VOLUMES, _part(results.rank, results.world)):
            (results.out / name).unlink(missing_ok=True)
        plan = results.plan
        mine = share_of(plan.tasks, results.rank, results.world)  # others may have begun
        batch_volumes.forget(plan.question, mine, results.out)
        broken = [file for file, _ in plan.problems]
        batch_volumes.remove(plan.question, [plan.names[file] for file in broken], results.out)
    named = {**names(results.out), **results.plan.names} if resumed else results.plan.names
    _write(results.out / QUESTION, {**_plain(results.plan.question), NAMES: named})


def names(out: Path) -> dict[str, str]:
    """What an earlier run called the files it knew, by their paths."""
    found = (_read(out / QUESTION, dict) or {}).get(NAMES)
    return dict(found) if isinstance(found, dict) else {}


def done(out: Path, question: Question) -> list[Record]:
    """Records that an earlier run of the same question left in a folder.

    Raises
    ------
    InputError
        If the folder answers another question.
    """
    asked = _read(out / QUESTION, dict)
    if asked is None:
        return []
    asked.pop(NAMES, None)
    for name, value in _plain(question).items():
        if asked.get(name) != value:
            raise InputError(
                f"{out.name} holds results with {name} {asked.get(name)}, not {value}; resume with "
                f"the same options, or choose another folder with --out."
            )
    records = _records(_read(out / METRICS, list))
    for part in _parts(out):
        share = _share(part)
        if share and share["question"] == asked:
            records += share["records"]
    return records


def is_ours(name: str) -> bool:
    """Whether a file or folder is called as those are that a batch writes."""
    tables = (METRICS, VOLUMES, QUESTION)
    return name in tables or name.startswith("metrics-rank") or batch_names.is_made(name)


def volumes(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Scores of every volume whose slices have been scored, by fastMRI's definitions."""
    groups: dict[tuple[str, float, str], list[Record]] = {}
    for record in records:
        if record.get("in_volume"):
            key = record["file"], record["asked_acceleration"], record["method"]
            groups.setdefault(key, []).append(record)
    found = []
    for (file, acceleration, method), group in groups.items():
        scores = volume_scores([Share(**record["in_volume"]) for record in group])
        assert scores is not None
        about = {
            "file": file,
            "method": method,
            "acceleration": acceleration,
            "seed": group[0]["seed"],
            "achieved_acceleration": group[0]["achieved_acceleration"],
            "seconds": sum(record["seconds"] for record in group),
        }
        found.append({**about, **scores.record()})
    return found


def _part(rank: int, world: int) -> str:
    return f"metrics-rank{rank}of{world}.json"


def _parts(out: Path) -> list[Path]:
    return sorted(out.glob("metrics-rank*of*.json"))


def _plain(question: Question) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(asdict(question)))
    return plain


def _write(path: Path, content: Any) -> None:
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    unfinished.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", "utf-8")
    unfinished.replace(path)


def _read(path: Path, kind: type[Kind]) -> Kind | None:
    """What a file of ours holds; None where there is none, or somebody has spoilt it."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, kind) else None


def _share(path: Path) -> dict[str, Any] | None:
    """What a rank has done so far."""
    share = _read(path, dict)
    if share is None or not share.keys() >= {"question", "complete", "problems", "records"}:
        return None
    return {**share, "records": _records(share["records"])}


def _records(found: Any) -> list[Record]:
    """Those that can be told from one another, as `Plan.ordered` has to."""
    found = found if isinstance(found, list) else []
    return [one for one in found if isinstance(one, dict) and one.keys() >= set(KEYS)]
