"""Losses, optimiser and schedule of a training, against independent formulas."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from recon import datasets, metrics
from recon.models.discriminator import PatchDiscriminator
from recon.training.devices import Workers
from recon.training.learner import Learner
from recon.training.losses import adversarial_loss, discriminator_loss, ssim_loss
from recon.training.muon import Muon, orthogonalized
from recon.training.recipes import RECIPES, Run, original
from recon.training.record import command


def test_ssim_loss_is_the_metric():
    rng = np.random.default_rng(3)
    reference = rng.random((2, 1, 40, 33)).astype(np.float32) * np.float32([[[[1]]], [[[7]]]])
    image = reference + rng.normal(0, 0.2, reference.shape).astype(np.float32)
    expected = np.mean([metrics.ssim(r[0], x[0]) for r, x in zip(reference, image, strict=True)])
    # scikit-image leaves out the border that the window does not fit into; so does the loss
    loss = float(ssim_loss(torch.from_numpy(image), torch.from_numpy(reference)))
    assert 1 - loss == pytest.approx(expected, abs=1e-5)


def test_adversarial_losses_are_cross_entropies():
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(8)
    image, reference = torch.rand(2, 1, 48, 48), torch.rand(2, 1, 48, 48)
    entropy = torch.nn.functional.binary_cross_entropy_with_logits
    made, real = discriminator(image), discriminator(reference)
    assert made.shape == (2, 1, 6, 6)
    torch.testing.assert_close(
        adversarial_loss(discriminator, image), entropy(made, torch.ones_like(made))
    )
    torch.testing.assert_close(
        discriminator_loss(discriminator, image, reference),
        entropy(made, torch.zeros_like(made)) + entropy(real, torch.ones_like(real)),
    )


@pytest.mark.parametrize("shape", [(3, 16, 40), (2, 40, 16), (1, 8, 8)])
def test_orthogonalized_keeps_singular_vectors_and_levels_singular_values(shape):
    torch.manual_seed(0)
    matrices = torch.randn(shape)
    out = orthogonalized(matrices)
    values = torch.linalg.svdvals(out)
    assert values.min() > 0.3
    assert values.max() < 1.3
    u, _, v = torch.linalg.svd(matrices, full_matrices=False)
    inner = u.mT @ out @ v.mT  # diagonal if the singular vectors are the same
    assert (inner - torch.diag_embed(inner.diagonal(dim1=1, dim2=2))).abs().max() < 1e-3


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_muon_steps_have_the_promised_size_and_go_down(precision):
    torch.manual_seed(0)
    kernels = [torch.nn.Parameter(torch.randn(12, 4, 3, 3)) for _ in range(2)]
    targets = [torch.randn(12, 4, 3, 3) for _ in kernels]
    optimizer = Muon(kernels, lr=0.1, precision=precision)
    history = []
    for _ in range(100):
        before = kernels[0].detach().clone()
        loss = sum((k - t).square().mean() for k, t in zip(kernels, targets, strict=True))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step = (kernels[0] - before).square().mean().sqrt().item()
        assert 0.1 * 0.2 * 0.5 < step < 0.1 * 0.2 * 1.3
        history.append(loss.item())
    assert history[-1] < 0.1 * history[0]


def test_learning_rate_warms_up_and_falls_to_zero():
    run = Run("resnet", 4.0, steps=1000, warmup=100, learning_rate=2.0)
    rates = [run.learning_rate_at(step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.02)
    assert max(rates) == rates[100] == 2.0
    assert rates[550] == pytest.approx(1.0)
    assert rates[-1] < 1e-4
    assert all(a >= b for a, b in itertools.pairwise(rates[100:]))


def test_snapshots_start_at_nothing_and_end_at_the_end():
    steps = sorted(Run("cnn", None, steps=2000, snapshots=12).snapshot_steps())
    assert steps[0] == 0
    assert steps[-1] == 2000
    assert 10 <= len(steps) <= 12
    assert all(b > a for a, b in itertools.pairwise(steps))


@pytest.mark.parametrize(("rate", "epochs", "learning"), [(4.0, 20, 0.002), (8.0, 40, 0.003)])
def test_original_protocol(rate, epochs, learning):
    run = original(replace(RECIPES["resnet"], acceleration=rate))
    assert (run.epochs, run.learning_rate_at(0), run.learning_rate_at(10**6), run.batch) == (
        epochs, learning, learning, 1,
    )  # fmt: skip
    assert (run.patch, run.ssim_weight, run.average, run.augment) == (0, 0, 0, False)
    assert run.name == f"resnet-{rate:g}x-original"
    assert command(run) == (
        f"python train.py resnet --acceleration {rate:g} --protocol original --data FOLDER"
    )


def test_an_epoch_sees_every_slice_once(monkeypatch):
    run = replace(original(RECIPES["cnn"]), steps=10)
    learner = Learner(run, torch.device("cpu"), Workers())
    slices = [np.full((40, 40), value, np.float32) for value in range(1, 6)]
    seen = []
    draw = datasets.draw
    monkeypatch.setattr(
        datasets,
        "draw",
        lambda *args: seen.append(args[4]) or draw(*args),  # its index
    )
    for step in range(10):
        learner.step(step, slices)
    assert sorted(seen[:5]) == sorted(seen[5:]) == list(range(5))
