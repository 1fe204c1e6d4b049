"""``python -m recon``: reconstruct files and folders from the command line."""

from __future__ import annotations

import argparse
import io
import math
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tqdm import tqdm

from recon import batch, batch_results, export, masks, weights
from recon.batch import Plan, Question
from recon.batch_processes import work_in_processes
from recon.batch_results import Results
from recon.batch_volumes import assemble
from recon.errors import InputError
from recon.masks import FAMILIES
from recon.methods import DEFAULT, methods
from recon.readers import beside
from recon.weights import Store, WeightsError

MOST_NAMED = 3  # results that a note is about
COLUMNS = ("file", "slice", "method", "acceleration", "achieved", "SSIM", "PSNR", "NMSE", "seconds")
MOST_JOBS = 256
RANKS = (("RANK", 0), ("WORLD_SIZE", 1))  # set by torchrun and accelerate launch


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 1 if anything could not be done, 130 after Ctrl-C."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["reconstruct"]:
        words = words[1:]  # the only command, so its name may be left out
    options = _parser().parse_args(words)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        if options.weights:
            weights.use(Store.of(options.weights))
        weights.default()  # if it cannot be had, say so once, not for every file
        results = _run(options)
    except KeyboardInterrupt:
        print("Interrupted; --resume goes on.", file=sys.stderr)
        return 130
    except (FileExistsError, NotADirectoryError):
        print(f"{options.out} is no folder; --out names the one for results.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{options.out}: {error.strerror}", file=sys.stderr)
        return 1
    except (InputError, WeightsError) as error:
        print(error, file=sys.stderr)
        return 1
    if results is None:  # another rank ends later, and brings all shares together
        return 0
    if not results.records and not results.problems:
        print(f"There is no file in {' or '.join(map(str, options.inputs))}.", file=sys.stderr)
    printed = _print([*_table(results.records), *_notes(results.records)], options.out)
    return int(bool(results.problems) or not results.records or not printed)


def _run(options: argparse.Namespace) -> Results | None:
    """Everything that was asked, or this rank's share; None where others are not ready."""
    mask = None if options.mask is None else masks.read(options.mask)
    accelerations = options.acceleration
    if mask is not None:
        accelerations = [masks.achieved_acceleration(mask)]
    question = Question(
        tuple(dict.fromkeys(accelerations)), tuple(dict.fromkeys(options.method)),
        options.slice, options.seed,
        options.center_fraction, options.mask_family, options.coils, options.phase_encode,
        options.axes, options.weights, options.crop, tuple(options.save), options.coil_images,
        None if mask is None else masks.as_text(mask),
    )  # fmt: skip
    given = ((os.environ.get(name, ""), least) for name, least in RANKS)
    rank, world = (int(text) if text.isdecimal() else least for text, least in given)
    if rank >= world:  # not started by a launcher
        rank, world = 0, 1
    known = batch_results.names(options.out) if options.resume else {}
    planned = batch.plan(_once(_files(options.inputs, options.out)), question, known)
    results = Results(options.out, planned, rank, world)
    tasks = batch.share_of(planned.tasks, rank, world)
    if options.resume:
        earlier = batch_results.done(options.out, question)
        mine = Plan(question, tasks)
        results.records = mine.ordered(earlier)
        results.others = [one for one in earlier if one["file"] not in planned.names]
        tasks = batch.left_of(tasks, earlier, question.methods)
    batch_results.begin(results, options.resume)
    pieces = sum(len(task.numbers) for task in tasks) * len(question.methods)
    # On a terminal only; of several ranks, the first shows its own share.
    with tqdm(total=pieces, unit="slice", disable=True if rank else None) as bar:

        def tell(kind: str, what: Any) -> None:
            if kind == "record":
                bar.set_description(Path(what["file"]).name)
                results.add(what)
                bar.update()
            elif kind == "look":
                bar.set_description(f"{what}: looking for the volume's maximum")
            elif what not in results.problems:
                results.problems.append(what)
                if world == 1:
                    bar.write(f"{what[0]}: {what[1]}", file=sys.stderr)

        try:
            for problem in planned.problems:
                tell("problem", problem)
            if options.jobs > 1:
                work_in_processes(question, tasks, options.out, options.jobs, tell)
            else:
                batch.work(question, tasks, options.out, tell)
        finally:
            results.save()
    results.save(complete=True)
    if world == 1:
        for problem in assemble(question, planned.tasks, options.out):
            tell("problem", problem)
        return results
    merged = results.merged()
    if merged:
        merged.problems += assemble(question, planned.tasks, options.out)
    for file, sentence in dict.fromkeys(merged.problems) if merged else ():
        print(f"{file}: {sentence}", file=sys.stderr)
    return merged


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m recon reconstruct",
        description="Undersample k-space, reconstruct it, and score the result. Writes "
        "metrics.json and a figure for every record into the output folder; with --slice all also "
        "volumes.json, the scores of whole volumes. Started by torchrun or accelerate launch, "
        "each process does its share, and the last one brings all of them together.",
    )
    parser.add_argument("inputs", nargs="+", type=Path, metavar="FILE_OR_FOLDER")
    lines = parser.add_mutually_exclusive_group()
    lines.add_argument("--acceleration", nargs="+", type=_number, default=[4.0], metavar="R")
    lines.add_argument(
        "--mask",
        type=Path,
        metavar="FILE",
        help="lines to measure in place of a drawn mask: a .npy file with 0 or 1 for each "
        "phase-encode line, or a text file of 1 and 0",
    )
    parser.add_argument("--method", nargs="+", choices=methods(), default=[DEFAULT])
    parser.add_argument(
        "--weights",
        metavar="ORG/NAME@REVISION",
        help="weights to prefer to those that ship: a repository on the Hugging Face Hub, or a "
        f"folder (default: the environment variable {weights.VARIABLE})",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the mask (default: 0)")
    parser.add_argument(
        "--slice",
        type=_slice,
        default=None,
        metavar="N",
        help="slice number from 0, or 'all' (default: the middle slice)",
    )
    parser.add_argument("--center-fraction", type=_number, default=None, metavar="F")
    parser.add_argument("--mask-family", choices=FAMILIES, default="random")
    parser.add_argument("--coils", type=_coils, default="rss", metavar="rss|svd|N")
    parser.add_argument("--phase-encode", choices=("columns", "rows"), default="columns")
    parser.add_argument(
        "--crop",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="cut pictures to the size that the file's header asks for, or leave them whole",
    )
    parser.add_argument(
        "--axes",
        default="auto",
        metavar="auto|slices|coils|LETTERS",
        help="what the axes of an array are, where the file does not say: slices or coils for "
        "the third of three, or a letter for each, such as SCHW or HWC (slices, coils, height, "
        "width, T for time)",
    )
    parser.add_argument(
        "--save",
        nargs="+",
        choices=export.EXPORTS,
        default=[],
        help="also save the reconstructed slices as volumes, in DIR/METHOD-Rx: "
        + ", ".join(f"{one.name} ({one.label})" for one in export.EXPORTS.values()),
    )
    parser.add_argument(
        "--coil-images",
        action="store_true",
        help="what is saved as npy: the complex image of every coil, not the magnitude",
    )
    parser.add_argument(
        "--jobs", type=_count, default=1, metavar="N", help="processes, each on one core"
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="keep what an earlier run with the same options left in DIR, and do the rest",
    )
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR")
    return parser


def _whole(text: str) -> int:
    with suppress(ValueError):
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}' is no whole number")


def _slice(text: str) -> int | str:
    return text if text == "all" else _whole(text)


def _count(text: str) -> int:
    if not 1 <= _whole(text) <= MOST_JOBS:
        raise argparse.ArgumentTypeError(f"1 to {MOST_JOBS} can work; {text} were asked for")
    return int(text)


def _number(text: str) -> float:
    with suppress(ValueError):
        if math.isfinite(float(text)):
            return float(text)
    raise argparse.ArgumentTypeError(f"'{text}' is no number")


def _coils(text: str) -> int | str:
    return text if text in ("rss", "svd") else _whole(text)


def _files(inputs: Sequence[Path], out: Path) -> Iterator[Path]:
    """The scans named, and in place of a folder all in it."""
    for path in inputs:
        if not path.is_dir() or beside.is_scan(path):
            yield path
            continue
        found = sorted(_within(path, out))
        scans = [p for p in found if beside.is_scan(p)]
        within = [p for p in found if p.is_file() and not set(scans) & set(p.parents)]
        halves = {p for p in within if p.suffix == ".hdr" and p.with_suffix(".cfl") in within}
        yield from sorted([*scans, *(p for p in within if p not in halves)])


def _within(folder: Path, out: Path) -> Iterator[Path]:
    """What lies below a folder, but nothing hidden, and nothing below `out` if that is in it."""
    root, results = folder.resolve(), out.resolve()
    inside = root in results.parents
    seen: set[Path] = set()  # folders, for a link may lead back to where it is
    for at, below, files in os.walk(folder, followlinks=True):
        here = Path(at).resolve()
        if here in seen or (inside and here.is_relative_to(results)):
            below.clear()
            continue
        seen.add(here)
        scans = [
            name
            for name in [*below, *files]
            if not name.startswith(".") and not (here == results and batch_results.is_ours(name))
        ]
        below[:] = set(below).intersection(scans)
        yield from (Path(at) / name for name in scans)


def _once(paths: Iterable[Path]) -> list[Path]:
    """Each path once, however it is written; a link to a file is a path of its own."""
    found: dict[Path, Path] = {}
    for path in paths:
        found.setdefault(path.parent.resolve() / path.name, path)
    return list(found.values())


def _table(records: list[dict[str, Any]]) -> list[str]:
    """A row for each record, then each whole volume, then means of methods at accelerations."""
    if not records:
        return []
    rows = [COLUMNS, *(_row(r, Path(r["file"]).name, str(r["slice"])) for r in records)]
    groups: dict[tuple[str, float], list[dict[str, Any]]] = {}
    for r in records:
        if r["ssim"] is not None:  # else lines are missing, and there is no score to average
            groups.setdefault((r["method"], r["acceleration"]), []).append(r)
    for one in batch_results.volumes(records):
        rows.append(_row(one, Path(one["file"]).name, f"volume of {one['slices']}"))
    for (method, acceleration), group in sorted(groups.items()):
        if len(group) > 1:
            means: dict[str, Any] = {"method": method, "acceleration": acceleration}
            for key in ("achieved_acceleration", "ssim", "psnr", "nmse", "seconds"):
                values = [r[key] for r in group if r[key] is not None]
                means[key] = sum(values) / len(values) if values else None
            rows.append(_row(means, f"mean of {len(group)}", ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _notes(records: list[dict[str, Any]]) -> list[str]:
    """What is to know of each file and its results, once; and of which, where not of all."""
    lines = []
    for file in dict.fromkeys(r["file"] for r in records):
        own = [r for r in records if r["file"] == file]
        for note in dict.fromkeys(note for r in own for note in r["notes"]):
            those = [r for r in own if note in r["notes"]]
            lines.append(f"{file}{_which(those, own)}: {note}")
    return lines


def _which(those: Sequence[dict[str, Any]], of: Sequence[dict[str, Any]]) -> str:
    """Which results a note is about; nothing where it is about all."""
    if len(those) == len(of):
        return ""
    several = len({r["slice"] for r in of}) > 1
    names = [
        r["method"]
        + ("" if r["acceleration"] is None else f" at {r['acceleration']:g}x")
        + (f", slice {r['slice']}" if several else "")
        for r in those
    ]
    if len(names) > MOST_NAMED:
        names[MOST_NAMED:] = [f"{len(names) - MOST_NAMED} more"]
    return f", {'; '.join(names)}"


def _print(lines: Sequence[str], out: Path) -> bool:
    """Write to stdout, and say whether that was possible for as long as somebody read it."""
    if not lines:
        return True
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file's name may have any letter
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        print("\n".join(lines), flush=True)
    except OSError as error:
        # What is still in the buffer would fail once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            reason = f"The table could not be printed ({error.strerror})"
            print(f"{reason}; {out / batch_results.METRICS} has its numbers.", file=sys.stderr)
            return False
    return True


def _row(record: dict[str, Any], name: str, number: str) -> tuple[str, ...]:
    scores = (("ssim", ".4f"), ("psnr", ".2f"), ("nmse", ".5f"))
    return (
        name,
        number,
        record["method"],
        masks.shortly(record["acceleration"]),
        f"{record['achieved_acceleration']:.2f}x",
        *("-" if record[key] is None else format(record[key], spec) for key, spec in scores),
        f"{record['seconds']:.2f}",
    )
