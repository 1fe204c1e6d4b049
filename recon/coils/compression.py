"""Less data with the same content: fewer coils, and no rows that nobody looks at."""

from __future__ import annotations

import torch
from torch import Tensor

from recon.fourier import center_crop


def virtual_coils(data: Tensor, energy: float = 0.9999, most: int = 16) -> Tensor:
    """Combinations of coils that hold the signal, the strongest first.

    Buehrer et al. 2007, doi 10.1002/mrm.21237.

    Parameters
    ----------
    data
        Complex, shape (C, ...).
    energy
        Share of the energy that is kept.
    most
        Largest number of combinations.

    Returns
    -------
    Orthonormal columns, the strongest sample of each combination real: complex,
    shape (C, V).
    """
    flat = data.flatten(1)
    power, vectors = torch.linalg.eigh((flat @ flat.mH).to(torch.complex128))
    power, vectors = power.flip(0).clamp(min=0), vectors.flip(1)
    kept = int((power.cumsum(0) < energy * power.sum()).sum()) + 1
    vectors = vectors[:, : min(kept, most)].to(data.dtype)
    # Of no consequence to physics, but networks should not see an arbitrary phase.
    signal = vectors.mH @ flat
    strongest = signal.gather(1, signal.abs().argmax(1, keepdim=True))[:, 0]
    return vectors * torch.sgn(torch.where(strongest == 0, 1, strongest))


def crop_readout(kspace: Tensor, rows: int) -> Tensor:
    """K-space of the middle rows of the image alone, as if the field of view ended there.

    Every sample of the readout was measured, so a transform along it tells rows apart; scanners
    measure twice as many as they show.

    Parameters
    ----------
    kspace
        Complex, shape (..., H, W), with or without lines that were not measured.
    rows
        To keep, where there are more.

    Returns
    -------
    Shape (..., min(H, rows), W); the rows that `recon.fourier.center_crop` keeps.
    """
    if kspace.shape[-2] <= rows:
        return kspace
    lines = torch.fft.ifft(torch.fft.ifftshift(kspace, dim=-2), dim=-2, norm="ortho")
    kept = center_crop(torch.fft.fftshift(lines, dim=-2), (rows, kspace.shape[-1]))
    lines = torch.fft.fft(torch.fft.ifftshift(kept, dim=-2), dim=-2, norm="ortho")
    return torch.fft.fftshift(lines, dim=-2)
