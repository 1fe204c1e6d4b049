"""The networks, by the name that stands in a checkpoint's ``config.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from recon.models.cnn import CNN
from recon.models.resnet import ResNet
from recon.models.unet import UNet
from recon.models.unrolled import ResNetDC

# A network with `takes_kspace` maps undersampled k-space and its mask to a complex image; one
# without maps a zero-filled magnitude image to a better one.
ARCHITECTURES: Mapping[str, type[CNN | ResNet | ResNetDC | UNet]] = {
    "cnn": CNN,
    "gan": ResNet,  # the ResNet, trained against `recon.models.discriminator`
    "resnet": ResNet,
    "resnet-dc": ResNetDC,
    "unet": UNet,
}


def build(architecture: str, **options: Any) -> nn.Module:
    """A new network, its weights not yet trained.

    Parameters
    ----------
    architecture
        A key of `ARCHITECTURES`.
    options
        Arguments of that network's constructor.
    """
    return ARCHITECTURES[architecture](**options)
