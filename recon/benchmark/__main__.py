"""``python -m recon.benchmark --data FOLDER``: run it all, and write it down."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from tqdm import tqdm

from recon import weights
from recon.benchmark import bart
from recon.benchmark.chart import quality_against_time
from recon.benchmark.contenders import contenders, costs
from recon.benchmark.report import (
    Made,
    made_of,
    markdown,
    overview,
    read_csv,
    refresh,
    scored_again,
    scored_before,
    write_csv,
)
from recon.benchmark.results import Results
from recon.benchmark.scoring import BASELINE, replaced, score
from recon.benchmark.sets import QUICK, Plan, groups
from recon.errors import InputError
from recon.training.record import code_revision, processor_name
from recon.weights import WeightsError

README = Path(__file__).resolve().parents[2] / "README.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 1 if something is missing."""
    options = _parser().parse_args(arguments)
    if options.data is None:
        _parser().error("say where the test images are: --data FOLDER")
    plan = QUICK if options.quick else Plan()
    if options.every is not None:
        plan = replace(plan, every=options.every)
    try:
        results = run(options.data, options.real, options.checkpoints, plan, options.again)
        options.out.mkdir(parents=True, exist_ok=True)
        told, later = options.out / "BENCHMARK.md", ""
        made = now = Made(_machine(), code_revision())
        if options.again:
            results.rows = replaced(read_csv(options.out / "benchmark.csv"), results.rows)
            whole = f"{_command(options)} --again {' '.join(options.again)}"
            before = told.read_text("utf-8")
            later = scored_before(before, options.again)
            later += scored_again(results, options.again, whole, now.revision)
            made = made_of(before)
        text = markdown(results, _command(options), made, now.machine, plan, later)
        told.write_text(text, "utf-8")
        write_csv(options.out / "benchmark.csv", results.rows)
        quality_against_time(results).savefig(options.out / "benchmark.png")
        print(overview(results))
        if options.readme:
            refresh(README, overview(results))
    except (InputError, WeightsError, OSError, RuntimeError) as error:  # the last one: BART's
        print(f"recon.benchmark: {error}", file=sys.stderr)
        return 1
    return 0


def run(
    data: Path, real: Path | None, checkpoints: Path | None, plan: Plan, only: Sequence[str] = ()
) -> Results:
    """Measure costs, then reconstruct and score everything; progress goes to stderr.

    Parameters
    ----------
    data, real, plan
        See `recon.benchmark.sets.groups`; `real` is looked for in `data` where None.
    checkpoints
        Folder of the networks; the repository's own where None.
    only
        Names of methods to score, beside the zero-filled image; all where empty.
    """
    if real is None and (data / "real_kspace").is_dir():
        real = data / "real_kspace"
    work = groups(data, real, plan)
    found = contenders(checkpoints)
    unknown = set(only) - {one.name for one in found}
    if unknown:
        raise InputError(f"There is no method {', '.join(sorted(unknown))} to score.")
    print(f"{', '.join(one.name for one in found)}; {plan.words()}", file=sys.stderr)
    price = costs(found, plan.repeats)
    for one in found:
        print(f"{one.name}: {price[one.name].seconds:.3f} s a slice", file=sys.stderr)
    with tqdm(total=sum(len(group.cases) for group in work), file=sys.stderr) as bar:

        def tick(words: str) -> None:
            bar.set_description(words)
            bar.update()

        some = [one for one in found if not only or one.name in (BASELINE, *only)]
        return Results(score(work, some, plan.tuning, tick), found, price)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m recon.benchmark", description=__doc__)
    folder = os.environ.get("RECON_DATA")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(folder) if folder else None,
        help="folder of test images (default: the environment variable RECON_DATA)",
    )
    parser.add_argument(
        "--real", type=Path, help="folder of measured k-space (default: real_kspace in --data)"
    )
    parser.add_argument("--checkpoints", type=Path, help="networks (default: the published ones)")
    parser.add_argument("--out", type=Path, default=weights.SHIPPED)
    parser.add_argument("--every", type=int, help=f"n-th slice (default: {Plan().every})")
    parser.add_argument("--quick", action="store_true", help="a handful of slices, for a look")
    parser.add_argument(
        "--again",
        nargs="+",
        default=[],
        metavar="METHOD",
        help="score these methods alone, on the same cases, and keep the scores of the others",
    )
    parser.add_argument("--readme", action="store_true", help="refresh the README's table too")
    return parser


def _command(options: argparse.Namespace) -> str:
    words = ["python -m recon.benchmark --data FOLDER"]
    if options.real:
        words.append("--real FOLDER/real_kspace")
    if options.checkpoints is not None:
        words.append(f"--checkpoints {options.checkpoints.name}")
    if options.quick:
        words.append("--quick")
    if options.every is not None:
        words.append(f"--every {options.every}")
    return " ".join(words)


def _machine() -> str:
    parts = [processor_name(), f"{torch.get_num_threads()} threads", f"torch {torch.__version__}"]
    version = bart.version()
    return ", ".join([*parts, f"BART {version}"] if version else parts)


if __name__ == "__main__":
    sys.exit(main())
