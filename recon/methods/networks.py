"""Networks as methods: those that repair a picture, and those that work on k-space."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from recon import models, weights
from recon.fourier import center_crop, ifft2c, rss
from recon.measurement import Measurement
from recon.methods.base import IterativeMethod, Method
from recon.phase import with_phase

Load = Callable[[Measurement], nn.Module]


class ImageNetwork(Method):
    """A network that repairs the zero-filled magnitude picture.

    Parameters
    ----------
    load
        The network for a measurement, ready for inference.
    name, label
        See `Method`.
    """

    needs = "image"

    def __init__(self, load: Load, name: str = "network", label: str = "Network") -> None:
        self.load, self.name, self.label = load, name, label

    @torch.inference_mode()
    def __call__(self, measurement: Measurement) -> np.ndarray:
        network = self.load(measurement)
        # Networks see pictures scaled to a zero-filled maximum of 1.
        scale = float(measurement.zero_filled.max()) or 1.0
        x = torch.from_numpy(measurement.zero_filled / scale)[None, None]  # (1, 1, h, w)
        image = network(x.to(_device(network)))[0, 0]
        return image.clamp(min=0).cpu().numpy() * np.float32(scale)

    def coil_images(self, measurement: Measurement) -> np.ndarray:
        """Its picture with the phase and the ratio of coils of the zero-filled images."""
        return with_phase(self(measurement), measurement.kspace)


class KSpaceNetwork(IterativeMethod):
    """A network that reconstructs the complex image of every coil from its measured lines.

    Parameters
    ----------
    load, name, label
        See `ImageNetwork`.
    """

    def __init__(self, load: Load, name: str = "network", label: str = "Network") -> None:
        self.load, self.name, self.label = load, name, label

    @torch.inference_mode()
    def coil_images(self, measurement: Measurement) -> np.ndarray:
        network = self.load(measurement)
        mask = torch.from_numpy(measurement.mask)[None].to(_device(network))  # (1, W)
        coils = [
            network(kspace / scale, mask)[0] * scale  # (H, W)
            for kspace, scale in _coils(measurement, _device(network))
        ]
        return torch.stack(coils).cpu().numpy().reshape(measurement.kspace.shape)

    @torch.inference_mode()
    def steps(self, measurement: Measurement) -> Iterator[np.ndarray]:
        network = self.load(measurement)
        mask = torch.from_numpy(measurement.mask)[None].to(_device(network))
        coils = [
            [image[0] * scale for image in network.iterates(kspace / scale, mask)]  # type: ignore[operator]
            for kspace, scale in _coils(measurement, _device(network))
        ]
        for images in zip(*coils, strict=True):
            yield center_crop(rss(torch.stack(images)), measurement.crop).cpu().numpy()


def _coils(measurement: Measurement, device: torch.device) -> Iterator[tuple[Tensor, float]]:
    """K-space of each coil, (1, H, W), and the maximum of its zero-filled picture."""
    height, width = measurement.kspace.shape[-2:]
    for kspace in torch.from_numpy(measurement.kspace).to(device).view(-1, 1, height, width):
        yield kspace, float(center_crop(ifft2c(kspace), measurement.crop).abs().max()) or 1.0


def _adapter(takes_kspace: bool) -> type[ImageNetwork] | type[KSpaceNetwork]:
    return KSpaceNetwork if takes_kspace else ImageNetwork


def _device(network: nn.Module) -> torch.device:
    return next(network.parameters()).device


def method_of(network: nn.Module) -> Method:
    """A network, trained or not, as a method."""
    return _adapter(bool(network.takes_kspace))(lambda _: network)


def published(architecture: str, label: str, store: weights.Store) -> Method:
    """The network of an architecture that was trained nearest to a measurement's acceleration.

    Parameters
    ----------
    architecture
        A key of `recon.models.ARCHITECTURES`; also the method's name.
    label
        See `Method`.
    store
        Where the weights are.
    """

    def load(measurement: Measurement) -> nn.Module:
        return store.load(store.nearest(architecture, measurement.acceleration))

    return _adapter(models.ARCHITECTURES[architecture].takes_kspace)(load, architecture, label)
