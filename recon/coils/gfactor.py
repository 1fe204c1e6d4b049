r"""What acceleration with coils costs: the g-factor.

A scan with R times fewer lines has :math:`\sqrt R` times more noise, as any shorter scan. Where
coils see folded pixels alike, telling them apart costs more: g times more (Pruessmann et al.
1999).
"""

from __future__ import annotations

import numpy as np

from recon.coils.whitening import prewhitened
from recon.errors import InputError


def folded(column: int, width: int, distance: int) -> np.ndarray:
    """Columns that lie on top of each other when every R-th line is measured, the given first.

    Parameters
    ----------
    column, width
        One of them, and W, how many there are.
    distance
        R, of which W is a multiple.

    Returns
    -------
    Indices, shape (R,).
    """
    return (column + np.arange(distance) * width // distance) % width


def analytic(maps: np.ndarray, distance: int, covariance: np.ndarray | None = None) -> np.ndarray:
    r"""g-factor of SENSE where every R-th line is measured.

    .. math:: g_r = \sqrt{[(S^H \Psi^{-1} S)^{-1}]_{rr} [S^H \Psi^{-1} S]_{rr}}

    with the sensitivities S of the pixels that fold onto each other (Pruessmann et al. 1999,
    eq. 23, doi 10.1002/(SICI)1522-2594(199911)42:5<952::AID-MRM16>3.0.CO;2-S).

    Parameters
    ----------
    maps
        Complex, shape (C, H, W); zero where there is no object.
    distance
        R, of which W is a multiple.
    covariance
        :math:`\Psi`, of the coils' noise; white where None.

    Returns
    -------
    float32, shape (H, W): 1 at least where there is an object, 0 where there is none, huge where
    coils cannot tell pixels apart, infinite where more pixels fold than there are coils.

    Raises
    ------
    InputError
        If W is no multiple of R.
    """
    coils, height, width = maps.shape
    if width % distance:
        raise InputError(
            f"{width} lines cannot be measured {distance} apart all around: choose an acceleration "
            f"that divides their number."
        )
    white = maps if covariance is None else prewhitened(maps, covariance)
    # Pixels that fold onto each other are W / R columns apart.
    groups = white.astype(np.complex128).reshape(coils, height, distance, width // distance)
    groups = groups.transpose(1, 3, 2, 0)  # (H, W / R, R, C)
    grams = groups.conj() @ groups.swapaxes(-2, -1)  # S^H S, (H, W / R, R, R)
    power = grams.diagonal(axis1=-2, axis2=-1).real
    brightest = max(float(power.max()), 1e-30)
    there = power > 1e-9 * brightest
    # A pixel without an object is no unknown: its row and column become those of a unit matrix.
    grams = grams + np.eye(distance) * np.where(there, 0, brightest)[..., None]
    values, vectors = np.linalg.eigh(grams)
    values = np.maximum(values, 1e-12 * values[..., -1:])
    inverse = (np.abs(vectors) ** 2 / values[..., None, :]).sum(-1)  # its diagonal
    solvable = there.sum(-1, keepdims=True) <= coils
    g = np.where(there, np.where(solvable, np.sqrt(inverse * power), np.inf), 0)
    return g.transpose(0, 2, 1).reshape(height, width).astype(np.float32)
