"""The shortcuts give what the long way gives."""

from __future__ import annotations

import numpy as np
import pytest

from recon import masks
from recon.kspace import KSpace
from recon.measurement import CROP, measure
from recon.probes.many_masks import ZeroFilledPictures
from recon.scan import Scan
from tests.helpers.noise import noise


@pytest.mark.parametrize("shape", [(64, 48), (47, 65), (7, 9), (400, 36), (36, 401), (3, 31, 40)])
def test_zero_filled_equals_the_full_transform(shape):
    kspace = noise(shape)
    zero_filled = ZeroFilledPictures(Scan.of(KSpace(kspace), crop=CROP))
    for seed in range(3):
        mask = masks.random_cartesian(shape[-1], 2, seed=seed)
        exact = measure(kspace, mask, 2).zero_filled
        quick = zero_filled(mask)
        assert quick.dtype == np.float32
        np.testing.assert_allclose(quick, exact, atol=2e-6 * exact.max())
