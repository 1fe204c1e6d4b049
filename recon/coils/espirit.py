"""Coil sensitivities out of the middle of k-space: ESPIRiT.

Neighbouring samples of all coils depend on each other, because every coil sees the same object.
Short windows of k-space therefore lie in a small subspace, and coil images that fit into it are,
pixel by pixel, multiples of one vector: the sensitivities there (Uecker et al. 2014, doi
10.1002/mrm.24751).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from recon.coils.compression import virtual_coils

KERNEL = 6  # samples along both axes, BART's default
CALIBRATION = 24  # samples of the middle that are looked at, along both axes
CROP = 0.8  # eigenvalue below which there is no object
FLOOR, CEILING = 0.02, 0.1  # of the largest singular value: where the noise's edge is looked for
GRID = 64  # pixels on which eigenvectors are found before they are interpolated
SQUARINGS = 7  # of the matrix whose largest eigenvector is sought
FEWEST = 4  # lines of the middle that a map can be made from


def centre_block(mask: Tensor) -> slice:
    """The run of measured lines that holds the middle one; empty if that was not measured.

    Parameters
    ----------
    mask
        Measured lines, boolean, shape (W,).
    """
    middle = len(mask) // 2
    missing = torch.nonzero(~mask)[:, 0].tolist()
    before = max((line for line in missing if line <= middle), default=-1)
    after = min((line for line in missing if line >= middle), default=len(mask))
    return slice(before + 1, after) if after > before else slice(middle, middle)


def tells_maps(mask: Tensor) -> bool:
    """Whether enough lines of the middle were measured for maps."""
    lines = centre_block(mask)
    return len(range(lines.start, lines.stop)) >= FEWEST


def sensitivities(
    kspace: Tensor, mask: Tensor, rows: slice | None = None, crop: float = CROP
) -> Tensor | None:
    """Maps of all coils of an undersampled slice.

    Parameters
    ----------
    kspace
        Zero where nothing was measured: complex64, shape (C, H, W).
    mask
        Measured lines, boolean, shape (W,).
    rows
        Rows of the image to make maps of; all where None.
    crop
        See `espirit`.

    Returns
    -------
    See `espirit`; None if fewer than `FEWEST` lines of the middle were measured.
    """
    if not tells_maps(mask):
        return None
    height, width = kspace.shape[-2:]
    lines = centre_block(mask)
    # As many lines on both sides of the middle.
    reach = min(width // 2 - lines.start, lines.stop - width // 2, CALIBRATION // 2)
    start = max(lines.start, width // 2 - max(reach, 1))
    stop = min(lines.stop, start + CALIBRATION)
    up = max(0, height // 2 - CALIBRATION // 2)
    calibration = kspace[:, up : up + CALIBRATION, start:stop]
    # The ends of the readout hold little but noise.
    end = max(1, height // 16)
    ends = torch.cat([kspace[:, :end], kspace[:, -end:]], 1)[..., mask]
    noise = float(ends.abs().square().mean().sqrt())
    return espirit(calibration, (height, width), rows, noise=noise, crop=crop)


def espirit(
    calibration: Tensor,
    shape: tuple[int, int],
    rows: slice | None = None,
    *,
    noise: float = 0.0,
    crop: float = CROP,
    kernel: int = KERNEL,
    grid: int = GRID,
) -> Tensor:
    """One set of maps, of unit length over the coils wherever there is an object.

    The phase of the maps is that with which the strongest combination of coils is real, as in
    BART. Eigenvectors are found on a coarse grid, where maps are smooth, and interpolated.

    Parameters
    ----------
    calibration
        The middle of k-space, complete: complex64, shape (C, h, w).
    shape
        Height and width of the image.
    rows
        Rows of the image to make maps of; all where None.
    noise
        Standard deviation of a sample. Singular values of the calibration matrix are taken as
        signal where noise alone would not reach them.
    crop
        Maps are zero where the largest eigenvalue is smaller: no signal fits there.
    kernel
        Samples of a window along both axes; fewer where the calibration is small.
    grid
        Pixels of the coarse grid, at most, along both axes.

    Returns
    -------
    complex64, shape (C, rows, W).
    """
    coils = len(calibration)
    rotation = virtual_coils(calibration)  # (C, V)
    signal = torch.einsum("cv,chw->vhw", rotation.conj(), calibration)
    windows, size = _windows(signal, kernel)  # (V kh kw, positions)
    subspace = _signal_space(windows, noise)  # (V kh kw, n)
    count = subspace.shape[1]
    kernels = subspace.T.reshape(count, -1, *size)
    coarse = [min(grid, length) for length in shape]
    images = torch.fft.ifft2(kernels, s=coarse, norm="forward")
    images = torch.fft.fftshift(images, dim=(-2, -1)).permute(2, 3, 1, 0)  # (g, g, V, n)
    matrices = images @ images.mH / math.prod(size)
    vectors, values = _largest(matrices)
    first = vectors[..., :1]
    vectors = vectors * (first.conj() / first.abs().clamp(min=1e-12))

    down = _interpolation(shape[0], coarse[0])[rows or slice(None)]
    across = _interpolation(shape[1], coarse[1])
    planes = torch.cat([vectors, values[..., None].to(vectors.dtype)], -1).permute(2, 0, 1)
    planes = torch.einsum("ug,vgh->vuh", down.to(planes.dtype), planes)
    planes = planes @ across.T.to(planes.dtype)
    vectors, values = planes[:-1], planes[-1].real
    vectors = vectors / vectors.norm(dim=0).clamp(min=1e-12)
    vectors = torch.where(values > crop, vectors, 0)
    return torch.einsum("cv,vhw->chw", rotation, vectors).reshape(coils, -1, shape[1])


def _windows(signal: Tensor, kernel: int) -> tuple[Tensor, tuple[int, int]]:
    """All windows of the calibration data as columns, and their size."""
    height, width = signal.shape[-2:]
    # At least as many positions as a window has samples along either axis.
    size = tuple(max(1, min(kernel, (length + 1) // 2)) for length in (height, width))
    patches = signal.unfold(1, size[0], 1).unfold(2, size[1], 1)  # (V, y, x, kh, kw)
    return patches.permute(0, 3, 4, 1, 2).flatten(3).flatten(0, 2), (size[0], size[1])


def _signal_space(windows: Tensor, noise: float) -> Tensor:
    """Orthonormal basis of what windows have in common."""
    power, vectors = torch.linalg.eigh(windows @ windows.mH)
    strength = power.clamp(min=0).sqrt()
    # The largest singular value of a matrix of noise (Marchenko and Pastur 1967).
    edge = noise * sum(math.sqrt(length) for length in windows.shape)
    largest = float(strength[-1])
    limit = min(max(edge, FLOOR * largest), CEILING * largest)
    kept = int((strength > limit).sum())
    strongest: torch.Tensor = vectors[:, -max(kept, 1) :]
    return strongest


def _largest(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvector and value of the largest eigenvalue of Hermitian matrices (..., V, V)."""
    power = matrices
    for _ in range(SQUARINGS):
        trace = power.diagonal(dim1=-2, dim2=-1).real.sum(-1)[..., None, None]
        power = power / trace.clamp(min=1e-12)
        power = power @ power
    strongest = power.diagonal(dim1=-2, dim2=-1).real.argmax(-1)
    index = strongest[..., None, None].expand(*strongest.shape, power.shape[-1], 1)
    vectors = functional.normalize(power.gather(-1, index)[..., 0], dim=-1)
    values = (vectors.conj() * (matrices @ vectors[..., None])[..., 0]).real.sum(-1)
    return vectors, values


def _interpolation(length: int, coarse: int) -> Tensor:
    """Matrix that interpolates a periodic coarse grid cubically, shape (length, coarse)."""
    place = (torch.arange(length) - length // 2) * (coarse / length) + coarse // 2
    left = place.floor()
    t = (place - left).double()
    # Keys' cubic convolution, a = -1/2.
    weights = (
        ((-0.5 * t + 1) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1,
        ((-1.5 * t + 2) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    )
    matrix = torch.zeros(length, coarse, dtype=torch.float64)
    for offset, weight in enumerate(weights, -1):
        column = (left.long() + offset) % coarse
        matrix[torch.arange(length), column] += weight
    return matrix.float()
