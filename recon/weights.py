"""Published weights: find them, check them, load them, write them.

A checkpoint is a folder of ``checkpoints/``::

    model.safetensors   the weights; model-1.safetensors and so on if they are large
    config.json         which network, for which acceleration, and the weights' SHA-256
    record.json         the run that made them
    snapshots/          of some, the weights on the way there, by step
    README.md           the model card

Everything is read from the disk; nothing here needs a network connection.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import ChainMap
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor, nn

from recon import models

FOLDER = Path(__file__).resolve().parent.parent / "checkpoints"
LARGEST = 9_000_000  # bytes in a file; hosts and tools ask for less than 10 MB


class WeightsError(RuntimeError):
    """Weights are missing or damaged. The message is one sentence for the person."""


@dataclass(frozen=True)
class Config:
    """What ``config.json`` says.

    Attributes
    ----------
    architecture
        Key of `recon.models.ARCHITECTURES`.
    acceleration
        Nominal acceleration of the masks it was trained on; None for all.
    sha256
        Hash of ``model.safetensors``, or of its parts one after another.
    options
        Arguments of the network's constructor.
    """

    architecture: str
    acceleration: float | None
    sha256: str = ""
    options: dict[str, Any] = field(default_factory=dict)


def checkpoints(folder: Path | None = None) -> dict[str, Config]:
    """Name and configuration of every checkpoint whose files are there, sorted by name."""
    found: dict[str, Config] = {}
    for path in sorted((folder or FOLDER).glob("*/config.json")):
        if any(path.parent.glob("model*.safetensors")):
            try:
                found[path.parent.name] = Config(**json.loads(path.read_text("utf-8")))
            except (OSError, ValueError, TypeError):
                continue  # a damaged configuration counts as a missing checkpoint
    return found


def nearest(architecture: str, acceleration: float, folder: Path | None = None) -> str:
    """Name of the checkpoint of this architecture trained nearest to an acceleration.

    Nearest as a ratio: 6x lies nearer to 8x (factor 1.33) than to 4x (factor 1.5).

    Raises
    ------
    WeightsError
        If there is none.
    """
    distance = {
        name: abs(math.log((config.acceleration or acceleration) / acceleration))
        for name, config in checkpoints(folder).items()
        if config.architecture == architecture
    }
    if not distance:
        raise WeightsError(
            f"The weights of the network '{architecture}' are missing from the checkpoints "
            f"folder; the README says how train.py makes them."
        )
    return min(distance, key=lambda name: distance[name])


@lru_cache(maxsize=16)
def load(name: str, folder: Path | None = None) -> nn.Module:
    """A published network, ready for inference.

    Parameters
    ----------
    name
        Folder name, such as ``"resnet-4x"``.
    folder
        Where the checkpoints are; the repository's own where None.

    Raises
    ------
    WeightsError
        If the weights are missing, do not match their hash, or do not fit the network.
    """
    place = (folder or FOLDER) / name
    config = checkpoints(folder).get(name)
    if config is None:
        raise WeightsError(f"The weights '{name}' are missing from the checkpoints folder.")
    damaged = WeightsError(
        f"The weights '{name}' are damaged; fetch them again from the repository."
    )
    try:
        files = [path.read_bytes() for path in sorted(place.glob("model*.safetensors"))]
        if hashlib.sha256(b"".join(files)).hexdigest() != config.sha256:
            raise damaged
        network = models.build(config.architecture, **config.options)
        tensors = [safetensors.torch.load(data) for data in files]
        network.load_state_dict(dict(ChainMap(*tensors)), strict=True)
    except (OSError, KeyError, TypeError, RuntimeError, safetensors.SafetensorError):
        raise damaged from None
    return network.eval().requires_grad_(False)


def save(folder: Path, network: nn.Module, config: Config, half: bool = False) -> Config:
    """Write ``model.safetensors`` and ``config.json``; the hash is filled in.

    With `half`, weights are rounded to float16, half the size; `load` widens them again. Weights
    of more than `LARGEST` bytes are divided among ``model-1.safetensors`` and so on. The folder
    is made if need be. Files are written beside their place and then moved there, so a kill or
    a full disk leaves the earlier ones as they were.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {f"model{part}.safetensors": data for part, data in _parts(network, half)}
    sha256 = hashlib.sha256(b"".join(files[name] for name in sorted(files))).hexdigest()
    config = replace(config, sha256=sha256)
    text = json.dumps(asdict(config), indent=2) + "\n"
    _write(folder, files | {"config.json": text.encode()})
    for path in folder.glob("model*.safetensors"):
        if path.name not in files:  # of an earlier network, divided otherwise
            path.unlink()
    return config


def _parts(network: nn.Module, half: bool) -> list[tuple[str, bytes]]:
    """The weights as safetensors, each part of at most `LARGEST` bytes, and its ending."""
    groups: list[dict[str, Tensor]] = [{}]
    size = 0
    for key, value in network.state_dict().items():
        tensor = (value.half() if half and value.is_floating_point() else value).contiguous()
        size += tensor.nbytes
        if size > LARGEST:
            groups.append({})
            size = tensor.nbytes
        groups[-1][key] = tensor.cpu()
    if len(groups) == 1:
        return [("", safetensors.torch.save(groups[0]))]
    return [(f"-{n}", safetensors.torch.save(group)) for n, group in enumerate(groups, 1)]


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / f".{name}.part").write_bytes(content)
    for name in files:
        (folder / f".{name}.part").replace(folder / name)


def snapshot(folder: Path, step: int, network: nn.Module) -> None:
    """Keep the weights of a moment in training, as float16, below a checkpoint's folder."""
    place = folder / "snapshots"
    place.mkdir(exist_ok=True)
    data = safetensors.torch.save(
        {
            key: (value.half() if value.is_floating_point() else value).contiguous().cpu()
            for key, value in network.state_dict().items()
        }
    )
    _write(place, {f"{step:06}.safetensors": data})


def snapshots(name: str, folder: Path | None = None) -> list[int]:
    """The steps of a checkpoint's training whose weights were kept, in order."""
    place = (folder or FOLDER) / name / "snapshots"
    return sorted(int(path.stem) for path in place.glob("*.safetensors") if path.stem.isdigit())


@lru_cache(maxsize=16)
def load_snapshot(name: str, step: int, folder: Path | None = None) -> nn.Module:
    """The network as it was at one of its `snapshots`, ready for inference.

    Raises
    ------
    WeightsError
        If it is missing or damaged.
    """
    config = checkpoints(folder).get(name)
    path = (folder or FOLDER) / name / "snapshots" / f"{step:06}.safetensors"
    try:
        if config is None:
            raise FileNotFoundError
        network = models.build(config.architecture, **config.options)
        network.load_state_dict(safetensors.torch.load_file(path), strict=True)
    except (OSError, RuntimeError, safetensors.SafetensorError):
        raise WeightsError(f"The weights '{name}' of step {step} are missing or damaged.") from None
    return network.eval().requires_grad_(False)
