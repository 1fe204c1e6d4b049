"""What takes the noise out of a reconstruction that keeps the measured lines, noise included."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recon.models.network import Network
from recon.models.refinement import CELL, Refinement, cells_of, image_of

UNIT = 0.05  # noise level that the network sees as 1


class Denoiser(Network):
    """Two residual networks that follow `ResNetDC`, and may alter the measured lines.

    What was measured holds noise, and data consistency keeps it. This network is told how much
    there is, and which part of the image was measured, and was trained against images without.

    Parameters
    ----------
    steps
        Number of residual networks, one after another.
    features, coarse
        See `Refinement`.
    """

    architecture = "resnet-dc-denoised"
    needs = "reconstruction"

    def __init__(self, steps: int = 2, features: int = 64, coarse: int = 96) -> None:
        super().__init__()
        self.steps = nn.ModuleList(
            Refinement(features, coarse, 2 * CELL + 2, CELL) for _ in range(steps)
        )

    def forward(self, image: Tensor, zero_filled: Tensor, level: Tensor, share: Tensor) -> Tensor:
        """Take the noise away.

        Parameters
        ----------
        image, zero_filled
            Reconstruction and inverse transform of the measured lines, scaled to a zero-filled
            maximum of 1: complex64, shape (N, H, W).
        level
            See `recon.coils.noise.noise_level`, on the same scale; shape (N,).
        share
            Share of measured lines, shape (N,).

        Returns
        -------
        Complex image, shape (N, H, W).
        """
        height, width = image.shape[-2:]
        known = torch.stack([level / UNIT, share], 1)[..., None, None]
        for step in self.steps:
            cells = cells_of(image, zero_filled)
            stack = torch.cat([cells, known.expand(-1, -1, *cells.shape[-2:])], 1)
            out = step(stack.contiguous(memory_format=torch.channels_last)).float()
            image = image + image_of(out, height, width)
        return image
