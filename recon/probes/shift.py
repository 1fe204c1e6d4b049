"""Outside of what a network has seen: the same slice turned, noisier or sampled otherwise.

A network knows the images it was trained on. Every change here is made to the fully sampled
k-space, so the truth stays known, and scores can be set against those of the unchanged slice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recon.errors import InputError
from recon.fourier import center_crop, fft2c, ifft2c, magnitude
from recon.methods import Method
from recon.metrics import closed_share
from recon.scan import Scan

LARGEST_ANGLE = 45.0  # degrees


@dataclass(frozen=True)
class Shift:
    """A change of the slice, of its sampling, or none.

    Attributes
    ----------
    label
        A few words.
    angle
        See `rotate`; in the scan's own orientation.
    noise
        See `add_noise`.
    swapped
        Whether phase encoding runs along the other axis.
    family
        A key of `recon.masks.FAMILIES`.
    """

    label: str
    angle: float = 0.0
    noise: float = 0.0
    swapped: bool = False
    family: str = "random"


INSIDE = Shift("unchanged")
SHIFTS = (
    Shift("rotated by 20°", angle=20),
    Shift("noise of 5% of the maximum", noise=0.05),
    Shift("equispaced mask", family="equispaced"),
    Shift("phase encoding along the other axis", swapped=True),
)


def known(shift: Shift, run: Mapping[str, Any]) -> bool:
    """Whether a network's training had this change too.

    Parameters
    ----------
    run
        How it was trained, as its record says. Simulated scans got noise up to a level, were
        transposed, and got masks of one or of all families; measured ones are taken as they are.
    """
    simulated = run.get("dataset", "open") == "open"
    had = {
        "angle": False,
        "noise": simulated and shift.noise <= run["noise"],
        "swapped": simulated and run.get("augment", True),
        "family": run.get("families", False),
    }
    changed = [name for name in had if getattr(shift, name) != getattr(INSIDE, name)]
    return bool(changed) and all(had[name] for name in changed)


def rotate(kspace: np.ndarray, angle: float) -> np.ndarray:
    """K-space of the object turned about the centre of the field of view.

    Three shears, each a phase ramp in k-space (Larkin et al. 1997,
    doi 10.1016/S0030-4018(97)00069-7). Unlike interpolation between pixels they keep the finest
    detail, and the noise, as strong as they were: a smoothed slice would be an easier one. What
    leaves the field of view is lost, and what comes in is empty.

    Parameters
    ----------
    kspace
        Fully sampled, complex, shape (..., H, W).
    angle
        Degrees, counter-clockwise as displayed (rows point down), -45 to 45.

    Returns
    -------
    complex64, of the same shape.

    Raises
    ------
    InputError
        If the angle is larger.
    """
    if not abs(angle) <= LARGEST_ANGLE:
        raise InputError(f"A slice is turned by {LARGEST_ANGLE:g} degrees at most, either way.")
    if angle == 0:
        return np.asarray(kspace, np.complex64)
    images = ifft2c(np.asarray(kspace, np.complex64))
    height, width = images.shape[-2:]
    along, across = np.tan(np.deg2rad(angle) / 2), -np.sin(np.deg2rad(angle))
    # Shears wrap around at the edges, so there is room for all that they move.
    tall = height + abs(across) * (width + abs(along) * height)
    wide = width + abs(along) * (height + tall)
    rows, columns = (
        size + 2 * int(np.ceil((room - size) / 2)) for size, room in ((height, tall), (width, wide))
    )
    canvas = np.zeros((*images.shape[:-2], rows, columns), np.complex64)
    center_crop(canvas, (height, width))[...] = images
    for axis, slope in ((-1, along), (-2, across), (-1, along)):
        canvas = _shear(canvas, slope, axis)
    return fft2c(center_crop(canvas, (height, width)))


def _shear(images: np.ndarray, slope: float, axis: int) -> np.ndarray:
    """Move every line along `axis` by slope times its distance from the middle."""
    length, lines = images.shape[axis], images.shape[-3 - axis]
    frequency = np.fft.fftfreq(length)
    ramp = np.exp(-2j * np.pi * slope * np.outer(np.arange(lines) - lines // 2, frequency))
    ramp = (ramp if axis == -1 else ramp.T).astype(np.complex64)
    return np.fft.ifft(np.fft.fft(images, axis=axis) * ramp, axis=axis)


def add_noise(kspace: np.ndarray, level: float, seed: int | np.random.Generator = 0) -> np.ndarray:
    """K-space with white Gaussian noise, as a warmer coil or a faster scan would give.

    Parameters
    ----------
    kspace
        Fully sampled, complex, shape (H, W) or (C, H, W).
    level
        Standard deviation of the real and of the imaginary part, in the image as in k-space, as
        a share of the image's maximum; not negative.
    seed
        A seed, or a generator to draw from.

    Returns
    -------
    complex64, of the same shape.

    Raises
    ------
    InputError
        If the level is negative.
    """
    if not level >= 0:
        raise InputError("A noise level is a share of the image's maximum, and not negative.")
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(kspace.shape) + 1j * rng.standard_normal(kspace.shape)
    sigma = level * float(magnitude(np.asarray(kspace)).max())
    return (np.asarray(kspace) + sigma * noise).astype(np.complex64)


@dataclass(frozen=True)
class Outcome:
    """One method on the slice under one shift.

    Attributes
    ----------
    shift, method
        What was changed, and who reconstructed.
    image, reference
        Reconstruction, and fully sampled image without added noise: float32, shape (h, w), the
        way round the person's array has them.
    scores
        ``ssim``, ``psnr`` and ``nmse``, as the changed scan judges.
    closed
        Share of the distance from the zero-filled SSIM to 1 that was closed. A shift may make
        the slice itself harder or easier; this compares with what was there to gain.
    """

    shift: Shift
    method: Method
    image: np.ndarray
    reference: np.ndarray
    scores: dict[str, float]
    closed: float


def evaluate(
    scan: Scan,
    methods: Iterable[Method],
    shifts: Iterable[Shift] = (INSIDE, *SHIFTS),
    acceleration: float = 4,
    *,
    center_fraction: float | None = None,
    seed: int = 0,
) -> Iterator[Outcome]:
    """Score methods inside and outside of what they know.

    Parameters
    ----------
    scan
        Fully sampled.
    methods
        Who reconstructs.
    shifts
        `INSIDE` among them, to have something to compare with.
    acceleration, center_fraction, seed
        Of the masks; `seed` is also that of the noise.

    Yields
    ------
    An outcome for each shift and method, methods running faster.

    Raises
    ------
    InputError
        As `rotate`, `add_noise` and the masks.
    """
    methods = list(methods)
    for shift in shifts:
        changed = scan.with_kspace(rotate(scan.fully_sampled, shift.angle))
        changed = changed.swapped() if shift.swapped else changed
        mask = changed.draw(acceleration, seed, shift.family, center_fraction).mask
        noisy = changed.with_kspace(add_noise(changed.kspace, shift.noise, seed))
        measurement = noisy.measure(mask, acceleration)
        before = changed.score(measurement.zero_filled)
        for method in methods:
            image = method(measurement)
            after = changed.score(image)
            assert before is not None
            assert after is not None
            closed = closed_share(after["ssim"], before["ssim"])
            pictures = changed.upright(image), changed.upright(changed.truth)
            yield Outcome(shift, method, *pictures, after, closed)
