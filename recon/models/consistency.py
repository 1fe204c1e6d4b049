"""Data consistency: what the measured lines say about an image, for one coil or several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from recon.fourier import ifft2c

ITERATIONS = 5  # of conjugate gradients


def given(kspace: Tensor, mask: Tensor, maps: Tensor | None) -> tuple[Tensor, Tensor]:
    """The zero-filled image (N, H, W), of several coils combined, and the mask for `normal`."""
    zero_filled = ifft2c(kspace)
    if maps is not None:
        zero_filled = (maps.conj() * zero_filled).sum(1)
    return zero_filled, torch.fft.ifftshift(mask, dim=-1)[:, None, :]  # (N, 1, W)


def as_channels(image: Tensor) -> Tensor:
    """Real and imaginary part of complex images (N, H, W) as channels: (N, 2, H, W)."""
    return torch.stack([image.real, image.imag], 1)


def normal(image: Tensor, measured: Tensor, maps: Tensor | None = None) -> Tensor:
    """``A^H A x``: what is left of an image (N, H, W) when its measured lines are kept.

    Lines lie along the last axis, so a transform along it is enough; and what it does to an
    image is a convolution, which does not care where the origin is, so nothing is shifted.
    """
    coils = image if maps is None else maps * image[:, None]  # (N, C, H, W)
    kept = measured if maps is None else measured[:, None]
    seen = torch.fft.ifft(torch.fft.fft(coils) * kept)
    normal: Tensor = seen if maps is None else (maps.conj() * seen).sum(1)
    return normal


def _solve(right: Tensor, ridge: Tensor, measured: Tensor, maps: Tensor) -> Tensor:
    """``(A^H A + ridge)^-1 right`` by conjugate gradients, every row of the image by itself."""
    solution = torch.zeros_like(right)
    residual = direction = right
    power = _energy(residual)
    for _ in range(ITERATIONS):
        image = normal(direction, measured, maps) + ridge * direction
        length = power / (direction.conj() * image).real.sum(-1, keepdim=True).clamp(min=1e-20)
        solution = solution + length * direction
        residual = residual - length * image
        before, power = power, _energy(residual)
        direction = residual + power / before.clamp(min=1e-20) * direction
    return solution


def _energy(rows: Tensor) -> Tensor:
    return torch.view_as_real(rows).square().sum((-2, -1))[..., None]


class Correction(torch.autograd.Function):
    """What has to be added to a proposal so that it fits the measured lines of all coils.

    ``(A^H A + ridge)^-1 (A^H y - A^H A p)``, whose gradient needs one more solution and no
    memory of the steps of the first.
    """

    @staticmethod
    def forward(
        context: Any, proposed: Tensor, data: Tensor, ridge: Tensor, measured: Tensor, maps: Tensor
    ) -> Tensor:
        correction = _solve(data - normal(proposed, measured, maps), ridge, measured, maps)
        context.save_for_backward(correction, ridge, measured, maps)
        return correction

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Any:
        correction, ridge, measured, maps = context.saved_tensors
        solution = _solve(gradient, ridge, measured, maps)
        to_ridge = -(solution.conj() * correction).real.sum()
        return -normal(solution, measured, maps), None, to_ridge, None, None


correction_of: Callable[..., Tensor] = Correction.apply
