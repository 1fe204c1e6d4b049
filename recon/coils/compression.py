"""Fewer virtual coils that hold nearly all of what many real ones measured."""

from __future__ import annotations

import numpy as np

ENERGY = 0.995  # share of the measured energy that virtual coils keep at least


def compression_matrix(kspace: np.ndarray, mask: np.ndarray, energy: float = ENERGY) -> np.ndarray:
    """Principal components of the coils (Buehrer et al. 2007, doi 10.1002/mrm.21237).

    They are found from the measured lines alone.

    Parameters
    ----------
    kspace
        Complex, shape (C, H, W).
    mask
        Measured lines, boolean, shape (W,).
    energy
        Share of the energy on those lines that is kept at least, above 0, at most 1.

    Returns
    -------
    Complex, shape (V, C), with orthonormal rows, the strongest virtual coil first: as few as
    keep that energy.
    """
    measured = kspace[..., mask].reshape(len(kspace), -1)
    strengths, vectors = np.linalg.eigh(measured @ measured.conj().T)
    strengths, vectors = strengths[::-1].clip(min=0), vectors[:, ::-1]
    kept = np.cumsum(strengths, dtype=np.float64) / max(strengths.sum(dtype=np.float64), 1e-30)
    count = min(int(np.searchsorted(kept, energy * (1 - 1e-6))) + 1, len(kspace))
    return vectors[:, :count].conj().T


def compressed(kspace: np.ndarray, mask: np.ndarray, energy: float = ENERGY) -> np.ndarray:
    """K-space of the virtual coils: complex64, shape (V, H, W); arguments as above."""
    matrix = compression_matrix(kspace, mask, energy)
    return np.tensordot(matrix, kspace, 1).astype(np.complex64)
