"""How much noise a scan has, found where it has no signal."""

from __future__ import annotations

import torch
from torch import Tensor

OUTER = 1 / 8  # share of a readout, at both ends, where noise is found
QUIET, BLOCK = 0.1, 8  # share of the rows that are taken for air, looked at so many at a time


def noise_level(kspace: Tensor, mask: Tensor) -> Tensor:
    """Standard deviation of the noise in a sample's real part, and in its imaginary part.

    Noise is alone at the ends of the measured readouts, unless the object has sharp edges, and,
    after a transform along the readout, in rows beside the object, unless that fills the picture.
    The smaller of both is taken. A median, which a few strong samples do not move, is 0.6745
    standard deviations of a normal distribution. Samples that are exactly zero were never
    measured (zero-padding), and do not count. Being the quietest of several, it is low where
    samples are few: of white noise by 9 % with 16 lines of 256 samples, by 3 % with 128.

    Parameters
    ----------
    kspace
        Complex, shape (..., H, W).
    mask
        Measured lines, boolean, shape (W,), one at least.

    Returns
    -------
    A number, in units of the k-space.
    """
    measured = kspace[..., mask].movedim(-2, 0).flatten(1)  # (H, lines of all coils)
    measured = measured[:, (measured != 0).any(0)]
    held = measured[(measured != 0).any(1)]
    if not held.numel():
        return kspace.real.new_zeros(())
    end = max(1, round(OUTER * len(held)))
    ends = torch.view_as_real(torch.cat([held[:end], held[-end:]])).abs().median()
    rows = torch.view_as_real(torch.fft.ifft(held, dim=0, norm="ortho")).abs()
    blocks = torch.stack([block.median() for block in rows.split(BLOCK)])
    return torch.minimum(ends, blocks.quantile(QUIET)) / 0.6745
