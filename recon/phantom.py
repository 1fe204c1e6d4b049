"""A head made of ellipses, whose k-space is known exactly.

An FFT of a drawn picture would be the "inverse crime": it hides aliasing and Gibbs ringing,
because picture and reconstruction share one grid. Here every sample of k-space is the closed
Fourier integral of the continuous object instead, as a scanner would sample it (Koay et al.
2007, doi 10.1002/mrm.21292; Guerquin-Kern et al. 2012, doi 10.1109/TMI.2011.2174158).

Lengths are in units of half the shorter side of the field of view: the shorter side runs from
-1 to 1, pixels are square, x points right and y up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special


@dataclass(frozen=True)
class Ellipse:
    """A filled ellipse that adds `intensity` wherever it lies.

    Attributes
    ----------
    intensity
        What it adds to the object, in any unit.
    a, b
        Semi-axes along x and y before the rotation.
    x, y
        Centre.
    angle
        Rotation, counter-clockwise, in degrees.
    """

    intensity: float
    a: float
    b: float
    x: float
    y: float
    angle: float = 0.0


@dataclass(frozen=True)
class Phase:
    """Smooth phase ``amplitude * sin(2 pi (cycles . position) + offset)`` in radians.

    Attributes
    ----------
    amplitude
        Radians.
    cycles
        Whole periods across the height and across the width of the field of view. Whole
        numbers shift k-space by whole samples, which is what makes `kspace` quick.
    offset
        Radians.
    """

    amplitude: float = 1.0
    cycles: tuple[int, int] = (1, 1)
    offset: float = 0.7


# The head of Shepp and Logan (1974, doi 10.1109/TNS.1974.6499235), with the intensities of
# Toft (PhD thesis, Technical University of Denmark, 1996), whose tissues differ visibly.
HEAD = (
    Ellipse(1.0, 0.69, 0.92, 0.0, 0.0),  # skull
    Ellipse(-0.8, 0.6624, 0.874, 0.0, -0.0184),  # brain
    Ellipse(-0.2, 0.11, 0.31, 0.22, 0.0, -18),  # ventricles
    Ellipse(-0.2, 0.16, 0.41, -0.22, 0.0, 18),
    Ellipse(0.1, 0.21, 0.25, 0.0, 0.35),
    Ellipse(0.1, 0.046, 0.046, 0.0, 0.1),
    Ellipse(0.1, 0.046, 0.046, 0.0, -0.1),
    Ellipse(0.1, 0.046, 0.023, -0.08, -0.605),
    Ellipse(0.1, 0.023, 0.023, 0.0, -0.606),
    Ellipse(0.1, 0.023, 0.046, 0.06, -0.605),
)


def _bars(period: float, x: float, y: float) -> tuple[Ellipse, ...]:
    """Four upright bars, side by side along x, the direction that undersampling blurs."""
    return tuple(Ellipse(0.2, period / 4, 0.045, x + (i - 1.5) * period, y) for i in range(4))


# Not part of the original: fine structure, to see what undersampling takes away. At 320
# samples the bars repeat every 8, 6 and 4 pixels and the dots are 6, 4 and 3 pixels wide.
DETAILS = (
    *_bars(0.050, 0.27, -0.37),
    *_bars(0.0375, 0.27, -0.49),
    *_bars(0.025, 0.27, -0.61),
    *(
        Ellipse(0.2, radius, radius, x, y)
        for radius, y in ((0.01875, -0.44), (0.0125, -0.52), (0.009375, -0.59))
        for x in (-0.36, -0.29, -0.22)
    ),
)


def kspace(
    shape: tuple[int, int] = (320, 320),
    *,
    noise: float = 0.005,
    phase: Phase | None = Phase(),
    seed: int | np.random.Generator = 0,
    ellipses: Sequence[Ellipse] = HEAD + DETAILS,
) -> np.ndarray:
    r"""Exact, fully sampled k-space of the phantom, plus noise.

    An ellipse with intensity :math:`\rho` and centre c has the spectrum

    .. math:: F(k) = \rho\, a b\, \frac{J_1(2 \pi q)}{q}\, e^{-2 \pi i k \cdot c},
              \qquad q = \sqrt{(a k'_x)^2 + (b k'_y)^2},

    where k' is k in the frame of the ellipse. The phase multiplies the object by
    :math:`e^{i A \sin(2 \pi p \cdot r + \beta)}`, which by the Jacobi-Anger expansion (NIST
    DLMF 10.12.1) is a sum of plane waves, and a plane wave shifts a spectrum:

    .. math:: \sum_n J_n(A)\, e^{i n \beta}\, F(k - n p).

    The weights left out add up to less than 1e-9, so no sample is off by more than that share
    of the largest one.

    Parameters
    ----------
    shape
        Height and width.
    noise
        Standard deviation of the real and of the imaginary part of the added white Gaussian
        noise, in units of intensity (the skull has 1). It is the same in k-space and in the
        image, because the transform is orthonormal.
    phase
        Phase of the object; None for a real object, whose k-space is Hermitian.
    seed
        A seed, or a generator, for the noise.
    ellipses
        What the object is made of.

    Returns
    -------
    complex64, shape (H, W), zero frequency at (H // 2, W // 2), scaled so that
    `recon.fourier.ifft2c` gives the object's intensities.
    """
    height, width = shape
    if phase is None:
        samples = spectrum(np.arange(height), np.arange(width), shape, ellipses)
    else:
        reach = _orders(phase.amplitude)
        dy, dx = phase.cycles
        pad_y, pad_x = reach * abs(dy), reach * abs(dx)
        wide = spectrum(
            np.arange(-pad_y, height + pad_y), np.arange(-pad_x, width + pad_x), shape, ellipses
        )
        samples = np.zeros(shape, np.complex128)
        for n in range(-reach, reach + 1):
            # k - n p is n dx columns to the left, and n dy rows down: y and ky point up.
            top, left = pad_y + n * dy, pad_x - n * dx
            weight = special.jv(n, phase.amplitude) * np.exp(1j * n * phase.offset)
            samples += weight * wide[top : top + height, left : left + width]
    if noise:
        rng = np.random.default_rng(seed)
        samples += noise * (rng.standard_normal(shape) + 1j * rng.standard_normal(shape))
    return samples.astype(np.complex64)


def image(
    shape: tuple[int, int] = (320, 320),
    *,
    phase: Phase | None = Phase(),
    ellipses: Sequence[Ellipse] = HEAD + DETAILS,
) -> np.ndarray:
    """The object itself, without noise, looked up at the centre of every pixel.

    Not the image of its k-space, which is band-limited and rings at edges.

    Parameters
    ----------
    shape, phase, ellipses
        As in `kspace`.

    Returns
    -------
    complex64, shape (H, W).
    """
    height, width = shape
    pixel = 2 / min(shape)
    y = -(np.arange(height)[:, None] - height // 2) * pixel
    x = (np.arange(width)[None, :] - width // 2) * pixel
    picture = np.zeros(shape, np.complex128)
    for e in ellipses:
        u, v = _rotate(x - e.x, y - e.y, e.angle)
        picture[(u / e.a) ** 2 + (v / e.b) ** 2 <= 1] += e.intensity
    if phase is not None:
        turns = phase.cycles[0] * y / (height * pixel) + phase.cycles[1] * x / (width * pixel)
        picture *= np.exp(1j * phase.amplitude * np.sin(2 * np.pi * turns + phase.offset))
    return picture.astype(np.complex64)


def spectrum(
    rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int], ellipses: Sequence[Ellipse]
) -> np.ndarray:
    """Spectrum of a real object at some rows and columns of k-space, also beyond its edges.

    Parameters
    ----------
    rows, columns
        Counted as those of the k-space; fractions lie between its samples.
    shape
        Height and width of the k-space.
    ellipses
        The object.

    Returns
    -------
    complex128, shape (len(rows), len(columns)).
    """
    height, width = shape
    pixel = 2 / min(shape)
    ky = -(rows[:, None] - height // 2) / (height * pixel)  # cycles per unit of length
    kx = (columns[None, :] - width // 2) / (width * pixel)
    total = np.zeros((len(rows), len(columns)), np.complex128)
    for e in ellipses:
        u, v = _rotate(kx, ky, e.angle)
        q = np.hypot(e.a * u, e.b * v)
        shift = np.exp(-2j * np.pi * ky * e.y) * np.exp(-2j * np.pi * kx * e.x)
        total += e.intensity * e.a * e.b * _jinc(q) * shift
    # The inverse DFT is the sum over k times dk_y dk_x = 1 / (H W pixel^2); the orthonormal
    # one carries only the root of 1 / (H W) itself.
    kspace: np.ndarray = total / (pixel**2 * np.sqrt(height * width))
    return kspace


def _jinc(q: np.ndarray) -> np.ndarray:
    """``J1(2 pi q) / q``, which is pi at q = 0."""
    safe = np.where(q == 0, 1, q)
    return np.where(q == 0, np.pi, special.j1(2 * np.pi * safe) / safe)


def _rotate(x: np.ndarray, y: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates in a frame that is turned counter-clockwise by `degrees`."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return c * x + s * y, c * y - s * x


def _orders(amplitude: float) -> int:
    """Highest order of the Jacobi-Anger sum whose omitted rest is below 1e-9."""
    # Beyond order A + 40 the weights are below 1e-20 for every amplitude in use.
    orders = np.arange(int(abs(amplitude)) + 40)
    weights = np.abs(special.jv(orders, amplitude))
    rest = 2 * np.cumsum(weights[::-1])[::-1]  # both signs of n, from this order on
    return max(0, int(np.argmax(rest < 1e-9)) - 1)
