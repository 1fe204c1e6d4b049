"""The phantom as a ring of coils sees it, and what independent programs make of it."""

from __future__ import annotations

import subprocess
from functools import lru_cache
from pathlib import Path

import numpy as np

from recon.benchmark import bart
from recon.coils import phantom
from recon.coils.simulate import Loops


@lru_cache(maxsize=8)
def seen(coils: int, shape: tuple[int, int], noise: float = 0.003) -> np.ndarray:
    """Fully sampled k-space: complex64, shape (C, H, W)."""
    return phantom.kspace(Loops.ring(coils), shape, noise=noise, seed=1)


@lru_cache(maxsize=8)
def maps(coils: int, shape: tuple[int, int]) -> np.ndarray:
    """True sensitivities of unit length, zero outside of the phantom's circle."""
    y, x = (((np.arange(n) - n // 2) * 2 / min(shape)) for n in shape)
    true = phantom.sensitivities(Loops.ring(coils), shape)
    true = true / np.sqrt((np.abs(true) ** 2).sum(0))
    return (true * (np.hypot(y[:, None], x) < 1)).astype(np.complex64)


def pics(folder: Path, kspace: np.ndarray, sensitivities: np.ndarray, *options: str) -> np.ndarray:
    """``bart pics`` on undersampled k-space (C, H, W) with these maps: complex, (H, W)."""
    for name, array in (("kspace", kspace), ("maps", sensitivities)):
        bart.write_cfl(folder / name, array.transpose(1, 2, 0)[:, :, None])
    words = ["bart", "pics", *options, "kspace", "maps", "image"]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    return bart.read_cfl(folder / "image")
