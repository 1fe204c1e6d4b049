"""Noise that coils share, from readouts without a signal, and how it is made white.

Without PyTorch, for readers do without.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from recon.errors import InputError

ENOUGH = 10  # samples for each coil, before a covariance is trusted


def of_readouts(readouts: Iterable[np.ndarray], coils: int) -> tuple[float, np.ndarray | None]:
    """How much noise readouts without a signal hold, and how coils share it.

    Parameters
    ----------
    readouts
        Each complex, shape (C, samples); those of another number of coils tell how much alone.
    coils
        C.

    Returns
    -------
    Standard deviation of a sample's real part, and of its imaginary part, to 9 digits: root mean
    square over coils, 0 where there is no sample or an endless one; and the covariance, the mean
    of ``n n^H``: Hermitian, complex128, shape (C, C), None where samples are fewer than `ENOUGH`
    a coil.
    """
    power, count, samples = 0.0, 0, 0
    total = np.zeros((coils, coils), np.complex128)
    for readout in readouts:
        values = np.asarray(readout, np.complex128)
        product = values @ values.conj().T
        power, count = power + np.trace(product).real, count + values.size
        if len(values) == coils:
            total, samples = total + product, samples + values.shape[1]
    if not count or not math.isfinite(power):
        return 0.0, None
    # Further digits depend on the order of the sums, and that on where the arrays lie.
    deviation = float(f"{math.sqrt(power / (2 * count)):.9g}")
    return deviation, total / samples if samples >= ENOUGH * coils else None


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


def balanced(kspace: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """As `prewhitened`, on the scale of the coils that were measured.

    The noise keeps its variance, averaged over coils.
    """
    white = prewhitened(kspace, covariance)
    return white * np.float32(np.sqrt(np.trace(covariance).real / len(covariance)))
