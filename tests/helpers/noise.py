"""Complex noise, in which no symmetry hides a mistake."""

from __future__ import annotations

import numpy as np
import torch


def noise(shape: tuple[int, ...], seed: int = 0, dtype: type = np.complex64) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)


def noise_tensor(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.complex64, generator=generator)
