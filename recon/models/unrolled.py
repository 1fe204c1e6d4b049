"""Residual networks with data consistency, unrolled: complex k-space in, complex image out.

Reconstruction alternates two steps (Schlemper et al. 2018, doi 10.1109/TMI.2017.2760978): a
small network improves the image, then the lines that were measured are put back. What was
measured is therefore never altered; the network only decides what the unmeasured lines hold.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from recon.models.consistency import correction_of, given, normal
from recon.models.network import Network
from recon.models.refinement import CELL, Refinement, cells_of, image_of

RIDGE = 0.05  # before training


class ResNetDC(Network):
    r"""The whole network, for any image size, any mask of whole columns and any number of coils.

    With one coil, measured lines are put back as they are. With several, and maps of what they
    see, one image has to fit all of them, and maps are never exact: of the image ``x`` near the
    network's proposal ``p`` that also fits the measured lines of every coil,

    .. math:: \min_x |A x - y|^2 + \lambda |x - p|^2,

    a few steps of conjugate gradients find enough (Pruessmann et al. 2001, doi
    10.1002/mrm.1241; Aggarwal et al. 2019, doi 10.1109/TMI.2018.2865356). The ridge is learned.

    Parameters
    ----------
    steps
        Times the image is improved and the measured lines are put back.
    features, coarse
        See `Refinement`.
    memory
        Maps handed on from step to step.
    """

    architecture = "resnet-dc"
    needs = "k-space"

    def __init__(
        self, steps: int = 6, features: int = 64, coarse: int = 96, memory: int = 8
    ) -> None:
        super().__init__()
        self.memory = memory
        # The image and what was put back, the share of measured lines, and the memory.
        inputs, outputs = 2 * CELL + 1 + memory, CELL + memory
        self.steps = nn.ModuleList(
            Refinement(features, coarse, inputs, outputs) for _ in range(steps)
        )
        # A tenth of the ridges' logarithms, so that they move as fast as they should at the
        # learning rate of the kernels; the first is of the image that the steps start from.
        self.ridge = nn.Parameter(torch.full((steps + 1,), math.log(RIDGE) / 10))

    def forward(self, kspace: Tensor, mask: Tensor, maps: Tensor | None = None) -> Tensor:
        """Fill in the lines that were not measured.

        Parameters
        ----------
        kspace
            Undersampled, scaled to a zero-filled maximum of 1; complex64, shape (N, H, W), or
            (N, C, H, W) with maps.
        mask
            Measured lines, boolean, shape (N, W).
        maps
            Sensitivities of the coils, of unit length over the coils or zero; complex64, shape
            (N, C, H, W).

        Returns
        -------
        Complex image, shape (N, H, W). Without maps its k-space equals `kspace` on the measured
        lines; with maps it is what all coils see, and `recon.coils.joint` puts the measured
        lines of each coil back.
        """
        *_, image = self.iterates(kspace, mask, maps)
        return image

    def iterates(
        self, kspace: Tensor, mask: Tensor, maps: Tensor | None = None
    ) -> Iterator[Tensor]:
        """The image after each step, the last one being the result; arguments as `forward`."""
        height, width = kspace.shape[-2:]
        ridges = (10 * self.ridge).exp()
        zero_filled, measured = given(kspace, mask, maps)
        image = zero_filled
        if maps is not None:
            nothing = torch.zeros_like(image)
            image = correction_of(nothing, image, ridges[0], measured, maps)
        correction = torch.zeros_like(image)
        share = mask.float().mean(1)[:, None, None, None]
        memory: Tensor | None = None
        for step, ridge in zip(self.steps, ridges[1:], strict=True):
            cells = cells_of(image, correction)
            if memory is None:
                memory = cells.new_zeros(len(cells), self.memory, *cells.shape[-2:])
            known = share.expand(-1, 1, *cells.shape[-2:])
            stack = torch.cat([cells, known, memory], 1)
            out = step(stack.contiguous(memory_format=torch.channels_last)).float()
            memory = memory + out[:, CELL:]
            proposed = image + image_of(out[:, :CELL], height, width)
            if maps is None:
                correction = zero_filled - normal(proposed, measured)
            else:
                correction = correction_of(proposed, zero_filled, ridge, measured, maps)
            image = proposed + correction
            yield image

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *arguments: Any) -> None:
        state_dict.setdefault(prefix + "ridge", self.ridge.detach())  # weights from before coils
        super()._load_from_state_dict(state_dict, prefix, *arguments)


class SmallResNetDC(ResNetDC):
    """The same with few steps and narrow: learns in minutes, so that one can watch it learn."""

    architecture = "resnet-dc-small"

    def __init__(
        self, steps: int = 3, features: int = 16, coarse: int = 16, memory: int = 4
    ) -> None:
        super().__init__(steps, features, coarse, memory)
