"""The reconstruction methods, by name: a measurement in, a magnitude image out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from recon import weights
from recon.fourier import center_crop, ifft2c, rss
from recon.measurement import CROP, Measurement


def zero_filled(measurement: Measurement) -> np.ndarray:
    """The inverse Fourier transform, unmeasured lines taken as zero."""
    return measurement.zero_filled


def trained(architecture: str) -> Callable[[Measurement], np.ndarray]:
    """The published network of an architecture that was trained nearest to the acceleration."""

    def method(measurement: Measurement) -> np.ndarray:
        name = weights.nearest(architecture, measurement.acceleration)
        return apply_network(weights.load(name), measurement)

    return method


@torch.inference_mode()
def apply_network(network: nn.Module, measurement: Measurement) -> np.ndarray:
    """A network's reconstruction.

    Parameters
    ----------
    network
        One of `recon.models`. Networks that take k-space reconstruct every coil alone, and
        root-sum-of-squares combines the results; the others repair the zero-filled magnitude.
    measurement
        Of any scale; networks see it scaled to a zero-filled maximum of 1.

    Returns
    -------
    Magnitude image on the measurement's own scale, float32, shape (h, w).
    """
    device = next(network.parameters()).device
    if not network.takes_kspace:
        scale = float(measurement.zero_filled.max()) or 1.0
        x = torch.from_numpy(measurement.zero_filled / scale)[None, None]  # (1, 1, h, w)
        return network(x.to(device))[0, 0].clamp(min=0).cpu().numpy() * np.float32(scale)

    mask = torch.from_numpy(measurement.mask)[None].to(device)  # (1, W)
    height, width = measurement.kspace.shape[-2:]
    coils = []
    for kspace in torch.from_numpy(measurement.kspace).to(device).view(-1, 1, height, width):
        scale = float(center_crop(ifft2c(kspace), CROP).abs().max()) or 1.0
        coils.append(network(kspace / scale, mask)[0] * scale)  # (H, W)
    return center_crop(rss(torch.stack(coils)), CROP).cpu().numpy()


METHODS: dict[str, Callable[[Measurement], np.ndarray]] = {
    "resnet": trained("resnet"),
    "resnet-dc": trained("resnet-dc"),
    "zero-filled": zero_filled,
}

LABELS = {"resnet": "ResNet", "resnet-dc": "ResNet-DC", "zero-filled": "Zero-filled"}


def methods() -> list[str]:
    """Names usable as ``method=``; the first is the default."""
    return list(METHODS)
