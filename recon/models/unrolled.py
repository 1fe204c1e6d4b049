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
from torch.nn import functional

from recon.models.consistency import as_channels, correction_of, given, normal
from recon.models.network import Network

RIDGE = 0.05  # before training


class Block(nn.Module):
    """``x + conv(relu(conv(x)))``, at constant resolution."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(features, features, 3, padding=1)
        self.second = nn.Conv2d(features, features, 3, padding=1)
        # A step starts as the identity, so that depth costs nothing at first.
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:  # (N, features, h, w) -> the same
        y: Tensor = x + self.second(functional.relu(self.first(x), inplace=True))
        return y


class Refinement(nn.Module):
    """One step's network: a residual network at half resolution around one at a quarter.

    Aliasing of skipped lines spreads over the whole image, so a wide view matters more than
    fine features, and a coarse grid gives it at a fraction of the cost.

    Parameters
    ----------
    features, coarse
        Feature maps at half and at a quarter of the resolution.
    memory
        Feature maps handed on from step to step.
    """

    def __init__(self, features: int, coarse: int, memory: int) -> None:
        super().__init__()
        # Four pixels of real and imaginary part of the image and of what was put back, the
        # share of measured lines, and the memory.
        self.head = nn.Conv2d(16 + 1 + memory, features, 3, padding=1)
        self.fine = Block(features)
        self.down = nn.Conv2d(features, coarse, 2, stride=2)
        self.coarse = nn.Sequential(*(Block(coarse) for _ in range(3)))
        self.up = nn.ConvTranspose2d(coarse, features, 2, stride=2)
        self.last = Block(features)
        self.tail = nn.Conv2d(features, 8 + memory, 3, padding=1)
        nn.init.zeros_(self.tail.weight)
        nn.init.zeros_(self.tail.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:  # (N, 17 + memory, H/2, W/2) -> (N, 8 + memory, ...)
        x = self.fine(functional.relu(self.head(x), inplace=True))
        x = x + self.up(self.coarse(functional.relu(self.down(x), inplace=True)))
        y: Tensor = self.tail(self.last(x))
        return y


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
    features, coarse, memory
        See `Refinement`.
    """

    architecture = "resnet-dc"
    takes_kspace = True

    def __init__(
        self, steps: int = 6, features: int = 64, coarse: int = 96, memory: int = 8
    ) -> None:
        super().__init__()
        self.memory = memory
        self.steps = nn.ModuleList(Refinement(features, coarse, memory) for _ in range(steps))
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
        # Whole cells of 4x4 pixels: pixel-unshuffle by two and one more halving.
        padding = (0, -width % 4, 0, -height % 4)
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
            parts = torch.cat([as_channels(image), as_channels(correction)], 1)  # (N, 4, H, W)
            cells = functional.pixel_unshuffle(functional.pad(parts, padding), 2)
            if memory is None:
                memory = cells.new_zeros(len(cells), self.memory, *cells.shape[-2:])
            known = share.expand(-1, 1, *cells.shape[-2:])
            stack = torch.cat([cells, known, memory], 1)
            out = step(stack.contiguous(memory_format=torch.channels_last)).float()
            memory = memory + out[:, 8:]
            change = functional.pixel_shuffle(out[:, :8], 2)[..., :height, :width]
            proposed = image + torch.complex(change[:, 0], change[:, 1])
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
