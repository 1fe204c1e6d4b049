"""Traces that processing leaves in k-space: how to notice a data crime."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recon.fourier import fft2c, ifft2c
from recon.scan import Scan

SYMMETRIC = 1e-3  # asymmetry below which k-space is that of a real image
EMPTY = 1e-9  # share of the median line's size below which a line is zero but for rounding


@dataclass(frozen=True)
class Clue:
    """Something about k-space that tells where it comes from.

    Attributes
    ----------
    value
        The measured quantity.
    suspicious
        Whether it speaks for processed data.
    sentence
        What was found, for a person.
    """

    value: float
    suspicious: bool
    sentence: str


def inspect(scan: Scan) -> dict[str, Clue]:
    """Look for traces of processing in k-space that is meant to be fully sampled.

    No clue is no proof: k-space simulated with a made-up phase passes, unless its source says
    what it is.

    Parameters
    ----------
    scan
        Fully sampled.

    Returns
    -------
    ``asymmetry``, whose value is `asymmetry`, and ``empty_edges``, the share of rows or of
    columns, whichever is larger, that are zero from an edge inwards. Rows and columns
    are those of the person's array.

    Raises
    ------
    InputError
        If the scan was undersampled already.
    """
    kspace = scan.fully_sampled
    if scan.phase_encode == "rows":
        kspace = kspace.swapaxes(-2, -1)
    # Further digits depend on which way the array lies.
    size = float(f"{asymmetry(kspace):.9g}")
    real = size < SYMMETRIC
    if real:
        symmetry = (
            f"K-space is its own mirror image (asymmetry {size:.0e}), so it was computed from a "
            "magnitude image; a scanner's is not."
        )
    else:
        symmetry = f"K-space is not its own mirror image (asymmetry {size:.2f}), " + (
            "but it was simulated all the same: a made-up phase hides that."
            if scan.source.simulated
            else "as with scanner data."
        )
    rows, columns = (_empty(kspace, axis) for axis in (-2, -1))
    empty = max(sum(rows) / kspace.shape[-2], sum(columns) / kspace.shape[-1])
    both = [min(ends) > 0 for ends in (rows, columns)]
    if any(both):
        edges = (
            f"The outermost {sum(rows)} rows and {sum(columns)} columns of k-space are zero: they "
            "were filled in, and the image was interpolated."
        )
    elif empty:
        edges = (
            f"{sum(rows)} rows and {sum(columns)} columns at one edge of k-space are zero: an "
            "asymmetric echo or partial Fourier."
        )
    else:
        edges = "K-space reaches to its edges; nothing was filled in with zeros there."
    return {
        "asymmetry": Clue(size, real or scan.source.simulated, symmetry),
        "empty_edges": Clue(empty, empty > 0, edges),
    }


def asymmetry(kspace: np.ndarray) -> float:
    r"""How far k-space is from the Hermitian symmetry of a real image.

    .. math:: \min_\varphi |K(k) - e^{i \varphi} K^*(2 s - k)| \,/\, \sqrt{2}\, |K|

    The phase :math:`\varphi` forgives a constant phase of the image, each coil its own, and s an
    echo that misses the middle, in half samples. The outermost row and column of an even size,
    which have no partner, do not count.

    Parameters
    ----------
    kspace
        Complex, shape (H, W) or (C, H, W).

    Returns
    -------
    0 to 1: about 1e-16 to 1e-7, which is rounding, for a real image, near 1 for noise or strong
    phase; 0 for k-space of zeros.
    """
    coils = np.asarray(kspace, np.complex128).reshape(-1, *kspace.shape[-2:])
    coils = _centred(coils)
    for axis, size in ((-2, kspace.shape[-2]), (-1, kspace.shape[-1])):
        if size % 2 == 0:
            coils = np.delete(coils, 0, axis)
    mirror = coils[:, ::-1, ::-1].conj()
    overlap = (mirror.conj() * coils).sum((-2, -1), keepdims=True)
    mirror *= np.exp(1j * np.angle(overlap))
    size = np.linalg.norm(coils)
    return float(np.linalg.norm(coils - mirror) / (np.sqrt(2) * size)) if size else 0.0


def _centred(coils: np.ndarray) -> np.ndarray:
    """K-space (C, H, W) moved so that the image has no linear phase, to half a sample."""
    images = ifft2c(coils)
    # A linear phase is twice as steep in the square, whose spectrum has its peak there.
    peaks = np.abs(fft2c(images**2)).sum(0)
    shift = np.subtract(np.unravel_index(peaks.argmax(), peaks.shape), np.array(peaks.shape) // 2)
    for axis, twice in zip((-2, -1), shift, strict=True):
        size = coils.shape[axis]
        phase = np.exp(-1j * np.pi * twice / size * (np.arange(size) - size // 2))
        images = images * (phase[:, None] if axis == -2 else phase)
    centred: np.ndarray = fft2c(images)
    return centred


def _empty(kspace: np.ndarray, axis: int) -> tuple[int, int]:
    """Lines along an axis that are zero, but for rounding, at its two ends."""
    lines = np.moveaxis(np.asarray(kspace), axis, 0).reshape(kspace.shape[axis], -1)
    sizes = np.linalg.norm(lines, axis=1)
    filled = np.flatnonzero(sizes > EMPTY * np.median(sizes))
    if not filled.size:
        return len(lines), 0
    return int(filled[0]), len(lines) - 1 - int(filled[-1])
