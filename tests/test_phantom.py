"""The phantom's k-space against integrals and theorems that do not use its formula."""

from __future__ import annotations

import numpy as np
import pytest

from recon import phantom
from recon.fourier import fft2c, ifft2c
from recon.phantom import DETAILS, HEAD, Ellipse, Phase

SHAPES = [(64, 64), (63, 65), (48, 80), (81, 50)]


def integrate(ellipses, phase, shape, row, column):
    """One sample of k-space by numerical integration over the ellipses.

    Gauss-Legendre in the radius and trapezoids around the circle converge exponentially for
    these smooth integrands; the step at the rim is in the limits, not in the integrand.
    """
    height, width = shape
    pixel = 2 / min(shape)
    fov_y, fov_x = height * pixel, width * pixel
    ky, kx = -(row - height // 2) / fov_y, (column - width // 2) / fov_x
    nodes, weights = np.polynomial.legendre.leggauss(200)
    radius = (nodes[:, None] + 1) / 2
    theta = np.arange(400)[None, :] * (2 * np.pi / 400)
    total = 0j
    for e in ellipses:
        turn = np.deg2rad(e.angle)
        u, v = e.a * radius * np.cos(theta), e.b * radius * np.sin(theta)
        x = e.x + u * np.cos(turn) - v * np.sin(turn)
        y = e.y + u * np.sin(turn) + v * np.cos(turn)
        value = e.intensity * np.exp(-2j * np.pi * (kx * x + ky * y))
        if phase is not None:
            turns = phase.cycles[0] * y / fov_y + phase.cycles[1] * x / fov_x
            value = value * np.exp(1j * phase.amplitude * np.sin(2 * np.pi * turns + phase.offset))
        area = e.a * e.b * radius * weights[:, None] / 2 * (2 * np.pi / 400)
        total += np.sum(value * area)
    return total / (pixel**2 * np.sqrt(height * width))


@pytest.mark.parametrize("shape", SHAPES)
def test_zero_frequency_is_the_area_integral(shape):
    k = phantom.kspace(shape, phase=None, noise=0)
    pixels = sum(e.intensity * np.pi * e.a * e.b for e in HEAD + DETAILS) / (2 / min(shape)) ** 2
    dc = k[shape[0] // 2, shape[1] // 2]
    assert dc * np.sqrt(shape[0] * shape[1]) == pytest.approx(pixels, rel=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "phase",
    [None, Phase(), Phase(3.0, (0, 2), -1.1), Phase(0.4, (-2, 1), 2.0), Phase(0.0)],
    ids=str,
)
def test_samples_equal_numerical_integration(shape, phase):
    ellipses = (*HEAD[:4], DETAILS[0])
    k = phantom.kspace(shape, phase=phase, noise=0, ellipses=ellipses)
    height, width = shape
    corners = [(0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1)]
    near = [(height // 2 + i, width // 2 + j) for i, j in ((0, 0), (1, 0), (0, -1), (3, 5))]
    for row, column in corners + near:
        exact = integrate(ellipses, phase, shape, row, column)
        # complex64 rounds each sample to 6e-8 of itself; 1e-9 of the DC is the sum's rest
        assert abs(k[row, column] - exact) < 1e-7 * abs(exact) + 2e-9 * np.abs(k).max()


@pytest.mark.parametrize("amplitude", [0.1, 1.0, 5.0, 20.0])
def test_jacobi_anger_sum_is_complete(amplitude):
    """Sum of J_n(A)^2 over all n is 1 (DLMF 10.23.3), so what is missing was cut off."""
    from scipy.special import jv

    reach = phantom._orders(amplitude)
    power = np.sum(jv(np.arange(-reach, reach + 1), amplitude) ** 2)
    assert power == pytest.approx(1, abs=1e-14)
    assert abs(jv(reach + 1, amplitude)) < 1e-9


def test_shift_theorem():
    shape, pixels = (64, 64), (5, -9)  # rows down, columns right
    pixel = 2 / 64
    still = Ellipse(1.0, 0.3, 0.2, 0.1, -0.1, 30)
    moved = Ellipse(1.0, 0.3, 0.2, 0.1 + pixels[1] * pixel, -0.1 - pixels[0] * pixel, 30)
    images = [
        ifft2c(phantom.kspace(shape, phase=None, noise=0, ellipses=[e])) for e in (still, moved)
    ]
    np.testing.assert_allclose(np.roll(images[0], pixels, (0, 1)), images[1], atol=1e-6)


def test_rotation_theorem():
    """A quarter turn of the object is a quarter turn of its k-space."""
    shape = (65, 65)  # odd, so that turning the array keeps its centre
    spectra = [
        phantom.kspace(shape, phase=None, noise=0, ellipses=[e])
        for e in (Ellipse(1.0, 0.5, 0.2, 0.3, 0.1, 20), Ellipse(1.0, 0.5, 0.2, -0.1, 0.3, 110))
    ]
    np.testing.assert_allclose(np.rot90(spectra[0]), spectra[1], atol=1e-5)


@pytest.mark.parametrize("shape", [(65, 65), (51, 33)])
def test_real_object_is_hermitian_and_phase_breaks_it(shape):
    def asymmetry(k):
        return np.linalg.norm(k - np.conj(k[::-1, ::-1])) / np.linalg.norm(k)

    assert asymmetry(phantom.kspace(shape, phase=None, noise=0)) < 1e-6
    assert asymmetry(phantom.kspace(shape, noise=0)) > 0.3


@pytest.mark.parametrize("shape", [(256, 256), (255, 301), (320, 256)])
@pytest.mark.parametrize("phase", [None, Phase()], ids=["real", "phase"])
def test_image_is_the_object_away_from_edges(shape, phase):
    from scipy.ndimage import maximum_filter, minimum_filter

    seen = ifft2c(phantom.kspace(shape, phase=phase, noise=0, ellipses=HEAD))
    there = phantom.image(shape, phase=phase, ellipses=HEAD)
    intensity = np.abs(there)
    flat = maximum_filter(intensity, 13) - minimum_filter(intensity, 13) < 1e-6
    assert flat.mean() > 0.5
    error = np.abs(seen - there)[flat]
    # Gibbs ringing falls off as 1 / distance; 6 pixels from an edge little of it is left
    assert error.mean() < 0.005
    assert error.max() < 0.06


def test_not_an_inverse_crime():
    """The exact k-space differs from the FFT of the drawn picture, most of all outside."""
    exact = phantom.kspace((128, 128), noise=0)
    drawn = fft2c(phantom.image((128, 128)))
    difference = np.abs(exact - drawn)
    assert difference[64, 64] / abs(exact[64, 64]) < 0.02
    outer = np.s_[:16]
    assert np.linalg.norm(difference[outer]) > 0.3 * np.linalg.norm(exact[outer])


def test_pixels_are_square():
    """A wider array shows the same head with more air beside it."""
    square = np.abs(ifft2c(phantom.kspace((96, 96), noise=0, phase=None, ellipses=HEAD)))
    wide = np.abs(ifft2c(phantom.kspace((96, 160), noise=0, phase=None, ellipses=HEAD)))
    assert np.corrcoef(square.ravel(), wide[:, 32:128].ravel())[0, 1] > 0.99


@pytest.mark.parametrize("shape", [(320, 320), (33, 64), (1, 7), (640, 368)])
def test_shape_and_dtype(shape):
    k = phantom.kspace(shape)
    assert k.shape == shape
    assert k.dtype == np.complex64
    assert np.isfinite(k).all()
    assert phantom.image(shape).dtype == np.complex64


def test_noise_is_white_and_has_the_stated_sigma():
    noise = phantom.kspace(noise=0.03, seed=1) - phantom.kspace(noise=0)
    n = noise.size
    for part in (noise.real, noise.imag):
        assert part.std() == pytest.approx(0.03, rel=5 / np.sqrt(2 * n))
        assert abs(part.mean()) < 5 * 0.03 / np.sqrt(n)
    assert abs(np.mean(noise.real * noise.imag)) < 5 * 0.03**2 / np.sqrt(n)
    assert abs(np.vdot(noise[:, 1:], noise[:, :-1])) < 5 * 2 * 0.03**2 * np.sqrt(n)
    # the transform is orthonormal, so the image carries the same noise
    assert ifft2c(noise).real.std() == pytest.approx(0.03, rel=5 / np.sqrt(2 * n))


def test_seed_decides_and_global_state_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the state nobody may touch
    first, again = phantom.kspace((32, 32), seed=5), phantom.kspace((32, 32), seed=5)
    from_generator = phantom.kspace((32, 32), seed=np.random.default_rng(5))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, from_generator)
    assert not np.array_equal(first, phantom.kspace((32, 32), seed=6))
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_details_lie_inside_the_brain_and_touch_nothing():
    plain = phantom.image((640, 640), phase=None, ellipses=HEAD).real
    for e in DETAILS:
        spot = phantom.image((640, 640), phase=None, ellipses=[e]).real > 0
        np.testing.assert_allclose(plain[spot], 0.2, atol=1e-6)
    together = phantom.image((640, 640), phase=None, ellipses=DETAILS).real
    assert together.max() == pytest.approx(0.2)
