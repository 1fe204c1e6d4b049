"""All coils in one pass: physics that must hold whatever the weights are."""

import numpy as np
import pytest
import torch

from recon import masks, models
from recon.coils import joint
from recon.coils.espirit import sensitivities
from recon.coils.joint import Joint
from recon.fourier import fft2c, ifft2c
from recon.measurement import measure
from recon.methods import IterativeMethod
from recon.methods.networks import FOLDS, method_of
from recon.models import consistency
from recon.models.consistency import Correction
from tests.coils.test_espirit import SHAPE, folded, scan
from tests.helpers.networks import shaken
from tests.helpers.noise import noise_tensor


def problem(coils=3, shape=(10, 16), seed=0):
    """Maps of unit length, lines in the order of `torch.fft`, and a Hermitian normal operator."""
    maps = noise_tensor(1, coils, *shape, seed=seed)
    maps = maps / maps.norm(dim=1, keepdim=True)
    mask = torch.rand(1, 1, shape[1], generator=torch.Generator().manual_seed(seed)) < 0.5
    return maps, mask


def coil_images(network, kspace, mask):
    maps = sensitivities(kspace, mask) if len(kspace) > 1 else None
    return joint.coil_images(network, kspace, mask, maps)


def undersampled(coils=6, shape=SHAPE, seed=0, lines=16):
    kspace, _ = scan(coils, shape)
    mask = torch.arange(shape[1]) % 3 == 0
    middle = shape[1] // 2
    mask[middle - lines // 2 : middle + lines // 2] = True
    return kspace * mask, mask


def test_the_normal_operator_is_adjoint_to_itself_and_is_what_scanners_measure():
    maps, mask = problem()
    x, y = noise_tensor(1, 10, 16, seed=1), noise_tensor(1, 10, 16, seed=2)
    left = (consistency.normal(x, mask, maps).conj() * y).sum()
    right = (x.conj() * consistency.normal(y, mask, maps)).sum()
    torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-4)
    measured = fft2c(maps * x[:, None]) * torch.fft.fftshift(mask)[:, None]
    expected = (maps.conj() * ifft2c(measured)).sum(1)
    torch.testing.assert_close(consistency.normal(x, mask, maps), expected, rtol=0, atol=1e-5)


def test_conjugate_gradients_solve_the_normal_equations(monkeypatch):
    maps, mask = problem()
    right, ridge = noise_tensor(1, 10, 16, seed=3), torch.tensor(0.05)
    monkeypatch.setattr(consistency, "ITERATIONS", 30)
    solution = consistency._solve(right, ridge, mask, maps)
    back = consistency.normal(solution, mask, maps) + ridge * solution
    torch.testing.assert_close(back, right, rtol=0, atol=1e-4)
    # The few that are used come near, whatever the rest of the image is.
    monkeypatch.undo()
    near = consistency._solve(right, ridge, mask, maps)
    assert (near - solution).norm() < 0.2 * solution.norm()
    alone = consistency._solve(right[:, 4:5], ridge, mask, maps[:, :, 4:5])
    torch.testing.assert_close(near[:, 4:5], alone, rtol=0, atol=1e-5)


def test_the_gradient_of_a_correction_is_that_of_differences(monkeypatch):
    monkeypatch.setattr(consistency, "ITERATIONS", 60)
    maps, mask = problem(shape=(3, 8))
    maps = maps.to(torch.complex128)
    proposed = noise_tensor(1, 3, 8, seed=5).to(torch.complex128).requires_grad_()
    data = noise_tensor(1, 3, 8, seed=6).to(torch.complex128)
    ridge = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda p, r: Correction.apply(p, data, r, mask, maps), (proposed, ridge), atol=1e-4
    )


def test_one_coil_that_sees_everything_is_a_scan_without_coils(monkeypatch):
    """With no ridge, one conjugate gradient puts the measured lines back, as the network does."""
    monkeypatch.setattr(consistency, "ITERATIONS", 1)
    kspace, mask = undersampled(1)
    kspace = kspace / ifft2c(kspace).abs().max()
    network = shaken()
    with torch.no_grad():
        network.ridge.fill_(-3)
        alone = network(kspace, mask[None])
        maps = torch.ones(1, 1, *SHAPE, dtype=torch.complex64)
        together = network(kspace[None], mask[None], maps)
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", [SHAPE, (95, 81), (62, 45)])
@pytest.mark.parametrize("coils", [1, 2, 6])
def test_every_measured_line_of_every_coil_stays(shape, coils):
    kspace, mask = undersampled(coils, shape)
    with torch.no_grad():
        images = coil_images(shaken(), kspace, mask)
    assert images.shape == kspace.shape
    assert ((fft2c(images) - kspace) * mask).norm() / kspace.norm() < 1e-5
    assert (fft2c(images) * ~mask).norm() > 1e-3 * kspace.norm()


def test_coils_unfold_what_is_folded_before_any_training():
    kspace, _ = scan(8, noise=0.001)
    truth = ifft2c(kspace)
    measured, mask = undersampled(8)
    with torch.no_grad():
        network = models.build("resnet-dc", steps=2, features=8, coarse=8, memory=4)
        images = coil_images(network, measured, mask)
    folded = (ifft2c(measured) - truth).norm()
    assert (images - truth).norm() < 0.35 * folded


def test_the_order_and_the_scale_of_coils_do_not_matter():
    kspace, mask = undersampled()
    order = torch.tensor([4, 2, 0, 5, 1, 3])
    network = shaken()
    with torch.no_grad():
        images = coil_images(network, kspace, mask)
        other = coil_images(network, 1000 * kspace[order], mask) / 1000
    assert (images[order] - other).norm() < 0.01 * images.norm()


def test_a_dead_coil_stays_dead_and_disturbs_nobody():
    kspace, mask = undersampled()
    alive = [0, 1, 2, 4, 5]
    dead = kspace.clone()
    dead[3] = 0
    network = shaken()
    with torch.no_grad():
        images, fewer = (coil_images(network, k, mask) for k in (dead, dead[alive]))
    assert images[3].abs().max() < 1e-3 * images.abs().max()
    assert (images[alive] - fewer).norm() < 0.01 * fewer.norm()


def test_without_enough_of_the_middle_every_coil_is_alone():
    kspace, mask = undersampled(4, lines=0)
    with torch.no_grad():
        network = shaken()
        images = coil_images(network, kspace, mask)
        alone = torch.cat([coil_images(network, coil[None], mask) for coil in kspace])
    torch.testing.assert_close(images, alone)


def test_coils_that_no_single_image_explains_are_reconstructed_one_by_one():
    """The object is wider than the field of view, and lies on itself."""
    kspace = folded(6, 44)
    mask = torch.from_numpy(masks.calibrated(44, 3, 0.4, 0))
    measurement = measure((kspace * mask).numpy(), mask.numpy(), 3)
    network = shaken()
    with torch.no_grad():
        alone = joint.coil_images(network, kspace * mask, mask)
    method = method_of(network)
    assert isinstance(method, IterativeMethod)
    found = method.coil_images(measurement)
    torch.testing.assert_close(torch.from_numpy(found), alone)
    # Nor is noise added, which each coil's image has already.
    expected = measurement.picture_of(found)
    np.testing.assert_allclose(method.picture(found, measurement), expected, rtol=1e-6)
    assert method.notes(measurement) == (FOLDS,)
    *_, last = method.steps(measurement)
    np.testing.assert_allclose(last, expected, rtol=1e-4, atol=1e-6 * expected.max())


def test_nothing_measured_in_any_coil_is_nothing():
    kspace = torch.zeros(3, 40, 32, dtype=torch.complex64)
    images = coil_images(shaken(), kspace, torch.ones(32) > 0)
    assert images.abs().max() == 0


def test_maps_that_are_given_are_used():
    kspace, mask = undersampled()
    with torch.no_grad():
        network = shaken()
        both = Joint(kspace, mask, sensitivities(kspace, mask))
        given = both.coil_images(both.in_accord(network(*both.inputs)[0]))
        torch.testing.assert_close(given, coil_images(network, kspace, mask))


def truth_and_accord(error, noise=0.001):
    """An object's true image, one that is wrong in many places, and what noisy coils make of it."""
    kspace, images = scan(8, noise=noise)
    _, mask = undersampled(8)
    maps = sensitivities(kspace * mask, mask)
    both = Joint(kspace * mask, mask, maps)
    truth = (maps.conj() * images).sum(0) / both.scale
    proposed = truth + error * truth.abs().max() * noise_tensor(*truth.shape)
    return truth, proposed, both.in_accord(proposed)


def test_coils_correct_what_the_network_proposed_in_the_object_alone():
    truth, proposed, image = truth_and_accord(0.03)
    bright = truth.abs() > 0.4 * truth.abs().max()
    assert (image - truth)[bright].norm() < 0.5 * (proposed - truth)[bright].norm()
    around = torch.nn.functional.max_pool2d(truth.abs()[None], 25, 1, 12)[0]
    air = around < 0.02 * truth.abs().max()
    assert air.sum() > 100
    assert (image - proposed)[air].norm() < 0.05 * proposed[air].norm()


def test_the_noisier_coils_are_the_less_they_mend_and_never_do_they_harm():
    left = []  # share of the proposal's error, in the object
    for noise in (0.001, 0.01, 0.1):
        truth, proposed, image = truth_and_accord(0.03, noise)
        bright = truth.abs() > 0.4 * truth.abs().max()
        left.append(float((image - truth)[bright].norm() / (proposed - truth)[bright].norm()))
    assert left == sorted(left)
    assert left[-1] < 1


def test_the_right_image_is_left_alone():
    truth, _, image = truth_and_accord(0)
    assert (image - truth).norm() < 0.02 * truth.norm()


def test_the_last_step_that_is_shown_is_the_result():
    kspace, mask = undersampled()
    network = shaken()
    with torch.no_grad():
        maps = sensitivities(kspace, mask)
        *before, last = joint.steps(network, kspace, mask, maps)
        torch.testing.assert_close(last, joint.coil_images(network, kspace, mask, maps))
    assert len(before) == len(network.steps)
