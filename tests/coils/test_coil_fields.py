"""Fields against formulas of electromagnetism, noise against its statistics."""

import numpy as np
import pytest

from recon.coils import simulate
from recon.coils.simulate import (
    Loops,
    coil_kspace,
    fields,
    narrowed,
    plane,
    random_sensitivities,
)
from recon.fourier import ifft2c


def test_field_on_the_axis_of_a_loop():
    """Biot and Savart: on the axis of a circle of radius a, 2 pi a^2 / (a^2 + d^2)^(3/2)."""
    loops = Loops(np.zeros(1), np.zeros(1), radius=1.5, size=0.5)
    distance = np.linspace(0.5, 2.5, 9)
    points = np.stack([1.5 - distance, 0 * distance, 0 * distance], -1)
    expected = 2 * np.pi * 0.25 / (0.25 + distance**2) ** 1.5
    found = fields(loops, points)[0]
    np.testing.assert_allclose(np.abs(found), expected, rtol=0.03)  # a polygon of 20 corners
    np.testing.assert_allclose(found.imag, 0, atol=1e-6)


def test_a_ring_is_the_same_from_every_side():
    loops = Loops.ring(6)
    angle = np.pi / 3
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0]])
    points = np.random.default_rng(0).uniform(-0.6, 0.6, (20, 3)) * [1, 1, 0]
    turned = points[:, :2] @ turn[:, :2].T
    turned = np.concatenate([turned, np.zeros((20, 1))], 1)
    before, after = np.abs(fields(loops, points)), np.abs(fields(loops, turned))
    np.testing.assert_allclose(after, np.roll(before, 1, axis=0), rtol=1e-4)


@pytest.mark.parametrize("normal", ["x", "y", "z"])
def test_a_coil_sees_best_what_is_near(normal):
    loops = Loops(np.array([0.3, 2.0]), np.zeros(2))
    points = plane(0.0, normal)
    maps = np.abs(simulate.sensitivities(loops, (40, 30), points))
    assert maps.shape == (2, 40, 30)
    for coil, angle in enumerate(loops.angles):
        place = 1.2 * np.array([np.cos(angle), np.sin(angle), 0])
        near = np.linalg.norm(points - place, axis=-1)
        coarse = np.abs(fields(loops, points))[coil]
        assert np.corrcoef(near.ravel(), coarse.ravel())[0, 1] < -0.5
    np.testing.assert_allclose(np.sqrt((maps**2).sum(0)).mean(), 1, rtol=1e-4)


def test_random_arrays_are_decided_by_their_generator():
    one, two, other = (
        random_sensitivities(5, (32, 28), np.random.default_rng(s)) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, two)
    assert one.shape == (5, 32, 28)
    assert np.abs(one - other).max() > 0.1


def test_noise_has_its_level_and_coils_share_it():
    maps = np.ones((4, 60, 50), np.complex64) / 2
    image = np.zeros((60, 50))
    image[30, 25] = 3.0  # the maximum of the root-sum-of-squares
    rng = np.random.default_rng(0)
    clean = ifft2c(coil_kspace(image, maps, rng))
    np.testing.assert_allclose(np.sqrt((np.abs(clean) ** 2).sum(0)).max(), 3, rtol=1e-5)
    noise = ifft2c(coil_kspace(image, maps, rng, 0.02)) - clean
    assert np.sqrt((noise.real**2).mean()) == pytest.approx(0.06, rel=0.05)
    covariance = np.abs(np.corrcoef(noise.reshape(4, -1)))
    assert covariance[~np.eye(4, dtype=bool)].max() > 0.05


@pytest.mark.parametrize("times", [2, 4])
def test_a_narrow_field_of_view_measures_every_so_many_th_line(times):
    """That is why equispaced lines fold an image."""
    rng = np.random.default_rng(0)
    kspace = rng.standard_normal((3, 10, 48), dtype=np.float32).view(np.complex64)
    narrow = narrowed(kspace, 24 // times)
    np.testing.assert_allclose(narrow, np.sqrt(times) * kspace[..., ::times], rtol=0, atol=1e-5)


def test_a_field_of_view_that_is_as_wide_or_one_column_narrow():
    kspace = np.random.default_rng(0).standard_normal((2, 9, 15)).astype(np.complex64)
    np.testing.assert_allclose(narrowed(kspace, 15), kspace, rtol=0, atol=1e-5)
    np.testing.assert_allclose(
        ifft2c(narrowed(kspace, 1))[..., 0], ifft2c(kspace).sum(-1), rtol=0, atol=1e-5
    )
