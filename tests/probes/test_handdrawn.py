"""A fair contest: same budget, same slice, same score."""

from __future__ import annotations

import numpy as np
import pytest

from recon import masks, metrics, phantom
from recon.errors import InputError
from recon.kspace import KSpace, Source
from recon.measurement import CROP, measure, picture
from recon.methods import ZeroFilled
from recon.probes import many_masks
from recon.probes.handdrawn import Standing, against_random, random_masks, score_masks
from recon.scan import Scan
from tests.helpers.methods import FunctionMethod


@pytest.mark.parametrize(("width", "lines"), [(320, 80), (47, 13), (16, 16), (16, 1), (31, 2)])
def test_random_masks_keep_the_budget_and_the_centre(width, lines):
    drawn = random_masks(width, lines, 50, seed=1)
    assert drawn.shape == (50, width)
    assert drawn.dtype == bool
    assert (drawn.sum(1) == lines).all()
    block = round(width * 0.32 * lines / width)
    start = (width - block + 1) // 2
    assert drawn[:, start : start + block].all()


def test_lines_outside_the_centre_are_equally_likely():
    drawn = random_masks(40, 20, 4000, seed=2, center_fraction=0.2)
    block = masks.random_cartesian(40, 5, 0.2)  # 8 lines, and the block is all
    assert block.sum() == 8
    assert drawn[:, block].all()
    share = drawn[:, ~block].mean(0)
    expected = 12 / 32
    assert np.abs(share - expected).max() < 5 * np.sqrt(expected * (1 - expected) / 4000)
    assert len(np.unique(drawn, axis=0)) > 3990


def test_masks_are_the_seeds():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the state nobody may touch
    one, again, other = (random_masks(64, 16, 5, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize(("lines", "center_fraction"), [(0, None), (21, None), (5, 0.5), (5, -0.1)])
def test_impossible_budgets(lines, center_fraction):
    with pytest.raises(InputError):
        random_masks(20, lines, 3, center_fraction=center_fraction)


@pytest.mark.parametrize("shape", [(48, 40), (33, 47), (2, 30, 41), (336, 30)])
@pytest.mark.parametrize("data_range", [None, 2.5])
def test_scores_are_the_projects(shape, data_range):
    kspace = np.broadcast_to(phantom.kspace(shape[-2:]), shape)
    drawn = random_masks(shape[-1], 12, 6)
    source = Source(attrs={} if data_range is None else {"max": data_range})
    scan = Scan.of(KSpace(kspace, source), crop=CROP)
    quick = list(score_masks(scan, drawn))
    slow = list(score_masks(scan, drawn, ZeroFilled()))
    for mask, one, two in zip(drawn, quick, slow, strict=True):
        image = measure(kspace, mask, 3).zero_filled
        exact = metrics.ssim(picture(kspace), image, data_range)
        assert one == pytest.approx(exact, abs=1e-5)
        assert two == pytest.approx(exact, abs=1e-6)
    assert len(set(quick)) > 1


def test_a_method_is_told_the_achieved_acceleration():
    told = []

    def method(measurement):
        told.append((measurement.acceleration, measurement.mask.sum()))
        return measurement.zero_filled

    scan = Scan.of(phantom.kspace((30, 40)))
    result = against_random(scan, np.arange(40) % 4 == 0, 3, method=FunctionMethod(method))
    assert told == [(4, 10)] * 4
    assert result.others.shape == (3,)


def test_percentile():
    others = np.array([0.1, 0.2, 0.3, 0.4])
    for ssim, percentile in ((0.05, 0), (0.25, 50), (0.9, 100), (0.2, 37.5), (0.4, 87.5)):
        assert Standing(ssim, others).percentile == percentile


def test_a_random_mask_stands_in_the_middle_and_a_bad_one_below():
    """Percentiles of random masks are uniform: half of 30 are below 50, give or take three."""
    scan = Scan.of(phantom.kspace((48, 48)))
    rivals = random_masks(48, 14, 30, seed=99)
    places = [against_random(scan, mask, 60, seed=3).percentile for mask in rivals]
    assert 30 < np.mean(places) < 70
    edges = np.ones(48, bool)
    edges[7:-7] = False
    assert against_random(scan, edges, 60).percentile == 0


def test_same_seed_same_standing():
    scan, mask = Scan.of(phantom.kspace((32, 32))), np.arange(32) % 3 == 1
    one, again = (against_random(scan, mask, 10, seed=4) for _ in range(2))
    assert one.ssim == again.ssim
    np.testing.assert_array_equal(one.others, again.others)


def test_an_empty_mask_gets_a_sentence():
    with pytest.raises(InputError, match="0"):
        against_random(Scan.of(phantom.kspace((20, 20))), np.zeros(20, bool))


def test_two_hundred_masks_share_one_transform_of_the_columns(monkeypatch):
    """Each takes one transform along its rows: half the work, and less with a crop."""
    transformed = []
    real = many_masks.ifft1c
    monkeypatch.setattr(
        many_masks, "ifft1c", lambda array, axis: transformed.append(axis) or real(array, axis)
    )
    result = against_random(Scan.of(phantom.kspace((64, 64))), masks.low_pass(64, 4))
    assert result.others.shape == (200,)
    assert transformed.count(-2) == 1
    assert transformed.count(-1) <= 202
