"""The model card of a checkpoint on the Hugging Face Hub: its template, with our record."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from recon.methods import METHODS
from recon.training.cards import mean_scores, sections
from recon.training.recipes import TEST_COILS
from recon.weights import Config

METRICS = {"ssim": "SSIM", "psnr": "PSNR (dB)", "nmse": "NMSE"}
# What the sets of checkpoints/benchmark.csv are; the simulated one is the test set of training.
SETS = {
    "open_ms": "open_ms_data, test patients, simulated k-space",
    "high-field": "measured k-space, high field",
    "low-field": "measured k-space, 0.055 T",
}
SEVERAL = f", {TEST_COILS} coils"
OPEN_DATA = {  # by what the names of their subjects begin with
    "open_ms": "open_ms_data",
    "hanke": "example-dicom-structural",
    "sag-anon": "SAG-anon",
    "mskt": "mskt",
    "legs": "QMRITools",
}
TEXT = """\
# {label}: {repo}

{description}

Research and teaching only. **Not for diagnosis, not a medical device.**

## Model Details

- **Task**: reconstruction of MRI from undersampled Cartesian k-space
- **Architecture**: `{architecture}` of the Python package `recon`, {parameters:,} parameters
- **Accelerations in training**: {rates}
- **Licence**: MIT
- **Weights**: `model.safetensors`, SHA-256 `{sha256}`; `recon` refuses any others

## Uses

For learning how undersampled MRI is reconstructed, for comparison, and as a starting point for
research. **Out of scope**: anything a patient's care depends on.

## Bias, Risks, and Limitations

{limits}

## How to Get Started with the Model

```python
import recon
from recon.weights import Store, use

use(Store.of("{repo}"))  # better "{repo}@REVISION", with a full commit
kspace = recon.read("scan.npy")  # fully sampled: complex (H, W) or (coils, H, W); .h5, .mat too
result = recon.reconstruct(kspace, acceleration={rate:g}, seed=0, method="{architecture}")
print(result.metrics, result.zero_filled_metrics)  # result.image is float32, (h, w)
```

The network alone, a `torch.nn.Module`: `recon.from_pretrained("{repo}")`. From the command line:
`python -m recon scan.npy --method {architecture} --weights {repo}`.

## Training Details

{made}

## Evaluation

{scores}
{benchmark}"""
BENCHMARK = """
### Benchmark

Means over the slices of the project's benchmark (`python -m recon.benchmark`), random Cartesian
masks, data range the slice's maximum:

| data | mask | slices | SSIM | PSNR (dB) | NMSE |
|---|---|---:|---:|---:|---:|
{rows}
"""


def hub_card(
    repo: str, config: Config, record: dict[str, Any], rows: Sequence[dict[str, str]] = ()
) -> ModelCard:
    """The card, its metadata included.

    Parameters
    ----------
    repo
        ``ORG/NAME``.
    config, record
        Of the checkpoint, as they will be on the Hub.
    rows
        Of the benchmark; see `benchmark_rows`.
    """
    results = _benchmark_means(config, rows)
    table = "\n".join(
        f"| {SETS[name]} | {rate:g}x | {count} | {means['ssim']:.4f} | {means['psnr']:.2f} "
        f"| {means['nmse']:.4f} |"
        for name, rate, count, means in results
    )
    data = ModelCardData(
        license="mit",
        library_name="recon",
        pipeline_tag="image-to-image",
        tags=["mri", "image-reconstruction", "compressed-sensing", "medical-imaging",
              "pytorch_model_hub_mixin", "model_hub_mixin"],
        datasets=_datasets(record),
        metrics=list(METRICS),
        model_name=repo.partition("/")[2],
        eval_results=_evaluations(config, record, results),
    )  # fmt: skip
    rate = config.acceleration
    text = TEXT.format(
        repo=repo,
        label=METHODS[config.architecture].label,
        architecture=config.architecture,
        parameters=record["parameters"],
        rate=rate or 4,
        sha256=config.sha256,
        benchmark=BENCHMARK.format(rows=table) if results else "",
        **sections(record),
    )
    return ModelCard(f"---\n{data.to_yaml()}\n---\n\n{text}")


def _datasets(record: dict[str, Any]) -> list[str]:
    """What the network learned from."""
    if record["run"].get("dataset", "open") != "open":
        return ["fastMRI"]
    subjects = tuple(record["data"]["splits"]["train"])
    return [
        name for start, name in OPEN_DATA.items() if any(one.startswith(start) for one in subjects)
    ]


def benchmark_rows(path: Path) -> list[dict[str, str]]:
    """Rows of ``benchmark.csv``; none where there is no such file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


Means = tuple[str, float, int, dict[str, float]]  # set, acceleration, slices, scores


def _benchmark_means(config: Config, rows: Sequence[dict[str, str]]) -> list[Means]:
    """Means of the network's scores with usual masks, at the accelerations that it serves.

    None of a network for several coils: nearly all scans of the benchmark have one.
    """
    groups: dict[tuple[str, float], list[dict[str, str]]] = {}
    method = config.architecture + ("" if config.protocol == "ours" else f"-{config.protocol}")
    for row in () if config.several else rows:
        rate = float(row["acceleration"])
        ours = row["method"] == method and row["condition"] == "random"
        if ours and row["set"] in SETS and config.acceleration in (None, rate):
            groups.setdefault((row["set"], rate), []).append(row)
    return [
        (name, rate, len(group), {m: float(np.mean([float(r[m]) for r in group])) for m in METRICS})
        for (name, rate), group in groups.items()
    ]


def _evaluations(
    config: Config, record: dict[str, Any], results: Sequence[Means]
) -> list[EvalResult]:
    """The benchmark's results, or those of the run's own test where it was not benchmarked."""
    if not results:
        tests = [{"acceleration": config.acceleration, **row} for row in record["test"]]
        for rate in sorted({row["acceleration"] for row in tests}):
            mean = mean_scores([row for row in tests if row["acceleration"] == rate])
            results = [*results, ("open_ms", rate, mean["slices"], mean["network"])]
    return [
        EvalResult(
            task_type="image-to-image",
            task_name="MRI reconstruction",
            dataset_type=name,
            dataset_name=f"{SETS[name]}{SEVERAL if config.several else ''}, {rate:g}x",
            dataset_config=f"{rate:g}x",
            dataset_split="test",
            metric_type=metric,
            metric_name=METRICS[metric],
            metric_value=round(value, 4),
        )
        for name, rate, _, means in results
        for metric, value in means.items()
        if metric in METRICS
    ]
