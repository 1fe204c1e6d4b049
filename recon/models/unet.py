"""The U-Net of fastMRI, the baseline of the field (Zbontar et al. 2018, arXiv 1811.08839).

Magnitude image in, magnitude image out, after Ronneberger et al. 2015
(doi 10.1007/978-3-319-24574-4_28).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from recon.models.network import Network


def _convolutions(channels: int, features: int) -> nn.Sequential:
    """Twice a 3x3 convolution, instance normalisation and leaky ReLU."""
    layers: list[nn.Module] = []
    for inputs in (channels, features):
        layers += [
            nn.Conv2d(inputs, features, 3, padding=1, bias=False),
            nn.InstanceNorm2d(features),
            nn.LeakyReLU(0.2, inplace=True),
        ]
    return nn.Sequential(*layers)


def _upsampling(channels: int, features: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(channels, features, 2, stride=2, bias=False),
        nn.InstanceNorm2d(features),
        nn.LeakyReLU(0.2, inplace=True),
    )


class UNet(Network):
    """The whole network, for any image size.

    Parameters
    ----------
    features
        Feature maps at full resolution; each pooling doubles them.
    poolings
        Times the resolution is halved.
    channels
        Of the image, in and out.
    """

    architecture = "unet"
    needs = "image"

    def __init__(self, features: int = 32, poolings: int = 4, channels: int = 1) -> None:
        super().__init__()
        widths = [features * 2**level for level in range(poolings + 1)]
        self.down = nn.ModuleList(
            _convolutions(inputs, width)
            for inputs, width in zip([channels, *widths], widths, strict=False)
        )
        upwards = list(zip(widths[:0:-1], widths[-2::-1], strict=True))  # (512, 256), (256, 128)...
        self.up = nn.ModuleList(_upsampling(wide, narrow) for wide, narrow in upwards)
        self.merge = nn.ModuleList(_convolutions(wide, narrow) for wide, narrow in upwards)
        self.tail = nn.Conv2d(features, channels, 1)

    def forward(self, zero_filled: Tensor) -> Tensor:
        """Repair images: shape (N, channels, H, W) to the same, on the same scale.

        Each channel is brought to mean 0 and standard deviation 1 on its way in, and back, as in
        fastMRI.
        """
        std, mean = torch.std_mean(zero_filled, (2, 3), keepdim=True)
        height, width = zero_filled.shape[-2:]
        smallest = 2 ** (len(self.up) + 1)  # leaves two pixels a side at the coarsest level
        padding = (0, max(0, smallest - width), 0, max(0, smallest - height))
        x = functional.pad((zero_filled - mean) / (std + 1e-11), padding, mode="replicate")
        skipped = []
        for level, convolutions in enumerate(self.down):
            x = convolutions(functional.avg_pool2d(x, 2) if level else x)
            skipped.append(x)
        skipped.pop()
        for upsampling, convolutions in zip(self.up, self.merge, strict=True):
            x, skip = upsampling(x), skipped.pop()
            missing = [a - b for a, b in zip(skip.shape, x.shape, strict=True)]
            x = functional.pad(x, (0, missing[3], 0, missing[2]), mode="reflect")  # odd sizes
            x = convolutions(torch.cat([x, skip], 1))
        image: Tensor = self.tail(x)[..., :height, :width] * std + mean
        return image
