r"""What acceleration with coils costs: the g-factor.

A scan with R times fewer lines has :math:`\sqrt R` times more noise, as any shorter scan. Where
coils see folded pixels alike, telling them apart costs more: g times more (Pruessmann et al.
1999). Where a formula is missing, noise is drawn many times and reconstructed (Robson et al.
2008, doi 10.1002/mrm.21728).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recon import masks
from recon.coils.noise import prewhitened
from recon.errors import InputError

REPLICAS = 50


def regular(mask: np.ndarray) -> int | None:
    """The whole distance R at which all lines lie, around the whole of k-space; None if none.

    Parameters
    ----------
    mask
        Measured lines, boolean, shape (W,).
    """
    lines = np.flatnonzero(mask)
    distance = len(mask) // max(len(lines), 1)
    even = len(lines) * distance == len(mask) and (np.diff(lines) == distance).all()
    return distance if even else None


def folded(column: int, width: int, distance: int) -> np.ndarray:
    """Columns that lie on top of each other when every R-th line is measured, the given first."""
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
    coils cannot tell pixels apart.

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
    there = power > 1e-9 * power.max()
    # A pixel without an object is no unknown: its row and column become those of a unit matrix.
    grams = grams + np.eye(distance) * np.where(there, 0, power.max())[..., None]
    values, vectors = np.linalg.eigh(grams)
    values = np.maximum(values, 1e-12 * values[..., -1:])
    inverse = (np.abs(vectors) ** 2 / values[..., None, :]).sum(-1)  # its diagonal
    g = np.where(there, np.sqrt(inverse * power), 0)
    return g.transpose(0, 2, 1).reshape(height, width).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Noise:
    """Noise of a reconstruction, pixel by pixel.

    Attributes
    ----------
    accelerated, full
        Standard deviation of the picture from the lines of the mask, and from all lines; float32,
        shape (h, w).
    acceleration
        Lines there are, divided by lines measured.
    """

    accelerated: np.ndarray
    full: np.ndarray
    acceleration: float

    @property
    def g(self) -> np.ndarray:
        r""":math:`\sigma_{acc} / (\sigma_{full} \sqrt R)`; 0 where there is no noise."""
        size = self.full * np.sqrt(self.acceleration)
        return np.where(size > 0, self.accelerated / np.where(size > 0, size, 1), 0)


def pseudo_replica(
    reconstruct: Callable[[np.ndarray], np.ndarray],
    full: Callable[[np.ndarray], np.ndarray],
    kspace: np.ndarray,
    mask: np.ndarray,
    sigma: float,
    replicas: int = REPLICAS,
    seed: int | np.random.Generator = 0,
) -> Noise:
    """Noise of any reconstruction, from repeated scans that differ in their noise alone.

    Parameters
    ----------
    reconstruct, full
        From undersampled and from fully sampled k-space (C, H, W) to a picture (h, w), real or
        complex; of a complex one the real part counts, along the phase of the mean.
    kspace
        Fully sampled, complex64, shape (C, H, W).
    mask
        Measured lines, boolean, shape (W,).
    sigma
        Standard deviation of the real and of the imaginary part of the noise that is added; small
        against the object where a method is not linear.
    replicas
        Scans, at least 2. The error of the result is about ``1 / sqrt(2 replicas)``.
    seed
        Of the noise.
    """
    rng = np.random.default_rng(seed)
    pictures: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for _ in range(replicas):
        white = rng.standard_normal((2, *kspace.shape), dtype=np.float32)
        noisy = (kspace + sigma * (white[0] + 1j * white[1])).astype(np.complex64)
        pictures[0].append(reconstruct(masks.apply(noisy, mask).astype(np.complex64)))
        pictures[1].append(full(noisy))
    accelerated, whole = (_deviation(np.stack(group)) for group in pictures)
    return Noise(accelerated, whole, masks.achieved_acceleration(mask))


def _deviation(pictures: np.ndarray) -> np.ndarray:
    mean = pictures.mean(0)
    if np.iscomplexobj(pictures):
        size = np.abs(mean)
        pictures = (
            pictures * np.where(size > 0, mean.conj() / np.where(size > 0, size, 1), 1)
        ).real
    deviation: np.ndarray = pictures.std(0, ddof=1)
    return deviation.astype(np.float32)
