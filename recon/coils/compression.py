"""Fewer virtual coils that hold nearly all of what many real ones measured."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

ENERGY = 0.995  # share of the measured energy that virtual coils keep at least


def virtual_coils(data: Tensor, energy: float = 0.9999, most: int = 16) -> Tensor:
    """Combinations of coils that hold the signal, the strongest first: principal components
    (Buehrer et al. 2007, doi 10.1002/mrm.21237).

    Parameters
    ----------
    data
        Measured samples, complex, shape (C, ...).
    energy
        Share of their energy that is kept at least, above 0, at most 1.
    most
        Largest number of combinations.

    Returns
    -------
    Orthonormal columns, the strongest sample of each combination real: complex, shape (C, V), as
    few as keep that energy.
    """
    flat = data.flatten(1)
    power, vectors = torch.linalg.eigh((flat @ flat.mH).to(torch.complex128))
    power, vectors = power.flip(0).clamp(min=0), vectors.flip(1)
    kept = int((power.cumsum(0) < energy * (1 - 1e-6) * power.sum()).sum()) + 1
    vectors = vectors[:, : min(kept, most)].to(data.dtype)
    # Of no consequence to physics, but networks should not see an arbitrary phase.
    signal = vectors.mH @ flat
    strongest = signal.gather(1, signal.abs().argmax(1, keepdim=True))[:, 0]
    turned: torch.Tensor = vectors * torch.sgn(torch.where(strongest == 0, 1, strongest))
    return turned


def compressed(kspace: np.ndarray, mask: np.ndarray, energy: float = ENERGY) -> np.ndarray:
    """K-space of virtual coils, which are found from the measured lines alone.

    Parameters
    ----------
    kspace
        Complex, shape (C, H, W).
    mask
        Measured lines, boolean, shape (W,).
    energy
        See `virtual_coils`.

    Returns
    -------
    complex64, shape (V, H, W), the strongest virtual coil first.
    """
    measured = torch.from_numpy(np.ascontiguousarray(kspace[..., mask]))
    rotation = virtual_coils(measured, energy, len(kspace)).numpy()
    return np.tensordot(rotation.conj().T, kspace, 1).astype(np.complex64)
