"""The split is an orthogonal projection, and data consistency is what it says."""

from __future__ import annotations

import numpy as np
import pytest

from recon import masks, phantom
from recon.fourier import fft2c, ifft2c
from recon.measurement import measure
from recon.phase import with_phase
from recon.probes.nullspace import reimpose, residual, split
from tests.helpers.noise import noise

SHAPES = [(32, 40), (33, 27), (3, 20, 31)]


def size(x):
    return float(np.linalg.norm(x))


@pytest.fixture(params=SHAPES, ids=str)
def case(request):
    """Coil images that have nothing to do with the k-space, the k-space, and a mask."""
    shape = request.param
    return noise(shape, 1), noise(shape, 2), masks.random_cartesian(shape[-1], 3, seed=1)


def test_parts_add_up_and_are_orthogonal(case):
    images, _, mask = case
    parts = split(images, mask)
    assert size(parts.measured + parts.filled - images) < 1e-6 * size(images)
    assert abs(np.vdot(parts.measured, parts.filled)) < 1e-6 * size(images) ** 2
    assert size(fft2c(parts.measured)[..., ~mask]) < 1e-6 * size(images)
    assert size(fft2c(parts.filled)[..., mask]) < 1e-6 * size(images)
    # noise is spread evenly over k-space
    assert parts.filled_share == pytest.approx((~mask).mean(), abs=0.1)


def test_splitting_twice_changes_nothing(case):
    images, _, mask = case
    parts = split(images, mask)
    assert size(split(parts.measured, mask).measured - parts.measured) < 1e-6 * size(images)
    assert split(parts.measured, mask).filled_share < 1e-10
    assert split(parts.filled, mask).filled_share == pytest.approx(1, abs=1e-10)


def test_zero_filled_has_nothing_made_up(case):
    _, kspace, mask = case
    images = ifft2c(masks.apply(kspace, mask))
    assert split(images, mask).filled_share < 1e-10
    assert residual(images, kspace, mask) < 1e-6
    assert split(np.zeros_like(images), mask).filled_share == 0


def test_residual_has_known_values(case):
    images, kspace, mask = case
    exact = ifft2c(kspace)
    assert residual(exact, kspace, mask) < 1e-6
    assert residual(0 * exact, kspace, mask) == pytest.approx(1)
    assert residual(1.25 * exact, kspace, mask) == pytest.approx(0.25, rel=1e-5)
    assert residual(images, kspace, mask) == pytest.approx(
        size(mask * (fft2c(images) - kspace)) / size(mask * kspace), rel=1e-5
    )
    assert np.isnan(residual(images, 0 * kspace, mask))


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.9, 1.0])
def test_measured_lines_are_blended_in_and_the_rest_stays(case, weight):
    images, kspace, mask = case
    result = reimpose(images, kspace, mask, weight)
    before = residual(images, kspace, mask)
    assert before > 0.5
    assert residual(result, kspace, mask) == pytest.approx((1 - weight) * before, abs=1e-6)
    filled = split(images, mask).filled
    assert size(split(result, mask).filled - filled) < 1e-6 * size(images)


def test_full_weight_is_data_consistency(case):
    images, kspace, mask = case
    result = reimpose(images, kspace, mask)
    expected = np.where(mask, kspace, fft2c(images))
    assert residual(result, kspace, mask) < 1e-6
    assert size(fft2c(result) - expected) < 1e-6 * size(expected)


def test_weight_zero_is_exactly_nothing(case):
    images, kspace, mask = case
    np.testing.assert_array_equal(reimpose(images, kspace, mask, 0), images)


def test_lines_outside_the_mask_are_not_looked_at(case):
    images, kspace, mask = case
    other = kspace.copy()
    other[..., ~mask] = 9
    np.testing.assert_array_equal(reimpose(images, other, mask), reimpose(images, kspace, mask))
    assert residual(images, other, mask) == residual(images, kspace, mask)


def test_a_magnitude_method_that_does_nothing_made_nothing_up():
    kspace = phantom.kspace((48, 40))
    mask = masks.random_cartesian(40, 4)
    measurement = measure(kspace, mask, 4)
    images = with_phase(measurement.zero_filled, measurement.kspace)
    assert split(images, mask).filled_share < 1e-10
    assert residual(images, kspace, mask) < 1e-5
    brighter = with_phase(measurement.zero_filled + np.float32(0.1), measurement.kspace)
    assert residual(brighter, kspace, mask) > 0.05
