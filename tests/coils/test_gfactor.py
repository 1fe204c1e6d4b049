"""g-factors: formula, drawn noise, and an independent implementation agree."""

import numpy as np
import pytest
import torch

from recon.coils import gfactor, phantom, sense
from recon.coils.simulate import Loops
from recon.coils.whitening import balanced, of_readouts, prewhitened, whitening
from recon.errors import InputError
from recon.fourier import fft2c, ifft2c
from tests.helpers.coils import maps

SHAPE = (32, 48)


def test_which_columns_fold():
    width, distance = 48, 3
    image = np.zeros((4, width), complex)
    image[2, 17] = 1
    aliased = ifft2c(fft2c(image) * (np.arange(width) % distance == 0))
    seen = np.flatnonzero(np.abs(aliased[2]) > 1e-9)
    assert sorted(gfactor.folded(17, width, distance)) == seen.tolist()


def test_coils_that_share_nothing_cost_nothing():
    known = np.zeros((2, 4, 8), np.complex64)
    known[0, :, :4] = 2
    known[1, :, 4:] = 1j
    np.testing.assert_allclose(gfactor.analytic(known, 2), 1, atol=1e-6)


def test_where_no_coil_sees_anything_there_is_nothing():
    with np.errstate(all="raise"):
        assert not gfactor.analytic(np.zeros((3, 4, 6), np.complex64), 2).any()


def test_more_pixels_than_coils_have_no_solution():
    known = np.random.default_rng(0).standard_normal((2, 2, 12)).astype(np.complex64)
    known[:, 1, 3:9] = 0  # leaves two of the four pixels that fold in this row
    g = gfactor.analytic(known, 4)
    assert np.isinf(g[0]).all()
    assert np.isfinite(g[1]).all()


def test_two_coils_by_hand():
    """Two pixels, two coils whose views are at the angle 60 degrees: g = 1 / sin 60."""
    known = np.ones((2, 1, 2), np.complex64)
    known[:, 0, 0] = 1, 0
    known[:, 0, 1] = np.cos(np.pi / 3), np.sin(np.pi / 3)
    np.testing.assert_allclose(gfactor.analytic(known, 2), 1 / np.sin(np.pi / 3), rtol=1e-6)


@pytest.mark.parametrize("distance", [2, 3, 4])
def test_as_pygrappa_computes_it(distance):
    pygrappa = pytest.importorskip("pygrappa")
    # It takes real parts of what is complex, so only real maps can be compared.
    known = np.abs(phantom.sensitivities(Loops.ring(8), SHAPE)).astype(np.complex64)
    theirs = pygrappa.gfactor(known, 1, distance, coil_axis=0)
    assert theirs.max() > 1.2
    np.testing.assert_allclose(gfactor.analytic(known, distance), theirs, rtol=1e-3)


@pytest.mark.slow
def test_drawn_noise_has_the_analytic_g():
    """400 scans that differ in their noise alone (Robson et al. 2008, doi 10.1002/mrm.21728).

    A standard deviation is known to 3.5 % then, their mean far better.
    """
    known = torch.from_numpy(maps(6, SHAPE))
    image = known.abs().sum(0) > 0
    kspace = fft2c(known * image)
    generator = torch.Generator().manual_seed(0)
    third, every = torch.arange(SHAPE[1]) % 3 == 0, torch.ones(SHAPE[1], dtype=torch.bool)
    pictures = {third: [], every: []}
    for _ in range(400):
        white = torch.randn(kspace.shape, dtype=kspace.dtype, generator=generator)
        for mask, solved in pictures.items():
            noisy = (kspace + 0.01 * white) * mask
            solved.append(sense.cg_sense(noisy, mask, known, 0, 60).real)
    accelerated, full = (torch.stack(solved).std(0)[image] for solved in pictures.values())
    g = (accelerated / full / np.sqrt(3)).numpy()
    ratio = g / gfactor.analytic(known.numpy(), 3)[image.numpy()]
    assert ratio.mean() == pytest.approx(1, abs=0.01)
    assert np.abs(ratio - 1).max() < 0.25


def test_correlated_noise_is_whitened_and_changes_g():
    rng = np.random.default_rng(0)
    mixing = np.tril(rng.standard_normal((4, 4, 2)) @ [1, 1j]) + 2 * np.eye(4)
    white = rng.standard_normal((4, 40_000, 2)) @ [1, 1j] / np.sqrt(2)
    noise = mixing @ white
    deviation, psi = of_readouts(np.split(noise, 10, axis=1), 4)
    assert deviation == pytest.approx(np.sqrt(np.mean(np.abs(noise) ** 2) / 2))
    np.testing.assert_allclose(psi, mixing @ mixing.conj().T, atol=0.05 * abs(psi).max())
    np.testing.assert_allclose(whitening(psi) @ psi @ whitening(psi).conj().T, np.eye(4), atol=1e-9)
    np.testing.assert_allclose(of_readouts([prewhitened(noise, psi)], 4)[1], np.eye(4), atol=1e-3)
    scaled = of_readouts([balanced(1e-6 * noise, 1e-12 * psi)], 4)
    assert scaled[0] == pytest.approx(1e-6 * deviation)
    np.testing.assert_allclose(scaled[1] / (2 * scaled[0] ** 2), np.eye(4), atol=1e-3)
    known = maps(4, SHAPE)
    inside = np.abs(known).sum(0) > 0
    by_covariance = gfactor.analytic(known, 2, psi)
    np.testing.assert_allclose(
        by_covariance[inside], gfactor.analytic(prewhitened(known, psi), 2)[inside], rtol=1e-4
    )
    assert np.abs(by_covariance / np.where(inside, gfactor.analytic(known, 2), 1))[inside].std() > 0
    assert (by_covariance[inside] >= 1 - 1e-4).all()


@pytest.mark.parametrize("wrong", [np.zeros((2, 2)), np.ones((2, 3)), np.array([[1, 1j], [1j, 1]])])
def test_what_is_no_covariance_is_one_sentence(wrong):
    with pytest.raises(InputError, match="covariance"):
        whitening(wrong)


def test_few_samples_tell_how_much_noise_there_is_and_no_covariance():
    assert of_readouts([np.full((4, 30), 3 + 3j)], 4) == (3, None)
    deviation, found = of_readouts([np.ones((3, 99)), 1j * np.ones((4, 10)), np.ones((4, 30))], 4)
    assert deviation == pytest.approx(np.sqrt(1 / 2))
    np.testing.assert_allclose(found, np.ones((4, 4)))
    assert of_readouts([], 4) == of_readouts([np.full((4, 40), np.nan)], 4) == (0, None)


def test_other_errors_are_one_sentence():
    with pytest.raises(InputError, match="does not fit"):
        prewhitened(np.ones((3, 4, 4)), np.eye(2))
    with pytest.raises(InputError, match="divides"):
        gfactor.analytic(np.ones((2, 4, 10), np.complex64), 4)
