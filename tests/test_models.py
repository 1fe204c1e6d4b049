"""The networks: what they are made of, and what they do before any training."""

import pytest
import torch

from recon import models
from recon.fourier import fft2c, ifft2c


def test_resnet_is_the_original_architecture():
    network = models.build("resnet")
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) == 1 + 8 * 2 + 4 * 3 + 1
    assert {tuple(c.kernel_size) for c in convolutions} == {(3, 3)}
    assert [c.out_channels for c in convolutions] == [64] * 29 + [1]
    assert sum(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules()) == 28
    assert [
        sum(isinstance(m, torch.nn.Conv2d) for m in block.modules()) for block in network.blocks
    ] == [2] * 8 + [3] * 4


@pytest.mark.parametrize("shape", [(32, 32), (17, 23), (1, 40)])
def test_untrained_resnet_returns_the_zero_filled_image(shape):
    network = models.build("resnet", features=8)
    image = torch.rand(2, 1, *shape)
    torch.testing.assert_close(network(image), image, rtol=0, atol=1e-6)


def test_every_resnet_weight_learns():
    """Starting as the identity must not leave parts of the network without a gradient."""
    torch.manual_seed(0)
    network = models.build("resnet", features=8, blocks=(2, 3))
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    for _ in range(4):
        image = torch.rand(2, 1, 24, 24)
        loss = (network(image) - image.roll(1, -1)).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    unchanged = [n for n, p in network.named_parameters() if torch.equal(p, before[n])]
    assert unchanged == []


def scan(shape, seed=0):
    """Undersampled k-space of noise, scaled as the network wants it, and its mask."""
    generator = torch.Generator().manual_seed(seed)
    image = torch.randn(1, *shape, dtype=torch.complex64, generator=generator)
    mask = torch.rand(1, shape[1], generator=generator) < 0.4
    kspace = fft2c(image) * mask[:, None]
    return kspace / ifft2c(kspace).abs().max(), mask


def shaken(seed=0):
    """A small unrolled network whose every weight matters, as after training."""
    torch.manual_seed(seed)
    network = models.build("resnet-dc", steps=2, features=8, coarse=8, memory=4)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return network


@pytest.mark.parametrize("shape", [(32, 32), (33, 47), (50, 31), (16, 18)])
def test_untrained_unrolled_network_returns_the_zero_filled_image(shape):
    kspace, mask = scan(shape)
    network = models.build("resnet-dc", steps=2, features=8, coarse=8, memory=4)
    torch.testing.assert_close(network(kspace, mask), ifft2c(kspace), rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(32, 32), (33, 47), (50, 31)])
def test_measured_lines_are_never_altered(shape):
    kspace, mask = scan(shape)
    with torch.no_grad():
        image = shaken()(kspace, mask)
    assert image.shape == kspace.shape
    residual = (fft2c(image) - kspace) * mask[:, None]
    assert residual.norm() / kspace.norm() < 1e-5
    # and the lines in between were filled in
    assert (fft2c(image) * ~mask[:, None]).norm() > 1e-3 * kspace.norm()


def test_scans_of_a_batch_do_not_touch_each_other():
    (one, mask_one), (two, mask_two) = scan((24, 28), 1), scan((24, 28), 2)
    network = shaken()
    with torch.no_grad():
        together = network(torch.cat([one, two]), torch.cat([mask_one, mask_two]))
        alone = torch.cat([network(one, mask_one), network(two, mask_two)])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


def test_every_unrolled_weight_learns():
    torch.manual_seed(0)
    network = models.build("resnet-dc", steps=2, features=8, coarse=8, memory=4)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    for seed in range(5):
        kspace, mask = scan((24, 24), seed)
        loss = (network(kspace, mask) - ifft2c(kspace).roll(1, -1)).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    unchanged = [n for n, p in network.named_parameters() if torch.equal(p, before[n])]
    # What the last step would hand on to a next one is never read.
    assert unchanged == []
