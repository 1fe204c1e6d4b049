"""Networks as methods: those that repair a picture, and those that work on k-space."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from recon import models, weights
from recon.coils import joint
from recon.measurement import Measurement
from recon.methods.all_coils import AllCoils
from recon.methods.base import IterativeMethod, Method
from recon.methods.zerogpu import lent
from recon.phase import with_phase

TOO_FEW = (
    "Each coil was reconstructed by itself: too few lines were measured in the middle of k-space "
    "to tell what the coils see."
)
FOLDS = (
    "Each coil was reconstructed by itself: no single image explains what all of them saw. Either "
    "the object is wider than the field of view and lies on itself, or there is no object."
)
CLEANED = (
    "The noise of measured lines was taken out, too. A measured reference has noise of its own, so "
    "scores fall with what is missing of it, although the picture may be nearer to the truth."
)
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
        return self.with_coil_images(measurement)[1]

    def with_coil_images(self, measurement: Measurement) -> tuple[np.ndarray, np.ndarray]:
        picture = self(measurement)
        return picture, with_phase(picture, measurement.kspace)


class KSpaceNetwork(AllCoils, IterativeMethod):
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
        images = joint.coil_images(*self.given(measurement))
        return images.cpu().numpy().reshape(measurement.kspace.shape)

    @torch.inference_mode()
    def steps(self, measurement: Measurement) -> Iterator[np.ndarray]:
        for images in joint.steps(*self.given(measurement)):
            yield self.picture(images.cpu().numpy(), measurement)

    def notes(self, measurement: Measurement) -> tuple[str, ...]:
        return (*self.exceptions(measurement), *super().notes(measurement))

    def exceptions(self, measurement: Measurement) -> tuple[str, ...]:
        """Says so where several coils were not reconstructed together."""
        several = measurement.kspace.ndim == 3 and len(measurement.kspace) > 1
        if not several or joint.together(measurement):
            return ()
        return (TOO_FEW if joint.calibration(measurement) is None else FOLDS,)

    def given(self, measurement: Measurement) -> tuple[nn.Module, Tensor, Tensor, Tensor | None]:
        """The network, k-space of every coil (C, H, W), the mask, and maps of several coils."""
        kspace, mask = map(torch.from_numpy, (measurement.kspace, measurement.mask))
        kspace = kspace.view(-1, *kspace.shape[-2:])
        maps = joint.maps_of(measurement)
        network = self.load(measurement, maps is not None)
        device = _device(network)
        return (
            network,
            kspace.to(device),
            mask.to(device),
            None if maps is None else maps.to(device),
        )


class DenoisedNetwork(Method):
    """What a `KSpaceNetwork` makes, with the noise of the measured lines taken out.

    Parameters
    ----------
    load, name, label
        See `ImageNetwork`; of the network that takes the noise out.
    before
        Whose reconstruction it is given.
    """

    def __init__(self, load: Load, name: str, label: str, before: KSpaceNetwork) -> None:
        self.load, self.name, self.label, self.before = load, name, label, before

    def notes(self, measurement: Measurement) -> tuple[str, ...]:
        return (*self.before.exceptions(measurement), CLEANED)

    @torch.inference_mode()
    def coil_images(self, measurement: Measurement) -> np.ndarray:
        given = self.before.given(measurement)
        denoiser = self.load(measurement, given[-1] is not None)
        images = joint.coil_images(*given, denoiser=denoiser)
        return images.cpu().numpy().reshape(measurement.kspace.shape)


def _device(network: nn.Module) -> torch.device:
    return next(network.parameters()).device


def method_of(network: nn.Module, before: nn.Module | None = None) -> Method:
    """A network, trained or not, as a method; after another one where it goes on from that."""

    def load(*_: object) -> nn.Module:
        return network

    if before is not None:
        return DenoisedNetwork(load, "network", "Network", KSpaceNetwork(lambda *_: before))
    return KINDS[str(network.needs)](load)


KINDS: Mapping[str, type[ImageNetwork] | type[KSpaceNetwork]] = {
    "image": ImageNetwork,
    "k-space": KSpaceNetwork,
}


def nearest(architecture: str, store: weights.Store | None, protocol: str = "ours") -> Load:
    """Loads the weights trained for what comes nearest to a measurement.

    That is its acceleration, and whether its coils are reconstructed together.

    Parameters
    ----------
    architecture
        A key of `recon.models.ARCHITECTURES`.
    store
        Where the weights are; `recon.weights.default` where None.
    protocol
        How they were trained, see `recon.weights.Config`.
    """

    def load(measurement: Measurement, several: bool) -> nn.Module:
        found = store or weights.default()
        rate = measurement.acceleration
        return lent(found.load(found.nearest(architecture, rate, several, protocol)))

    return load


def published(architecture: str, label: str, store: weights.Store | None = None) -> Method:
    """The network of an architecture, which also names the method; see `nearest`."""
    kind = KINDS[models.ARCHITECTURES[architecture].needs]
    return kind(nearest(architecture, store), architecture, label)


def denoised(architecture: str, label: str, before: str, store: weights.Store | None) -> Method:
    """The same of one that takes the noise out of what another architecture, `before`, makes."""
    first = KSpaceNetwork(nearest(before, store), before)
    return DenoisedNetwork(nearest(architecture, store), architecture, label, first)
