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
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from recon import cards, datasets, metrics, models, weights
from recon.kspace import InputError


@dataclass(frozen=True)
class Run:
    """Everything that decides the weights, given the same data, machine and thread count."""

    model: str
    acceleration: float
    steps: int = 2000
    batch: int = 4  # patches a step
    patch: int = 160  # pixels
    learning_rate: float = 1e-3  # peak: linear warm-up, then cosine to zero
    warmup: int = 50  # steps
    noise: float = 0.035  # largest simulated noise level, share of the image's maximum
    seed: int = 0
    validate_every: int = 200  # steps
    validation_slices: int = 12

    @property
    def name(self) -> str:
        return f"{self.model}-{self.acceleration:g}x"


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


@torch.no_grad()
def evaluate(network: torch.nn.Module, samples: list[tuple[np.ndarray, np.ndarray]]) -> dict:
    """Mean scores over slices, before and after the network, data range the slice's maximum."""
    network.eval()
    device = next(network.parameters()).device
    before, after = [], []
    for zero_filled, reference in samples:
        x = torch.from_numpy(zero_filled)[None, None].to(device)  # (1, 1, H, W)
        image = network(x)[0, 0].clamp(min=0).cpu().numpy()
        before.append(metrics.scores(reference, zero_filled))
        after.append(metrics.scores(reference, image))
    network.train()

    def mean(rows: list[dict[str, float]]) -> dict[str, float]:
        return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}

    return {"slices": len(samples), "zero_filled": mean(before), "network": mean(after)}


def fixed_samples(volume: datasets.Volume, run: Run, every: int = 1) -> list:
    """The same simulated scans of a volume's slices in every run: the seed is the slice."""
    return [
        datasets.undersample(image, run.acceleration, np.random.default_rng(index), TEST_NOISE)
        for index, image in enumerate(volume.slices)
        if index % every == 0
    ]


def train(run: Run, data: Path, out: Path) -> None:
    torch.manual_seed(run.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = models.build(run.model).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters())
    config = weights.Config(run.model, run.acceleration)

    training = datasets.load(data, "train")
    images = [image for volume in training for image in volume.slices]
    validation = [
        sample
        for volume in datasets.load(data, "validation")
        for sample in fixed_samples(volume, run)
    ]
    validation = validation[:: max(1, len(validation) // run.validation_slices)]

    best, history, losses, start = -math.inf, [], [], time.time()
    bar = tqdm(range(run.steps), desc=run.name, file=sys.stderr, mininterval=5)
    for step in bar:
        # A generator of its own for every step: a run can be repeated from any of them.
        rng = np.random.default_rng((run.seed, step))
        batch = datasets.training_batch(
            images, run.acceleration, rng, run.batch, run.patch, run.noise
        )
        zero_filled, reference = (torch.from_numpy(part).to(device) for part in batch)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(run, step)
        with autocast(device):
            image = network(zero_filled.contiguous(memory_format=torch.channels_last))
        loss = torch.nn.functional.l1_loss(image.float(), reference)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise InputError(f"The loss is not finite at step {step}; try a lower learning rate.")

        if (step + 1) % run.validate_every == 0 or step + 1 == run.steps:
            result = evaluate(network, validation)
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
                weights.save(out / run.name, network, config)
    write_record(run, data, out / run.name, training, history, time.time() - start)


def write_record(
    run: Run,
    data: Path,
    folder: Path,
    training: list[datasets.Volume],
    history: list[dict],
    seconds: float,
) -> None:
    """Score the best weights on the subjects kept for testing, and write down how they came."""
    network = weights.load(folder.name, folder.parent)
    test = [
        {"subject": volume.subject, "volume": volume.name}
        | evaluate(network, fixed_samples(volume, run))
        for volume in tqdm(datasets.load(data, "test"), desc="test", file=sys.stderr)
    ]
    record = {
        "command": f"python train.py {run.model} --acceleration {run.acceleration:g} --data FOLDER",
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
        "code_revision": code_revision(),
        "parameters": sum(p.numel() for p in network.parameters()),
        "history": history,
        "test_noise": TEST_NOISE,
        "test": test,
    }
    (folder / "record.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    (folder / "README.md").write_text(cards.card(folder.name, record), "utf-8")


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
    parser.add_argument("model", choices=sorted(models.ARCHITECTURES))
    parser.add_argument("--acceleration", type=float, default=4)
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("RECON_DATA"),
        help="folder of training images (default: the environment variable RECON_DATA)",
    )
    parser.add_argument("--out", type=Path, default=weights.FOLDER)
    parser.add_argument("--steps", type=int, default=Run.steps)
    parser.add_argument("--seed", type=int, default=Run.seed)
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("say where the training images are: --data FOLDER")
    run = Run(arguments.model, arguments.acceleration, arguments.steps, seed=arguments.seed)
    try:
        train(run, arguments.data, arguments.out)
    except (InputError, OSError) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
