"""A page on which somebody has opened a slice that is known."""

import numpy as np
import pytest

from recon import phantom
from tests.helpers.page import after, upload


@pytest.fixture
def kspace():
    return phantom.kspace((96, 80), seed=2)


@pytest.fixture
def uploaded(page, tmp_path, kspace):
    np.save(tmp_path / "known.npy", kspace)
    after(page, lambda: upload(page, tmp_path / "known.npy"))
    return page
