"""The networks: what they are made of, and what they do before any training."""

import importlib.util
from pathlib import Path

import pytest
import torch

from recon import models
from recon.fourier import fft2c, ifft2c
from tests.helpers.networks import shaken


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
        kspace = torch.stack([kspace, 0.5j * kspace.roll(1, -2)], 1)
        maps = torch.tensor([0.8, 0.6]).to(kspace.dtype)[None, :, None, None].expand_as(kspace)
        loss = (network(kspace, mask, maps) - ifft2c(kspace[:, 0]).roll(1, -1)).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    unchanged = [n for n, p in network.named_parameters() if torch.equal(p, before[n])]
    # What the last step would hand on to a next one is never read.
    assert unchanged == []


def test_cnn_is_six_convolutions_with_dropout():
    network = models.build("cnn")
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert [(c.in_channels, c.out_channels, c.kernel_size) for c in convolutions] == [
        (1, 64, (3, 3)), *[(64, 64, (3, 3))] * 4, (64, 1, (3, 3)),
    ]  # fmt: skip
    image = torch.rand(1, 1, 19, 26)
    assert not torch.equal(network(image), network(image))  # dropout, while training
    network.eval()
    assert torch.equal(network(image), network(image))
    assert network(image).shape == image.shape


def test_the_gan_generates_with_the_resnet():
    shapes = [
        [(n, tuple(p.shape)) for n, p in models.build(name).named_parameters()]
        for name in ("gan", "resnet")
    ]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("shape", [(64, 64), (51, 70), (33, 32)])
def test_unet_is_fastmris(shape):
    """The same weights give the same image, up to the normalisation that fastMRI does outside."""
    package = importlib.util.find_spec("fastmri")
    if package is None or package.origin is None:
        pytest.skip("the fastmri package is not installed")
    path = Path(package.origin).parent / "models/unet.py"  # alone: the package needs a lot more
    spec = importlib.util.spec_from_file_location("fastmri_unet", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    theirs = module.Unet(1, 1, chans=32, num_pool_layers=4).eval()
    ours = models.build("unet").eval()
    assert sum(p.numel() for p in ours.parameters()) == 7_756_097
    image = torch.rand(2, 1, *shape)
    # Both networks use their weights in the same order.
    order = [_in_order(network, image) for network in (theirs, ours)]
    assert len(order[0]) == len(order[1]) == 23
    for there, here in zip(*order, strict=True):
        here.load_state_dict(there.state_dict())
    std, mean = torch.std_mean(image, (1, 2, 3), keepdim=True)
    with torch.no_grad():
        expected = theirs((image - mean) / std) * std + mean
        torch.testing.assert_close(ours(image), expected, rtol=0, atol=1e-5)


def _in_order(network: torch.nn.Module, image: torch.Tensor) -> list[torch.nn.Module]:
    """Convolutions in the order in which they are used."""
    used: list[torch.nn.Module] = []
    kinds = (torch.nn.Conv2d, torch.nn.ConvTranspose2d)
    hooks = [
        m.register_forward_hook(lambda module, *_: used.append(module))
        for m in network.modules()
        if isinstance(m, kinds)
    ]
    with torch.no_grad():
        network(image)
    for hook in hooks:
        hook.remove()
    return used


def test_every_unet_weight_learns():
    torch.manual_seed(0)
    network = models.build("unet", features=4, poolings=2)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(2):
        image = torch.rand(1, 1, 24, 28)
        (network(image) - image.roll(1, -1)).abs().mean().backward()
        optimizer.step()
    assert [n for n, p in network.named_parameters() if torch.equal(p, before[n])] == []


def test_weights_from_before_coils_still_load():
    network = shaken()
    earlier = {k: v for k, v in network.state_dict().items() if k != "ridge"}
    fresh = models.build("resnet-dc", steps=2, features=8, coarse=8, memory=4)
    fresh.load_state_dict(earlier)
    kspace, mask = scan((24, 28))
    torch.testing.assert_close(fresh(kspace, mask), network(kspace, mask))


def test_one_coil_is_reconstructed_as_it_was_before_there_were_several():
    """Improve, put the measured lines back, and again: written out with two-dimensional FFTs."""
    (kspace, mask), network = scan((36, 44)), shaken()
    measured = mask[:, None]
    image = ifft2c(kspace)
    correction, memory = torch.zeros_like(image), torch.zeros(1, 4, 18, 22)
    with torch.no_grad():
        for step in network.steps:
            parts = [image.real, image.imag, correction.real, correction.imag]
            cells = torch.nn.functional.pixel_unshuffle(torch.stack(parts, 1), 2)
            known = mask.float().mean() * torch.ones(1, 1, 18, 22)
            out = step(torch.cat([cells, known, memory], 1))
            memory = memory + out[:, 8:]
            change = torch.nn.functional.pixel_shuffle(out[:, :8], 2)
            proposed = image + torch.complex(change[:, 0], change[:, 1])
            image = ifft2c(torch.where(measured, kspace, fft2c(proposed)))
            correction = image - proposed
        torch.testing.assert_close(network(kspace, mask), image, rtol=0, atol=1e-6)
