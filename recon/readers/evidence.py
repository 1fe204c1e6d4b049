"""What the values themselves say of an array's axes.

K-space is strongest in its middle, so along its two axes nearly all energy lies in a few samples;
slices and coils share it out. Coil images of one slice are one object seen through sensitivities
that differ in magnitude and phase: inside a small window they are multiples of each other, over
the whole image they are not. Images of several slices, measured by the same coils, are about as
alike over the whole as inside a window. Measured at the resolution of the middle 64 x 64 samples:

=======================================  ==========  =========  ===========
images                                   difference  alike      magnitudes
=======================================  ==========  =========  ===========
coils, head, 7 measured, whole or 2x-4x  0.48-0.50   0.59-0.67  0.67-0.68
coils, phantom, 16 measured, 2x          0.27        0.96       0.93
coils, simulated on 4 heads, with noise  0.32-0.41   0.75-0.96  0.62-0.67
slices, 0.055 T, 12 measured             0.01-0.09   0.80-0.89  0.94-0.97
slices, 4 heads, 1 to 4 apart            0.01-0.06   0.36-0.82  0.72-0.97
=======================================  ==========  =========  ===========
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal

import numpy as np

from recon.fourier import center_crop, fft2c, ifft2c
from recon.readers import detect

WINDOW = 5
RESOLUTION = (64, 64)
MOST = 6  # planes that are compared
PEAKED = 2.5  # how much more concentrated k-space is along its own axes


def meaning(planes: Sequence[np.ndarray]) -> Literal["coils", "slices"] | None:
    """Whether planes are coil images of one slice, or slices; None where nobody can tell.

    Parameters
    ----------
    planes
        Complex k-space or complex images, each of shape (H, W), two at least.
    """
    stack = np.stack([np.asarray(plane, np.complex64) for plane in planes])
    stack = stack[stack.any(axis=(1, 2))]  # a coil may be dead, a slice empty
    if not np.isfinite(stack).all() or len(stack) < 2:
        return None
    if detect.looks_like_image(stack):
        stack = fft2c(stack)
    elif detect.is_unshifted(stack):
        stack = np.fft.fftshift(stack, axes=(1, 2))
    images = ifft2c(center_crop(stack, RESOLUTION)).astype(np.complex128)
    pairs = list(itertools.combinations(images, 2))
    difference = np.median([_inside(a, b) - _over_all(a, b) for a, b in pairs])
    alike = np.median([_common(a, b) for a, b in pairs])
    magnitudes = np.median([_over_all(np.abs(a), np.abs(b)) for a, b in pairs])
    if difference > 0.2 and alike > 0.5 and magnitudes < 0.8:
        return "coils"
    # Images that are nothing but multiples of each other may be echoes, averages, anything.
    if difference < 0.12 and alike < 0.93 and magnitudes > 0.65:
        return "slices"
    return None


def chosen(count: int) -> list[int]:
    """Which of `count` planes are compared: spread over all of them."""
    return sorted({round(i) for i in np.linspace(0, count - 1, min(MOST, count))})


def kspace_axes(profiles: Sequence[np.ndarray]) -> tuple[int, int] | None:
    """The two axes along which an array is k-space; None where they do not stand out.

    Parameters
    ----------
    profiles
        Values along each axis, through the middle of all others.
    """
    spread = [_spread(profile) for profile in profiles]
    order = sorted(range(len(spread)), key=lambda axis: spread[axis])
    if spread[order[1]] * PEAKED > min((spread[axis] for axis in order[2:]), default=np.inf):
        return None
    first, second = sorted(order[:2])
    return first, second


def _spread(profile: np.ndarray) -> float:
    """Share of samples that hold the energy: 1 where all are equal, 1 / n where one has all."""
    power = np.abs(np.asarray(profile, np.complex128)) ** 2
    total = float(power.sum())
    return total**2 / (len(power) * float((power**2).sum())) if total else 1.0


def _over_all(a: np.ndarray, b: np.ndarray) -> float:
    return float(abs(np.vdot(a, b)) / (np.linalg.norm(a) * np.linalg.norm(b)))


def _inside(a: np.ndarray, b: np.ndarray) -> float:
    """The same in windows, averaged."""
    own = np.sqrt(_mean(np.abs(a) ** 2).real * _mean(np.abs(b) ** 2).real)
    return float(np.abs(_mean(a * b.conj())).sum() / own.sum())


def _common(a: np.ndarray, b: np.ndarray) -> float:
    """Share of the variation inside windows that is common."""
    means = _mean(a), _mean(b)
    common = np.abs(_mean(a * b.conj()) - means[0] * means[1].conj())
    each = [_mean(np.abs(x) ** 2).real - np.abs(m) ** 2 for x, m in zip((a, b), means, strict=True)]
    own = np.sqrt(np.maximum(each[0], 0) * np.maximum(each[1], 0))
    return float(common.sum() / own.sum()) if own.any() else 1.0


def _mean(x: np.ndarray) -> np.ndarray:
    """Mean over a window around each pixel, where the window is inside."""
    for axis in (0, 1):
        total = np.insert(np.cumsum(x.astype(np.complex128), axis=axis), 0, 0, axis=axis)
        upper = np.take(total, range(WINDOW, total.shape[axis]), axis)
        lower = np.take(total, range(total.shape[axis] - WINDOW), axis)
        x = (upper - lower) / WINDOW
    return x
