"""The residual network that improves a complex image once, and the cells of pixels it sees."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from recon.models.consistency import as_channels

CELL = 8  # maps that the two by two pixels of a complex image become


def cells_of(*images: Tensor) -> Tensor:
    """Complex images (N, H, W) at half the resolution: (N, `CELL` * number, h, w).

    Filled up with zeros to whole cells of 4x4 pixels: two by two become one, and a `Refinement`
    halves once more.
    """
    height, width = images[0].shape[-2:]
    parts = functional.pad(
        torch.cat(list(map(as_channels, images)), 1), (0, -width % 4, 0, -height % 4)
    )
    return functional.pixel_unshuffle(parts, 2)


def image_of(cells: Tensor, height: int, width: int) -> Tensor:
    """One complex image (N, H, W) from its cells (N, `CELL`, h, w)."""
    parts = functional.pixel_shuffle(cells, 2)[..., :height, :width]
    return torch.complex(parts[:, 0], parts[:, 1])


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
    inputs, outputs
        Maps that it gets and gives, at half the resolution.
    """

    def __init__(self, features: int, coarse: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.head = nn.Conv2d(inputs, features, 3, padding=1)
        self.fine = Block(features)
        self.down = nn.Conv2d(features, coarse, 2, stride=2)
        self.coarse = nn.Sequential(*(Block(coarse) for _ in range(3)))
        self.up = nn.ConvTranspose2d(coarse, features, 2, stride=2)
        self.last = Block(features)
        self.tail = nn.Conv2d(features, outputs, 3, padding=1)
        nn.init.zeros_(self.tail.weight)
        nn.init.zeros_(self.tail.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:  # (N, inputs, H/2, W/2) -> (N, outputs, ...)
        x = self.fine(functional.relu(self.head(x), inplace=True))
        x = x + self.up(self.coarse(functional.relu(self.down(x), inplace=True)))
        y: Tensor = self.tail(self.last(x))
        return y
