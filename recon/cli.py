"""``python -m recon``: reconstruct files and folders from the command line."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from recon import export, figures, weights
from recon.errors import InputError
from recon.masks import FAMILIES
from recon.methods import DEFAULT, methods
from recon.pipeline import Reconstruction, reconstruct
from recon.readers import beside, describe, read
from recon.weights import Store, WeightsError

COLUMNS = ("file", "slice", "method", "acceleration", "achieved", "SSIM", "PSNR", "NMSE", "seconds")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 1 if anything could not be done."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["reconstruct"]:
        words = words[1:]  # the only command, so its name may be left out
    options = _parser().parse_args(words)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        if options.weights:
            weights.use(Store.of(options.weights))
        weights.default()  # if it cannot be had, say so once, not for every file
    except OSError as error:
        print(f"{options.out}: {error.strerror}", file=sys.stderr)
        return 1
    except WeightsError as error:
        print(error, file=sys.stderr)
        return 1

    records: list[dict[str, Any]] = []
    failed = False
    names: set[str] = set()
    for path in _files(options.inputs):
        problems: list[str] = []
        try:
            for result in _reconstructions(path, options, problems, names):
                records.append({**result.record(), "file": str(path)})
                _save_figure(result, path, options.out, names)
                _save_records(records, options.out)
        except (InputError, WeightsError, OSError) as error:
            problems.append(str(error))
        failed = failed or bool(problems)
        for problem in dict.fromkeys(problems):  # several methods may have the same
            print(f"{path}: {problem}", file=sys.stderr)
    _save_records(records, options.out)
    _print_table(records)
    _print_notes(records)
    return int(failed or not records)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m recon reconstruct",
        description="Undersample k-space, reconstruct it, and score the result. Writes "
        "metrics.json and a figure for every record into the output folder.",
    )
    parser.add_argument("inputs", nargs="+", type=Path, metavar="FILE_OR_FOLDER")
    parser.add_argument("--acceleration", nargs="+", type=float, default=[4.0], metavar="R")
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
    parser.add_argument("--center-fraction", type=float, default=None, metavar="F")
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
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR")
    return parser


def _slice(text: str) -> int | str:
    return text if text == "all" else int(text)


def _coils(text: str) -> int | str:
    return text if text in ("rss", "svd") else int(text)


def _files(inputs: Sequence[Path]) -> Iterator[Path]:
    """The scans named, and in place of a folder all in it, hidden ones left out."""
    for path in inputs:
        if not path.is_dir() or beside.is_scan(path):
            yield path
            continue
        found = sorted(p for p in path.rglob("*") if not p.name.startswith("."))
        scans = [p for p in found if beside.is_scan(p)]
        within = [p for p in found if p.is_file() and not set(scans) & set(p.parents)]
        halves = {p for p in within if p.suffix == ".hdr" and p.with_suffix(".cfl") in within}
        yield from sorted([*scans, *(p for p in within if p not in halves)])


def _reconstructions(
    path: Path, options: argparse.Namespace, problems: list[str], names: set[str]
) -> Iterator[Reconstruction]:
    """Every result there is; methods that cannot work with a slice add a sentence instead."""
    for acceleration in options.acceleration:
        numbers: Sequence[int | None] = [options.slice]
        if options.slice == "all":
            numbers = range(describe(path, acceleration=acceleration, axes=options.axes).slices)
        with _saving(path, acceleration, len(numbers), options, problems, names) as save:
            for number in numbers:
                kspace = read(path, slice=number, acceleration=acceleration, axes=options.axes)
                for method in options.method:
                    try:
                        result = reconstruct(
                            kspace,
                            acceleration,
                            options.seed,
                            method,
                            center_fraction=options.center_fraction,
                            coils=options.coils,
                            phase_encode=options.phase_encode,
                            family=options.mask_family,
                            crop=options.crop,
                            coil_images=options.coil_images,
                        )
                        save(result)
                    except InputError as error:
                        problems.append(str(error))
                    else:
                        yield result


@contextmanager
def _saving(
    path: Path,
    acceleration: float,
    slices: int,
    options: argparse.Namespace,
    problems: list[str],
    names: set[str],
) -> Iterator[Callable[[Reconstruction], None]]:
    """Volumes of a file, one for each method; one that lacks slices spoils no other."""
    volumes: dict[str, ExitStack] = {}
    takers: dict[str, Callable[[Reconstruction], None]] = {}
    try:
        for method in options.method if options.save else ():
            folder = options.out / f"{method}-{acceleration:.3g}x"
            stem = _own_name(path.stem, f" of {folder.name}", names)
            volumes[method] = ExitStack()
            opened = export.opened(options.save, folder, stem, slices)
            takers[method] = volumes[method].enter_context(opened)
        yield lambda result: takers[result.method](result) if takers else None
    except BaseException:
        for volume in volumes.values():
            volume.__exit__(*sys.exc_info())
        raise
    for volume in volumes.values():
        try:
            volume.close()
        except InputError as error:
            problems.append(str(error))


def _save_records(records: list[dict[str, Any]], out: Path) -> None:
    """All records so far; whoever kills the command keeps them, never half a file."""
    text = json.dumps(records, indent=1, allow_nan=False)
    unfinished = out / "metrics.json.part"
    unfinished.write_text(text + "\n", "utf-8")
    unfinished.replace(out / "metrics.json")


def _save_figure(result: Reconstruction, path: Path, out: Path, names: set[str]) -> None:
    """A figure under a name of its own, also where two folders hold files of one name."""
    ending = f"-slice{result.source.slice}-{result.method}-{result.acceleration:.3g}x.png"
    stem = _own_name(path.stem, ending, names)
    figures.sheet(result).savefig(out / f"{stem}{ending}", dpi=110)


def _own_name(stem: str, ending: str, names: set[str]) -> str:
    """The stem, numbered where another file of the same name was there before."""
    own, number = stem, 1
    while f"{own}{ending}" in names:
        number += 1
        own = f"{stem}-{number}"
    names.add(f"{own}{ending}")
    return own


def _print_table(records: list[dict[str, Any]]) -> None:
    """A row for each record, then the mean of each method at each acceleration."""
    rows = [COLUMNS, *(_row(r, Path(r["file"]).name, str(r["slice"])) for r in records)]
    groups: dict[tuple[str, float], list[dict[str, Any]]] = {}
    for r in records:
        # Without a seed the file brought its own mask, and there is no score to average.
        if r["seed"] is not None:
            groups.setdefault((r["method"], r["acceleration"]), []).append(r)
    for (method, acceleration), group in sorted(groups.items()):
        if len(group) > 1:
            means: dict[str, Any] = {"method": method, "acceleration": acceleration}
            for key in ("achieved_acceleration", "ssim", "psnr", "nmse", "seconds"):
                values = [r[key] for r in group if r[key] is not None]
                means[key] = sum(values) / len(values) if values else None
            rows.append(_row(means, f"mean of {len(group)}", ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def _print_notes(records: list[dict[str, Any]]) -> None:
    """What had to be assumed or changed to read each file, once."""
    for line in dict.fromkeys(f"{r['file']}: {note}" for r in records for note in r["notes"]):
        print(line)


def _row(record: dict[str, Any], name: str, number: str) -> tuple[str, ...]:
    scores = (("ssim", ".4f"), ("psnr", ".2f"), ("nmse", ".5f"))
    return (
        name,
        number,
        record["method"],
        f"{record['acceleration']:.3g}x",
        f"{record['achieved_acceleration']:.2f}x",
        *("-" if record[key] is None else format(record[key], spec) for key, spec in scores),
        f"{record['seconds']:.2f}",
    )
