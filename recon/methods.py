"""The reconstruction methods, by name: measured k-space in, magnitude image out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from recon import weights


@dataclass(frozen=True)
class Measurement:
    """What a method may use: everything that was measured, nothing else.

    Attributes
    ----------
    kspace
        Undersampled k-space, complex64, shape (H, W) or (C, H, W).
    mask
        Measured lines, boolean, shape (W,).
    acceleration
        Acceleration the mask was made for; chooses among weights.
    zero_filled
        Magnitude of the inverse transform, cropped, float32, shape (h, w).
    """

    kspace: np.ndarray
    mask: np.ndarray
    acceleration: float
    zero_filled: np.ndarray


def zero_filled(measurement: Measurement) -> np.ndarray:
    """The inverse Fourier transform, unmeasured lines taken as zero."""
    return measurement.zero_filled


def magnitude_network(architecture: str) -> Callable[[Measurement], np.ndarray]:
    """A network that turns the zero-filled magnitude image into a better one."""

    @torch.inference_mode()
    def method(measurement: Measurement) -> np.ndarray:
        network = weights.load(weights.nearest(architecture, measurement.acceleration))
        scale = float(measurement.zero_filled.max()) or 1.0
        x = torch.from_numpy(measurement.zero_filled / scale)[None, None]  # (1, 1, h, w)
        return network(x)[0, 0].clamp(min=0).numpy() * np.float32(scale)

    return method


METHODS: dict[str, Callable[[Measurement], np.ndarray]] = {
    "resnet": magnitude_network("resnet"),
    "zero-filled": zero_filled,
}

LABELS = {"resnet": "ResNet", "zero-filled": "Zero-filled"}


def methods() -> list[str]:
    """Names usable as ``method=``; the first is the default."""
    return list(METHODS)
