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
from recon.methods.zerogpu import lent
from recon.phase import with_phase

# The network for a measurement; and whether its coils are reconstructed together.
Load = Callable[[Measurement, bool], nn.Module]


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
        network = self.load(measurement, False)
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
        images = joint.coil_images(*self._given(measurement))
        return images.cpu().numpy().reshape(measurement.kspace.shape)

    @torch.inference_mode()
    def steps(self, measurement: Measurement) -> Iterator[np.ndarray]:
        for images in joint.steps(*self._given(measurement)):
            yield measurement.picture_of(images).cpu().numpy()

    def _given(self, measurement: Measurement) -> tuple[nn.Module, Tensor, Tensor, Tensor | None]:
        """The network, k-space of every coil (C, H, W), the mask, and maps of several coils."""
        kspace, mask = map(torch.from_numpy, (measurement.kspace, measurement.mask))
        kspace = kspace.view(-1, *kspace.shape[-2:])
        maps = joint.maps_of(kspace, mask)
        network = self.load(measurement, maps is not None)
        device = _device(network)
        return (
            network,
            kspace.to(device),
            mask.to(device),
            None if maps is None else maps.to(device),
        )


def _adapter(takes_kspace: bool) -> type[ImageNetwork] | type[KSpaceNetwork]:
    return KSpaceNetwork if takes_kspace else ImageNetwork


def _device(network: nn.Module) -> torch.device:
    return next(network.parameters()).device


def method_of(network: nn.Module) -> Method:
    """A network, trained or not, as a method."""
    return _adapter(bool(network.takes_kspace))(lambda *_: network)


def published(architecture: str, label: str, store: weights.Store | None = None) -> Method:
    """The network of an architecture that was trained for what comes nearest to a measurement.

    That is its acceleration, and whether its coils are reconstructed together.

    Parameters
    ----------
    architecture
        A key of `recon.models.ARCHITECTURES`; also the method's name.
    label
        See `Method`.
    store
        Where the weights are; `recon.weights.default` where None.
    """

    def load(measurement: Measurement, several: bool) -> nn.Module:
        found = store or weights.default()
        return lent(found.load(found.nearest(architecture, measurement.acceleration, several)))

    return _adapter(models.ARCHITECTURES[architecture].takes_kspace)(load, architecture, label)
