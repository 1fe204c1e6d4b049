"""Published weights: find them, check them, load them, write them.

>>> store = Store()  # of the checkpoints that ship
>>> network = store.load(store.nearest("resnet-dc", 4))

The functions below are `Store`'s, of the checkpoints that ship or of a folder.
"""

from __future__ import annotations

from pathlib import Path

from torch import nn

from recon.weights.checkpoint import Config, WeightsError
from recon.weights.store import SHIPPED, Store

__all__ = ["SHIPPED", "Config", "Store", "WeightsError"]

FOLDER = SHIPPED


def checkpoints(folder: Path | None = None) -> dict[str, Config]:
    """Name and configuration of every checkpoint."""
    store = Store(folder or FOLDER)
    return {name: store.config(name) for name in store.names()}


def nearest(architecture: str, acceleration: float, folder: Path | None = None) -> str:
    """See `Store.nearest`."""
    return Store(folder or FOLDER).nearest(architecture, acceleration)


def load(name: str, folder: Path | None = None) -> nn.Module:
    """See `Store.load`."""
    return Store(folder or FOLDER).load(name)


def save(folder: Path, network: nn.Module, config: Config, half: bool = False) -> Config:
    """See `Store.save`."""
    return Store(folder.parent).save(folder.name, network, config, half)


def snapshot(folder: Path, step: int, network: nn.Module) -> None:
    """See `Store.save_snapshot`."""
    Store(folder.parent).save_snapshot(folder.name, step, network)


def snapshots(name: str, folder: Path | None = None) -> list[int]:
    """See `Store.snapshots`."""
    return Store(folder or FOLDER).snapshots(name)


def load_snapshot(name: str, step: int, folder: Path | None = None) -> nn.Module:
    """See `Store.load_snapshot`."""
    return Store(folder or FOLDER).load_snapshot(name, step)
