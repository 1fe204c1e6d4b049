"""The variational network: U-Nets as learned regularisers of a gradient descent.

After Sriram et al. 2020, "End-to-End Variational Networks" (doi 10.1007/978-3-030-59713-9_7).
Where theirs learns the coils' sensitivities too, this one is given them, as `ResNetDC` is, and
works on the combined image instead of every coil's k-space; with one coil the two are the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from recon.models.consistency import as_channels, given, normal
from recon.models.network import Network
from recon.models.unet import UNet


class VarNet(Network):
    r"""The whole network, for any image size, any mask of whole columns and any number of coils.

    Each cascade takes a step of a learned length towards the data, and subtracts what its U-Net
    finds that does not belong in an image:

    .. math:: x \leftarrow x - \eta (A^H A x - A^H y) - U(x)

    Parameters
    ----------
    cascades
        How often.
    features, poolings
        Of each `UNet`.
    """

    architecture = "varnet"
    needs = "k-space"

    def __init__(self, cascades: int = 8, features: int = 12, poolings: int = 4) -> None:
        super().__init__()
        self.cascades = nn.ModuleList(UNet(features, poolings, channels=2) for _ in range(cascades))
        self.step_length = nn.Parameter(torch.ones(cascades))

    def forward(self, kspace: Tensor, mask: Tensor, maps: Tensor | None = None) -> Tensor:
        """Arguments and result as `ResNetDC.forward`, but measured lines change a little."""
        *_, image = self.iterates(kspace, mask, maps)
        return image

    def iterates(
        self, kspace: Tensor, mask: Tensor, maps: Tensor | None = None
    ) -> Iterator[Tensor]:
        """The image after each cascade, the last one being the result; arguments as `forward`."""
        zero_filled, measured = given(kspace, mask, maps)
        image = zero_filled
        for unet, length in zip(self.cascades, self.step_length, strict=True):
            parts = as_channels(image).contiguous(memory_format=torch.channels_last)
            found = unet(parts).float()
            misfit = normal(image, measured, maps) - zero_filled
            image = image - length * misfit - torch.complex(found[:, 0], found[:, 1])
            yield image
