"""Published weights: find them, check them, load them, write them.

A checkpoint is a folder of ``checkpoints/``::

    model.safetensors   the weights
    config.json         which network, for which acceleration, and the weights' SHA-256
    record.json         the run that made them
    README.md           the model card

Everything is read from the disk; nothing here needs a network connection.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import nn

from recon import models

FOLDER = Path(__file__).resolve().parent.parent / "checkpoints"


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
        Hash of ``model.safetensors``.
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
        if (path.parent / "model.safetensors").is_file():
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
    path = (folder or FOLDER) / name / "model.safetensors"
    config = checkpoints(folder).get(name)
    if config is None:
        raise WeightsError(f"The weights '{name}' are missing from the checkpoints folder.")
    damaged = WeightsError(
        f"The weights '{name}' are damaged; fetch them again from the repository."
    )
    try:
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != config.sha256:
            raise damaged
        network = models.build(config.architecture, **config.options)
        network.load_state_dict(safetensors.torch.load(data), strict=True)
    except (OSError, KeyError, TypeError, RuntimeError, safetensors.SafetensorError):
        raise damaged from None
    return network.eval().requires_grad_(False)


def save(folder: Path, network: nn.Module, config: Config, half: bool = False) -> Config:
    """Write ``model.safetensors`` and ``config.json``; the hash is filled in.

    With `half`, weights are rounded to float16, half the size; `load` widens them again. The
    folder is made if need be. Files are written beside their place and then moved there, so a
    kill or a full disk leaves the earlier pair as it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        key: (value.half() if half and value.is_floating_point() else value).contiguous()
        for key, value in network.state_dict().items()
    }
    data = safetensors.torch.save(tensors)
    config = Config(**{**asdict(config), "sha256": hashlib.sha256(data).hexdigest()})
    text = json.dumps(asdict(config), indent=2) + "\n"
    for name, content in (("model.safetensors", data), ("config.json", text.encode())):
        part = folder / f".{name}.part"
        part.write_bytes(content)
        part.replace(folder / name)
    return config
