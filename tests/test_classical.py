"""Compressed sensing against calculus, other solvers and what physics demands."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
import torch
from skimage.restoration import denoise_tv_chambolle

from recon import classical, masks, metrics, phantom
from recon.errors import InputError
from recon.fourier import fft2c, ifft2c
from recon.measurement import measure, picture
from recon.methods import METHODS
from tests.helpers.noise import noise

SHAPES = [(32, 32), (33, 47), (48, 31), (16, 64)]


def objective(
    image: torch.Tensor, kspace: torch.Tensor, mask: torch.Tensor, weight: float
) -> float:
    misfit = mask * (fft2c(image) - kspace)
    return float(0.5 * misfit.abs().square().sum()) + weight * classical.total_variation(image)


def undersampled(shape: tuple[int, int], acceleration: float = 3) -> tuple[torch.Tensor, ...]:
    """K-space of a phantom and its mask, scaled to a maximum of 1."""
    kspace = phantom.kspace(shape, seed=1)
    mask = masks.random_cartesian(shape[1], acceleration, seed=2)
    kspace = masks.apply(kspace, mask)
    return torch.from_numpy(kspace / abs(ifft2c(kspace)).max()), torch.from_numpy(mask)


@pytest.mark.parametrize("shape", SHAPES)
def test_divergence_is_the_negative_adjoint_of_the_gradient(shape):
    x = torch.from_numpy(noise(shape, 0, np.complex128))
    p = torch.from_numpy(noise((2, *shape), 1, np.complex128))
    left = torch.vdot(classical.gradient(x).flatten(), p.flatten())
    right = torch.vdot(x.flatten(), -classical.divergence(p).flatten())
    assert complex(left) == pytest.approx(complex(right), rel=1e-12)


def test_total_variation_of_a_constant_is_zero():
    assert classical.total_variation(torch.full((9, 14), 3 - 4j)) == 0


def test_total_variation_is_the_length_of_the_edges_times_their_height():
    image = torch.zeros(40, 30, dtype=torch.complex128)
    image[10:20, 5:12] = 3 - 4j  # 10 x 7, height 5
    corner = np.sqrt(2) - 2  # one of the four corners has both differences in one pixel
    assert classical.total_variation(image) == pytest.approx(5 * (2 * (10 + 7) + corner))
    assert classical.total_variation(7j * image) == pytest.approx(
        7 * classical.total_variation(image)
    )


@pytest.mark.parametrize("weight", [0.02, 0.1])
def test_denoising_agrees_with_scikit_image(weight):
    """With a full mask the problem is that of Rudin, Osher and Fatemi."""
    rng = np.random.default_rng(0)
    clean = np.zeros((64, 60))
    clean[20:44, 16:40] = 1
    clean[28:36, 24:50] = 0.5
    noisy = clean + 0.05 * rng.standard_normal(clean.shape)
    kspace = fft2c(torch.from_numpy(noisy).to(torch.complex128))
    mask = torch.ones(60, dtype=torch.bool)
    ours = classical.minimise(kspace, mask, weight, 300)
    theirs = denoise_tv_chambolle(noisy, weight=weight, eps=1e-9, max_num_iter=3000)
    inside = np.s_[4:-4, 4:-4]  # theirs does not go round the border
    assert np.abs(ours.numpy() - theirs)[inside].max() < 0.01
    values = [objective(x, kspace, mask, weight) for x in (ours, torch.from_numpy(theirs) + 0j)]
    assert 0.99 * values[1] < values[0] < values[1]


def test_undersampled_problem_agrees_with_a_general_solver():
    """Quasi-Newton steps on the same objective, its corner at zero slightly rounded."""
    kspace, mask = undersampled((14, 12))
    kspace, weight, shape = kspace.to(torch.complex128), 0.02, (14, 12)

    def smooth(values: np.ndarray) -> tuple[float, np.ndarray]:
        x = torch.from_numpy(values.reshape(2, *shape)).requires_grad_()
        image = torch.complex(x[0], x[1])
        length = (classical.gradient(image).abs().square().sum(0) + 1e-10).sqrt()
        misfit = mask * (fft2c(image) - kspace)
        value = 0.5 * misfit.abs().square().sum() + weight * length.sum()
        value.backward()
        return value.item(), x.grad.numpy().ravel()

    start = ifft2c(kspace)
    values = np.stack([start.real.numpy(), start.imag.numpy()]).ravel()
    found = scipy.optimize.minimize(
        smooth, values, jac=True, method="L-BFGS-B", options={"maxiter": 5000, "maxfun": 9000}
    )
    ours = classical.minimise(kspace, mask, weight, 2000)
    assert objective(ours, kspace, mask, weight) == pytest.approx(found.fun, rel=1e-3)


def test_objective_falls_and_thirty_iterations_are_nearly_all():
    kspace, mask = undersampled((96, 80))
    weight = classical.REGULARIZATION
    values = [
        objective(classical.minimise(kspace, mask, weight, n), kspace, mask, weight)
        for n in (1, 3, 10, 30, 300)
    ]
    assert values == sorted(values, reverse=True)
    assert values[3] - values[4] < 0.02 * (values[0] - values[4])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("acceleration", [2, 4])
def test_measured_lines_are_kept(shape, acceleration):
    kspace, mask = undersampled(shape, acceleration)
    image = classical.complete(kspace, mask)
    assert image.shape == shape
    assert image.dtype == torch.complex64
    residual = mask * (fft2c(image) - kspace)
    assert torch.linalg.norm(residual) < 1e-5 * torch.linalg.norm(kspace)


def test_full_sampling_returns_the_image():
    measurement = measure(phantom.kspace((40, 36), seed=4), np.ones(36, bool), 1)
    image = METHODS["cs"](measurement)
    np.testing.assert_allclose(image, measurement.zero_filled, atol=1e-5)


@pytest.mark.parametrize(("acceleration", "share"), [(3, 0.6), (4, 0.5)])
def test_piecewise_constant_phantom_is_recovered(acceleration, share):
    y, x = np.mgrid[-1:1:128j, -1:1:120j]
    image = 1.0 * (x**2 / 0.6 + y**2 / 0.7 < 1) - 0.6 * ((x - 0.2) ** 2 + y**2 < 0.1)
    image = image + 0.3 * (abs(x + 0.4) < 0.1) * (abs(y) < 0.3)
    kspace = fft2c(image * np.exp(0.5j + 0.4j * x)).astype(np.complex64)
    measurement = measure(kspace, masks.random_cartesian(120, acceleration, seed=1), acceleration)
    reference = picture(kspace)
    before = metrics.scores(reference, measurement.zero_filled)
    after = metrics.scores(reference, METHODS["cs"](measurement))
    assert metrics.closed_share(after["ssim"], before["ssim"]) > share
    assert after["nmse"] < 0.4 * before["nmse"]


@pytest.mark.parametrize("factor", [1e-7, 1e5])
def test_scale_of_the_data_is_kept(factor):
    kspace = phantom.kspace((64, 56), seed=2)
    mask = masks.random_cartesian(56, 4, seed=1)
    one = METHODS["cs"](measure(kspace, mask, 4))
    scaled = METHODS["cs"](measure(kspace * np.float32(factor), mask, 4))
    np.testing.assert_allclose(scaled / factor, one, atol=1e-4)


def test_coils_are_treated_alone_and_a_silent_one_does_no_harm():
    kspace = phantom.kspace((48, 40), seed=2)
    mask = masks.random_cartesian(40, 4, seed=1)
    one = METHODS["cs"](measure(kspace, mask, 4))
    coils = np.stack([3 * kspace, 0 * kspace, 4j * kspace]).astype(np.complex64)
    both = METHODS["cs"](measure(coils, mask, 4))
    np.testing.assert_allclose(both / 5, one, atol=1e-5)


@pytest.mark.parametrize("shape", [(32, 32), (64, 64), (61, 50), (128, 112), (3, 48, 40)])
def test_a_mean_that_was_not_measured_does_no_harm(shape):
    scan = phantom.kspace(shape[-2:], seed=2) * np.ones((*shape[:-2], 1, 1), np.complex64)
    mask = np.arange(shape[-1]) % 2 != shape[-1] // 2 % 2
    measurement = measure(scan, mask, 2)
    image = METHODS["cs"](measurement)
    assert image.max() < 2 * measurement.zero_filled.max()
    reference = picture(scan)
    assert metrics.ssim(reference, image) > metrics.ssim(reference, measurement.zero_filled) - 1e-6


@pytest.mark.parametrize(("regularization", "iterations"), [(0, 30), (-1, 30), (0.01, 0)])
def test_bad_arguments_get_a_sentence(regularization, iterations):
    kspace, mask = undersampled((16, 16))
    with pytest.raises(InputError, match="above 0"):
        classical.complete(kspace, mask, regularization, iterations)
