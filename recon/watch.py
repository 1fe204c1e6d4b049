"""What `recon.limits` does inside of PyTorch: look at the clock, and at large layers beforehand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from recon import limits

# Memory of a network, in units of what goes into and out of its largest layer: measured 2.9 to
# 3.1 with ResNet-DC, ResNet and U-Net at 1024x1024.
LAYER = 3.2


class Watch(TorchFunctionMode):
    """Asks before every function of PyTorch that this thread calls."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Any = None,
    ) -> Any:
        limits.check()
        if function in (torch.conv2d, torch.conv_transpose2d):
            x, weight = args[:2]  # (N, C, H, W); (out, C, ...), or transposed (C, out, ...)
            stride = args[3] if len(args) > 3 else (kwargs or {}).get("stride", 1)
            stride = stride if isinstance(stride, int) else stride[0]
            pixels = x.numel() / x.shape[1]
            if function is torch.conv2d:
                out = weight.shape[0] * pixels / stride**2
            else:
                out = weight.shape[1] * pixels * stride**2
            limits.afford(LAYER * (x.numel() + out) * x.element_size())
        return function(*args, **(kwargs or {}))
