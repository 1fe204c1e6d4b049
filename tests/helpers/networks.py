"""Networks of which physics must hold whatever their weights are."""

from __future__ import annotations

import torch

from recon import models
from recon.models.unrolled import ResNetDC


def shaken(seed: int = 0) -> ResNetDC:
    """A small unrolled network whose every kernel matters, as after training."""
    torch.manual_seed(seed)
    network = models.build("resnet-dc", steps=2, features=8, coarse=8, memory=4)
    assert isinstance(network, ResNetDC)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name != "ridge":
                parameter.add_(0.02 * torch.randn_like(parameter))
    return network
