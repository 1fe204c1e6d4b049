"""How coils make up for lines: what folds onto what, how it is told apart, what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from recon import phantom
from recon.coils.espirit import centre_block, sensitivities
from recon.coils.gfactor import analytic, folded
from recon.coils.grappa import Kernel, kernels
from recon.coils.sense import unit_length
from recon.coils.simulate import Loops, fields
from recon.errors import InputError
from recon.fourier import ifft2c, rss
from recon.masks import calibrated
from recon.measurement import shown_rows
from recon.scan import Scan


@dataclass(frozen=True, eq=False)
class Views:
    """What every coil sees, and how sensitive it is.

    Attributes
    ----------
    images, maps
        complex64, shape (C, H, W); the maps of unit length over the coils, zero where there is no
        object.
    """

    images: np.ndarray
    maps: np.ndarray

    @property
    def combined(self) -> np.ndarray:
        """The image the maps make of the coil images: complex64, shape (H, W)."""
        combined: np.ndarray = (self.maps.conj() * self.images).sum(0)
        return combined

    def without(self, coils: Sequence[int]) -> Views:
        """The same scan without some coils, its maps of unit length again.

        Raises
        ------
        InputError
            If fewer than two coils would be left.
        """
        kept = self._kept(coils)
        if len(kept) < 2:
            raise InputError("Leave two coils at least: one alone cannot tell pixels apart.")
        return Views(self.images[kept], unit_length(self.maps[kept]))

    def lost(self, coils: Sequence[int]) -> np.ndarray:
        """How many times more noise the image has without some coils, all lines measured: (H, W).

        1 where there is no object.
        """
        size = rss(self.maps[self._kept(coils)])
        return np.where(size > 0, 1 / np.where(size > 0, size, 1), 1)

    def _kept(self, coils: Sequence[int]) -> list[int]:
        return [number for number in range(len(self.images)) if number not in set(coils)]

    def even(self, distance: int) -> Views:
        """Cut to a width that R divides, as a scanner would choose the number of lines."""
        width = self.images.shape[-1]
        left = width % distance // 2
        kept = slice(left, left + width - width % distance)
        return Views(self.images[..., kept], self.maps[..., kept])


def views(scan: Scan) -> Views:
    """Coil images and maps of a fully sampled scan, of the rows that are shown.

    Raises
    ------
    InputError
        If the scan has one coil, or arrived undersampled.
    """
    kspace = scan.fully_sampled
    if kspace.ndim < 3 or len(kspace) < 2:
        raise InputError("This needs a scan of several coils; the slice that is open has one.")
    kspace = shown_rows(kspace, scan.crop)
    with torch.inference_mode():
        maps = sensitivities(torch.from_numpy(kspace), torch.ones(kspace.shape[-1]).bool())
    assert maps is not None
    return Views(ifft2c(kspace), maps.numpy())


# ---- folding --------------------------------------------------------------------------------


def fold(images: np.ndarray, distance: int) -> np.ndarray:
    """Images from every R-th line, the middle one among them: R copies on top of each other.

    Parameters
    ----------
    images
        Complex, shape (..., H, W), W a multiple of R.
    distance
        R.

    Returns
    -------
    The sum of the copies; of the shape of the images.
    """
    width = images.shape[-1]
    copies = [np.roll(images, copy * width // distance, -1) for copy in range(distance)]
    folded: np.ndarray = np.sum(copies, 0)
    return folded


@dataclass(frozen=True, eq=False)
class Equations:
    """The C equations behind one folded pixel, in as many unknowns as pixels lie on each other.

    Attributes
    ----------
    row, columns
        The pixels that fold, the chosen one first; those without an object are left out.
    matrix
        Sensitivities, complex, shape (C, pixels).
    measured
        The folded pixel in every coil, complex, shape (C,).
    solution, truth
        Of the pixels: by least squares, and from all lines; complex, shape (pixels,). The
        solution is NaN where there are more pixels than coils.
    condition
        Largest singular value of the matrix over its smallest; infinite with more pixels than
        coils.
    g
        g-factor of each pixel; infinite with more pixels than coils.
    """

    row: int
    columns: np.ndarray
    matrix: np.ndarray
    measured: np.ndarray
    solution: np.ndarray
    truth: np.ndarray
    condition: float
    g: np.ndarray


def equations(seen: Views, row: int, column: int, distance: int) -> Equations:
    """Unfold one pixel by hand.

    Parameters
    ----------
    seen
        Of a width that R divides.
    row, column
        Of the pixel.
    distance
        R.

    Raises
    ------
    InputError
        If there is no object at any of the pixels that fold.
    """
    width = seen.images.shape[-1]
    columns = folded(column, width, distance)
    there = np.abs(seen.maps[:, row, columns]).sum(0) > 0
    if not there.any():
        raise InputError("Nothing folds here: choose a pixel inside the object or its copies.")
    columns = columns[there]
    matrix = seen.maps[:, row, columns].astype(np.complex128)
    measured = fold(seen.images, distance)[:, row, column]
    truth = seen.combined[row, columns]
    if len(columns) > len(matrix):
        nothing, endless = np.full_like(truth, np.nan), np.full(len(columns), np.inf)
        return Equations(row, columns, matrix, measured, nothing, truth, np.inf, endless)
    solution = np.linalg.lstsq(matrix, measured, rcond=None)[0]
    strength = np.linalg.svd(matrix, compute_uv=False)
    condition = float(strength[0] / strength[-1])
    gram = matrix.conj().T @ matrix
    g = np.sqrt((np.linalg.pinv(gram).diagonal() * gram.diagonal()).real)
    return Equations(row, columns, matrix, measured, solution, truth, condition, g)


def unfold(seen: Views, distance: int) -> np.ndarray:
    """The image that SENSE makes of every R-th line, pixel by pixel: complex64, shape (H, W).

    It is 0 where more pixels of the object fold than there are coils.
    """
    coils, height, width = seen.maps.shape
    aliased = fold(seen.images, distance)[..., : width // distance]  # all copies are alike
    groups = seen.maps.reshape(coils, height, distance, -1).transpose(1, 3, 0, 2)
    inverse = np.linalg.pinv(groups.astype(np.complex128), rcond=1e-6)  # (H, W / R, R, C)
    pixels: np.ndarray = (inverse @ aliased.transpose(1, 2, 0)[..., None])[..., 0]  # (H, W / R, R)
    image = pixels.transpose(0, 2, 1).reshape(height, width).astype(np.complex64)
    return np.where(crowd(seen.maps, distance) > coils, 0, image)


def crowd(maps: np.ndarray, distance: int) -> np.ndarray:
    """How many pixels of the object lie on each pixel: integers, shape (H, W)."""
    return fold((np.abs(maps).sum(0) > 0).astype(int), distance)


# ---- cost -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Cost:
    """What an acceleration costs in noise.

    Attributes
    ----------
    g
        g-factor, shape (H, W); 0 without an object, infinite where more of its pixels fold than
        there are coils.
    mean, worst
        Over the pixels with a solution, and the value that one of twenty exceeds; infinite where
        there are none.
    coils, pixels
        How many coils, and how many pixels of the object lie on each other at most.
    unsolved
        Share of the object without a solution.
    """

    g: np.ndarray
    mean: float
    worst: float
    coils: int
    pixels: int
    unsolved: float

    @property
    def sentence(self) -> str:
        """What cannot be solved; nothing where all of it can."""
        if not self.unsolved:
            return ""
        return (
            f"{self.coils} coils cannot part {self.pixels} pixels: there is no solution in "
            f"{self.unsolved:.1%} of the object."
        )


def cost(maps: np.ndarray, distance: int) -> Cost:
    """g-factor map of maps (C, H, W), W a multiple of R."""
    g, pixels = analytic(maps, distance), crowd(maps, distance)
    solved = g[(g > 0) & np.isfinite(g)]
    mean, worst = (solved.mean(), np.quantile(solved, 0.95)) if solved.size else (np.inf, np.inf)
    unsolved = float(np.isinf(g).sum() / np.count_nonzero(g))
    return Cost(g, float(mean), float(worst), len(maps), int(pixels.max()), unsolved)


def placed(
    coils: int,
    radius: float,
    arc: float,
    size: int = 128,
    noise: float = 0.01,
    seed: int = 0,
) -> tuple[Loops, Views]:
    """The phantom inside of loops that somebody placed, looked up pixel by pixel.

    What the loops see together is 1 on average over the head, wherever they are: g-factors can be
    compared, brightness and noise of two arrangements cannot.

    Parameters
    ----------
    coils
        At least 2.
    radius
        Distance of the loops from the middle, in halves of the field of view.
    arc
        Degrees around the object that are covered.
    size
        Pixels along both sides.
    noise
        Standard deviation of real and imaginary part in every coil.
    seed
        Of the noise.
    """
    angles = np.deg2rad(90 + arc * (np.arange(coils) / coils - 0.5 + 0.5 / coils))
    loop = min(0.8, radius * np.sin(np.deg2rad(arc) / 2 / max(coils, 3)))
    loops = Loops(angles, np.zeros(coils), radius, float(loop))
    shape = (size, size)
    true = phantom.image(shape, phase=None)
    # The head alone, which is a little larger than what is bright in it.
    head = np.abs(phantom.image(shape, phase=None, ellipses=phantom.HEAD[:1])) > 0
    row, column = (place - size // 2 for place in np.nonzero(head))
    points = np.stack([column, -row, 0 * row], -1) * (2 / size)  # y points up
    maps = np.zeros((coils, *shape), np.complex64)
    for number, angle in enumerate(angles):  # one after the other, for memory's sake
        one = Loops(angle[None], np.zeros(1), radius, float(loop))
        maps[number, head] = fields(one, points)[0]
    maps /= rss(maps)[head].mean()
    rng = np.random.default_rng(seed)
    white = rng.standard_normal((2, *maps.shape))
    images = maps * true + noise * (white[0] + 1j * white[1])
    return loops, Views(images.astype(np.complex64), unit_length(maps * head))


# ---- GRAPPA ---------------------------------------------------------------------------------


def kernel(scan: Scan, distance: int, lines: int) -> tuple[np.ndarray, Kernel]:
    """A mask with so many calibration lines, and its kernel of most use.

    Returns
    -------
    Mask, boolean, shape (W,); the kernel that fills the most lines.

    Raises
    ------
    InputError
        If the scan has one coil or arrived undersampled, or the calibration lines are too few, or
        all there are.
    """
    kspace = scan.fully_sampled
    if kspace.ndim < 3:
        raise InputError("This needs a scan of several coils; the slice that is open has one.")
    mask = calibrated(scan.width, distance, min(1, lines / scan.width), offset=0)
    if mask.all():
        raise InputError("All lines are measured, so there is nothing to fill.")
    measurement = scan.measure(mask)
    found = kernels(torch.from_numpy(measurement.kspace), torch.from_numpy(mask))
    return mask, max(found, key=lambda one: len(one.targets))


def calibration_lines(mask: np.ndarray) -> int:
    """Lines side by side in the middle of k-space, from which a kernel is learned."""
    block = centre_block(torch.from_numpy(mask))
    return int(block.stop - block.start)
