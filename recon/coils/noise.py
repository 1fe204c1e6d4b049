"""Noise of coils: how much each has, how they share it, and how to make it white."""

from __future__ import annotations

import numpy as np

from recon.errors import InputError


def covariance(samples: np.ndarray) -> np.ndarray:
    """Noise covariance of coils from samples that hold nothing but noise.

    Parameters
    ----------
    samples
        Complex, shape (C, ...), more of them than coils.

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
