"""The benchmark told: ``benchmark.csv``, ``BENCHMARK.md`` and the table of the README."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from recon.benchmark.results import TITLES, Results
from recon.benchmark.scoring import BASELINE, Row
from recon.benchmark.sets import ACCELERATIONS, Plan
from recon.errors import InputError

MARKERS = "<!-- benchmark -->", "<!-- /benchmark -->"

TEXT = """\
# Benchmark

{overview}

**Closed** is the share of the distance between the zero-filled SSIM and 1 that a method closed:
(SSIM - SSIM_zf) / (1 - SSIM_zf), of mean SSIMs over slices. In brackets, the central 95 % of a
bootstrap over subjects, then volumes (of measured files: slices, or masks where a file has one
slice). There are two simulated test subjects and two high-field files, so the intervals say how
the means hang on them, not what a third would give. SSIM and PSNR use the slice's maximum.
Simulated k-space flatters every method (Shimron et al. 2022, doi 10.1073/pnas.2117203119).

One of the two high-field files, a head, has seven coils. Networks on k-space (ResNet-DC, VarNet)
reconstruct them together, and the noise of a full scan is added; all other methods here go coil by
coil. `python -m recon.benchmark.multicoil` has that head with SENSE.

## How it was made

```
{command}
```

On {machine}; code revision `{revision}`. All methods ran in one process on the same slices and
masks. {slices}
{again}
Seconds are medians for a slice of 320x320 on {timed}, methods taking turns. Multiply-adds
are half the floating-point operations that PyTorch counts, Fourier transforms left out.{bart}

## What it shows

{statements}

{tables}
"""

BART = """ BART runs
100 iterations with a flat sensitivity, total variation with an ADMM penalty of 0.01; each of its
regularisations is the best of {count} on {tuning} of the very slices that are scored, for each set,
condition and acceleration, which favours it. Its seconds include starting the program and files;
it reports {own} itself."""


TIMES = ", and measured the times of all methods"
AGAIN = f"""
Since then, at revision `{{revision}}`, `{{command}}` scored {{labels}} on the very same
cases (the zero-filled scores of all {{cases}} are equal){TIMES}.
"""


@dataclass(frozen=True)
class Made:
    """Machine and code revision of a run."""

    machine: str
    revision: str


def markdown(
    results: Results, command: str, made: Made, timed: str, plan: Plan, again: str = ""
) -> str:
    """All of ``BENCHMARK.md``.

    Parameters
    ----------
    results, command, plan
        Of the run.
    made
        Where and by what the whole benchmark was run.
    timed
        The machine that the times are of.
    again
        What was scored later, see `scored_again`.
    """
    tables = []
    for name in results.sets:
        for rate in ACCELERATIONS:
            count = results.summaries[name, "random", rate][BASELINE].slices
            tables.append(f"## {TITLES[name]}, {rate:g}x (slices: {count})")
            tables.append(detail(results, (name, "random", rate)))
    for rate in ACCELERATIONS:
        tables.append(f"## Masks of other families, and noise, {rate:g}x")
        tables.append(conditions(results, rate))
    tables.append(
        "Closed share on open_ms. Noise is added to k-space before it is undersampled, with "
        "that\nstandard deviation of real and imaginary part as a share of the image's "
        "maximum; the reference is\nthe scan without it."
    )
    for rate in ACCELERATIONS if len(results.sets) > 1 else ():
        tables.append(f"## Every measured file, {rate:g}x")
        tables.append(per_file(results, rate))
    tuned = [one for one in results.contenders if one.settings]
    own = " and ".join(f"{results.costs[o.name].own_seconds:.2f} s ({o.label})" for o in tuned)
    bart = BART.format(count=len(tuned[0].settings), tuning=plan.tuning, own=own) if tuned else ""
    return TEXT.format(
        overview=overview(results),
        command=command,
        machine=made.machine,
        revision=made.revision,
        timed=timed,
        slices=plan.words(),
        again=again,
        bart=bart,
        statements="\n".join(f"- {sentence}" for sentence in results.statements()),
        tables="\n\n".join(tables),
    )


def scored_again(results: Results, names: Sequence[str], command: str, revision: str) -> str:
    """Which methods were scored later than the others, by which command."""
    labels = ", ".join(one.label for one in results.contenders if one.name in names)
    cases = len({row.case for row in results.rows})
    return AGAIN.format(revision=revision, command=command, labels=labels, cases=cases)


def scored_before(text: str, names: Sequence[str]) -> str:
    """What a ``BENCHMARK.md`` says of others than these that were scored later than the rest."""
    found = re.findall(r"\nSince then, at revision .+?\n(?=\n)", text, re.DOTALL)
    kept = [one for one in found if not set(_methods(one)) <= set(names)]
    return "".join(one.replace(TIMES, "") for one in kept)


def _methods(paragraph: str) -> list[str]:
    command = re.search(r"--again ([^`]+)`", paragraph)
    return command[1].split() if command else []


def made_of(text: str) -> Made:
    """Where and by what a ``BENCHMARK.md`` was made."""
    found = re.search(r"\nOn (.+?); code revision `([^`]+)`", text)
    return Made(found[1], found[2]) if found else Made("an unknown machine", "unknown")


def overview(results: Results) -> str:
    """The table of the README: what every method costs, and the share it closed."""
    names = [(name, rate) for name in results.sets for rate in ACCELERATIONS]
    head = ["method", "parameters", "multiply-adds", "seconds"]
    head += [f"{TITLES[name]}, {rate:g}x" for name, rate in names]
    lines = []
    for one in results.contenders:
        cost = results.costs[one.name]
        lines.append([one.label, _short(cost.parameters), _short(cost.multiply_adds)])
        lines[-1].append(f"{cost.seconds:.2f}" if one.name != BASELINE else "")
        for name, rate in names:
            found = results.summaries[name, "random", rate]
            best = max(each.closed for each in found.values())
            share = f"{found[one.name].closed:.0%}"
            lines[-1].append(f"**{share}**" if found[one.name].closed == best else share)
    return _table(head, lines)


def detail(results: Results, key: tuple[str, str, float]) -> str:
    """All scores of one set, condition and acceleration."""
    lines = []
    for one in results.contenders:
        s = results.summaries[key][one.name]
        label = one.label if s.setting is None else f"{one.label}, {s.setting:g}"
        lines.append([label, f"{s.ssim:.4f}", f"{s.psnr:.2f}", f"{s.nmse:.5f}"])
        lines[-1].append(
            "" if one.name == BASELINE else f"{s.closed:.1%} [{s.low:.0%}, {s.high:.0%}]"
        )
    return _table(["method", "SSIM", "PSNR (dB)", "NMSE", "closed"], lines)


def conditions(results: Results, acceleration: float) -> str:
    """Closed share with unusual masks and added noise: a row for each method."""
    keys = [k for k in results.summaries if k[1] != "random" and k[2] == acceleration]
    lines = [["SSIM zero-filled"]]
    lines[0] += [f"{results.summaries[key][BASELINE].ssim:.3f}" for key in keys]
    for one in results.contenders:
        if one.name != BASELINE:
            shares = [f"{results.summaries[key][one.name].closed:.1%}" for key in keys]
            lines.append([one.label, *shares])
    return _table(["closed", *(key[1] for key in keys)], lines)


def per_file(results: Results, acceleration: float) -> str:
    """Mean SSIM of every measured file by method, the best in bold."""
    lines = []
    for file, scores in results.files(acceleration).items():
        best = max(scores.values())
        ordered = [scores[one.name] for one in results.contenders]
        cells = (f"**{s:.3f}**" if s == best else f"{s:.3f}" for s in ordered)
        lines.append([file, *cells])
    return _table(["SSIM", *(one.label for one in results.contenders)], lines)


def write_csv(path: Path, rows: Iterable[Row]) -> None:
    """One line for each slice and method."""
    records = [asdict(row) for row in rows]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, records[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)


def read_csv(path: Path) -> list[Row]:
    """What `write_csv` wrote."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Row(**{one.name: _value(str(one.type), line[one.name]) for one in fields(Row)})
            for line in csv.DictReader(file)
        ]


def _value(kind: str, text: str) -> Any:
    if kind == "str":
        return text
    if kind == "int":
        return int(text)
    return float(text) if text else None


def refresh(readme: Path, fragment: str) -> None:
    """Replace what stands between the benchmark's markers.

    Raises
    ------
    InputError
        If the markers are missing.
    """
    start, end = MARKERS
    text = readme.read_text("utf-8")
    pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(text):
        raise InputError(f"{readme.name} has no lines {start} and {end} to write between.")
    readme.write_text(pattern.sub(lambda _: f"{start}\n{fragment}\n{end}", text), "utf-8")


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [head, ["---", *["---:"] * (len(head) - 1)], *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _short(number: int) -> str:
    """1.8 M, 96 G; nothing for 0."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number or "")
