"""The scores against closed forms, an independent SSIM and fastMRI's own evaluation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from recon import masks, metrics, phantom
from recon.errors import InputError
from recon.measurement import measure
from recon.metrics import Similarity, foreground
from tests.helpers.fastmri import evaluation


@pytest.fixture(scope="module")
def volumes():
    """A smooth reference and a noisy image of it, float32, shape (3, 40, 36)."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:1:40j, 0:1:36j]
    reference = np.stack([s * (2 + np.sin(7 * x + s) * np.cos(5 * y)) for s in (1, 2, 3)])
    image = np.abs(reference + 0.3 * rng.standard_normal(reference.shape))
    return reference.astype(np.float32), image.astype(np.float32)


@pytest.fixture
def evaluate(monkeypatch):
    with evaluation(monkeypatch) as module:
        yield module


@pytest.mark.parametrize("maxval", [None, 12.5])
def test_equal_to_fastmri(volumes, evaluate, maxval):
    reference, image = volumes
    ours = metrics.scores(reference, image, maxval)
    assert ours["ssim"] == pytest.approx(
        float(evaluate.ssim(reference, image, maxval)[0]), abs=1e-6
    )
    assert ours["psnr"] == pytest.approx(float(evaluate.psnr(reference, image, maxval)), abs=1e-6)
    assert ours["nmse"] == pytest.approx(float(evaluate.nmse(reference, image)), rel=1e-6)


def test_ssim_equals_its_formula(volumes):
    """Written out with a 7x7 uniform window, K1 = 0.01, K2 = 0.03 and sample covariance."""
    x, y = volumes[0][0].astype(np.float64), volumes[1][0].astype(np.float64)
    windows = np.lib.stride_tricks.sliding_window_view
    a, b = windows(x, (7, 7)).reshape(-1, 49), windows(y, (7, 7)).reshape(-1, 49)
    c1, c2 = (0.01 * x.max()) ** 2, (0.03 * x.max()) ** 2
    mean_a, mean_b = a.mean(1), b.mean(1)
    covariance = ((a - mean_a[:, None]) * (b - mean_b[:, None])).sum(1) / 48
    exact = ((2 * mean_a * mean_b + c1) * (2 * covariance + c2)) / (
        (mean_a**2 + mean_b**2 + c1) * (a.var(1, ddof=1) + b.var(1, ddof=1) + c2)
    )
    assert metrics.ssim(x, y) == pytest.approx(exact.mean(), abs=1e-9)
    # float32, which the pipeline uses, costs next to nothing
    assert metrics.ssim(*(v[0] for v in volumes)) == pytest.approx(exact.mean(), abs=1e-5)


def test_volume_ssim_is_the_mean_over_slices_with_the_volume_maximum(volumes):
    reference, image = volumes
    limit = float(reference.max())
    slices = [metrics.ssim(r, x, limit) for r, x in zip(reference, image, strict=True)]
    assert metrics.ssim(reference, image) == pytest.approx(np.mean(slices))
    # with each slice's own maximum the same images score differently
    own = [metrics.ssim(r, x) for r, x in zip(reference, image, strict=True)]
    assert abs(np.mean(own) - np.mean(slices)) > 0.01


def test_ssim_grows_with_the_data_range(volumes):
    """Larger constants forgive more: the definition has to be stated beside a score."""
    reference, image = volumes[0][0], volumes[1][0]
    limit = float(reference.max())
    values = [metrics.ssim(reference, image, scale * limit) for scale in (1, 1.5, 2, 3)]
    assert values == sorted(values)
    assert values[-1] > values[0] + 0.05


@pytest.mark.parametrize("error", [0.1, 0.01])
@pytest.mark.parametrize("limit", [None, 2.0])
def test_psnr_of_a_constant_error(error, limit):
    reference = np.linspace(0, 1, 200).reshape(10, 20)
    expected = 20 * math.log10((limit or 1.0) / error)
    assert metrics.psnr(reference, reference + error, limit) == pytest.approx(expected)


@pytest.mark.parametrize(("error", "limit"), [(math.inf, 1.0), (1.0, 0.0)])
def test_psnr_knows_no_limit_below(error, limit):
    assert metrics.psnr_of(error, limit) == -math.inf


@pytest.mark.parametrize("scale", [0.0, 0.5, 0.9, 2.0])
def test_nmse_of_a_scaled_image(volumes, scale):
    reference = volumes[0].astype(np.float64)
    assert metrics.nmse(reference, scale * reference) == pytest.approx((1 - scale) ** 2)


def test_identical_images_are_perfect(volumes):
    reference = volumes[0]
    assert metrics.scores(reference, reference.copy()) == {
        "ssim": pytest.approx(1),
        "psnr": math.inf,
        "nmse": 0,
    }


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_scores_do_not_depend_on_the_unit(volumes, scale):
    """Scanner units range from 1e-6 (fastMRI) to thousands; a common factor cancels."""
    reference, image = (v.astype(np.float64) for v in volumes)
    plain, scaled = (
        metrics.scores(reference, image),
        metrics.scores(scale * reference, scale * image),
    )
    assert scaled == pytest.approx(plain, rel=1e-6)


def test_scores_are_plain_floats(volumes):
    assert {type(v) for v in metrics.scores(*volumes).values()} == {float}


@pytest.mark.parametrize(
    ("after", "before", "share"),
    [(0.707, 0.649, 0.165), (0.641, 0.555, 0.193), (1, 0.5, 1), (0.4, 0.5, -0.2), (1, 1, 0)],
)
def test_closed_share(after, before, share):
    """The first two rows are the student project's results at 4x and 8x."""
    assert metrics.closed_share(after, before) == pytest.approx(share, abs=5e-4)


@pytest.mark.parametrize("exponent", [-90, -40, 40, 90])
def test_units_near_the_ends_of_float32_lose_nothing(volumes, exponent):
    """Fourth powers of such numbers are beyond float32."""
    reference, image = (one * np.float32(2.0**exponent) for one in volumes)
    assert metrics.scores(reference, image) == metrics.scores(*volumes)
    exact = Similarity(volumes[0][0])(volumes[1][0])
    assert Similarity(reference[0])(image[0]) == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize("exponent", [-400, -150, 150, 400])
def test_double_precision_has_a_wider_range(volumes, exponent):
    reference, image = (one.astype(np.float64) * 2.0**exponent for one in volumes)
    assert metrics.ssim(reference, image) == pytest.approx(metrics.ssim(*volumes), abs=1e-6)


@pytest.mark.parametrize("score", [metrics.ssim, metrics.psnr, metrics.nmse])
def test_images_of_other_shapes_are_refused(volumes, score):
    reference, image = volumes
    assert reference.shape[1] != reference.shape[2]
    for other in (image.swapaxes(1, 2), image[0], image[:1]):
        with pytest.raises(InputError, match="different shapes"):
            score(reference, other)


def test_foreground_is_the_bright_class():
    image = np.random.default_rng(0).normal(0.1, 0.02, (30, 31))
    image[5:20, 6:22] += 0.8
    inside = np.zeros((30, 31), bool)
    inside[5:20, 6:22] = True
    # scikit-image's threshold is the middle of a bin: the brightest background may lie above it
    assert (foreground(image) != inside).mean() < 0.005
    assert foreground(np.full((9, 9), 2.0)).all()
    blocks = np.kron(np.eye(2), np.ones((5, 5)))
    np.testing.assert_array_equal(foreground(blocks), blocks == 1)


@pytest.mark.parametrize("shape", [(64, 48), (7, 7), (61, 33)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("limit", [None, 0.7, 3.0])
def test_ssim_equals_the_projects(shape, dtype, limit):
    rng = np.random.default_rng(1)
    reference = rng.random(shape).astype(dtype)
    similarity = Similarity(reference, limit)
    for noise in (0, 0.01, 0.3, 5):
        image = (reference + noise * rng.random(shape)).astype(dtype)
        assert similarity(image) == pytest.approx(metrics.ssim(reference, image, limit), abs=1e-6)


def test_ssim_of_a_smooth_dark_slice_equals_the_projects():
    """Rounding of local variances hurts most where they are small and means are large."""
    kspace = phantom.kspace((96, 80), noise=0) * np.float32(1e-6)
    reference = measure(kspace, np.ones(80, bool), 1).zero_filled
    image = measure(kspace, masks.random_cartesian(80, 4), 4).zero_filled
    exact = metrics.ssim(reference, image)
    assert 0.2 < exact < 0.9
    assert Similarity(reference)(image) == pytest.approx(exact, abs=1e-6)


def test_too_small_for_a_window():
    with pytest.raises(InputError, match="7 x 7"):
        Similarity(np.ones((6, 20)))
