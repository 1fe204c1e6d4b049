"""The network that takes noise out."""

import numpy as np
import pytest
import torch

from recon import models
from recon.coils import joint
from recon.coils.noise import noise_level
from recon.fourier import ifft2c
from tests.coils.test_noise_level import noisy


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
