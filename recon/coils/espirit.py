"""Coil sensitivities out of the middle of k-space: ESPIRiT.

Neighbouring samples of all coils depend on each other, because every coil sees the same object.
Short windows of k-space therefore lie in a small subspace, and coil images that fit into it are,
pixel by pixel, multiples of one vector: the sensitivities there (Uecker et al. 2014, doi
10.1002/mrm.24751).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from recon.coils.compression import virtual_coils
from recon.coils.noise import noise_level
from recon.fourier import fft2c, ifft2c

KERNEL = 6  # samples along both axes, BART's default
CALIBRATION = 24  # samples of the middle that are looked at, along both axes
LOPSIDED = 4  # lines more of them on one side of the middle than on the other, at most
CROP = 0.8  # eigenvalue below which there is no object
FLOOR, CEILING = 0.02, 0.1  # of the largest singular value: where the noise's edge is looked for
GRID = 64  # pixels on which eigenvectors are found before they are interpolated
SQUARINGS = 7  # of the matrix whose largest eigenvector is sought
MARGIN = 1 / 32  # of the rows: empty ones above and below
FEWEST = 5  # lines of the middle that a map can be made from
NOISY = 3.0  # times the noise of the usual coil, from where a coil counts less
TWO = 0.9  # second eigenvalue above which two images lie on each other
FOLDED = 0.03  # share of the signal's energy where they may
POSITIONS = 2  # of a window, as many times its samples as it takes to tell two images


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


class Calibration(NamedTuple):
    """What the middle of k-space tells of the coils.

    Attributes
    ----------
    shape
        Height and width of the image.
    margin
        Rows above and below that are no part of it.
    rotation
        From virtual coils to the coils, shape (C, V); see `virtual_coils`.
    vectors
        What the virtual coils see, of unit length over them, on a coarse grid: shape (V, g, h).
    values
        The eigenvalue there, shape (g, h): 1 where one image explains all coils.
    folded
        Share of the signal's energy where it takes two, because an object larger than the field
        of view lies on itself: between 0 and 1. Narrow windows, which take maps that bend for
        two images, count less.
    """

    shape: tuple[int, int]
    margin: int
    rotation: Tensor
    vectors: Tensor
    values: Tensor
    folded: float

    @property
    def one_image(self) -> bool:
        """Whether one image explains all coils."""
        return self.folded < FOLDED

    def maps(self, rows: slice | None = None, crop: float = CROP) -> Tensor:
        """Sensitivities, of unit length over the coils wherever there is an object.

        The phase of the maps is that with which the strongest combination of coils is real, as in
        BART.

        Parameters
        ----------
        rows
            Rows of the image to make maps of; all where None.
        crop
            Maps are zero where the largest eigenvalue is smaller: no signal fits there.

        Returns
        -------
        complex64, shape (C, rows, W).
        """
        planes = torch.cat([self.vectors, self.values[None].to(self.vectors.dtype)])
        coarse = self.values.shape
        height = self.shape[0]
        down = _interpolation(height + 2 * self.margin, coarse[0])
        down = down[self.margin : self.margin + height][rows or slice(None)]
        across = _interpolation(self.shape[1], coarse[1])
        planes = torch.einsum("ug,vgh->vuh", down.to(planes.dtype), planes)
        planes = planes @ across.T.to(planes.dtype)
        vectors, values = planes[:-1], planes[-1].real
        seen = torch.einsum("cv,vhw->chw", self.rotation, vectors)
        return torch.where(values > crop, functional.normalize(seen, dim=0), 0)


def calibrate(kspace: Tensor, mask: Tensor) -> Calibration | None:
    """What the middle of an undersampled slice tells of its coils.

    Parameters
    ----------
    kspace
        Zero where nothing was measured: complex64, shape (C, H, W).
    mask
        Measured lines, boolean, shape (W,).

    Returns
    -------
    None if fewer than `FEWEST` lines of the middle were measured.
    """
    height, width = kspace.shape[-2:]
    block, middle = centre_block(mask), width // 2
    if block.stop - block.start < FEWEST:
        return None
    # Where the block reaches far to one side of the middle alone, the few windows that hold the
    # middle outweigh all others.
    left, right = middle - block.start, block.stop - middle
    most = min(left, right) + LOPSIDED
    most = min(most, max(CALIBRATION // 2, CALIBRATION - min(left, right)))
    start, stop = middle - min(left, most), middle + min(right, most)
    # An object may reach the first and the last row, as a leg does. Maps would have to leap there
    # from one edge of the image to the other, which short windows of k-space cannot express.
    margin = max(KERNEL, round(MARGIN * height))
    padded = fft2c(functional.pad(ifft2c(kspace[..., start:stop]), (0, 0, margin, margin)))
    up = max(0, padded.shape[1] // 2 - CALIBRATION // 2)
    # One coil's noise would be taken for another image where it is far stronger than the others'.
    levels = torch.stack([noise_level(coil, mask) for coil in kspace])
    usual = levels[levels > 0].median() if levels.any() else 1.0
    excess = torch.where(levels > NOISY * usual, levels / usual, 1.0)[:, None, None]
    # The ends of the readout hold little but noise.
    end = max(1, height // 16)
    ends = torch.cat([kspace[:, :end], kspace[:, -end:]], 1)[..., mask] / excess
    noise = float(ends.abs().square().mean().sqrt())
    noise *= math.sqrt(height / padded.shape[1])
    found = espirit(padded[:, up : up + CALIBRATION] / excess, (height, width), margin, noise=noise)
    return found._replace(rotation=found.rotation * excess[..., 0])


def sensitivities(kspace: Tensor, mask: Tensor, rows: slice | None = None) -> Tensor | None:
    """Maps of all coils of an undersampled slice, see `calibrate` and `Calibration.maps`."""
    found = calibrate(kspace, mask)
    return None if found is None else found.maps(rows)


def espirit(
    calibration: Tensor,
    shape: tuple[int, int],
    margin: int = 0,
    *,
    noise: float = 0.0,
    kernel: int = KERNEL,
    grid: int = GRID,
) -> Calibration:
    """The vectors that fit into what neighbouring samples of all coils have in common.

    They are found on a coarse grid, where maps are smooth, and interpolated later.

    Parameters
    ----------
    calibration
        The middle of k-space, complete: complex64, shape (C, h, w).
    shape
        Height and width of the image.
    margin
        Rows above and below it that the calibration data have, too.
    noise
        Standard deviation of a sample. Singular values of the calibration matrix are taken as
        signal where noise alone would not reach them.
    kernel
        Samples of a window along both axes; fewer where the calibration is small.
    grid
        Pixels of the coarse grid, at most, along both axes.
    """
    rotation = virtual_coils(calibration)  # (C, V)
    signal = torch.einsum("cv,chw->vhw", rotation.conj(), calibration)
    coarse = [min(grid, shape[0] + 2 * margin), min(grid, shape[1])]
    bright = torch.fft.fftshift(torch.fft.ifft2(signal, s=coarse).abs().square().sum(0))
    high, wide = (max(1, min(kernel, length // 2)) for length in signal.shape[-2:])
    vectors, values, two = _explained(signal, (high, wide), coarse, noise)
    folded = _share(bright, two) * (wide / kernel) ** 2
    # Where few lines leave a window few positions, it fits into anything: a narrower one tells.
    narrow = max(2, min(kernel, (signal.shape[-1] + 1) // (POSITIONS + 1)))
    if narrow < wide:
        *_, two = _explained(signal, (high, narrow), coarse, noise)
        folded = max(folded, _share(bright, two) * (narrow / kernel) ** 2)
    first = vectors[..., :1]
    vectors = vectors * (first.conj() / first.abs().clamp(min=1e-12))
    return Calibration(shape, margin, rotation, vectors.permute(2, 0, 1), values, folded)


def _explained(
    signal: Tensor, size: tuple[int, int], coarse: list[int], noise: float
) -> tuple[Tensor, Tensor, Tensor]:
    """What fits best into windows of a size, pixel by pixel of a coarse grid (g, h).

    Returns
    -------
    The vectors, shape (g, h, V), their eigenvalues, and where a second one fits, shape (g, h).
    """
    patches = signal.unfold(1, size[0], 1).unfold(2, size[1], 1)  # (V, y, x, kh, kw)
    windows = patches.permute(0, 3, 4, 1, 2).flatten(3).flatten(0, 2)  # (V kh kw, positions)
    subspace = _signal_space(windows, noise)  # (V kh kw, n)
    kernels = subspace.T.reshape(subspace.shape[1], -1, *size)
    images = torch.fft.ifft2(kernels, s=coarse, norm="forward")
    images = torch.fft.fftshift(images, dim=(-2, -1)).permute(2, 3, 1, 0)  # (g, h, V, n)
    matrices = images @ images.mH / math.prod(size)
    vectors, values = _largest(matrices)
    rest = matrices - values[..., None, None] * vectors[..., :, None] * vectors[..., None, :].conj()
    return vectors, values, _largest(rest)[1] > TWO


def _share(bright: Tensor, where: Tensor) -> float:
    return float(bright[where].sum() / bright.sum().clamp(min=1e-30))


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
