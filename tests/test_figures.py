"""Arrays to pictures: one window, one error scale, decibels."""

import numpy as np
import pytest
from PIL import Image

import recon
from recon import figures, phantom


def test_figures_of_one_result_share_a_window():
    """A pixel of equal value has equal brightness in every panel."""
    result = recon.reconstruct(phantom.kspace((64, 64)), 2, method="zero-filled")
    upper = figures.window(result)
    pictures = figures.pictures(result)
    for name, image in (("zero_filled", result.zero_filled), ("reference", result.reference)):
        expected = np.round(255 * np.clip(image / upper, 0, 1))
        assert np.abs(pictures[name] - expected).max() <= 1
    assert upper == pytest.approx(np.percentile(result.reference, 99.9))


def test_error_scale_is_fixed():
    reference = np.ones((8, 8), np.float32)
    image = reference.copy()
    image[0, 0] += figures.ERROR_LIMIT
    image[0, 1] += 10 * figures.ERROR_LIMIT
    image[0, 2] += figures.ERROR_LIMIT / 2
    colours = figures.error_map(image, reference)
    np.testing.assert_array_equal(colours[0, 0], colours[0, 1])
    assert tuple(colours[0, 2]) == figures.ERROR_COLORS(0.5, bytes=True)[:3]
    assert tuple(colours[5, 5]) == figures.ERROR_COLORS(0.0, bytes=True)[:3]


def test_kspace_picture_is_in_decibels():
    level = np.array([[1, 10 ** (-figures.KSPACE_DECIBELS / 40), 0]], np.float32)
    picture = figures.log_kspace(level)[0]
    assert list(picture) == pytest.approx([255, 127.5, 0], abs=1)


def test_png_round_trip(tmp_path):
    picture = np.arange(256, dtype=np.uint8).reshape(16, 16)
    (tmp_path / "p.png").write_bytes(figures.png(picture))
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "p.png")), picture)
