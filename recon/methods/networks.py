"""Networks as methods: those that repair a picture, and those that work on k-space."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from recon import models, weights
from recon.coils import joint
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
        picture: np.ndarray = image.clamp(min=0).cpu().numpy() * np.float32(scale)
        return picture

    def coil_images(self, measurement: Measurement) -> np.ndarray:
        """Its picture with the phase and the ratio of coils of the zero-filled images."""
        return with_phase(self(measurement), measurement.kspace)


class KSpaceNetwork(IterativeMethod):
    """A network that reconstructs complex images from the measured lines of all coils.

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
        images = joint.coil_images(network, *_tensors(measurement, _device(network)))
        return images.cpu().numpy().reshape(measurement.kspace.shape)

    @torch.inference_mode()
    def steps(self, measurement: Measurement) -> Iterator[np.ndarray]:
        network = self.load(measurement)
        for images in joint.steps(network, *_tensors(measurement, _device(network))):
            yield measurement.picture_of(images).cpu().numpy()


def _tensors(measurement: Measurement, device: torch.device) -> tuple[Tensor, Tensor]:
    """K-space of every coil, (C, H, W), and the mask."""
    kspace = torch.from_numpy(measurement.kspace).to(device)
    return kspace.view(-1, *kspace.shape[-2:]), torch.from_numpy(measurement.mask).to(device)


def _adapter(takes_kspace: bool) -> type[ImageNetwork] | type[KSpaceNetwork]:
    return KSpaceNetwork if takes_kspace else ImageNetwork


def _device(network: nn.Module) -> torch.device:
    return next(network.parameters()).device


def method_of(network: nn.Module) -> Method:
    """A network, trained or not, as a method."""
    return _adapter(bool(network.takes_kspace))(lambda _: network)


def published(architecture: str, label: str, store: weights.Store | None = None) -> Method:
    """The network of an architecture that was trained nearest to a measurement's acceleration.

    Parameters
    ----------
    architecture
        A key of `recon.models.ARCHITECTURES`; also the method's name.
    label
        See `Method`.
    store
        Where the weights are; `recon.weights.default` where None.
    """

    def load(measurement: Measurement) -> nn.Module:
        found = store or weights.default()
        return found.load(found.nearest(architecture, measurement.acceleration))

    return _adapter(models.ARCHITECTURES[architecture].takes_kspace)(load, architecture, label)
