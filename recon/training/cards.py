"""The model card of a checkpoint, written from the record of its run and nothing else."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from recon import models
from recon.metrics import closed_share
from recon.training.recipes import MOST_APART, NARROWEST, TEST_COILS, Run
from recon.training.record import flat

DESCRIPTIONS = {
    "cnn": """\
Plain stack of six 3x3 convolutions, 64 feature maps, ReLU and dropout, without skip connection: the
original student work's "AlexNet". A zero-filled magnitude image in, a repaired one out.""",
    "gan": """\
The residual network of the original student work, trained against a discriminator that judges
patches of 38x38 pixels: a zero-filled magnitude image in, a convincing one out.""",
    "resnet": """\
Residual network of the original student work: a zero-filled magnitude image in, a repaired one
out. 12 residual blocks (8 of 2 convolutional layers, 4 of 3), 64 feature maps, batch
normalisation. It starts as the identity, which the original did not.""",
    "resnet-dc": """\
Residual networks with data consistency: a small network improves the complex image, the measured
lines are put back, and so on for several steps. One set of weights for any acceleration from
{gentlest:g}x to 10x, {scans}""",
    "resnet-dc-denoised": """\
Two residual networks that take the noise out of what `resnet-dc` makes, which keeps the measured
lines and with them their noise. They see that image, what was measured of it and how noisy it is,
and were trained against images without noise: measured lines do change. With several coils they
follow `resnet-dc-coils`.""",
    "resnet-dc-small": """\
A small relative of ResNet-DC, 3 narrow steps instead of 6: a small network improves the complex
image, the measured lines are put back, and so on. It is no method of the page, which shows how it
learned: `snapshots/` holds its weights along the training, ever further apart.""",
    "unet": """\
The U-Net of fastMRI (32 channels, 4 poolings, instance normalisation), the field's baseline: a
zero-filled magnitude image in, a repaired one out.""",
    "varnet": """\
Variational network of the design of E2E-VarNet: 8 cascades, each a step towards the measured lines
and a U-Net (12 channels, 4 poolings) that takes away what does not belong in an image. One set of
weights for any acceleration from {gentlest:g}x to 10x, {scans}""",
}
ORIGINAL = """
Trained for comparison as the original was: whole pictures one by one, L1, Adam at a constant rate,
{epochs} epochs. The page uses its sibling, `{sibling}`."""
ONE_COIL = """\
for scans of one coil.
Several coils are reconstructed together by its sibling, `{model}-coils`."""
ANY_COILS = """\
for one coil or several: those are reconstructed
together in one pass, through maps of what they see (ESPIRiT), with {steps} as data
consistency, and in the end brought into accord with all coils (SENSE with total variation)."""
SEVERAL_COILS = """\
for scans of several coils: they are
reconstructed together in one pass, through maps of what they see (ESPIRiT), with {steps}
as data consistency. In the end the object is brought into accord with all coils: SENSE
with total variation, near to the network's image (`recon/coils/joint.py`). One coil is
left to its sibling, `{model}`."""
TOWARDS_DATA = {"resnet-dc": "conjugate gradients", "varnet": "a step of learned length"}
MAGNITUDE_ONLY = """\
It sees the magnitude image alone, so nothing ties its output to the lines that were measured: it
may remove structures and invent some. {trained}; on other anatomies, contrasts, noise levels and
masks expect less, or harm."""
DENOISED = """\
What it takes for noise it removes, and faint structures may be among it; what stands in lines that
were not measured is an estimate. {trained}, {coils}."""
CONSISTENT = """\
Measured lines are never altered, but what stands in the others is an estimate: structures may
still vanish or be invented. {trained}, {coils}."""
NEARLY_CONSISTENT = """\
It is drawn towards the measured lines, yet may alter them, and what stands in the others is an
estimate: structures may vanish or be invented. {trained}, {coils}."""
LIMITS = {  # of networks that see more than a magnitude image
    "resnet-dc": CONSISTENT,
    "resnet-dc-denoised": DENOISED,
    "resnet-dc-small": CONSISTENT,
    "varnet": NEARLY_CONSISTENT,
}
COARSER = """
  Every other one is first brought to a lower resolution, down to {coarsest:.0%} along an axis."""
SEVERAL = """
  {share} are seen by 2 to {coils} simulated coils, whose maps are estimated from the
  undersampled scan. Echoes miss the middle of k-space by up to {tilt:g} samples."""
APART = """
  {apart:.0%} are what one coil of an array of 2 to {most} sees by itself."""
NARROW = """
  {narrow:.0%} have a narrower field of view, down to {least:.0%}: what lies beyond folds back."""
OPEN_DATA = """\
{slices} slices of {volumes} volumes{share}, of the subjects {train}.
  Magnitude images under open licences (see the repository's README); their complex k-space is
  simulated with a random smooth phase and noise of up to {noise:.1%} of the maximum.{augmented}
  {validation} {chose}."""
FASTMRI_DATA = """\
{slices} slices of {volumes} volumes{share} of fastMRI (Knoll et al. 2020; arXiv 1811.08839),
  which may not be passed on; one training file in twenty chose the best weights."""

DATA_CRIMES = """\
Simulated k-space flatters every method (Shimron et al. 2022, doi 10.1073/pnas.2117203119)."""
MADE = """\
```
{command}
```

- **Data**: {data}
{start}- **Run**: {steps} steps of {batch} {unit}; loss {loss}; {optimizer}, {schedule} learning
  rate {learning_rate:g}, seed {seed}; {minutes:.0f} minutes of wall time on {processor}, {threads}
  threads, torch {torch}.
- **Code**: revision `{code_revision}`. **Parameters**: {parameters:,}.

The whole record is in `record.json`."""
SCORES = """\
Subjects that took no part in training or selection; {test_kspace}, one
random mask a slice; data range the slice's maximum; mean over slices.

| volume | mask | slices | SSIM zero-filled | network | gap closed | PSNR zero-filled | network |
|---|---|---|---|---|---|---|---|
{rows}
{again}{caution}"""
TEXT = """\
# {name}

{description}

Research and teaching only, not for diagnosis.

## How it was made

{made}

## Scores

{scores}
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
    """Markdown of the model card in a checkpoint's folder.

    Parameters
    ----------
    name
        Of the checkpoint.
    record
        What ``record.json`` holds.
    """
    return TEXT.format(name=name, **sections(record))


def sections(record: dict[str, Any]) -> dict[str, str]:
    """What a record has to say, as Markdown: ``description, made, scores, limits, rates``."""
    record = flat(record)
    data, machine = record["data"], record["machine"]
    processes, threads = machine.get("processes", 1), machine["threads"]
    # Records written before a setting existed had its default.
    run = asdict(Run(record["run"]["model"], None)) | record["run"]
    batch = run["batch"] * processes
    together = Run(**run).all_coils
    rows = [{"acceleration": run["acceleration"], **row} for row in record["test"]]
    for rate in sorted({row["acceleration"] for row in rows}):
        same = [row for row in rows if row["acceleration"] == rate]
        rows.append({"subject": "all", "volume": "", "acceleration": rate, **mean_scores(same)})
    simulated = run["dataset"] == "open"
    facts = {
        "slices": sum(data["training_slices"].values()),
        "volumes": len(data["training_slices"]),
        "share": f", one in {run['every']}" if run["every"] > 1 else "",
        "train": ", ".join(data["splits"]["train"]),
        "validation": ", ".join(data["splits"].get("validation", ())),
        "noise": run["noise"],
        "chose": "chose the best weights" if run["keep"] == "best" else "was watched",
        "augmented": (COARSER.format(**run) if run["coarsest"] < 1 else "")
        + (
            SEVERAL.format(**run, share="All" if together else "About half")
            if run["coils"] > 1
            else ""
        )
        + (APART.format(**run, most=MOST_APART) if run["apart"] else "")
        + (NARROW.format(**run, least=NARROWEST) if run["narrow"] else ""),
    }
    made = MADE.format(
        data=(OPEN_DATA if simulated else FASTMRI_DATA).format(**facts),
        **{key: record[key] for key in ("command", "code_revision", "parameters")},
        **{key: run[key] for key in ("steps", "learning_rate", "seed")},
        batch=batch,
        start=_start(record),
        unit=_unit(run, batch),
        loss=_loss(run),
        optimizer={"adam": "Adam", "muon": "Muon and Adam"}[run["optimizer"]],
        schedule="constant" if run["schedule"] == "constant" else "peak",
        **{key: machine[key] for key in ("processor", "torch")},
        threads=f"{processes} processes of {threads}" if processes > 1 else threads,
        minutes=record["seconds"] / 60,
    )
    seen = f" seen by {TEST_COILS} coils" if together else ""
    more = run["test_noise"]
    added = f" and {more:.0%} more that the references lack" if more else ""
    scores = SCORES.format(
        test_kspace=f"simulated k-space{seen}, noise {record['test_noise']:.1%}{added}"
        if simulated
        else "measured k-space",
        rows="\n".join(map(_row, rows)),
        again=f"\nScored at revision `{record['test_revision']}`.\n"
        if "test_revision" in record
        else "",
        caution=f"\n{DATA_CRIMES}\n" if simulated else "",
    )
    several = SEVERAL_COILS if together else ANY_COILS
    scans = (several if run["coils"] > 1 else ONE_COIL).format(
        model=run["model"], steps=TOWARDS_DATA.get(run["model"], "")
    )
    description = DESCRIPTIONS[run["model"]].format(**run, scans=scans)
    if run["protocol"] == "original":
        sibling = Run(**run | {"protocol": "ours"}).name
        description += ORIGINAL.format(sibling=sibling, **run)
    return {
        "description": description,
        "made": made,
        "scores": scores,
        "limits": _limits(run, data["splits"]["train"]),
        "rates": _rates(run),
    }


def _rates(run: dict[str, Any]) -> str:
    """Those of the masks in training."""
    rate = run["acceleration"]
    return f"{run['gentlest']:g}x to 10x" if rate is None else f"{rate:g}x"


def _limits(run: dict[str, Any], subjects: Sequence[str]) -> str:
    anatomies = "a few brains, one head and one knee" if run["dataset"] == "open" else "fastMRI"
    if "legs" in subjects:
        anatomies = "a few brains, one head, one knee and one pair of legs"
    masks = _rates(run)
    kind = (
        "Cartesian masks of several families," if run["families"] else "random Cartesian masks of"
    )
    trained = f"It was trained on {anatomies}, with {kind} {masks}"
    coils = "one coil at a time" if run["coils"] == 1 else "with coils that were never built"
    text = LIMITS.get(run["model"], MAGNITUDE_ONLY).format(trained=trained, coils=coils)
    return "\n".join(textwrap.wrap(text, 99, break_on_hyphens=False))


def _start(record: dict[str, Any]) -> str:
    """Where the weights came from that the run began with, stage by stage; nothing if random."""
    words, earlier = "", record.get("earlier", {})
    while True:
        if "before" in record:
            first = record["before"]
            sha256 = first["sha256"][:16]
            words += f"- **Given**: images of `{first['name']}` (SHA-256 `{sha256}…`).\n"
        if "blend" in record:
            other = record["blend"]
            words += (
                f"- **Mean** of the weights that follow and those of `{other['name']}` (SHA-256\n"
                f"  `{other['sha256'][:16]}…`).\n"
            )
        if "start" not in record:
            return words
        start = record["start"]
        record = earlier[start["sha256"]]
        words += (
            f"- **Start**: weights of `{start['name']}` (SHA-256 "
            f"`{start['sha256'][:16]}…`), which\n"
            f"  `{record['command']}` made in {record['run']['steps']} steps and "
            f"{record['seconds'] / 60:.0f} minutes, at revision\n  `{record['code_revision']}`.\n"
        )


def _unit(run: dict[str, Any], batch: int) -> str:
    side = run["patch"]
    if models.ARCHITECTURES[run["model"]].needs != "image":
        return f"scan, {side} rows of its image" if side else "whole scan"
    patches = "patch" if batch == 1 else "patches"
    return f"{patches} of {side}x{side} pixels" if side else "whole picture"


def _loss(run: dict[str, Any]) -> str:
    parts = ["L1"]
    if run["ssim_weight"]:
        parts.append(f"{run['ssim_weight']:g} (1 - SSIM)")
    if run["adversarial_weight"]:
        parts.append(f"{run['adversarial_weight']:g} adversarial")
    return " + ".join(parts)


def _row(row: dict[str, Any]) -> str:
    before, after = row["zero_filled"], row["network"]
    closed = closed_share(after["ssim"], before["ssim"])
    name = " ".join(filter(None, (row["subject"], row["volume"])))
    return (
        f"| {name} | {row['acceleration']:g}x | {row['slices']} "
        f"| {before['ssim']:.4f} | {after['ssim']:.4f} | {closed:.1%} "
        f"| {before['psnr']:.2f} | {after['psnr']:.2f} |"
    )
