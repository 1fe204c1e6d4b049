"""The networks, by the name that stands in a checkpoint's ``config.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recon.models.cnn import CNN
from recon.models.denoiser import Denoiser
from recon.models.network import Network
from recon.models.resnet import ResNet
from recon.models.unet import UNet
from recon.models.unrolled import ResNetDC, SmallResNetDC
from recon.models.varnet import VarNet

ARCHITECTURES: Mapping[str, type[Network]] = {
    "cnn": CNN,
    "gan": ResNet,  # the ResNet, trained against `recon.models.discriminator`
    "resnet": ResNet,
    "resnet-dc": ResNetDC,
    "resnet-dc-denoised": Denoiser,
    "resnet-dc-small": SmallResNetDC,  # no method: its training is what is looked at
    "unet": UNet,
    "varnet": VarNet,
}


def build(architecture: str, **options: Any) -> Network:
    """A new network, its weights not yet trained.

    Parameters
    ----------
    architecture
        A key of `ARCHITECTURES`.
    options
        Arguments of that network's constructor.
    """
    return ARCHITECTURES[architecture](**options)
