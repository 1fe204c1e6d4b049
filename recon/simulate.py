"""Complex k-space made from a magnitude image, for training and for pictures people upload.

Nothing made here was measured. A magnitude image has lost its phase, and often its outer
k-space, so scores on simulated k-space are optimistic: "implicit data crimes", Shimron et al.
2022, doi 10.1073/pnas.2117203119.
"""

from __future__ import annotations

import numpy as np

from recon.fourier import fft2c, ifft2c


def smooth_phase(
    shape: tuple[int, int], rng: np.random.Generator, strength: float = 1.0, tilt: float = 1.0
) -> np.ndarray:
    """Random smooth phase of the kind that coils and field inhomogeneity leave in an image.

    A constant, a tilt of up to `tilt` turns across the image and a random polynomial of second
    and third order.

    Parameters
    ----------
    shape
        Height and width.
    rng
        Generator to draw from.
    strength
        Scales everything but the constant; 0 gives a constant phase.
    tilt
        Largest number of turns along either axis, which is the number of samples by which an
        echo misses the middle of k-space.

    Returns
    -------
    Radians, float32, shape (H, W).
    """
    y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :]
    phase = np.full(shape, rng.uniform(-np.pi, np.pi), np.float32)
    for order, scale in ((1, tilt * np.pi), (2, 1.5), (3, 1.0)):
        for power in range(order + 1):
            amplitude = strength * scale * rng.uniform(-1, 1)
            phase += np.float32(amplitude) * y ** (order - power) * x**power
    return phase


def lower_resolution(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The image as a scan of fewer samples over the same field of view would show it.

    What lies outside the middle of k-space is cut off. That also removes the outer k-space which
    scanners filter before they store an image, so the edge of what remains is as strong as in
    measured data.

    Parameters
    ----------
    image
        Magnitude, shape (H, W).
    shape
        Of the result, at most (H, W).

    Returns
    -------
    Magnitude, float32, of the given shape, with the intensities of `image`.
    """
    top, left = (large // 2 - small // 2 for large, small in zip(image.shape, shape, strict=True))
    kspace = fft2c(image.astype(np.complex64))
    middle = kspace[top : top + shape[0], left : left + shape[1]]  # its zero frequency stays so
    smaller: np.ndarray = np.abs(ifft2c(middle) * np.sqrt(middle.size / image.size))
    return smaller.astype(np.float32)


def kspace_from_magnitude(
    image: np.ndarray,
    rng: np.random.Generator,
    noise: float = 0.0,
    phase_strength: float = 1.0,
    tilt: float = 1.0,
) -> np.ndarray:
    """Simulated fully sampled k-space of a magnitude image.

    Parameters
    ----------
    image
        Not negative, shape (H, W).
    rng
        Generator for phase and noise.
    noise
        Standard deviation of the real and of the imaginary part of the added white noise, as
        a share of the image's maximum.
    phase_strength, tilt
        See `smooth_phase`.

    Returns
    -------
    complex64, shape (H, W).
    """
    kspace = fft2c(image * np.exp(1j * smooth_phase(image.shape, rng, phase_strength, tilt)))
    if noise:
        sigma = noise * float(image.max())
        kspace = kspace + sigma * (
            rng.standard_normal(image.shape) + 1j * rng.standard_normal(image.shape)
        )
    return kspace.astype(np.complex64)
