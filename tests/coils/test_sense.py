"""SENSE: adjoint, exact where it must be, and as BART does it."""

import numpy as np
import pytest
import torch

from recon import masks
from recon.benchmark import bart
from recon.classical import total_variation
from recon.coils import sense
from recon.coils.noise import noise_level
from recon.errors import InputError
from recon.fourier import fft2c, ifft2c
from tests.helpers.coils import maps, pics, seen

installed = pytest.mark.skipif(bart.version() is None, reason="BART is not installed")
SHAPE = (64, 72)


def tensors(coils: int, mask: np.ndarray, shape=SHAPE, noise=0.003):
    kspace = masks.apply(seen(coils, shape, noise), mask).astype(np.complex64)
    return tuple(map(torch.from_numpy, (kspace, mask, maps(coils, shape))))


def regular(width: int, distance: int) -> np.ndarray:
    return np.arange(width) % distance == 0


def difference(one, other) -> float:
    return float(np.linalg.norm(one - other) / np.linalg.norm(other))


@pytest.mark.parametrize("shape", [(8, 9), (7, 12)])
def test_the_normal_operator_is_hermitian_and_between_0_and_1(shape):
    rng = np.random.default_rng(0)
    x, y, *fields = (torch.from_numpy(rng.standard_normal((*shape, 2)) @ [1, 1j]) for _ in range(5))
    unit = torch.from_numpy(sense.unit_length(torch.stack(fields).numpy()))
    mask = torch.from_numpy(rng.random(shape[1]) < 0.5)
    left = torch.vdot(x.flatten(), sense.normal(y, mask, unit).flatten())
    right = torch.vdot(sense.normal(x, mask, unit).flatten(), y.flatten())
    assert abs(left - right) < 1e-10
    quotient = torch.vdot(x.flatten(), sense.normal(x, mask, unit).flatten()) / x.norm() ** 2
    assert 0 <= quotient.real <= 1
    np.testing.assert_allclose(sense.measured_part(x, mask), ifft2c(fft2c(x) * mask), atol=1e-12)


@pytest.mark.parametrize(("distance", "coils"), [(2, 4), (3, 8)])
def test_a_scene_that_fits_the_model_comes_back_exactly(distance, coils):
    """One image through known maps, without noise: more equations than unknowns."""
    rng = np.random.default_rng(1)
    known = torch.from_numpy(maps(coils, SHAPE))
    image = torch.from_numpy((rng.standard_normal((*SHAPE, 2)) @ [1, 1j]).astype(np.complex64))
    image = image * (known.abs().sum(0) > 0)
    mask = torch.from_numpy(regular(SHAPE[1], distance))
    found = sense.cg_sense(fft2c(known * image) * mask, mask, known, 0, 100)
    assert difference(found.numpy(), image.numpy()) < 1e-3


def test_every_row_is_a_problem_of_its_own():
    kspace, mask, known = tensors(4, regular(SHAPE[1], 2))
    image = sense.cg_sense(kspace, mask, known)
    some = slice(20, 31)
    alone = sense.cg_sense(fft2c(ifft2c(kspace)[:, some]), mask, known[:, some])
    np.testing.assert_allclose(alone, image[some], atol=1e-5 * float(image.abs().max()))


@installed
@pytest.mark.parametrize("family", ["regular", "calibrated", "random"])
def test_cg_sense_is_that_of_bart(family, tmp_path):
    """Same data, maps and ridge, both to convergence: within 0.5 %."""
    mask = regular(72, 3) if family == "regular" else masks.FAMILIES[family](72, 3, None, 1)
    kspace, lines, known = tensors(8, mask)
    ours = sense.cg_sense(kspace, lines, known, 0.01, 60).numpy()
    other = pics(
        tmp_path, kspace.numpy(), known.numpy(), "-l2", "-r", "0.01", "-i", "60", "-w", "1"
    )
    assert difference(ours, other) < 5e-3


@installed
def test_tv_sense_is_that_of_bart(tmp_path):
    """Same data, maps and regularisation: within 4 %, where CG-SENSE is more than 10 % away.

    Of the two, ours has the lower value of the function that is minimised.
    """
    kspace, lines, known = tensors(8, masks.calibrated(72, 4, 0.2, 1), noise=0.03)
    ours = sense.tv_sense(kspace, lines, known, 0.02, iterations=80).numpy()
    options = ("-R", "T:3:0:0.02", "-u", "0.3", "-i", "300", "-w", "1")
    other = pics(tmp_path, kspace.numpy(), known.numpy(), *options)

    def cost(image: np.ndarray) -> float:
        x = torch.from_numpy(np.ascontiguousarray(image))
        misfit = float((fft2c(known * x) * lines - kspace).abs().square().sum())
        return misfit / 2 + 0.02 * total_variation(x)

    assert difference(ours, other) < 0.04
    assert cost(ours) < cost(other)
    assert difference(sense.cg_sense(kspace, lines, known).numpy(), other) > 0.1


def test_tv_denoises_and_its_arguments_are_checked():
    kspace, mask, known = tensors(8, masks.calibrated(72, 4, 0.2, 1), noise=0.03)
    clean = sense.combine(ifft2c(torch.from_numpy(seen(8, SHAPE, 0))), known).numpy()
    plain = sense.cg_sense(kspace, mask, known).numpy()
    sparse = sense.tv_sense(kspace, mask, known, 0.01).numpy()
    assert difference(sparse, clean) < 0.7 * difference(plain, clean)
    for regularization, iterations in ((0.0, 20), (0.01, 0)):
        with pytest.raises(InputError, match="above 0"):
            sense.tv_sense(kspace, mask, known, regularization, iterations)


def test_what_is_expected_of_the_misfit_is_the_noise_and_never_nothing():
    mask = masks.calibrated(72, 4, 0.2, 1)
    (kspace, lines, known), (twice, *_) = (tensors(8, mask, noise=level) for level in (0.1, 0.2))
    found = sense.misfit_expected(kspace, lines, known)
    assert found == pytest.approx(0.01, rel=0.3)
    assert sense.misfit_expected(twice, lines, known) == pytest.approx(4 * found, rel=0.1)
    assert sense.misfit_expected(8 * kspace, lines, known, scale=8) == pytest.approx(found)
    assert sense.misfit_expected(0 * kspace, lines, known) == sense.LEAST**2


def test_noise_that_was_filtered_away_at_the_ends_is_still_expected_in_the_middle():
    kspace, lines, known = tensors(8, masks.calibrated(72, 4, 0.2, 1), noise=0.1)
    y, x = (torch.linspace(-1, 1, length) for length in SHAPE)
    hann = torch.cos(torch.pi / 2 * torch.hypot(y[:, None], x).clamp(max=1)) ** 2
    filtered = kspace * hann
    assert noise_level(filtered, lines) < 0.05
    found = sense.misfit_expected(filtered, lines, known)
    power = 0.01 * float(hann[:, lines].square().mean())
    assert found == pytest.approx(power, rel=0.5)


def test_the_misfit_is_the_noise_where_there_are_more_equations_than_unknowns_spikes_or_not():
    kspace, lines, known = tensors(8, np.ones(SHAPE[1]) > 0, noise=0.1)
    # Of eight coils' noise, the image takes an eighth.
    assert sense.misfit(kspace, lines, known) == pytest.approx(0.01 * 7 / 8, rel=0.05)
    spiked = kspace.clone()
    spiked[3, 5, 9] += 20
    assert sense.misfit(spiked, lines, known) == pytest.approx(0.01 * 7 / 8, rel=0.1)
    assert sense.misfit(kspace, lines & False, known) == 0
    # Rows that were filled with zeros hold no noise, and do not make it look less.
    rows = SHAPE[0] // 2
    padded = torch.nn.functional.pad(kspace, (0, 0, rows, rows))
    taller = known.repeat_interleave(2, 1)
    assert sense.misfit(padded, lines, taller) == pytest.approx(0.01 * 7 / 8, rel=0.2)


def test_an_image_that_pulls_is_reached_by_force_and_otherwise_only_where_one_starts():
    kspace, mask, known = tensors(8, masks.calibrated(72, 4, 0.2, 1), noise=0.03)
    near = sense.combine(ifft2c(kspace), known)
    one = sense.tv_sense(kspace, mask, known, 0.01, 40)
    other = sense.tv_sense(kspace, mask, known, 0.01, 40, near=near)
    assert difference(other.numpy(), one.numpy()) < 0.01
    held = sense.tv_sense(kspace, mask, known, 0.01, 40, near=near, pull=1000)
    assert difference(held.numpy(), near.numpy()) < 0.01 < difference(one.numpy(), near.numpy())


def test_measured_lines_of_every_coil_stay():
    kspace, mask, known = tensors(4, masks.calibrated(72, 3, 0.2, 1))
    images = sense.seen_by_coils(sense.cg_sense(kspace, mask, known), known, kspace, mask)
    kept = fft2c(images)[..., mask]
    assert difference(kept.numpy(), kspace[..., mask].numpy()) < 1e-5
