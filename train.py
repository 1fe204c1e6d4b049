"""Train a network and write its checkpoint: ``python train.py resnet-dc --data FOLDER``.

The file reads top to bottom: one training from the first step to the record, then the command
line. The settings of every published checkpoint are in `recon.training.recipes`, a single step
is in `recon.training.learner`, data come from `recon.datasets`, networks from `recon.models`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from recon import datasets, weights
from recon.datasets import open_images
from recon.errors import InputError
from recon.training import cards, export, publish
from recon.training.devices import Workers, choose_device
from recon.training.learner import Learner
from recon.training.log import Log
from recon.training.recipes import RECIPES, TEST_COILS, Run, original
from recon.training.record import code_revision, evaluate, record, with_earlier

TEST_NOISE = 0.005  # the noise level of validation and test, share of the image's maximum
LOG_EVERY = 50  # steps
SAVE_EVERY = 45  # seconds, so that a kill costs less than a minute


def train(run: Run, data: Path, out: Path, resume: bool = False, restart: bool = False) -> None:
    """Train, keep weights in ``out / run.name``, and write down how they came.

    The best ones on the validation subject, or the last, as the run says. An unfinished run of
    this name is gone on with (`resume`), given up (`restart`), or else left as it is.
    """
    folder = out / run.name
    state = folder / "state.pt"
    if state.is_file() and not resume and not restart:
        raise InputError(
            f"There is an unfinished run of {run.name}; --resume goes on with it, and --restart "
            f"gives it up for a new one."
        )
    subjects = {split: datasets.subjects(data, split, run.dataset) for split in datasets.SPLITS}
    training = [
        replace(volume, slices=volume.slices[:: run.every])
        for volume in datasets.load(data, "train", run.dataset)
    ]
    slices = [slice_ for volume in training for slice_ in volume.slices]
    volumes = datasets.load(data, "validation", run.dataset)
    candidates = [
        (volume, index, rate)
        for rate in run.test_accelerations
        for volume in volumes
        for index in range(len(volume.slices))
    ]
    candidates = candidates[:: max(1, len(candidates) // run.validation_slices)]
    # Where there are coils to learn beside single ones, every other slice is seen by several.
    validation = [
        datasets.fixed_scan(
            *one,
            TEST_NOISE,
            coils=min(run.coils, TEST_COILS) if run.all_coils or number % 2 else 1,
            added_noise=run.test_noise,
        )
        for number, one in enumerate(candidates)
    ]

    workers = Workers()
    if run.epochs:
        run = replace(run, steps=run.epochs * len(slices) // (run.batch * workers.count))
    before = earlier(run, run.before, out) if run.before else None
    learner = Learner(run, choose_device(), workers, before and before[0])
    store, first = weights.Store(out), workers.rank == 0
    # Now: the code may change while it runs.
    written = record(run, subjects, training, learner.network, workers.count)
    origins = {"before": before[1]} if before else {}
    if run.start:
        origins |= begin(learner, out)
    if origins:
        written = with_earlier(written, origins)
    config = weights.Config(
        run.model, run.acceleration, several=run.all_coils, protocol=run.protocol
    )
    progress: dict[str, Any] = {
        "step": 0,
        "best": -math.inf,
        "seconds": 0.0,
        "rows": [],
        "losses": [],
    }
    if resume:
        progress = load_state(state, run, learner)
    elif first:
        state.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    log, losses, best = Log(folder, progress["rows"]), progress["losses"], progress["best"]
    start = saved = time.time()

    steps = range(progress["step"], run.steps)
    bar = tqdm(steps, desc=run.name, file=sys.stderr, mininterval=5, disable=not first)
    for step in bar:
        if first and run.snapshots and step in run.snapshot_steps():
            store.save_snapshot(run.name, step, learner.published)
        losses.append(learner.step(step, slices))
        if not math.isfinite(losses[-1]):
            raise RuntimeError(
                f"the loss is not finite at step {step}; a lower learning rate may help"
            )
        done, last = step + 1, step + 1 == run.steps
        validate = done % run.validate_every == 0 or last
        if not first:
            continue
        score = None
        if validate:
            score = evaluate(learner.published, validation, learner.task.before)["network"]["ssim"]
            bar.set_postfix(loss=f"{np.mean(losses):.4f}", ssim=f"{score:.4f}", refresh=False)
            if score > best or run.keep == "last":
                best = score
                store.save(run.name, learner.published, config, run.half)
        if validate or done % LOG_EVERY == 0:
            log.add(done, float(np.mean(losses)), score)
            losses.clear()
        if validate:
            log.write()
            middle = validation[len(validation) // 2]
            log.picture(learner.published, *middle, learner.task.before)
        if validate or time.time() - saved > SAVE_EVERY:
            saved = time.time()
            seconds = progress["seconds"] + saved - start
            now = {"step": done, "best": best, "seconds": seconds, "rows": log.rows}
            now["losses"] = losses
            save_state(state, run, learner, now)

    if first:
        if run.snapshots:
            store.save_snapshot(run.name, run.steps, learner.published)
        written["seconds"] = round(progress["seconds"] + time.time() - start)
        written["history"] = [row for row in log.rows if row["ssim"] is not None]
        conclude(run, data, folder, written)
        state.unlink(missing_ok=True)


def conclude(run: Run, data: Path, folder: Path, written: dict[str, Any]) -> None:
    """Score the weights on the test subjects, and write the record and the card."""
    written["test_noise"] = TEST_NOISE
    written["test"] = test(run, data, folder)
    (folder / "record.json").write_text(json.dumps(written, indent=1) + "\n", "utf-8")
    (folder / "README.md").write_text(cards.card(folder.name, written), "utf-8")


def score(run: Run, data: Path, out: Path) -> None:
    """Score weights again, when what is done around a network has changed since its training."""
    store = weights.Store(out)
    if run.name not in store.names():
        raise InputError(f"There are no weights of {run.name} to score.")
    written = dict(store.record(run.name)) | {"test_revision": code_revision()}
    conclude(run, data, out / run.name, written)


def earlier(run: Run, name: str, out: Path) -> tuple[torch.nn.Module, dict[str, Any]]:
    """The network of an earlier run, and its record, to be kept with the new one's."""
    name = name.format(acceleration=run.acceleration)
    name += "" if run.dataset == "open" else f"-{run.dataset}"
    stores = [store for store in (weights.Store(out), weights.Store()) if name in store.names()]
    if not stores:
        raise InputError(f"This training goes on from the weights of {name}; make them first.")
    store = stores[0]
    sha256 = store.config(name).sha256
    return store.load(name), {"name": name, "sha256": sha256, "record": store.record(name)}


def begin(learner: Learner, out: Path) -> dict[str, Any]:
    """Start from the weights of earlier runs, or their mean; the runs' records."""
    names = {"start": learner.run.start, "blend": learner.run.blend}
    found = {kind: earlier(learner.run, name, out) for kind, name in names.items() if name}
    states = [network.state_dict() for network, _ in found.values()]
    mean = {key: sum(state[key] for state in states) / len(states) for key in states[0]}
    learner.network.load_state_dict(mean)
    if learner.average is not None:
        learner.average.module.load_state_dict(mean)
    return {kind: written for kind, (_, written) in found.items()}


def test(run: Run, data: Path, folder: Path) -> list[dict[str, Any]]:
    """Scores of the weights on the subjects kept for testing, volume by volume."""
    network = weights.Store(folder.parent).load(folder.name)
    volumes = datasets.load(data, "test", run.dataset)
    coils = min(run.coils, TEST_COILS) if run.all_coils else 1
    before = earlier(run, run.before, folder.parent) if run.before else None
    return [
        {"subject": volume.subject, "volume": volume.name, "acceleration": rate}
        | evaluate(
            network,
            (
                datasets.fixed_scan(
                    volume, n, rate, TEST_NOISE, coils=coils, added_noise=run.test_noise
                )
                for n in range(len(volume.slices))
            ),
            before and before[0],
        )
        for rate in run.test_accelerations
        for volume in tqdm(volumes, desc=f"test {rate:g}x", file=sys.stderr)
    ]


def save_state(path: Path, run: Run, learner: Learner, progress: dict[str, Any]) -> None:
    """Keep everything that a resumed run needs; the earlier state stays until this one is whole."""
    part = path.with_suffix(".part")
    torch.save({"run": asdict(run), "learner": learner.state_dict(), "progress": progress}, part)
    part.replace(path)


def load_state(path: Path, run: Run, learner: Learner) -> dict[str, Any]:
    """Put a learner back where it was; how far that is."""
    if not path.is_file():
        raise InputError("There is no unfinished run of this name to resume; leave out --resume.")
    state = torch.load(path, map_location=learner.device, weights_only=True)
    if state["run"] != asdict(run):
        changed = sorted(
            key for key, value in asdict(run).items() if state["run"].get(key) != value
        )
        raise InputError(
            f"The unfinished run has other settings ({', '.join(changed)}); "
            f"give the same ones to resume it."
        )
    learner.load_state_dict(state["learner"])
    progress: dict[str, Any] = state["progress"]
    return progress


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the command line says; the exit status is 1 if that was not possible, 130 after
    Ctrl-C."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["publish"]:
        return publish.main(words[1:])
    if words[:1] == ["export"]:
        return export.main(words[1:])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=sorted(RECIPES))
    parser.add_argument(
        "--acceleration",
        type=float,
        help="of the masks (default: 4 for resnet; the others learn a range together)",
    )
    parser.add_argument(
        "--protocol",
        choices=("ours", "original"),
        default="ours",
        help="original: whole pictures one by one, L1, Adam, 20 or 40 epochs",
    )
    parser.add_argument("--dataset", choices=datasets.DATASETS, default="open")
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("RECON_DATA"),
        help="folder of training data (default: the environment variable RECON_DATA)",
    )
    parser.add_argument(
        "--download", action="store_true", help="fetch what the folder lacks of the open data"
    )
    parser.add_argument("--out", type=Path, default=weights.SHIPPED)
    unfinished = parser.add_mutually_exclusive_group()
    unfinished.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    unfinished.add_argument(
        "--restart", action="store_true", help="give an interrupted run up and start anew"
    )
    parser.add_argument("--score", action="store_true", help="train nothing, score what is there")
    parser.add_argument("--steps", type=int, help="instead of the recipe's")
    parser.add_argument("--batch", type=int, help="scans a step, in every process")
    parser.add_argument("--every", type=int, help="N: train on every N-th slice of a volume")
    parser.add_argument("--seed", type=int)
    options = parser.parse_args(words)
    if options.data is None:
        parser.error("say where the training data are: --data FOLDER")
    for name in ("acceleration", "steps", "batch", "every"):
        value = getattr(options, name)
        if value is not None and not value >= 1:
            parser.error(f"--{name} is at least 1; {value:g} was given")
    if options.seed is not None and options.seed < 0:
        parser.error(f"--seed is not negative; {options.seed} was given")

    names = ("acceleration", "dataset", "steps", "batch", "every", "seed")
    chosen = {name: getattr(options, name) for name in names}
    run = RECIPES[options.model]
    if options.protocol == "original":
        run = original(replace(run, acceleration=options.acceleration or run.acceleration))
        if options.steps:
            run = replace(run, epochs=0)
    run = replace(run, **{name: value for name, value in chosen.items() if value is not None})
    try:
        if options.download and run.dataset == "open":
            open_images.fetch(options.data)
        if options.score:
            score(run, Path(options.data), options.out)
        else:
            train(run, Path(options.data), options.out, options.resume, options.restart)
    except KeyboardInterrupt:
        kept = (options.out / run.name / "state.pt").is_file()
        what = "; --resume goes on" if kept else " before a state was saved"
        print(f"train.py: Interrupted{what}.", file=sys.stderr)
        return 130
    except (InputError, weights.WeightsError) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or (str(error) or repr(error)).splitlines()[0]
        print(f"train.py: {reason}. What was saved is kept; see --resume.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
