"""The judge of adversarial training: is a patch of this image real or made by a network?"""

from __future__ import annotations

from torch import Tensor, nn


class PatchDiscriminator(nn.Module):
    """One verdict for every patch (Isola et al. 2017, arXiv 1611.07004, section 3.2.2).

    Three strided convolutions, so a verdict looks at 38x38 pixels. Needed only for training.

    Parameters
    ----------
    features
        Feature maps of the first layer; the next two double them.
    """

    def __init__(self, features: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for width in (features, 2 * features, 4 * features):
            layers += [
                nn.Conv2d(channels, width, 4, stride=2, padding=1),
                nn.InstanceNorm2d(width) if channels > 1 else nn.Identity(),
                nn.LeakyReLU(0.2, inplace=True),
            ]
            channels = width
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 1, 3, padding=1))

    def forward(self, image: Tensor) -> Tensor:
        """Logits, positive for real: shape (N, 1, H, W) to (N, 1, about H/8, about W/8)."""
        logits: Tensor = self.layers(image)
        return logits
