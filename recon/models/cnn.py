"""The original work's plain convolutional stack, there called AlexNet: what depth alone can do."""

from __future__ import annotations

from torch import Tensor, nn

from recon.models.network import Network


class CNN(Network):
    """Six 3x3 convolutions with ReLU and dropout between; no skip connection.

    Parameters
    ----------
    features
        Feature maps.
    dropout
        Share of features set to zero while training.
    """

    architecture = "cnn"
    needs = "image"

    def __init__(self, features: int = 64, dropout: float = 0.1) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for channels in (1, *[features] * 4):
            layers += [
                nn.Conv2d(channels, features, 3, padding=1),
                nn.ReLU(inplace=True),
                nn.Dropout(dropout),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(features, 1, 3, padding=1))

    def forward(self, zero_filled: Tensor) -> Tensor:
        """Repair images: shape (N, 1, H, W), divided by their own maximum, to the same."""
        image: Tensor = self.layers(zero_filled)
        return image
