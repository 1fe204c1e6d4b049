"""What is written down about a run, so that somebody else can repeat and judge it."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from recon import datasets
from recon.methods.networks import method_of
from recon.scan import Sampling, Scan
from recon.training.recipes import RECIPES, Run, original


def evaluate(
    network: nn.Module,
    cases: Iterable[tuple[Scan, Sampling]],
    first: nn.Module | None = None,
) -> dict[str, Any]:
    """Mean scores over slices, before and after the network, as each scan judges.

    `first` is the network whose reconstruction it goes on from, if it does.
    """
    training = network.training
    network.eval()
    method, before, after = method_of(network, first), [], []
    for scan, sampling in cases:
        measurement = scan.measure(sampling.mask, sampling.acceleration)
        before.append(scan.score(measurement.zero_filled) or {})
        after.append(scan.score(method(measurement)) or {})
    network.train(training)

    def mean(rows: list[dict[str, float]]) -> dict[str, float]:
        return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}

    return {"slices": len(before), "zero_filled": mean(before), "network": mean(after)}


def record(
    run: Run,
    subjects: Mapping[str, Sequence[str]],
    training: Sequence[datasets.Volume],
    network: nn.Module,
    processes: int = 1,
) -> dict[str, Any]:
    """Settings, data, machine and code of a run; what it cost and reached is added by the run.

    `subjects` are those who took part, by split.
    """
    return {
        "command": command(run),
        "run": asdict(run),
        "data": {
            "splits": {split: list(names) for split, names in subjects.items()},
            "training_slices": {v.subject + "/" + v.name: len(v.slices) for v in training},
        },
        "machine": {
            "processor": processor_name(),
            "processes": processes,
            "threads": torch.get_num_threads(),  # of each
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        "code_revision": code_revision(),
        "parameters": sum(p.numel() for p in network.parameters()),
    }


def with_earlier(record: dict[str, Any], origins: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """A record that says which earlier runs its own went on from.

    Parameters
    ----------
    record
        Of the run.
    origins
        By what they were to it, ``start``, ``blend`` or ``before``: ``name``, ``sha256`` of the
        weights, and ``record``.

    Returns
    -------
    The record with the names and SHA-256 under those words, and under ``earlier`` the records of
    all runs before it, each of them once, by the SHA-256 of its weights.
    """
    earlier: dict[str, Any] = {}
    for origin in origins.values():
        own = dict(flat(origin["record"]))
        earlier |= own.pop("earlier", {}) | {origin["sha256"]: own}
    named = {word: {key: of[key] for key in ("name", "sha256")} for word, of in origins.items()}
    return record | named | {"earlier": earlier}


def flat(record: dict[str, Any]) -> dict[str, Any]:
    """A record in the form of `with_earlier`: once they were kept inside of each other."""
    words = ("start", "blend", "before")
    inside = {word: record[word] for word in words if "record" in record.get(word, {})}
    return with_earlier(record, inside) if inside else record


def command(run: Run) -> str:
    """The command line that repeats a run."""
    words = ["python train.py", run.recipe]
    recipe = RECIPES[run.recipe]
    if run.acceleration is not None:
        words.append(f"--acceleration {run.acceleration:g}")
    if run.protocol == "original":
        words.append("--protocol original")
        recipe = original(recipe)
    if run.dataset != "open":
        words.append(f"--dataset {run.dataset}")
    for name in ("steps", "batch", "every", "seed"):
        if getattr(run, name) != getattr(recipe, name) and not (name == "steps" and run.epochs):
            words.append(f"--{name} {getattr(run, name)}")
    return " ".join([*words, "--data FOLDER"])


def processor_name() -> str:
    """Of the GPU where there is one."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(x.split(":")[1].strip() for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def code_revision() -> str:
    """Commit of the working tree; ``-dirty`` where files were changed."""
    try:
        return subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40"],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parent,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
