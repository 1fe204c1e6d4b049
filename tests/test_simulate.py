"""Simulated k-space gives back its image and looks like a scanner's."""

from __future__ import annotations

import numpy as np
import pytest

from recon.fourier import fft2c, ifft2c
from recon.simulate import kspace_from_magnitude, lower_resolution, smooth_phase

SHAPES = [(64, 64), (65, 48), (33, 77)]


def picture(shape, seed=0):
    """Not negative, without symmetry, maximum 1."""
    image = np.random.default_rng(seed).random(shape, np.float32)
    return image / image.max()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("strength", [0.0, 1.0, 2.5])
def test_magnitude_is_recovered(shape, strength):
    image = picture(shape)
    k = kspace_from_magnitude(image, np.random.default_rng(0), phase_strength=strength)
    assert k.dtype == np.complex64
    assert k.shape == shape
    np.testing.assert_allclose(np.abs(ifft2c(k)), image, atol=1e-6)


@pytest.mark.parametrize("maximum", [1.0, 300.0])
def test_noise_has_the_stated_sigma(maximum):
    image = maximum * picture((200, 150))
    clean = kspace_from_magnitude(image, np.random.default_rng(3))
    noisy = kspace_from_magnitude(image, np.random.default_rng(3), noise=0.02)
    noise = noisy - clean
    for part in (noise.real, noise.imag):
        # the standard deviation of n samples is itself known to 1 / sqrt(2 n)
        assert part.std() == pytest.approx(0.02 * maximum, rel=5 / np.sqrt(2 * noise.size))
        assert abs(part.mean()) < 5 * 0.02 * maximum / np.sqrt(noise.size)
    assert abs(np.mean(noise.real * noise.imag)) < 5 * (0.02 * maximum) ** 2 / np.sqrt(noise.size)


def test_phase_breaks_the_hermitian_symmetry():
    """A real image has K(-k) = conj K(k); scanner data do not, and neither do these."""

    def asymmetry(k):
        return np.linalg.norm(k - np.conj(k[::-1, ::-1])) / np.linalg.norm(k)

    image = picture((65, 65))  # odd, so that reversing keeps the centre
    assert asymmetry(fft2c(image)) < 1e-6
    assert asymmetry(kspace_from_magnitude(image, np.random.default_rng(0))) > 0.5


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(5))
def test_phase_is_smooth(shape, seed):
    phase = smooth_phase(shape, np.random.default_rng(seed))
    assert phase.shape == shape
    assert phase.dtype == np.float32
    # |d phase| per unit is at most 2 pi (tilt) + 3 * 2 * 1.5 (second) + 4 * 3 * 1 (third order)
    for axis in (0, 1):
        step = 2 / (shape[axis] - 1)
        assert np.abs(np.diff(phase, axis=axis)).max() < (np.pi + 9 + 12) * step
    # a polynomial of third order: the fourth difference along any line is only rounding
    assert np.abs(np.diff(phase.astype(np.float64), n=4, axis=1)).max() < 1e-4


def test_phase_energy_stays_at_low_frequencies():
    k = np.abs(fft2c(np.exp(1j * smooth_phase((128, 128), np.random.default_rng(1))))) ** 2
    assert k[48:80, 48:80].sum() / k.sum() > 0.95


def test_strength_zero_is_a_constant_phase():
    phase = smooth_phase((16, 20), np.random.default_rng(4), strength=0)
    assert np.ptp(phase) == 0
    assert -np.pi <= phase[0, 0] <= np.pi


def test_seed_decides_and_global_state_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the state nobody may touch
    image = picture((20, 24))
    first, again, other = (
        kspace_from_magnitude(image, np.random.default_rng(seed), noise=0.01) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_image_is_not_changed():
    image = picture((12, 12))
    kept = image.copy()
    kspace_from_magnitude(image, np.random.default_rng(0), noise=0.1)
    np.testing.assert_array_equal(image, kept)


@pytest.mark.parametrize("large", [(64, 50), (63, 51)])
@pytest.mark.parametrize("shape", [(32, 32), (20, 45), (33, 27)])
def test_lower_resolution_samples_a_smooth_image_on_a_coarser_grid(large, shape):
    fastest = [(n - 1) // 2 for n in shape]  # periods that so many samples can show
    for periods in ((2, 3), fastest):

        def wave(shape, down=periods[0], across=periods[1]):  # its middle is sample n // 2
            y, x = (np.arange(n) / n - (n // 2) / n for n in shape)
            return 3 + np.cos(2 * np.pi * (down * y[:, None] + across * x))

        np.testing.assert_allclose(lower_resolution(wave(large), shape), wave(shape), atol=1e-4)
