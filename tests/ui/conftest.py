"""A page on which somebody has opened a slice that is known."""

from pathlib import Path

import numpy as np
import pytest

from recon import masks, phantom
from recon.fourier import fft2c
from recon.ui.session import Choice, Origin
from tests.helpers.page import after, upload


@pytest.fixture
def kspace():
    return phantom.kspace((96, 80), seed=2)


@pytest.fixture
def uploaded(page, tmp_path, kspace):
    np.save(tmp_path / "known.npy", kspace)
    after(page, lambda: upload(page, tmp_path / "known.npy"))
    return page


@pytest.fixture
def choice(tmp_path: Path) -> Choice:
    np.save(tmp_path / "known.npy", phantom.kspace((64, 48), seed=2))
    return Choice(Origin(upload=str(tmp_path / "known.npy")), 0, center_fraction=0.08)


@pytest.fixture
def undersampled(tmp_path: Path) -> Choice:
    lines = masks.random_cartesian(48, 4, seed=2)
    data = masks.apply(fft2c(np.ones((64, 48), complex)), lines).astype(np.complex64)
    np.savez(tmp_path / "under.npz", kspace=data, mask=lines)
    return Choice(Origin(upload=str(tmp_path / "under.npz")), 0, center_fraction=0.08)
