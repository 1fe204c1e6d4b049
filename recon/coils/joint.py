"""All coils reconstructed together: one image, seen through the sensitivities of every coil."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recon.coils.espirit import sensitivities, virtual_coils
from recon.fourier import center_crop, fft2c, ifft2c

ENERGY = 0.999  # share of the centre's energy that virtual coils keep for the network
MOST = 12  # virtual coils
ROWS = 320  # that are compared, of a readout that is longer


def joint_reconstruction(
    network: nn.Module, kspace: Tensor, mask: Tensor, maps: Tensor | None = None
) -> Tensor:
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
        Sensitivities, shape (C, H, W); estimated from the middle of k-space where None.

    Returns
    -------
    Coil images, complex64, shape (C, H, W), with every measured line of every coil in its
    place.
    """
    if maps is None:
        maps = sensitivities(kspace, mask)
    scale = float(ifft2c(kspace).abs().square().sum(0).sqrt().max()) or 1.0
    rotation = virtual_coils(kspace, ENERGY, MOST)
    signal = torch.einsum("cv,chw->vhw", rotation.conj(), kspace / scale)
    seen = torch.einsum("cv,chw->vhw", rotation.conj(), maps)
    image = network(signal[None], mask[None], seen[None])[0] * scale
    coils = maps * image
    return coils + ifft2c((kspace - fft2c(coils)) * mask)
