"""Arrays to pictures: one window, one error scale, decibels."""

import io
import warnings
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import recon
from recon import figures, phantom
from recon.errors import InputError
from recon.kspace import KSpace, Source


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


HOSTILE = "$\\frac{1}{0}$ --></text><script>alert(1)</script>\u9811\x00\n.h5"


def test_sheet_of_any_file_name():
    """A dollar sign in a name begins no formula."""
    result = recon.reconstruct(phantom.kspace((64, 48)), method="zero-filled")
    result = replace(result, source=replace(result.source, name=HOSTILE))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figures.sheet(result).savefig(io.BytesIO(), format="png", dpi=50)


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_plate_of_any_panels_and_any_file_name(kind):
    """Hostile names are drawn as letters; the same figure gives the same bytes."""
    result = recon.reconstruct(phantom.kspace((64, 48)), method="zero-filled")
    result = replace(result, source=replace(result.source, name=HOSTILE))
    names = ("mask", "kspace", "zero_filled", "zero_filled_error", "reference")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a sign that the font has not got
        one, other = (figures.saved(figures.plate(result, names, signed=True), kind) for _ in "ab")
    assert one == other
    if kind == "svg":
        tree = ElementTree.fromstring(one)
        tags = {element.tag.split("}")[-1] for element in tree.iter()}
        assert not tags & {"script", "text", "a", "foreignObject"}, tags


def test_plate_shows_the_panels_that_are_asked_for():
    result = recon.reconstruct(phantom.kspace((64, 48)), method="zero-filled")
    names = ("zero_filled", "reference", "reconstruction_error")
    figure = figures.plate(result, names, limit=0.05)
    images = [image for axis in figure.axes for image in axis.images]
    np.testing.assert_array_equal(images[0].get_array(), result.zero_filled)
    np.testing.assert_array_equal(images[1].get_array(), result.reference)
    assert images[0].get_clim() == images[1].get_clim() == (0, figures.window(result))
    error = np.abs(result.image - result.reference) / result.reference.max()
    np.testing.assert_allclose(images[2].get_array(), error, rtol=1e-6)
    assert images[2].get_clim() == (0, 0.05)


def test_caption_says_how_to_make_it_again():
    result = recon.reconstruct(phantom.kspace((64, 48)), 4, seed=3, method="zero-filled")
    words = figures.caption(result)
    lines = f"{result.sampling.measured_lines} of 48 lines"
    for part in ("random, nominal 4x", lines, "seed 3", "Zero-filled", "SSIM", "mri-recon"):
        assert part in words


def test_plate_needs_a_panel_that_exists():
    kspace = KSpace(phantom.kspace((64, 48)), Source(mask=np.arange(48) % 2 == 0))
    result = recon.reconstruct(kspace, method="zero-filled")
    with pytest.raises(InputError, match="without a fully sampled reference"):
        figures.plate(result, ["reference", "zero_filled_error"])
    assert "Mask of the data: 24 of 48 lines" in figures.caption(result)
