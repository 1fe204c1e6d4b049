"""What networks are asked to do in a step: the samples that are drawn, and what is compared."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from recon import datasets
from recon.errors import InputError
from recon.fourier import ifft2c
from recon.measurement import picture
from recon.training.recipes import RECIPES
from recon.training.tasks import DenoisingTask, ImageTask, KSpaceTask

CPU = torch.device("cpu")


# One coil that sees everything alike, in a field of view as wide as the image.
PLAIN = replace(
    RECIPES["resnet-dc"], patch=0, augment=False, coarsest=1.0, noise=0.0, apart=0.0, narrow=0.0
)


def blob(shape=(96, 80)) -> np.ndarray:
    """A soft image, whose k-space ends long before the readout does."""
    y, x = (np.linspace(-1, 1, side) for side in shape)
    return (100 * np.exp(-6 * (y[:, None] ** 2 + x**2))).astype(np.float32)


def drawn(task, index=0, seed=0):
    return task.sample([blob()], np.random.default_rng(seed), index)


def test_pictures_come_in_pairs_of_one_size():
    run = replace(RECIPES["unet"], patch=48)
    pair = drawn(ImageTask(run, CPU))
    assert pair.shape == (2, 48, 48)
    (image, reference), *rest = ImageTask(run, CPU).pairs(torch.nn.Identity(), [pair, pair])
    assert rest == []
    assert image.shape == reference.shape == (2, 1, 48, 48)
    np.testing.assert_array_equal(reference[0, 0], pair[1].astype(np.float32))


@pytest.mark.parametrize("patch", [0, 32])
def test_kspace_comes_with_the_picture_it_should_be(patch):
    run = replace(PLAIN, patch=patch)
    (measurement, reference), maps = drawn(KSpaceTask(run, CPU))
    assert maps is None
    assert measurement.kspace.shape == ((patch or 96), 80)
    assert measurement.zero_filled.max() == pytest.approx(1)
    assert not measurement.kspace[:, ~measurement.mask].any()
    assert reference.shape == measurement.zero_filled.shape


def test_one_coil_of_an_array_sees_one_side_better():
    sides = {}
    for apart in (0.0, 1.0):
        task = KSpaceTask(replace(PLAIN, apart=apart), CPU)
        pictures = [drawn(task, seed=seed)[0][1] for seed in range(12)]
        halves = [[half.sum() for half in np.array_split(one, 2, axis=0)] for one in pictures]
        halves += [[half.sum() for half in np.array_split(one, 2, axis=1)] for one in pictures]
        sides[apart] = [max(pair) / min(pair) for pair in halves]
    assert max(sides[0.0]) < 1.05
    assert np.median(sides[1.0]) > 1.2
    assert max(sides[1.0]) > 2


def test_what_lies_beyond_a_narrow_field_of_view_folds_back():
    task, column = KSpaceTask(replace(PLAIN, narrow=1.0), CPU), 2
    stripe = np.zeros((96, 80), np.float32)
    stripe[:, column] = 1
    widths = set()
    for seed in range(12):
        (measurement, reference), _ = task.sample([stripe], np.random.default_rng(seed), 0)
        width = measurement.kspace.shape[-1]
        assert reference.shape == (96, width)
        assert reference.sum(0).argmax() == (column - 40 + width // 2) % width
        widths.add(width)
    assert 48 <= min(widths) < 60
    assert 70 < max(widths) <= 80


@pytest.mark.parametrize(("even", "strong"), [(False, math.log(10 / 7, 5)), (True, 3 / 8)])
def test_accelerations_are_spread_as_the_recipe_says(even, strong):
    task = KSpaceTask(replace(RECIPES["resnet-dc"], even=even, gentlest=2.0), CPU)
    rng = np.random.default_rng(0)
    drawn = np.array([task.acceleration(rng) for _ in range(4000)])
    assert 2 <= drawn.min() < 2.02
    assert 9.98 < drawn.max() <= 10
    assert np.mean(drawn > 7) == pytest.approx(strong, abs=0.03)  # four standard deviations


def denoising(noise: float, patch: int = 0) -> DenoisingTask:
    run = replace(
        RECIPES["resnet-dc-denoised"], patch=patch, noise=noise, augment=False, coarsest=1.0
    )

    class Inverse(torch.nn.Module):
        def forward(self, kspace, mask):
            return ifft2c(kspace)

    return DenoisingTask(run, CPU, Inverse())


def test_a_reference_without_noise_stands_beside_a_noisy_measurement():
    levels = []
    for seed in range(6):
        (measurement, reference), level = drawn(denoising(0.3), seed=seed)
        scale = blob().max() / reference.max()
        np.testing.assert_allclose(reference * scale, blob(), rtol=1e-4, atol=1e-3)
        tilt = RECIPES["resnet-dc-denoised"].tilt
        rng = np.random.default_rng(seed)
        clean = datasets.draw([blob()], rng, 0, augment=False, index=0, tilt=tilt) / scale
        noise = (measurement.kspace - clean)[:, measurement.mask]
        assert level == pytest.approx(noise.real.std(), rel=0.1)
        assert level == pytest.approx(noise.imag.std(), rel=0.1)
        levels.append(level)
    assert max(levels) > 3 * min(levels)


def test_scans_whose_noise_was_measured_teach_no_denoising():
    run = replace(RECIPES["resnet-dc-denoised"], dataset="fastmri-multicoil")
    with pytest.raises(InputError, match="noise was added"):
        DenoisingTask(run, CPU)


def test_a_band_has_the_noise_of_the_whole():
    (measurement, reference), level = drawn(denoising(0.3, patch=40))
    assert measurement.kspace.shape == (40, 80)
    scale = blob().max() / reference.max()
    top = next(n for n in range(57) if np.allclose(blob()[n : n + 40], reference * scale, atol=0.1))
    assert 0 <= top <= 56
    noise = ifft2c(measurement.kspace)[:, :8]  # hardly any of the object
    expected = np.sqrt(measurement.mask.mean()) * level
    assert noise.real.std() == pytest.approx(expected, rel=0.25)


def test_what_is_compared_is_the_network_after_the_one_before():
    task = denoising(0.1)
    sample = drawn(task)
    told = {}

    class Halved(torch.nn.Module):
        def forward(self, image, zero_filled, level, share):
            told.update(level=level, share=share)
            torch.testing.assert_close(image, zero_filled)
            return image / 2

    ((image, reference),) = task.pairs(Halved(), [sample])
    (measurement, expected), level = sample
    np.testing.assert_allclose(image[0, 0], picture(measurement.kspace) / 2, atol=1e-6)
    np.testing.assert_array_equal(reference[0, 0], expected)
    assert told["level"].tolist() == pytest.approx([level])
    assert told["share"].tolist() == pytest.approx([measurement.mask.mean()])
