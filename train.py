"""Train a network and write its checkpoint: ``python train.py resnet --acceleration 4 --data DIR``.

The file reads top to bottom: the run's settings, one step, the validation, the loop, and what
is written at the end. Data come from `recon.datasets`, networks from `recon.models`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from recon import cards, datasets, metrics, models, weights
from recon.fourier import center_crop
from recon.kspace import InputError
from recon.losses import ssim_loss
from recon.measurement import CROP, Measurement
from recon.methods import apply_network
from recon.simulate import kspace_from_magnitude


@dataclass(frozen=True)
class Run:
    """Everything that decides the weights, given the same data, machine and thread count."""

    model: str
    acceleration: float | None  # of the masks; None draws one between 3x and 10x every time
    steps: int = 2000
    batch: int = 4  # scans a step
    patch: int = 160  # pixels: side of a patch, or height of a strip
    learning_rate: float = 1e-3  # peak: linear warm-up, then cosine to zero
    warmup: int = 50  # steps
    noise: float = 0.035  # largest simulated noise level, share of the image's maximum
    ssim_weight: float = 0.0  # of 1 - SSIM beside L1
    average: float = 0.0  # decay of the exponential moving average of the weights
    half: bool = False  # publish the weights as float16
    seed: int = 0
    validate_every: int = 200  # steps
    validation_slices: int = 12

    @property
    def name(self) -> str:
        return self.model if self.acceleration is None else f"{self.model}-{self.acceleration:g}x"

    @property
    def test_accelerations(self) -> tuple[float, ...]:
        return (4.0, 8.0) if self.acceleration is None else (self.acceleration,)


RECIPES = {
    "resnet": Run("resnet", 4.0),
    "resnet-dc": Run(
        "resnet-dc",
        None,
        steps=7000,
        batch=1,
        patch=128,
        learning_rate=5e-4,
        ssim_weight=0.1,
        average=0.999,
        half=True,
        validate_every=500,
    ),
}
TEST_NOISE = 0.005  # the noise level of validation and test, share of the image's maximum


def learning_rate(run: Run, step: int) -> float:
    if step < run.warmup:
        return run.learning_rate * (step + 1) / run.warmup
    progress = (step - run.warmup) / max(1, run.steps - run.warmup)
    return run.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 where the processor computes in it, otherwise plain float32."""
    fast = device.type == "cuda" or (device.type == "cpu" and cpu_has_bfloat16())
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=fast)


def cpu_has_bfloat16() -> bool:
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def loss_of(
    network: torch.nn.Module, images: list[np.ndarray], run: Run, rng: np.random.Generator
) -> torch.Tensor:
    """Loss of one step, on scans that are simulated for it."""
    device = next(network.parameters()).device
    if not network.takes_kspace:
        batch = datasets.patches(images, run.acceleration, rng, run.batch, run.patch, run.noise)
        zero_filled, reference = (torch.from_numpy(part).to(device) for part in batch)
        with autocast(device):  # (N, 1, patch, patch)
            image = network(zero_filled.contiguous(memory_format=torch.channels_last)).float()
        return torch.nn.functional.l1_loss(image, reference)

    total = torch.zeros((), device=device)
    for _ in range(run.batch):  # one by one: scans have different sizes
        strip = datasets.strip(datasets.draw(images, rng, run.noise), run.patch, rng)
        acceleration = run.acceleration or float(np.exp(rng.uniform(*np.log((3, 10)))))
        measurement, reference = datasets.undersample(strip, acceleration, rng)
        kspace = torch.from_numpy(measurement.kspace)[None].to(device)  # (1, H, W)
        mask = torch.from_numpy(measurement.mask)[None].to(device)  # (1, W)
        with autocast(device):
            image = center_crop(network(kspace, mask).abs(), CROP)[None]  # (1, 1, h, w)
        target = torch.from_numpy(reference)[None, None].to(device)
        loss = torch.nn.functional.l1_loss(image, target)
        total = total + loss + run.ssim_weight * ssim_loss(image, target)
    return total / run.batch


def evaluate(
    network: torch.nn.Module, samples: list[tuple[Measurement, np.ndarray]]
) -> dict[str, Any]:
    """Mean scores over slices, before and after the network, data range the slice's maximum."""
    network.eval()
    before = [metrics.scores(reference, m.zero_filled) for m, reference in samples]
    after = [metrics.scores(reference, apply_network(network, m)) for m, reference in samples]
    network.train()

    def mean(rows: list[dict[str, float]]) -> dict[str, float]:
        return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}

    return {"slices": len(samples), "zero_filled": mean(before), "network": mean(after)}


def fixed_samples(
    volume: datasets.Volume, acceleration: float
) -> list[tuple[Measurement, np.ndarray]]:
    """The same simulated scans of a volume's slices in every run: the seed is the slice."""
    samples = []
    for index, image in enumerate(volume.slices):
        rng = np.random.default_rng(index)
        kspace = kspace_from_magnitude(image, rng, TEST_NOISE)
        samples.append(datasets.undersample(kspace, acceleration, rng))
    return samples


def train(run: Run, data: Path, out: Path) -> None:
    torch.manual_seed(run.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = models.build(run.model).to(device, memory_format=torch.channels_last)
    average = None
    if run.average:
        average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(run.average))
    best_guess = network if average is None else average.module
    optimizer = torch.optim.Adam(network.parameters())
    config = weights.Config(run.model, run.acceleration)

    training = datasets.load(data, "train")
    images = [image for volume in training for image in volume.slices]
    volumes = datasets.load(data, "validation")
    validation = [
        sample
        for rate in run.test_accelerations
        for volume in volumes
        for sample in fixed_samples(volume, rate)
    ]
    validation = validation[:: max(1, len(validation) // run.validation_slices)]

    best, history, losses, start = -math.inf, [], [], time.time()
    revision = code_revision()  # now: the folder may move on while the run does not
    bar = tqdm(range(run.steps), desc=run.name, file=sys.stderr, mininterval=5)
    for step in bar:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(run, step)
        # A generator of its own for every step: a run can be repeated from any of them.
        loss = loss_of(network, images, run, np.random.default_rng((run.seed, step)))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if average is not None:
            average.update_parameters(network)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise InputError(f"The loss is not finite at step {step}; try a lower learning rate.")

        if (step + 1) % run.validate_every == 0 or step + 1 == run.steps:
            result = evaluate(best_guess, validation)
            score = result["network"]["ssim"]
            history.append({"step": step + 1, "loss": float(np.mean(losses)), "ssim": score})
            losses.clear()
            bar.write(
                f"step {step + 1}: loss {history[-1]['loss']:.5f}, validation SSIM "
                f"{result['zero_filled']['ssim']:.4f} -> {score:.4f}",
                file=sys.stderr,
            )
            if score > best:
                best = score
                weights.save(out / run.name, best_guess, config, run.half)
    write_record(run, data, out / run.name, training, history, time.time() - start, revision)


def write_record(
    run: Run,
    data: Path,
    folder: Path,
    training: list[datasets.Volume],
    history: list[dict],
    seconds: float,
    revision: str,
) -> None:
    """Score the best weights on the subjects kept for testing, and write down how they came."""
    network = weights.load(folder.name, folder.parent)
    volumes = datasets.load(data, "test")
    test = [
        {"subject": volume.subject, "volume": volume.name, "acceleration": rate}
        | evaluate(network, fixed_samples(volume, rate))
        for rate in run.test_accelerations
        for volume in tqdm(volumes, desc=f"test {rate:g}x", file=sys.stderr)
    ]
    record = {
        "command": command(run),
        "run": asdict(run),
        "data": {
            "splits": {split: list(subjects) for split, subjects in datasets.SPLITS.items()},
            "training_slices": {v.subject + "/" + v.name: len(v.slices) for v in training},
        },
        "seconds": round(seconds),
        "machine": {
            "processor": processor_name(),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        "code_revision": revision,
        "parameters": sum(p.numel() for p in network.parameters()),
        "history": history,
        "test_noise": TEST_NOISE,
        "test": test,
    }
    (folder / "record.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    (folder / "README.md").write_text(cards.card(folder.name, record), "utf-8")


def command(run: Run) -> str:
    """The command line that repeats a run."""
    words = ["python train.py", run.model]
    if run.acceleration is not None:
        words.append(f"--acceleration {run.acceleration:g}")
    for name in ("steps", "seed"):
        if getattr(run, name) != getattr(RECIPES[run.model], name):
            words.append(f"--{name} {getattr(run, name)}")
    return " ".join([*words, "--data FOLDER"])


def processor_name() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(x.split(":")[1].strip() for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def code_revision() -> str:
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=sorted(RECIPES))
    parser.add_argument(
        "--acceleration",
        type=float,
        help="of the masks (default: 4; resnet-dc: any, with one set of weights)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("RECON_DATA"),
        help="folder of training images (default: the environment variable RECON_DATA)",
    )
    parser.add_argument("--out", type=Path, default=weights.FOLDER)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int)
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("say where the training images are: --data FOLDER")
    chosen = {name: getattr(arguments, name) for name in ("acceleration", "steps", "seed")}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    run = replace(RECIPES[arguments.model], **chosen)
    try:
        train(run, Path(arguments.data), arguments.out)
    except (InputError, OSError) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
