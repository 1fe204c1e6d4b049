"""How much noise a scan has, from its k-space alone."""

import numpy as np
import pytest
import torch

from recon import masks, phantom
from recon.coils.noise import noise_level
from recon.fourier import fft2c, ifft2c


def smooth(shape):
    """K-space of a soft blob, which ends long before the readout does."""
    y, x = (np.linspace(-1, 1, side) for side in shape)
    return fft2c(np.exp(-8 * (y[:, None] ** 2 + x**2)).astype(np.complex64))


def noisy(shape, sigma, seed=0, make=smooth):
    rng = np.random.default_rng(seed)
    kspace = make(shape)
    noise = rng.standard_normal((2, *shape)) * sigma
    return torch.from_numpy((kspace + noise[0] + 1j * noise[1]).astype(np.complex64))


@pytest.mark.parametrize("shape", [(128, 128), (129, 95), (320, 200)])
@pytest.mark.parametrize("rate", [1, 4])
def test_the_noise_that_was_added_is_found(shape, rate):
    mask = masks.random_cartesian(shape[1], rate, seed=0) if rate > 1 else np.ones(shape[1], bool)
    for sigma in (0.002, 0.02, 0.1):
        found = noise_level(noisy(shape, sigma), torch.from_numpy(mask))
        assert float(found) == pytest.approx(sigma, rel=0.1)


def test_sharp_edges_pass_for_a_little_noise():
    """Never for less noise than there is, and for hardly more where there is much."""
    mask = torch.ones(128) > 0
    largest = float(np.abs(ifft2c(phantom.kspace((128, 128)))).max())
    excess = []
    for share in (0, 0.02, 0.05, 0.1):
        kspace = noisy((128, 128), share * largest, make=phantom.kspace)
        excess.append(float(noise_level(kspace, mask)) / largest - share)
    assert 0.02 > excess[0] > excess[1] > excess[2]
    assert abs(excess[3]) < 0.01


def test_the_level_has_the_units_of_the_kspace_and_is_zero_of_nothing():
    mask = torch.ones(96, dtype=torch.bool)
    kspace = noisy((100, 96), 3.0)
    torch.testing.assert_close(noise_level(7 * kspace, mask), 7 * noise_level(kspace, mask))
    assert noise_level(torch.zeros(8, 96, dtype=torch.complex64), mask) == 0


def test_zero_padding_is_no_silence():
    mask = torch.ones(96, dtype=torch.bool)
    padded = torch.nn.functional.pad(noisy((100, 96), 0.05), (10, 6, 30, 34))
    found = float(noise_level(padded, torch.ones(112) > 0))
    assert found == pytest.approx(float(noise_level(padded[30:-34, 10:-6], mask)), rel=1e-6)
    assert found == pytest.approx(0.05, rel=0.1)
