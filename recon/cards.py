"""The model card of a checkpoint, written from the record of its run and nothing else."""

from __future__ import annotations

from typing import Any

from recon.metrics import closed_share

DESCRIPTIONS = {
    "resnet": """\
Residual network of the original student work: a zero-filled magnitude image in, a repaired one
out. 12 residual blocks (8 of 2 convolutional layers, 4 of 3), 64 feature maps, batch
normalisation. It starts as the identity, which the original did not.""",
    "resnet-dc": """\
Residual networks with data consistency: a small network improves the complex image, the measured
lines are put back, and so on for several steps. One set of weights for 4x, 8x and what lies
between and around.""",
}
UNITS = {"resnet": "patches of {0}x{0} pixels", "resnet-dc": "scan, {0} rows of its image"}
LIMITS = {
    "resnet": """\
It sees the magnitude image alone, so nothing ties its output to the lines that were measured: it
may remove structures and invent some. It was trained on a few brains, one head and one knee,
with random Cartesian masks; on other anatomies, contrasts, noise levels and masks expect less,
or harm.""",
    "resnet-dc": """\
Measured lines are never altered, but what stands in the others is an estimate: structures may
still vanish or be invented. It was trained on a few brains, one head and one knee, with random
Cartesian masks of 3x to 10x, one coil at a time.""",
}

TEXT = """\
# {name}

{description}

Research and teaching only, not for diagnosis.

## How it was made

```
{command}
```

- **Data**: {slices} slices of {volumes} volumes, of the subjects {train}.
  Magnitude images under open licences (see the repository's README); their complex k-space is
  simulated with a random smooth phase and noise of up to {noise:.1%} of the maximum.
  {validation} chose the best weights.
- **Run**: {steps} steps of {batch} {unit}; loss {loss}; Adam, peak learning rate
  {learning_rate:g}, seed {seed}; {minutes:.0f} minutes of wall time on {processor}, {threads}
  threads, torch {torch}.
- **Code**: revision `{code_revision}`. **Parameters**: {parameters:,}.

The whole record is in `record.json`.

## Scores

Subjects that took no part in training or selection; simulated k-space, noise {test_noise:.1%}, one
random mask a slice; data range the slice's maximum; mean over slices.

| volume | mask | slices | SSIM zero-filled | network | gap closed | PSNR zero-filled | network |
|---|---|---|---|---|---|---|---|
{rows}

Simulated k-space flatters every method (Shimron et al. 2022, doi 10.1073/pnas.2117203119).

## Limits

{limits}
"""


def mean_scores(test: list[dict[str, Any]]) -> dict[str, Any]:
    """Scores over all test slices, volumes weighted by their slices.

    Parameters
    ----------
    test
        The rows of a record's ``test``: ``slices``, and ``zero_filled`` and ``network`` with
        scores by name.
    """
    total = sum(row["slices"] for row in test)

    def mean(which: str) -> dict[str, float]:
        return {
            key: sum(row[which][key] * row["slices"] for row in test) / total
            for key in test[0][which]
        }

    return {"slices": total, "zero_filled": mean("zero_filled"), "network": mean("network")}


def card(name: str, record: dict[str, Any]) -> str:
    """Markdown of a model card.

    Parameters
    ----------
    name
        Of the checkpoint.
    record
        What ``record.json`` holds.
    """
    run, data, machine = record["run"], record["data"], record["machine"]
    rows = [{"acceleration": run["acceleration"], **row} for row in record["test"]]
    for rate in sorted({row["acceleration"] for row in rows}):
        same = [row for row in rows if row["acceleration"] == rate]
        rows.append({"subject": "all", "volume": "", "acceleration": rate, **mean_scores(same)})
    return TEXT.format(
        name=name,
        description=DESCRIPTIONS[run["model"]],
        limits=LIMITS[run["model"]],
        **{key: record[key] for key in ("command", "code_revision", "parameters", "test_noise")},
        **{key: run[key] for key in ("steps", "batch", "learning_rate", "seed", "noise")},
        unit=UNITS[run["model"]].format(run["patch"]),
        loss=f"L1 + {run['ssim_weight']:g} (1 - SSIM)" if run.get("ssim_weight") else "L1",
        **{key: machine[key] for key in ("processor", "threads", "torch")},
        slices=sum(data["training_slices"].values()),
        volumes=len(data["training_slices"]),
        train=", ".join(data["splits"]["train"]),
        validation=", ".join(data["splits"]["validation"]),
        minutes=record["seconds"] / 60,
        rows="\n".join(map(_row, rows)),
    )


def _row(row: dict[str, Any]) -> str:
    before, after = row["zero_filled"], row["network"]
    closed = closed_share(after["ssim"], before["ssim"])
    name = " ".join(filter(None, (row["subject"], row["volume"])))
    return (
        f"| {name} | {row['acceleration']:g}x | {row['slices']} "
        f"| {before['ssim']:.4f} | {after['ssim']:.4f} | {closed:.1%} "
        f"| {before['psnr']:.2f} | {after['psnr']:.2f} |"
    )
