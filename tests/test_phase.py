"""A phase that is borrowed from a measurement."""

from __future__ import annotations

import numpy as np
import pytest

from recon import masks
from recon.fourier import combined, fft2c, ifft2c
from recon.measurement import picture
from recon.phase import direction, with_phase
from tests.helpers.noise import noise

SHAPES = [(32, 40), (33, 27), (3, 20, 31)]


@pytest.mark.parametrize("shape", [*SHAPES, (340, 24), (2, 25, 333)])
def test_borrowed_phase_keeps_the_magnitude(shape):
    kspace = masks.apply(noise(shape, 3), masks.random_cartesian(shape[-1], 2))
    zero_filled = ifft2c(kspace)
    wanted = np.random.default_rng(4).random(picture(kspace).shape).astype(np.float32)
    images = with_phase(wanted, kspace)
    assert images.dtype == np.complex64
    np.testing.assert_allclose(picture(fft2c(images)), wanted, atol=1e-5)
    ratio = images * zero_filled.conj()  # of the same phase, hence real and positive
    np.testing.assert_allclose(ratio.imag, 0, atol=1e-5)
    assert ratio.real.min() > -1e-5
    # its own magnitude gives the zero-filled image back, also outside the crop
    np.testing.assert_allclose(with_phase(picture(kspace), kspace), zero_filled, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_direction_has_length_one_also_where_nothing_is(shape):
    images = noise(shape)
    images[..., 3, 4] = 0
    unit = direction(images)
    np.testing.assert_allclose(combined(unit), 1, atol=1e-6)
    np.testing.assert_allclose(unit * combined(images), images, atol=1e-5)
    assert unit.dtype == np.complex64
