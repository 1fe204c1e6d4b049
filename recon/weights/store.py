"""A store of checkpoints: which there are, which suits an acceleration, and the networks."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from recon.weights import checkpoint, hub
from recon.weights.checkpoint import Config, WeightsError

_PACKAGE = Path(__file__).resolve().parents[1]
# Inside the package where that was installed, beside it in the repository.
SHIPPED = next(
    path
    for path in (_PACKAGE / "checkpoints", _PACKAGE.parent / "checkpoints", _PACKAGE)
    if path.is_dir()
)


@dataclass(frozen=True)
class Store:
    """The checkpoints of a folder, each a folder in it; equal stores share what is loaded.

    Attributes
    ----------
    folder
        Where the checkpoints are; those that ship with the project by default. It need not
        exist yet.
    named
        Names and folders of further ones, which `nearest` prefers; see `Store.of`.
    """

    folder: Path = SHIPPED
    named: tuple[tuple[str, Path], ...] = ()

    @classmethod
    def of(cls, words: str | Path) -> Store:
        """The checkpoints that ship, and before them those that a person names.

        Parameters
        ----------
        words
            A repository on the Hub, ``ORG/NAME`` or ``ORG/NAME@REVISION``, or a folder: a
            checkpoint, or one that holds checkpoints.

        Raises
        ------
        WeightsError
            If there are none, or they cannot be had.
        """
        if not isinstance(words, str | Path) or not str(words):
            raise WeightsError(
                f"{words!r} names no weights; write the name of a checkpoint, a folder or ORG/NAME."
            )
        place = Path(words).expanduser()
        if place.is_dir():
            alone = (place / "config.json").is_file()
            named = {place.resolve().name: place} if alone else cls(place).places()
        elif match := hub.REFERENCE.fullmatch(str(words)):
            found, commit = hub.fetch(*match.groups())
            named = {f"{match[1]}@{commit}": found}
        else:
            raise WeightsError(
                f"'{words}' is neither a folder nor a repository of the Hub, which is written "
                f"ORG/NAME or ORG/NAME@REVISION."
            )
        usable = cls(place / "nowhere", tuple(named.items())).names()
        if not usable:
            raise WeightsError(
                f"'{words}' holds no checkpoint that can be used: that has config.json and "
                f"model.safetensors, as train.py writes them."
            )
        return cls(SHIPPED, tuple((name, named[name]) for name in usable))

    def places(self) -> dict[str, Path]:
        """Folder of each checkpoint by name; whether it can be used is not yet said."""
        found = {path.parent.name: path.parent for path in self.folder.glob("*/config.json")}
        return dict(sorted(found.items())) | dict(self.named)

    def names(self) -> list[str]:
        """Of the checkpoints whose files are there, sorted. A damaged configuration counts as
        a missing checkpoint."""
        return sorted(self._configs())

    def architectures(self) -> set[str]:
        """Networks there are weights of: keys of `recon.models.ARCHITECTURES`."""
        return {config.architecture for config in self._configs().values()}

    def config(self, name: str) -> Config:
        """What a checkpoint's ``config.json`` says.

        Raises
        ------
        WeightsError
            If there is no such checkpoint.
        """
        try:
            return self._configs()[name]
        except KeyError:
            raise WeightsError(
                f"The weights '{name}' are missing from the checkpoints folder."
            ) from None

    def nearest(
        self, architecture: str, acceleration: float, several: bool = False, protocol: str = "ours"
    ) -> str:
        """Name of the checkpoint of this architecture trained for what comes nearest.

        Parameters
        ----------
        architecture
            A key of `recon.models.ARCHITECTURES`.
        acceleration
            Nearest as a ratio: 6x lies nearer to 8x (factor 1.33) than to 4x (factor 1.5).
        several
            Whether coils are reconstructed together; see `Config`. This counts first.
        protocol
            See `Config`; weights that a person named may have any.

        Raises
        ------
        WeightsError
            If there is none.
        """
        named = dict(self.named)
        distance = {
            # Those a person named come first.
            name: (
                name not in named,
                config.several != several,
                abs(math.log((config.acceleration or acceleration) / acceleration)),
            )
            for name, config in self._configs().items()
            if config.architecture == architecture
            and (config.protocol == protocol or name in named)
        }
        if not distance:
            raise WeightsError(
                f"The weights of the network '{architecture}' are missing from the checkpoints "
                f"folder; the README says how train.py makes them."
            )
        return min(distance, key=lambda name: distance[name])

    def load(self, name: str) -> nn.Module:
        """A network, ready for inference; its weights' SHA-256 is checked.

        A name that is not here, ``ORG/NAME`` or ``ORG/NAME@REVISION``, is looked for in the
        Hub's cache and on the Hub.

        Raises
        ------
        WeightsError
            If the weights are missing, do not match their hash, or do not fit the network.
        """
        if name not in self.places() and hub.REFERENCE.fullmatch(name):
            store = Store.of(name)
            return store.load(store.named[0][0])
        return checkpoint.load(self._place(name), self.config(name), name)

    def record(self, name: str) -> dict[str, Any]:
        """What ``record.json`` holds: the run that made a checkpoint.

        Raises
        ------
        WeightsError
            If it is missing or damaged.
        """
        try:
            return dict(json.loads((self._place(name) / "record.json").read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            raise WeightsError(f"The record of the weights '{name}' is missing.") from None

    def save(self, name: str, network: nn.Module, config: Config, half: bool = False) -> Config:
        """Write a checkpoint's weights and configuration; see `checkpoint.save`."""
        return checkpoint.save(self.folder / name, network, config, half)

    def snapshots(self, name: str) -> list[int]:
        """The steps of a checkpoint's training whose weights were kept, in order."""
        paths = (self._place(name) / "snapshots").glob("*.safetensors")
        return sorted(int(path.stem) for path in paths if path.stem.isdigit())

    def load_snapshot(self, name: str, step: int) -> nn.Module:
        """The network as it was at one of its `snapshots`, ready for inference.

        Raises
        ------
        WeightsError
            If it is missing or damaged.
        """
        return checkpoint.load_snapshot(self._place(name), step, self.config(name), name)

    def save_snapshot(self, name: str, step: int, network: nn.Module) -> None:
        """Keep the weights of a moment in training."""
        checkpoint.save_snapshot(self.folder / name, step, network)

    def _place(self, name: str) -> Path:
        return self.places().get(name, self.folder / name)

    def _configs(self) -> dict[str, Config]:
        found: dict[str, Config] = {}
        for name, place in self.places().items():
            try:
                config = Config.read(place)
            except (OSError, ValueError, TypeError):
                continue
            if checkpoint.weight_files(place):
                found[name] = config
        return found
