"""The reconstruction methods, by name: a measurement in, a magnitude image out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from recon import models, weights
from recon.classical import complete, compressed_sensing
from recon.coils.compression import crop_readout
from recon.coils.joint import coil_images
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
        One of `recon.models`. Networks that take k-space reconstruct all coils, and
        root-sum-of-squares combines the results; the others repair the zero-filled magnitude.
    measurement
        Of any scale; networks see it scaled to a zero-filled maximum of 1.

    Returns
    -------
    Magnitude image on the measurement's own scale, float32, shape (h, w).
    """
    if network.takes_kspace:
        # Rows that are cut off in the end need not be reconstructed.
        kspace = crop_readout(torch.from_numpy(measurement.kspace), CROP[0]).numpy()
        images = _coil_images(network, replace(measurement, kspace=kspace))
        return center_crop(rss(torch.from_numpy(images)), CROP).numpy()
    device = next(network.parameters()).device
    scale = float(measurement.zero_filled.max()) or 1.0
    x = torch.from_numpy(measurement.zero_filled / scale)[None, None]  # (1, 1, h, w)
    return network(x.to(device))[0, 0].clamp(min=0).cpu().numpy() * np.float32(scale)


def _coil_images(network: nn.Module, measurement: Measurement) -> np.ndarray:
    """What a network that takes k-space makes of every coil: complex64, shape (C, H, W)."""
    device = next(network.parameters()).device
    kspace = torch.from_numpy(measurement.kspace).to(device)
    kspace = kspace.view(-1, *kspace.shape[-2:])  # (C, H, W)
    return coil_images(network, kspace, torch.from_numpy(measurement.mask).to(device)).cpu().numpy()


@torch.inference_mode()
def complex_images(method: str, measurement: Measurement) -> np.ndarray | None:
    """What a method makes of every coil before magnitudes are taken and coils combined.

    Returns
    -------
    complex64, the shape of the k-space; None of a method that never sees k-space.
    """
    kspace = measurement.kspace
    if method == "zero-filled":
        return ifft2c(kspace).astype(np.complex64)
    if method == "cs":
        return complete(torch.from_numpy(kspace), torch.from_numpy(measurement.mask)).numpy()
    network = weights.load(weights.nearest(method, measurement.acceleration))
    if not network.takes_kspace:
        return None
    return _coil_images(network, measurement).reshape(kspace.shape)


METHODS: dict[str, Callable[[Measurement], np.ndarray]] = {
    "resnet-dc": trained("resnet-dc"),
    "resnet": trained("resnet"),
    "unet": trained("unet"),
    "cnn": trained("cnn"),
    "gan": trained("gan"),
    "cs": compressed_sensing,
    "zero-filled": zero_filled,
}
DEFAULT = "resnet-dc"

LABELS = {
    "resnet-dc": "ResNet-DC",
    "resnet": "ResNet",
    "unet": "U-Net",
    "cnn": "Plain CNN",
    "gan": "GAN",
    "cs": "Compressed sensing",
    "zero-filled": "Zero-filled",
}


def methods() -> list[str]:
    """Names usable as ``method=``: the default, then networks that have weights, then the rest."""
    trained_ones = {config.architecture for config in weights.checkpoints().values()}
    networks = models.ARCHITECTURES.keys() - {DEFAULT}
    return [name for name in METHODS if name not in networks or name in trained_ones]
