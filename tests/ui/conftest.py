"""A page on which somebody has opened a slice that is known."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recon import masks, phantom
from recon.fourier import fft2c
from recon.ui.session import Choice, Origin
from recon.ui.words import PLACE, pairs
from tests.helpers.page import after, upload

WORD = re.compile(r"[^\W\d_]{2,}")
# What is the same in both languages: names and units.
SAME = re.compile(
    r"[\d\W_ix₁-₉]+|ResNet(-DC)?|U-Net|VarNet|GAN|SENSE|GRAPPA|SSIM( \d.*)?|PSNR.*|NMSE.*|SD|\d+x"
    r"|English|Deutsch|http.*|[A-Z2-9]{6}|Error, .*ResNet.*"
    r"|([\d.]+ )?dB|[\d.]+ ?s|TR|ms|Linear|normal|Partial Fourier|Shimron.*|Quiz|[AB]"
    r"|viridis|magma|PNG|SVG|PDF|recon [\d.]+|(fastMRI HDF5|NumPy|NIfTI) \(\.\w+\)"
)


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


@pytest.fixture(scope="session")
def german() -> dict[str, str]:
    table = pairs()
    assert len({key for key, _ in table}) == len(table)  # no word twice
    return dict(table)


@pytest.fixture(scope="session")
def foreign(german) -> Callable[[str], bool]:
    """Whether a text of the German page is none of the table's, or keeps an English word in it."""
    shapes = [re.compile("(.+?)".join(map(re.escape, PLACE.split(w)[::2])) + "$", re.DOTALL)
              for w in german.values()]  # fmt: skip
    words = [
        {word for text in texts for word in WORD.findall(PLACE.sub(" ", text).lower())}
        for texts in (german.keys(), german.values())
    ]
    only = words[0] - words[1]
    assert {"the", "of", "lines", "image"} <= only

    def judge(text: str) -> bool:
        if SAME.fullmatch(text):
            return False
        return not any(one.match(text) for one in shapes) or bool(
            only & set(WORD.findall(text.lower()))
        )

    return judge
