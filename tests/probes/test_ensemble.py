"""Mean and deviation over masks, and what they do and do not tell."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import spearmanr

from recon import masks, metrics, phantom
from recon.errors import InputError
from recon.kspace import KSpace, Source
from recon.measurement import measure, picture
from recon.methods import ZeroFilled
from recon.metrics import foreground
from recon.probes.ensemble import ENOUGH, Ensemble, agreement, ensemble
from recon.scan import Scan
from tests.helpers.methods import FunctionMethod


@pytest.fixture(scope="module")
def kspace():
    return phantom.kspace((63, 48), seed=2)


@pytest.fixture(scope="module")
def scan(kspace):
    return Scan.of(kspace)


def test_one_mask_has_exactly_no_deviation(kspace, scan):
    (result,) = ensemble(scan, ZeroFilled(), [3])
    assert not result.deviation.any()
    image = measure(kspace, masks.random_cartesian(48, 4, seed=3), 4).zero_filled
    np.testing.assert_array_equal(result.mean, image)
    assert result.ssim == (pytest.approx(metrics.ssim(picture(kspace), image), abs=1e-6),)


def test_the_same_mask_again_has_exactly_no_deviation(scan):
    *_, last = ensemble(scan, ZeroFilled(), [5] * 7)
    assert not last.deviation.any()
    assert len(set(last.ssim)) == 1


@pytest.mark.parametrize("family", ["random", "equispaced"])
def test_mean_and_deviation_are_numpys(kspace, scan, family):
    seeds = [0, 1, 2, 3, 4]
    states = list(ensemble(scan, ZeroFilled(), seeds, 3, center_fraction=0.1, family=family))
    images = np.array(
        [
            measure(kspace, masks.FAMILIES[family](48, 3, 0.1, s), 3).zero_filled.astype(float)
            for s in seeds
        ]
    )
    for n, state in enumerate(states, 1):
        np.testing.assert_allclose(state.mean, images[:n].mean(0), atol=1e-12)
        if n > 1:
            np.testing.assert_allclose(state.deviation, images[:n].std(0, ddof=1), atol=1e-12)
        assert len(state.ssim) == n
    assert states[-1].deviation.max() > 0.01
    assert len(set(states[-1].ssim)) > 1


def test_it_waits_to_be_asked(scan):
    """A page shows progress: nothing is computed ahead, and seeds may have no end."""
    calls = []

    def method(measurement):
        calls.append(measurement.mask)
        return measurement.zero_filled

    endless = ensemble(scan, FunctionMethod(method), itertools.count())
    assert not calls
    next(endless)
    next(endless)
    assert len(calls) == 2


def test_a_method_sees_measured_lines_and_the_acceleration_only(scan):
    def method(measurement):
        assert not measurement.kspace[:, ~measurement.mask].any()
        assert measurement.acceleration == 6
        return measurement.zero_filled

    assert len(list(ensemble(scan, FunctionMethod(method), range(2), 6))) == 2


def test_ssim_uses_the_volumes_range(kspace):
    source = Source(attrs={"max": 9.0})
    (result,) = ensemble(Scan.of(KSpace(kspace, source)), ZeroFilled(), [0])
    image = measure(kspace, masks.random_cartesian(48, 4, seed=0), 4).zero_filled
    assert result.ssim[0] == pytest.approx(metrics.ssim(picture(kspace), image, 9.0), abs=1e-6)


def test_impossible_masks_get_a_sentence(scan):
    with pytest.raises(InputError):
        next(ensemble(scan, ZeroFilled(), [0], 0.5))


def made(reference, error, deviation):
    return Ensemble(reference + error, deviation, (0.5,))


@pytest.fixture
def reference():
    picture = np.zeros((40, 40))
    picture[10:30, 10:30] = 1
    return picture


def test_agreement_is_spearmans_inside_the_object(reference):
    rng = np.random.default_rng(0)
    deviation = rng.random((40, 40)).round(1)  # with ties
    error = deviation * rng.standard_normal((40, 40))
    result = agreement(made(reference, error, deviation), reference)
    inside = foreground(reference)
    np.testing.assert_array_equal(inside, reference == 1)
    expected = spearmanr(deviation[inside], np.abs(error)[inside]).statistic
    assert result.correlation == pytest.approx(expected)
    assert result.covered == pytest.approx((np.abs(error) <= 2 * deviation)[inside].mean())
    assert f"{expected:.2f}" in result.sentence


def test_perfect_and_opposite_agreement(reference):
    deviation = 1 + np.arange(1600.0).reshape(40, 40)
    same = agreement(made(reference, deviation**3, deviation), reference)
    opposite = agreement(made(reference, 1 / deviation, deviation), reference)
    assert same.correlation == pytest.approx(1)
    assert same.covered == 0  # the order is right, the size is not
    assert opposite.correlation == pytest.approx(-1)
    assert opposite.covered == 1
    assert "clearly" in same.sentence
    assert "is less likely" in opposite.sentence


def test_air_does_not_count(reference):
    """Small deviation and small error outside the object are no agreement."""
    rng = np.random.default_rng(1)
    deviation = rng.random((40, 40)) * reference
    error = rng.random((40, 40)) * reference
    assert spearmanr(deviation.ravel(), error.ravel()).statistic > 0.6
    result = agreement(made(reference, error, deviation), reference)
    assert abs(result.correlation) < 0.2


def test_few_masks_do_not_tell_how_much_is_off(kspace, scan):
    for count in range(2, ENOUGH + 1):
        *_, result = ensemble(scan, ZeroFilled(), range(count))
        said = agreement(result, picture(kspace)).sentence
        assert ("two standard deviations" in said) == (count >= ENOUGH)


def test_one_mask_says_nothing(kspace, scan):
    (result,) = ensemble(scan, ZeroFilled(), [0])
    verdict = agreement(result, picture(kspace))
    assert np.isnan(verdict.correlation)
    assert "nothing" in verdict.sentence


def test_zero_filled_is_wrong_where_masks_disagree(kspace, scan):
    *_, result = ensemble(scan, ZeroFilled(), range(16))
    assert agreement(result, picture(kspace)).correlation > 0.2
