"""The shortcuts give what the long way gives."""

from __future__ import annotations

import numpy as np
import pytest

from recon import masks, metrics, phantom
from recon.errors import InputError
from recon.kspace import KSpace
from recon.measurement import CROP, measure
from recon.metrics import Similarity
from recon.probes.many_masks import ZeroFilledPictures
from recon.scan import Scan


@pytest.mark.parametrize("shape", [(64, 48), (47, 65), (7, 9), (400, 36), (36, 401), (3, 31, 40)])
def test_zero_filled_equals_the_full_transform(shape):
    rng = np.random.default_rng(0)
    kspace = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)
    zero_filled = ZeroFilledPictures(Scan.of(KSpace(kspace), crop=CROP))
    for seed in range(3):
        mask = masks.random_cartesian(shape[-1], 2, seed=seed)
        exact = measure(kspace, mask, 2).zero_filled
        quick = zero_filled(mask)
        assert quick.dtype == np.float32
        np.testing.assert_allclose(quick, exact, atol=2e-6 * exact.max())


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
