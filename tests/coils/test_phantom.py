"""The phantom as coils see it: exact, and true to the fields it is made of."""

import numpy as np
import pytest

from recon import examples, phantom
from recon.coils import phantom as coil_phantom
from recon.coils.simulate import Loops, fields
from recon.fourier import ifft2c, rss

DISC = (phantom.Ellipse(1.0, 0.3, 0.2, 0.1, -0.2, 30.0),)


@pytest.mark.parametrize("count", [1, 4, 8])
def test_waves_make_up_the_fields_of_the_loops(count):
    """To 2 % of the strongest field, over the circle that holds the object."""
    loops, shape = Loops.ring(count), (64, 64)
    y, x = ((np.arange(64) - 32) / 32 for _ in range(2))
    down, right = np.meshgrid(-y, x, indexing="ij")
    true = fields(loops, np.stack([right, down, 0 * down], -1))
    made = coil_phantom.sensitivities(loops, shape)
    inside = np.hypot(down, right) < 1
    scale = np.vdot(made[:, inside], true[:, inside]) / np.linalg.norm(made[:, inside]) ** 2
    error = np.abs(scale * made - true)[:, inside].max()
    assert error < 0.02 * np.abs(true[:, inside]).max()
    assert rss(made)[inside].mean() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("shape", [(64, 64), (96, 64), (48, 63)])
def test_kspace_is_the_integral_of_object_times_field(shape):
    """Against a sum over points so dense that it is the integral, at places all over k-space."""
    loops = Loops.ring(3)
    made = coil_phantom.kspace(loops, shape, noise=0, ellipses=DISC)
    height, width = shape
    factor = 16
    fine = (factor * height, factor * width)
    field = coil_phantom.sensitivities(loops, fine)
    drawn = field * phantom.image(fine, phase=None, ellipses=DISC)
    rows = (np.arange(fine[0]) - fine[0] // 2) / factor
    columns = (np.arange(fine[1]) - fine[1] // 2) / factor
    for ky, kx in ((0, 0), (3, -5), (-10, 7), (13, 16)):
        down = np.exp(-2j * np.pi * ky * rows / height)
        right = np.exp(-2j * np.pi * kx * columns / width)
        value = np.einsum("chw,h,w->c", drawn, down, right) / factor**2 / np.sqrt(height * width)
        found = made[:, height // 2 + ky, width // 2 + kx]
        np.testing.assert_allclose(found, value, atol=2e-3 * np.abs(made).max())


def test_the_example_has_the_noise_it_says():
    kspace = examples.load("phantom-coils")
    assert kspace.shape == (8, 256, 256)
    silent = coil_phantom.kspace(Loops.ring(8), noise=0)
    noise = kspace.data - silent
    assert noise.real.std() == pytest.approx(kspace.source.attrs["noise"], rel=0.01)
    assert abs(np.vdot(noise[0], noise[1])) < 0.01 * np.linalg.norm(noise[0]) ** 2
    image = rss(ifft2c(silent))
    assert image.max() > 1
