r"""One image that all coils agree on: SENSE, with known sensitivities.

With the maps S of the coils, the transform F and the mask M, coil c measures
:math:`y_c = M F S_c x`. Many coils give more equations than there are unknowns, so lines can be
left out (Pruessmann et al. 1999, doi 10.1002/(SICI)1522-2594(199911)42:5<952::AID-MRM16>3.0.CO;2-S;
2001, doi 10.1002/mrm.1241). Masks are of whole columns, so every row of the image is a small
problem of its own, and transforms along it are all that is needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from recon.classical import divergence, gradient
from recon.coils.noise import noise_level
from recon.errors import InputError
from recon.fourier import fft2c, ifft2c, rss

RIDGE = 0.01  # of the normal equations, whose eigenvalues lie between 0 and 1
ITERATIONS = 20
REGULARIZATION = 24.0  # of total variation, for noise of unit variance
LEAST = 0.005  # noise level: maps err by as much
TV_ITERATIONS = 20
CG_ITERATIONS = 4  # in each of them
FIT_ITERATIONS = 8  # to see what the image that fits best leaves
USUAL = 0.99  # share of samples whose misfit counts, the smaller ones
THRESHOLD = 0.06  # of the gradient, for images with a maximum near 1; decides the speed alone


def measured_part(images: Tensor, mask: Tensor) -> Tensor:
    """Images whose lines that were not measured are taken away: :math:`F^{-1} M F`.

    Parameters
    ----------
    images
        Complex, shape (..., H, W).
    mask
        Measured lines, boolean, shape (W,).
    """
    seen: torch.Tensor = torch.fft.ifft(torch.fft.fft(images) * torch.fft.ifftshift(mask))
    return seen


def normal(image: Tensor, mask: Tensor, maps: Tensor) -> Tensor:
    """:math:`A^H A x`: what all coils together see of an image; complex, shape (H, W)."""
    return (maps.conj() * measured_part(maps * image, mask)).sum(0)


def combine(images: Tensor, maps: Tensor) -> Tensor:
    """Coil images (C, H, W) as one, weighted by the maps; their adjoint."""
    return (maps.conj() * images).sum(0)


def seen_by_coils(image: Tensor, maps: Tensor, kspace: Tensor, mask: Tensor) -> Tensor:
    """What every coil sees of an image, with the lines it measured in their place.

    Parameters
    ----------
    image
        Complex, shape (H, W).
    maps, kspace
        Of all coils, shape (C, H, W).
    mask
        Measured lines, boolean, shape (W,).

    Returns
    -------
    Complex, shape (C, H, W).
    """
    coils = maps * image
    return coils + ifft2c(kspace) - measured_part(coils, mask)


def unit_length(maps: np.ndarray) -> np.ndarray:
    """Maps (C, H, W) divided by their root-sum-of-squares, and zero where that is."""
    size = rss(maps)
    there = size > 1e-6 * size.max()
    return np.where(there, maps / np.where(there, size, 1), 0)


def conjugate_gradients(
    operator: Callable[[Tensor], Tensor],
    right: Tensor,
    iterations: int,
    start: Tensor | None = None,
    axes: tuple[int, ...] = (-1,),
) -> Tensor:
    """Solve ``operator(x) = right`` (Hestenes and Stiefel 1952, doi 10.6028/jres.049.044).

    Parameters
    ----------
    operator
        Hermitian, positive definite.
    right
        Complex, shape (H, W).
    iterations
        At least 1.
    start
        First guess; zero where None.
    axes
        Along which the unknowns depend on each other; each row by itself for ``(-1,)``.
    """

    def energy(image: Tensor) -> Tensor:
        return image.abs().square().sum(axes, keepdim=True)

    solution = torch.zeros_like(right) if start is None else start
    residual = right if start is None else right - operator(start)
    direction, power = residual, energy(residual)
    # Rows that are solved would divide rounding by rounding.
    enough = 1e-12 * energy(right) + torch.finfo(torch.float32).tiny
    for _ in range(iterations):
        image = operator(direction)
        along = (direction.conj() * image).real.sum(axes, keepdim=True)
        length = torch.where(power > enough, power / along.clamp(min=1e-30), 0)
        solution = solution + length * direction
        residual = residual - length * image
        before, power = power, energy(residual)
        direction = residual + power / before.clamp(min=1e-30) * direction
    return solution


def cg_sense(
    kspace: Tensor,
    mask: Tensor,
    maps: Tensor,
    ridge: float = RIDGE,
    iterations: int = ITERATIONS,
) -> Tensor:
    r"""The image that fits all coils best: :math:`\min_x |A x - y|^2 + \lambda |x|^2`.

    Parameters
    ----------
    kspace
        y: zero where nothing was measured, complex64, shape (C, H, W).
    mask
        M: measured lines, boolean, shape (W,).
    maps
        Of unit length over the coils, or zero; shape (C, H, W).
    ridge
        :math:`\lambda`, not negative.
    iterations
        Of conjugate gradients.

    Returns
    -------
    complex64, shape (H, W); zero where the maps are.
    """
    data = combine(ifft2c(kspace), maps)
    return conjugate_gradients(lambda x: normal(x, mask, maps) + ridge * x, data, iterations)


def misfit(kspace: Tensor, mask: Tensor, maps: Tensor) -> float:
    """Variance of what the image that fits all coils best leaves of a sample's real part.

    That is the noise, and what is wrong with the maps. With few coils it is less than the noise,
    because the image follows that. A few strong samples, such as spikes, do not count, nor do rows
    and lines that are zero in all coils.

    Parameters
    ----------
    kspace, mask, maps
        See `cg_sense`.
    """
    fitted = fft2c(maps * cg_sense(kspace, mask, maps, iterations=FIT_ITERATIONS))
    there = (kspace != 0).any(0)
    held = there.any(1)[:, None] & (there.any(0) & mask)
    power = (fitted - kspace)[:, held].abs().square().flatten()
    count = round(USUAL * len(power))
    if not count:
        return 0.0
    usual = power[power <= power.kthvalue(count)[0]].mean()
    # The power of complex noise is distributed exponentially; this is the mean of its lower part.
    lower = 1 + (1 - USUAL) * math.log(1 - USUAL) / USUAL
    return float(usual) / lower / 2


def misfit_expected(kspace: Tensor, mask: Tensor, maps: Tensor, scale: float = 1.0) -> float:
    """Variance of what no image explains, by which coils count less than what is known before.

    The most probable image is the one whose misfit, divided by the variance of the noise, and
    what a prior says against it sum to the least; so a prior's weight is in proportion to it.
    Files whose outer k-space was filtered have stronger noise where signals are strong than the
    ends of readouts show; so it is no less than the `misfit`.

    Parameters
    ----------
    kspace, mask, maps
        See `cg_sense`.
    scale
        Maximum of the image, about; the variance is a share of its square.
    """
    variance = max(float(noise_level(kspace, mask)) ** 2, misfit(kspace, mask, maps))
    return max(variance / scale**2, LEAST**2)


def tv_sense(
    kspace: Tensor,
    mask: Tensor,
    maps: Tensor,
    regularization: float,
    iterations: int = TV_ITERATIONS,
    scale: float = 1.0,
    near: Tensor | None = None,
    pull: float = 0.0,
) -> Tensor:
    r"""The image with the best compromise between all coils' data and total variation.

    .. math:: \min_x \tfrac12 |A x - y|^2 + \lambda s\, TV(x) + \tfrac{\mu}{2} |x - p|^2

    by the alternating direction method of multipliers, as in `recon.classical.minimise`. Maps
    are not diagonal after a transform, so the image is found by a few conjugate gradients that
    start from the one before.

    Parameters
    ----------
    kspace, mask, maps
        See `cg_sense`.
    regularization
        :math:`\lambda`, above 0.
    iterations
        At least 1.
    scale
        s: maximum of the image, about.
    near
        p: an image that it should be near to, and start from; complex, shape (H, W).
    pull
        :math:`\mu`, not negative.

    Returns
    -------
    complex64, shape (H, W).

    Raises
    ------
    InputError
        If the regularisation or the number of iterations is too low.
    """
    if not regularization > 0 or iterations < 1:
        raise InputError("Compressed sensing takes a regularisation above 0 and an iteration.")
    data = combine(ifft2c(kspace), maps) / scale
    penalty = regularization / THRESHOLD

    def operator(x: Tensor) -> Tensor:
        return normal(x, mask, maps) - penalty * divergence(gradient(x)) + pull * x

    if near is None:
        image = cg_sense(kspace, mask, maps, penalty, 2 * CG_ITERATIONS) / scale
    else:
        image = near / scale
        data = data + pull * image
    multiplier = torch.zeros(2, *image.shape, dtype=image.dtype, device=image.device)
    for _ in range(iterations):
        target = gradient(image) + multiplier
        length = target.abs().square().sum(0).sqrt()
        edges = target * (1 - THRESHOLD / length.clamp(min=THRESHOLD))
        multiplier = target - edges
        right = data + penalty * divergence(multiplier - edges)
        image = conjugate_gradients(operator, right, CG_ITERATIONS, image, (-2, -1))
    return image * scale
