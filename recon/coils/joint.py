"""All coils reconstructed together: one image, seen through the sensitivities of every coil."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from recon.coils.compression import virtual_coils
from recon.coils.espirit import sensitivities
from recon.coils.sense import seen_by_coils
from recon.fourier import center_crop, ifft2c
from recon.measurement import CROP

ENERGY = 0.99  # share of the centre's energy that virtual coils keep for the network
MOST = 12  # virtual coils


def maps_of(kspace: Tensor, mask: Tensor) -> Tensor | None:
    """Sensitivities of several coils, (C, H, W), where the middle of k-space tells them."""
    return sensitivities(kspace, mask) if len(kspace) > 1 else None


def coil_images(
    network: nn.Module, kspace: Tensor, mask: Tensor, maps: Tensor | None = None
) -> Tensor:
    """What a network makes of every coil: together where there are maps, else one by one.

    Parameters
    ----------
    network
        One that takes k-space.
    kspace
        Zero where nothing was measured: complex64, shape (C, H, W).
    mask
        Measured lines, boolean, shape (W,).
    maps
        See `maps_of`.

    Returns
    -------
    complex64, shape (C, H, W).
    """
    if maps is not None:
        joint = Joint(kspace, mask, maps)
        return joint.coil_images(network(*joint.inputs)[0])
    return torch.stack([network(k, m)[0] * scale for k, m, scale in _coils(kspace, mask)])


def steps(
    network: nn.Module, kspace: Tensor, mask: Tensor, maps: Tensor | None = None
) -> Iterator[Tensor]:
    """The same after each of the network's steps, the last one being the result."""
    if maps is not None:
        joint = Joint(kspace, mask, maps)
        for image in network.iterates(*joint.inputs):  # type: ignore[operator]
            yield joint.coil_images(image[0])
        return
    coils = [
        [image[0] * scale for image in network.iterates(k, m)]  # type: ignore[operator]
        for k, m, scale in _coils(kspace, mask)
    ]
    yield from map(torch.stack, zip(*coils, strict=True))


def _coils(kspace: Tensor, mask: Tensor) -> Iterator[tuple[Tensor, Tensor, float]]:
    """Each coil alone, scaled to a zero-filled maximum of 1, its mask, and the scale."""
    for coil in kspace:
        scale = float(center_crop(ifft2c(coil), CROP).abs().max()) or 1.0
        yield coil[None] / scale, mask[None], scale


class Joint:
    """All coils as a network sees them in one pass, and the way back.

    Parameters
    ----------
    kspace
        Zero where nothing was measured: complex64, shape (C, H, W), C at least 2.
    mask
        Measured lines, boolean, shape (W,).
    maps
        Sensitivities, of unit length over the coils or zero, shape (C, H, W).

    Attributes
    ----------
    inputs
        K-space of a few virtual coils, scaled, the mask, and the virtual coils' maps.
    """

    def __init__(self, kspace: Tensor, mask: Tensor, maps: Tensor) -> None:
        self.kspace, self.mask, self.maps = kspace, mask, maps
        self.scale = float(ifft2c(kspace).abs().square().sum(0).sqrt().max()) or 1.0
        rotation = virtual_coils(kspace, ENERGY, MOST)
        signal = torch.einsum("cv,chw->vhw", rotation.conj(), kspace / self.scale)
        seen = torch.einsum("cv,chw->vhw", rotation.conj(), maps)
        self.inputs = signal[None], mask[None], seen[None]

    def coil_images(self, image: Tensor) -> Tensor:
        """What every coil sees of an image (H, W), its measured lines in their place: (C, H, W)."""
        return seen_by_coils(image * self.scale, self.maps, self.kspace, self.mask)
