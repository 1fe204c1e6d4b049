"""The GPU that Hugging Face lends for seconds on its ZeroGPU machines, where they are at hand."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

try:
    import spaces
except ImportError:  # everywhere else
    spaces = None

DEVICE = "cuda"
SECONDS = 20  # that a GPU is asked for


def _there(network: nn.Module, inputs: tuple[Tensor, ...]) -> Tensor:
    """A network's output, where a GPU is; runs in a process of its own."""
    with torch.inference_mode():
        image: Tensor = network.to(DEVICE)(*(x.to(DEVICE) for x in inputs))
        return image.cpu()


_lent: Callable[[nn.Module, tuple[Tensor, ...]], Tensor] = (
    spaces.GPU(duration=SECONDS)(_there) if spaces else _there
)


class OnLentGPU(nn.Module):
    """A network that runs on a lent GPU, or on the processor where none is to be had just now."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> Tensor:
        """As the network's own."""
        try:
            return _lent(self.network, inputs)
        except Exception:  # all are in use, or this visitor's share of them is
            logging.getLogger(__name__).info("no GPU; the processor takes its place")
            image: Tensor = self.network(*inputs)
            return image

    def iterates(self, *inputs: Tensor) -> Iterator[Tensor]:
        """Every step of the network, on the processor."""
        return self.network.iterates(*inputs)  # type: ignore[operator,no-any-return]


def lent(network: nn.Module) -> nn.Module:
    """A network that makes use of ZeroGPU; itself where the package `spaces` is not present."""
    return OnLentGPU(network) if spaces else network
