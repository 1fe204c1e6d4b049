"""What is drawn from volumes: simulated measurements, and batches for training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from recon import masks
from recon.datasets.volumes import Measured, Slice, Volume, fully_sampled
from recon.errors import InputError
from recon.fourier import fft2c, ifft2c
from recon.measurement import CROP, Measurement, measure, picture
from recon.scan import Sampling, Scan
from recon.simulate import lower_resolution

# Share of each family in `any_mask`.
MIXTURE = {
    "random": 0.55,
    "calibrated": 0.2,
    "equispaced": 0.1,
    "variable-density": 0.05,
    "partial-fourier": 0.05,
    "low-pass": 0.05,
}

Sample = tuple[Measurement, np.ndarray]  # what a method gets, and the picture it should be


def draw(
    slices: Sequence[Slice],
    rng: np.random.Generator,
    noise: float = 0.035,
    augment: bool = True,
    index: int | None = None,
    coarsest: float = 1.0,
    tilt: float = 1.0,
    coils: int = 1,
    smallest: int = 1,
) -> np.ndarray:
    """Fully sampled k-space of a slice.

    A measured slice is taken as it is. A magnitude image gets a phase of its own and a noise
    level up to `noise`, simulated anew every time.

    Parameters
    ----------
    slices
        To choose from.
    rng
        Makes every choice.
    noise
        Largest standard deviation of the noise, as a share of the image's maximum.
    augment
        Flip and transpose images at random, which also turns the direction of phase encoding.
    index
        Which slice; a random one where None.
    coarsest
        Every other magnitude image, on average, is brought to a lower resolution: at least this
        share of its samples along an axis remains.
    tilt, coils
        See `fully_sampled`; a magnitude image is seen by so many coils.
    smallest
        Pixels along an axis that a lower resolution leaves at least.

    Returns
    -------
    complex64, shape (H, W), or (C, H, W) of a multi-coil measurement.
    """
    chosen = slices[int(rng.integers(len(slices))) if index is None else index]
    if isinstance(chosen, Measured):
        return chosen.kspace().data
    if augment:
        chosen = chosen[:: rng.choice((-1, 1)), :: rng.choice((-1, 1))]
        chosen = chosen.T if rng.random() < 0.5 else chosen
    if coarsest < 1 and rng.random() < 0.5:
        # Pixels need not be square, yet nearly are.
        shares = rng.uniform(coarsest, 1) * rng.uniform(0.8, 1, 2)
        sides = np.ceil(np.maximum(shares, coarsest) * chosen.shape).astype(int)
        height, width = np.maximum(sides, np.minimum(smallest, chosen.shape))
        chosen = lower_resolution(chosen, (int(height), int(width)))
    # The square favours low noise, yet reaches the 1 to 3 % of the maximum found in real scans.
    return fully_sampled(chosen, rng, noise * rng.random() ** 2, tilt, coils).data


def undersample(
    kspace: np.ndarray,
    acceleration: float,
    rng: np.random.Generator,
    mask: np.ndarray | None = None,
    truth: np.ndarray | None = None,
) -> Sample:
    """Measure k-space through a random Cartesian mask, or a given one.

    Parameters
    ----------
    kspace
        Fully sampled, complex, shape (H, W) or (C, H, W).
    acceleration
        Nominal.
    rng
        Draws the mask where that is None.
    mask
        Measured lines, boolean, shape (W,).
    truth
        K-space that the reference shows, where that is not what is measured.

    Returns
    -------
    measurement, reference
        Both divided by the maximum of the zero-filled image; the reference is float32, (h, w).
    """
    if mask is None:
        mask = masks.random_cartesian(kspace.shape[-1], acceleration, seed=rng)
    measurement = measure(kspace, mask, acceleration)
    scale = measurement.zero_filled.max()
    scaled = replace(
        measurement, kspace=measurement.kspace / scale, zero_filled=measurement.zero_filled / scale
    )
    return scaled, picture(kspace if truth is None else truth) / scale


def fixed_scan(
    volume: Volume,
    index: int,
    acceleration: float,
    noise: float,
    family: str = "random",
    coils: int = 1,
    added_noise: float = 0.0,
) -> tuple[Scan, Sampling]:
    """A slice of a volume and its mask, the same ones in every run.

    The seed is the slice. Phase and noise are drawn from it before the mask, which is therefore
    not the one that `recon.scan.Scan.draw` makes of that seed.

    Parameters
    ----------
    volume, index
        Which slice.
    acceleration, family
        See `recon.scan.Scan.draw`.
    noise
        Of simulated k-space, as a share of the image's maximum.
    coils
        Number of simulated ones.
    added_noise
        Missing from the truth, so that a method may be better than what a fully sampled scan
        with that noise shows: standard deviation of the real and of the imaginary part, as a
        share of the maximum.
    """
    rng = np.random.default_rng(index)
    slice_ = volume.slices[index]
    crop = True if isinstance(slice_, Measured) else CROP
    scan = Scan.of(fully_sampled(slice_, rng, noise, coils=coils), crop=crop)
    mask = masks.FAMILIES[family](scan.width, acceleration, seed=rng)
    if added_noise:  # from a generator of its own: phase and mask stay as they were
        other = np.random.default_rng((index, 1))
        more = other.standard_normal((2, *scan.kspace.shape)) * (added_noise * scan.truth.max())
        scan = scan.with_noise(more[0] + 1j * more[1])
    return scan, Sampling(mask, acceleration, index, family)


def patch(sample: Sample, side: int, rng: np.random.Generator) -> np.ndarray:
    """The zero-filled image and the reference on a random square of `side` pixels.

    Returns
    -------
    float32, shape (2, side, side).

    Raises
    ------
    InputError
        If the image is smaller.
    """
    pair = np.stack([sample[0].zero_filled, sample[1]])
    if min(pair.shape[-2:]) < side:
        raise InputError(f"Training images need at least {side} pixels on both sides.")
    top, left = (rng.integers(length - side + 1) for length in pair.shape[-2:])
    return pair[:, top : top + side, left : left + side]


def any_mask(width: int, acceleration: float, rng: np.random.Generator) -> np.ndarray:
    """A mask of any family that scanners and this project use, some more often than others.

    Returns
    -------
    Boolean, shape (width,).
    """
    family = rng.choice(list(MIXTURE), p=list(MIXTURE.values()))
    if family == "calibrated":
        lines = int(rng.integers(12, 33))
        return masks.calibrated(width, max(2, acceleration), lines / width, rng)
    return masks.FAMILIES[family](width, acceleration, None, rng)


def band(kspace: np.ndarray, rows: int, rng: np.random.Generator) -> slice:
    """At most `rows` rows around a random row of the object.

    Skipping phase-encode lines mixes pixels of one row only, so a band is a whole scan in
    small.
    """
    image = ifft2c(kspace)
    height = image.shape[-2]
    level = np.linalg.norm(image, axis=-1).reshape(-1, height).max(axis=0)
    middle = rng.choice(np.flatnonzero(level >= 0.2 * level.max()))  # air teaches little
    top = int(np.clip(middle - rows // 2, 0, max(0, height - rows)))
    return slice(top, top + rows)


def strip(kspace: np.ndarray, rows: slice) -> np.ndarray:
    """K-space of a band of the image: complex64, shape (..., min(rows, H), W)."""
    return fft2c(ifft2c(kspace)[..., rows, :]).astype(np.complex64)
