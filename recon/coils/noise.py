"""Noise of coils: how much each has, how they share it, and how to make it white."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from recon.errors import InputError

OUTER = 1 / 8  # share of a readout, at both ends, where noise is found
QUIET, BLOCK = 0.1, 8  # share of the rows that are taken for air, looked at so many at a time


def covariance(samples: np.ndarray) -> np.ndarray:
    """Noise covariance of coils from samples that hold nothing but noise.

    Parameters
    ----------
    samples
        Complex, shape (C, ...), as many of them as coils or more.

    Returns
    -------
    Hermitian, complex128, shape (C, C): the mean of ``n n^H``.

    Raises
    ------
    InputError
        If there are fewer samples than coils.
    """
    flat = np.asarray(samples, np.complex128).reshape(len(samples), -1)
    if flat.shape[1] < len(flat):
        raise InputError(
            f"The noise of {len(flat)} coils takes as many samples at least; there are "
            f"{flat.shape[1]}."
        )
    return flat @ flat.conj().T / flat.shape[1]


def whitening(covariance: np.ndarray) -> np.ndarray:
    r"""The matrix W that makes noise white: :math:`W \Psi W^H = 1`.

    With the Cholesky factor of :math:`\Psi` inverted, as Pruessmann et al. 2001 (appendix A,
    doi 10.1002/mrm.1241).

    Parameters
    ----------
    covariance
        :math:`\Psi`: Hermitian, shape (C, C).

    Returns
    -------
    complex128, shape (C, C), lower triangular.

    Raises
    ------
    InputError
        If it is no covariance: not Hermitian, or a combination of coils has no noise.
    """
    given = np.asarray(covariance, np.complex128)
    hermitian = given.ndim == 2 and given.shape[0] == given.shape[1]
    hermitian = hermitian and np.allclose(given, given.conj().T, atol=1e-6 * np.abs(given).max())
    try:
        if not hermitian:
            raise np.linalg.LinAlgError
        return np.linalg.inv(np.linalg.cholesky(given))
    except np.linalg.LinAlgError:
        raise InputError(
            "A noise covariance is Hermitian with positive eigenvalues, one row for each coil."
        ) from None


def prewhitened(data: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """K-space, images or maps of coils whose noise is white and alike.

    Parameters
    ----------
    data
        Complex, shape (C, ...).
    covariance
        Of the coils, shape (C, C).

    Returns
    -------
    complex64, of the same shape.

    Raises
    ------
    InputError
        See `whitening`; or if it is of another number of coils.
    """
    matrix = whitening(covariance)
    if len(matrix) != len(data):
        raise InputError(f"A covariance of {len(matrix)} coils does not fit {len(data)} coils.")
    return np.tensordot(matrix, data, 1).astype(np.complex64)


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
