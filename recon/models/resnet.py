"""The original work's residual network: a magnitude image in, a magnitude image out.

One convolution, twelve residual blocks (eight of two convolutional layers, four of three),
one convolution; 3x3 kernels, 64 feature maps, batch normalisation (He et al. 2016,
doi 10.1109/CVPR.2016.90). It never sees k-space, so nothing ties its output to the lines that
were measured.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from recon.models.network import Network


class ResidualBlock(nn.Module):
    """``relu(x + f(x))``, f being `layers` times convolution, normalisation and, between, ReLU.

    Parameters
    ----------
    features
        Feature maps in and out.
    layers
        Convolutional layers in f.
    """

    def __init__(self, features: int, layers: int) -> None:
        super().__init__()
        modules: list[nn.Module] = []
        for _ in range(layers):
            modules += [
                nn.Conv2d(features, features, 3, padding=1, bias=False),
                # Batches are small and anatomies differ: average their statistics over many.
                nn.BatchNorm2d(features, momentum=0.02),
                nn.ReLU(inplace=True),
            ]
        self.f = nn.Sequential(*modules[:-1])
        # Every block starts as the identity (Goyal et al. 2017, arXiv 1706.02677, section 5.1).
        nn.init.zeros_(self.f[-1].weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:  # (N, features, H, W) -> the same
        return torch.relu(x + self.f(x))


class ResNet(Network):
    """The whole network. Works on any image size.

    It starts as the identity: untrained, it returns the zero-filled image. Feature map 0
    carries the image through, and all that training adds is correction.

    Parameters
    ----------
    features
        Feature maps.
    blocks
        Convolutional layers of each residual block.
    """

    architecture = "resnet"
    needs = "image"

    def __init__(
        self, features: int = 64, blocks: Sequence[int] = (2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3)
    ) -> None:
        super().__init__()
        self.head = nn.Conv2d(1, features, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(features, layers) for layers in blocks))
        self.tail = nn.Conv2d(features, 1, 3, padding=1)
        with torch.no_grad():
            for weight in (self.head.weight[0], self.tail.weight[0]):
                weight.zero_()
                weight[0, 1, 1] = 1
            self.head.bias[0] = 0  # type: ignore[index]
            self.tail.bias.zero_()  # type: ignore[union-attr]

    def forward(self, zero_filled: Tensor) -> Tensor:
        """Repair images.

        Parameters
        ----------
        zero_filled
            Magnitude images divided by their own maximum, shape (N, 1, H, W).

        Returns
        -------
        Shape (N, 1, H, W), on the same scale.
        """
        x = torch.relu(self.head(zero_filled))  # (N, features, H, W)
        image: Tensor = self.tail(self.blocks(x))
        return image
