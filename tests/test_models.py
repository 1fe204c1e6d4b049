"""The networks: what they are made of, and what they do before any training."""

import pytest
import torch

from recon import models


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
