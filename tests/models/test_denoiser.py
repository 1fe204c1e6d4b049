"""The network that takes noise out, and how much noise there is."""

import numpy as np
import pytest
import torch

from recon import masks, models, phantom
from recon.coils import joint
from recon.fourier import fft2c, ifft2c
from recon.models.denoiser import noise_level


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


@pytest.mark.parametrize("shape", [(32, 32), (33, 47), (1, 30)])
def test_untrained_it_returns_the_image(shape):
    network = models.build("resnet-dc-denoised", features=8, coarse=8)
    image = torch.randn(2, *shape, dtype=torch.complex64)
    known = torch.tensor([0.01, 0.2]), torch.tensor([0.3, 0.2])
    torch.testing.assert_close(network(image, 0.5 * image, *known), image)


def test_every_weight_learns_and_every_input_counts():
    torch.manual_seed(0)
    network = models.build("resnet-dc-denoised", steps=2, features=8, coarse=8)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    image, zero_filled = torch.randn(2, 1, 24, 28, dtype=torch.complex64)
    level, share = torch.tensor([0.05]), torch.tensor([0.25])
    for _ in range(4):
        optimizer.zero_grad()
        (network(image, zero_filled, level, share) - image.roll(1, -1)).abs().mean().backward()
        optimizer.step()
    assert [n for n, p in network.named_parameters() if torch.equal(p, before[n])] == []
    with torch.no_grad():
        result = network(image, zero_filled, level, share)
        others = [
            network(image, 2 * zero_filled, level, share),
            network(image, zero_filled, 2 * level, share),
            network(image, zero_filled, level, 2 * share),
        ]
    assert all((other - result).abs().max() > 1e-4 for other in others)


class Zero(torch.nn.Module):
    """Takes everything for noise, and remembers what it was told."""

    def forward(self, image, zero_filled, level, share):
        self.told = image, zero_filled, level, share
        return torch.zeros_like(image)


class ZeroFilled(torch.nn.Module):
    """The zero-filled image, of several coils combined."""

    def forward(self, kspace, mask, maps=None):
        image = ifft2c(kspace)
        return image if maps is None else (maps.conj() * image).sum(1)


@pytest.mark.parametrize("coils", [1, 2])
def test_its_result_is_the_last_word(coils, monkeypatch):
    """Measured lines are not put back after it: that would put their noise back."""
    monkeypatch.setattr(joint, "SPARSITY", 1e-3)  # of what comes before it
    kspace, mask = noisy((40, 36), 0.1)[None].repeat(coils, 1, 1), torch.ones(36) > 0
    maps = None
    if coils > 1:
        maps = torch.full_like(kspace, 1 / np.sqrt(coils))
    denoiser = Zero()
    images = joint.coil_images(ZeroFilled(), kspace, mask, maps, denoiser)
    assert images.shape == kspace.shape
    assert not images.any()
    image, zero_filled, level, share = denoiser.told
    assert image.shape == zero_filled.shape == (1, 40, 36)
    assert share.tolist() == [1]
    # Everything is on one scale, and so is the level.
    scale = float(ifft2c(kspace).abs().square().sum(0).sqrt().max())
    expected = noise_level(kspace[0], mask) * (1 if coils == 1 else np.sqrt(coils)) / scale
    torch.testing.assert_close(zero_filled, image, rtol=0, atol=0.01)
    assert float(level) == pytest.approx(float(expected), rel=0.05)
