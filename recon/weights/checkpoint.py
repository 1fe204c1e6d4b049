"""One checkpoint, a folder: what its files say, how they are written, checked and read.

::

    model.safetensors   the weights; model-1.safetensors and so on if they are large
    config.json         which network, for which acceleration, and the weights' SHA-256
    record.json         the run that made them
    snapshots/          of some, the weights on the way there, by step
    README.md           the model card
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from recon import models

LARGEST = 9_000_000  # bytes in a file; hosts and tools ask for less than 10 MB
WIDEST = 1024  # of any size of a network: a stranger's configuration must not fill the memory


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
        Nominal acceleration of the masks it was trained on, at least 1; None for all.
    sha256
        Hash of ``model.safetensors``, or of its parts one after another.
    several
        Whether it was trained for several coils together, and one coil is left to other weights.
    protocol
        How it was trained: as this project does, ``"ours"``, or ``"original"``, as the student
        work did, for comparison.
    options
        Arguments of the network's constructor. In the file they stand beside the rest, where
        `huggingface_hub.PyTorchModelHubMixin` looks for them.
    """

    architecture: str
    acceleration: float | None
    sha256: str = ""
    several: bool = False
    protocol: str = "ours"
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        rate = self.acceleration
        known = self.architecture in models.ARCHITECTURES
        number = isinstance(rate, int | float) and not isinstance(rate, bool)
        right = rate is None or (number and math.isfinite(rate) and rate >= 1)
        hashed = isinstance(self.sha256, str) and re.fullmatch("([0-9a-f]{64})?", self.sha256)
        kind = isinstance(self.several, bool) and self.protocol in ("ours", "original")
        if not (known and right and hashed and kind and _bounded(self.options)):
            raise ValueError("no configuration of a checkpoint")

    @classmethod
    def read(cls, folder: Path) -> Config:
        """Of a checkpoint's folder.

        Raises
        ------
        OSError, ValueError, TypeError
            If it is missing, or is not what this class describes.
        """
        content = json.loads((folder / "config.json").read_text("utf-8"))
        if not isinstance(content, dict):
            raise TypeError("config.json holds an object")
        own = {f.name: content.pop(f.name) for f in fields(cls) if f.name in content}
        return cls(**own | {"options": own.get("options", {}) | content})

    def text(self) -> str:
        """The content of ``config.json``."""
        own = asdict(self)
        options = own.pop("options")
        return json.dumps(own | options, indent=2) + "\n"


def _bounded(options: Any) -> bool:
    if isinstance(options, Mapping):
        options = list(options.values())
    if isinstance(options, list | tuple):
        return len(options) <= 64 and all(map(_bounded, options))
    return isinstance(options, int | float | str | None) and (
        not isinstance(options, int | float) or 0 <= options <= WIDEST
    )


def weight_files(folder: Path) -> list[Path]:
    """``model.safetensors`` or its parts, in the order in which they are hashed."""
    return sorted(folder.glob("model*.safetensors"))


def intact(folder: Path) -> bool:
    """Whether a checkpoint's weights are those whose hash its configuration holds."""
    try:
        return Config.read(folder).sha256 == _sha256(p.read_bytes() for p in weight_files(folder))
    except (OSError, ValueError, TypeError):
        return False


def _sha256(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


@lru_cache(maxsize=16)
def load(folder: Path, config: Config, name: str) -> nn.Module:
    """The network of a checkpoint, ready for inference; `name` is for messages.

    Raises
    ------
    WeightsError
        If the weights do not match their hash, or do not fit the network.
    """
    damaged = WeightsError(
        f"The weights '{name}' are damaged; fetch them again from where they came from."
    )
    try:
        files = [path.read_bytes() for path in weight_files(folder)]
        if _sha256(files) != config.sha256:
            raise damaged
        return _filled(config, files)
    except (OSError, *UNFIT):
        raise damaged from None


# What a configuration or weights that do not fit each other make torch or safetensors raise.
UNFIT = (KeyError, TypeError, ValueError, RuntimeError, safetensors.SafetensorError)


def _filled(config: Config, files: Iterable[bytes]) -> nn.Module:
    tensors = dict(ChainMap(*(safetensors.torch.load(data) for data in files)))
    with torch.device("meta"):  # costs no memory, whatever sizes a stranger wrote down
        shapes = models.build(config.architecture, **config.options).state_dict()
    if any(k not in shapes or shapes[k].shape != v.shape for k, v in tensors.items()):
        raise ValueError("weights of another network")
    with torch.random.fork_rng(devices=[]):  # loading must not move anybody's random numbers
        network = models.build(config.architecture, **config.options)
    network.load_state_dict(tensors, strict=True)
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
    sha256 = _sha256(files[name] for name in sorted(files))
    config = replace(config, sha256=sha256)
    _write(folder, files | {"config.json": config.text().encode()})
    for path in weight_files(folder):
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


def snapshot_path(folder: Path, step: int) -> Path:
    """Where the weights of a moment in training are kept."""
    return folder / "snapshots" / f"{step:06}.safetensors"


def save_snapshot(folder: Path, step: int, network: nn.Module) -> None:
    """Keep the weights of a moment in training, as float16, below a checkpoint's folder."""
    path = snapshot_path(folder, step)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = safetensors.torch.save(
        {
            key: (value.half() if value.is_floating_point() else value).contiguous().cpu()
            for key, value in network.state_dict().items()
        }
    )
    _write(path.parent, {path.name: data})


@lru_cache(maxsize=16)
def load_snapshot(folder: Path, step: int, config: Config, name: str) -> nn.Module:
    """The network as it was at a step, ready for inference.

    Raises
    ------
    WeightsError
        If it is missing or damaged.
    """
    try:
        return _filled(config, [snapshot_path(folder, step).read_bytes()])
    except (OSError, *UNFIT):
        raise WeightsError(f"The weights '{name}' of step {step} are missing or damaged.") from None
