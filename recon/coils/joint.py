"""All coils reconstructed together: one image, seen through the sensitivities of every coil."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recon.coils.compression import virtual_coils
from recon.coils.espirit import sensitivities
from recon.fourier import center_crop, ifft2c
from recon.measurement import CROP

ENERGY = 0.99  # share of the centre's energy that virtual coils keep for the network
MOST = 12  # virtual coils


def coil_images(network: nn.Module, kspace: Tensor, mask: Tensor) -> Tensor:
    """What a network makes of every coil, together where the middle of k-space tells their maps.

    Parameters
    ----------
    network
        One that takes k-space.
    kspace
        Zero where nothing was measured: complex64, shape (C, H, W).
    mask
        Measured lines, boolean, shape (W,).

    Returns
    -------
    complex64, shape (C, H, W).
    """
    maps = sensitivities(kspace, mask) if len(kspace) > 1 else None
    if maps is not None:
        return joint_reconstruction(network, kspace, mask, maps)
    images = []
    for coil in kspace:
        scale = float(center_crop(ifft2c(coil), CROP).abs().max()) or 1.0
        images.append(network(coil[None] / scale, mask[None])[0] * scale)
    return torch.stack(images)


def joint_reconstruction(network: nn.Module, kspace: Tensor, mask: Tensor, maps: Tensor) -> Tensor:
    """What a network makes of all coils together, in one pass.

    Parameters
    ----------
    network
        One that takes k-space and maps, as `recon.models.ResNetDC`.
    kspace
        Zero where nothing was measured: complex64, shape (C, H, W), C at least 2.
    mask
        Measured lines, boolean, shape (W,).
    maps
        Sensitivities, of unit length over the coils or zero, shape (C, H, W).

    Returns
    -------
    Coil images, complex64, shape (C, H, W), with every measured line of every coil in its
    place.
    """
    scale = float(ifft2c(kspace).abs().square().sum(0).sqrt().max()) or 1.0
    rotation = virtual_coils(kspace, ENERGY, MOST)
    signal = torch.einsum("cv,chw->vhw", rotation.conj(), kspace / scale)
    seen = torch.einsum("cv,chw->vhw", rotation.conj(), maps)
    image = network(signal[None], mask[None], seen[None])[0] * scale
    coils = maps * image
    # Lines lie along the last axis: what they hold is exchanged by a transform along it.
    measured = torch.fft.ifftshift(mask, dim=-1)
    return coils + ifft2c(kspace) - torch.fft.ifft(torch.fft.fft(coils) * measured)
