"""The variational network: fastMRI's cascade, and what it promises before any training."""

import pytest
import torch

from recon import models
from recon.fourier import fft2c, ifft2c
from recon.models.varnet import VarNet


def kernels(network):
    """Its convolutions, which both packages hold in the order of use but for the way up."""
    kinds = (torch.nn.Conv2d, torch.nn.ConvTranspose2d)
    used = []
    hooks = [
        module.register_forward_hook(lambda module, *_: used.append(module))
        for module in network.modules()
        if isinstance(module, kinds)
    ]
    return used, hooks


@pytest.mark.parametrize("coils", [1, 3])
@pytest.mark.parametrize("shape", [(32, 48), (48, 16)])
def test_a_cascade_is_fastmris(coils, shape):
    """The same weights, step length, data and maps give the same image."""
    theirs = pytest.importorskip("fastmri.models.varnet", reason="fastmri is not installed")
    torch.manual_seed(0)
    block = theirs.VarNetBlock(theirs.NormUnet(4, 2)).eval()
    ours = VarNet(cascades=1, features=4, poolings=2).eval()
    with torch.no_grad():
        block.dc_weight.fill_(0.7)
        ours.step_length.fill_(0.7)

    maps = torch.randn(1, coils, *shape, dtype=torch.complex64)
    maps = maps / maps.abs().square().sum(1, keepdim=True).sqrt()
    image = torch.randn(1, *shape, dtype=torch.complex64)
    mask = torch.rand(1, shape[1]) < 0.5
    kspace = fft2c(maps * image[:, None]) * mask[:, None, None]
    start = (maps.conj() * ifft2c(kspace)).sum(1)  # theirs is to start from the same image

    def cascade():
        there = torch.view_as_real(fft2c(maps * start[:, None]))
        seen = torch.view_as_real(kspace)
        after = block(there, seen, mask[:, None, None, :, None], torch.view_as_real(maps))
        return (maps.conj() * ifft2c(torch.view_as_complex(after.contiguous()))).sum(1)

    with torch.no_grad():
        orders = []
        for network, call in ((block, cascade), (ours, lambda: ours(kspace, mask, maps))):
            used, hooks = kernels(network)
            call()
            orders.append(used)
            for hook in hooks:
                hook.remove()
        assert len(orders[0]) == len(orders[1]) > 10
        for there, here in zip(*orders, strict=True):
            here.load_state_dict(there.state_dict())
        torch.testing.assert_close(ours(kspace, mask, maps), cascade(), rtol=0, atol=2e-5)
        if coils == 1:  # without maps, a coil that sees everything alike
            alone = ours(kspace[:, 0] / maps[:, 0].mean(), mask)
            assert alone.shape == image.shape


@pytest.mark.parametrize("shape", [(33, 47), (50, 31)])
def test_one_coil_needs_no_maps(shape):
    torch.manual_seed(0)
    network = models.build("varnet", cascades=2, features=4, poolings=2).eval()
    kspace = torch.randn(2, *shape, dtype=torch.complex64)
    mask = torch.rand(2, shape[1]) < 0.4
    kspace = kspace * mask[:, None]
    with torch.no_grad():
        alone = network(kspace, mask)
        mapped = network(kspace[:, None], mask, torch.ones_like(kspace)[:, None])
        each = torch.cat([network(k[None], m[None]) for k, m in zip(kspace, mask, strict=True)])
    torch.testing.assert_close(alone, mapped, rtol=0, atol=1e-5)
    torch.testing.assert_close(alone, each, rtol=0, atol=1e-5)


def test_every_weight_learns():
    torch.manual_seed(0)
    network = models.build("varnet", cascades=2, features=4, poolings=2)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    mask = torch.rand(1, 28) < 0.4
    kspace = torch.randn(1, 24, 28, dtype=torch.complex64) * mask[:, None]
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    network(kspace, mask).abs().mean().backward()
    optimizer.step()
    assert [n for n, p in network.named_parameters() if torch.equal(p, before[n])] == []
