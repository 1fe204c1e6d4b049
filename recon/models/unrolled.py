"""Residual networks with data consistency, unrolled: complex k-space in, complex image out.

Reconstruction alternates two steps (Schlemper et al. 2018, doi 10.1109/TMI.2017.2760978): a
small network improves the image, then the lines that were measured are put back. What was
measured is therefore never altered; the network only decides what the unmeasured lines hold.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from recon.fourier import fft2c, ifft2c
from recon.models.network import Network


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
        return x + self.second(functional.relu(self.first(x), inplace=True))


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
        return self.tail(self.last(x))


class ResNetDC(Network):
    """The whole network, for any image size and any mask of whole columns.

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

    def forward(self, kspace: Tensor, mask: Tensor) -> Tensor:
        """Fill in the lines that were not measured.

        Parameters
        ----------
        kspace
            Undersampled, scaled to a zero-filled maximum of 1; complex64, shape (N, H, W).
        mask
            Measured lines, boolean, shape (N, W).

        Returns
        -------
        Complex image, shape (N, H, W), whose k-space equals `kspace` on the measured lines.
        """
        *_, image = self.iterates(kspace, mask)
        return image

    def iterates(self, kspace: Tensor, mask: Tensor) -> Iterator[Tensor]:
        """The image after each step, the last one being the result; arguments as `forward`."""
        height, width = kspace.shape[-2:]
        # Whole cells of 4x4 pixels: pixel-unshuffle by two and one more halving.
        padding = (0, -width % 4, 0, -height % 4)
        measured = mask[:, None, :]  # (N, 1, W)
        zero_filled = ifft2c(kspace)
        image, correction = zero_filled, torch.zeros_like(zero_filled)
        share = mask.float().mean(1)[:, None, None, None]
        memory: Tensor | None = None
        for step in self.steps:
            parts = torch.cat([_as_channels(image), _as_channels(correction)], 1)  # (N, 4, H, W)
            cells = functional.pixel_unshuffle(functional.pad(parts, padding), 2)
            if memory is None:
                memory = cells.new_zeros(len(cells), self.memory, *cells.shape[-2:])
            known = share.expand(-1, 1, *cells.shape[-2:])
            stack = torch.cat([cells, known, memory], 1)
            out = step(stack.contiguous(memory_format=torch.channels_last)).float()
            memory = memory + out[:, 8:]
            change = functional.pixel_shuffle(out[:, :8], 2)[..., :height, :width]
            proposed = image + torch.complex(change[:, 0], change[:, 1])
            consistent = ifft2c(torch.where(measured, kspace, fft2c(proposed)))
            image, correction = consistent, consistent - proposed
            yield image


def _as_channels(image: Tensor) -> Tensor:
    return torch.stack([image.real, image.imag], 1)
