"""Muon: gradient descent whose steps have all singular values equal.

Convolution kernels are matrices, (out, in x height x width), and their gradients are close to
low rank: a few directions take all of a plain step. Muon (Jordan et al. 2024; scaled as in Liu
et al. 2025, arXiv 2502.16982) replaces the averaged gradient by the nearest orthogonal matrix,
so every direction learns. `torch.optim.Muon` takes matrices only and always computes in bfloat16,
which many processors emulate; this one takes kernels and groups those of one shape.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor


def orthogonalized(matrices: Tensor, iterations: int = 5) -> Tensor:
    """About the nearest matrices with all singular values 1, by Newton-Schulz iteration.

    Parameters
    ----------
    matrices
        float32 or bfloat16, shape (N, rows, columns).
    iterations
        Five bring singular values into about 0.7 to 1.2, which is near enough.

    Returns
    -------
    Shape (N, rows, columns).
    """
    a, b, c = 3.4445, -4.7750, 2.0315  # of Jordan et al.: the steepest start that stays bounded
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(iterations):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    result: Tensor = x.mT if tall else x
    return result


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum, for parameters of two and more dimensions.

    Parameters
    ----------
    parameters
        Each is taken as a matrix with ``shape[0]`` rows.
    lr
        Root mean square of a step's entries is 0.2 of it, about Adam's, so Adam's rates serve.
    momentum
        Decay of the gradient's average.
    precision
        Of the orthogonalization; bfloat16 is enough, and faster where the processor has it.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        momentum: float = 0.95,
        precision: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})
        self.precision = precision

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            same_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    same_shape[parameter.shape].append(parameter)
            for shape, parameters in same_shape.items():
                directions = []
                for parameter in parameters:
                    gradient, state = parameter.grad, self.state[parameter]
                    assert gradient is not None
                    if not state:
                        state["momentum"] = torch.zeros_like(parameter)
                    average = state["momentum"].lerp_(gradient, 1 - group["momentum"])
                    directions.append(gradient.lerp(average, group["momentum"]).flatten(1))
                steps = orthogonalized(torch.stack(directions).to(self.precision)).float()
                scale = 0.2 * max(steps.shape[1:]) ** 0.5  # entries of RMS 0.2
                for parameter, step in zip(parameters, steps, strict=True):
                    parameter.sub_(step.view(shape), alpha=group["lr"] * scale)
