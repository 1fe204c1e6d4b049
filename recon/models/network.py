"""What all networks share: they go to the Hugging Face Hub and come back from it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from huggingface_hub import PyTorchModelHubMixin
from torch import nn


class Network(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="recon",
    license="mit",
    pipeline_tag="image-to-image",
    tags=["mri", "image-reconstruction"],
):
    """A network with ``from_pretrained``, ``save_pretrained`` and ``push_to_hub``.

    ``config.json`` holds the constructor's arguments, the architecture, and the SHA-256 of
    ``model.safetensors``. Weights that are not those, or do not fit the network exactly, are
    refused; pickled ones are never opened. `recon.from_pretrained` finds the class itself.

    Attributes
    ----------
    architecture
        Name of the network in ``config.json``.
    needs
        What it is called with: a zero-filled magnitude ``"image"``, undersampled ``"k-space"`` and
        its mask, or another network's complex ``"reconstruction"`` and what is known of it.
    """

    architecture: str
    needs: Literal["image", "k-space", "reconstruction"]

    def _save_pretrained(self, save_directory: Path) -> None:
        super()._save_pretrained(save_directory)
        arguments = self._hub_mixin_config
        assert isinstance(arguments, dict | None)
        content = {
            "architecture": self.architecture,
            "acceleration": None,
            "sha256": _sha256(save_directory / "model.safetensors"),
            **(arguments or {}),
        }
        (save_directory / "config.json").write_text(json.dumps(content, indent=2) + "\n", "utf-8")

    @classmethod
    def _from_pretrained(cls, *, strict: bool = True, **options: Any) -> Any:
        return super()._from_pretrained(strict=strict, **options)

    @classmethod
    def _load_as_safetensor(
        cls, model: Any, model_file: str, map_location: str, strict: bool
    ) -> Any:
        config = Path(model_file).with_name("config.json")
        said = json.loads(config.read_text("utf-8")).get("sha256")
        if said != _sha256(Path(model_file)):
            raise ValueError("The weights are not those whose SHA-256 config.json holds.")
        return super()._load_as_safetensor(model, model_file, map_location, strict)

    @classmethod
    def _load_as_pickle(cls, *_: Any) -> Any:
        raise ValueError("Weights are read from model.safetensors only.")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
