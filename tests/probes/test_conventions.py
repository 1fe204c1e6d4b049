"""Many definitions, each what its label says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from recon import masks, metrics, phantom
from recon.measurement import measure, picture
from recon.metrics import foreground
from recon.probes.conventions import conventions


@pytest.fixture(scope="module")
def pair():
    kspace = phantom.kspace((81, 96), noise=0.02)
    return picture(kspace), measure(kspace, masks.random_cartesian(96, 4), 4).zero_filled


@pytest.fixture(scope="module")
def values(pair):
    return {c.label: c.value for c in conventions(*pair)}


def test_every_definition_of_the_reference_sheet_is_there(pair):
    found = conventions(*pair)
    assert [c.label for c in found] == [
        "slice maximum",
        "range 1.5 × slice maximum",
        "range 2 × slice maximum",
        "range 3 × slice maximum",
        "Gaussian window",
        "rounded to 8 bits",
        "object only",
        "each image from 0 to 1",
    ]
    for convention in found:
        assert type(convention.value) is float
        assert convention.why.endswith(".")
    assert len({round(c.value, 4) for c in found}) == len(found)  # the point of it all


def test_the_first_is_the_projects(pair, values):
    assert values["slice maximum"] == metrics.ssim(*pair)


def test_wider_ranges_forgive_more(values):
    grown = [values["slice maximum"], *(values[f"range {f} × slice maximum"] for f in (1.5, 2, 3))]
    assert grown == sorted(grown)
    assert grown[-1] > grown[0] + 0.05


def test_gaussian_window_equals_its_formula(pair, values):
    """Wang et al. 2004: weights of standard deviation 1.5 in an 11x11 window."""
    x, y = (p.astype(float) for p in pair)

    def local(a):
        return gaussian_filter(a, 1.5, truncate=3.5)[5:-5, 5:-5]

    c1, c2 = (0.01 * x.max()) ** 2, (0.03 * x.max()) ** 2
    mx, my = local(x), local(y)
    vx, vy, cov = local(x * x) - mx**2, local(y * y) - my**2, local(x * y) - mx * my
    exact = (2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    assert values["Gaussian window"] == pytest.approx(exact.mean(), abs=1e-5)


def test_eight_bits(pair, values):
    reference, image = (np.round(np.clip(p / pair[0].max(), 0, 1) * 255) for p in pair)
    assert values["rounded to 8 bits"] == metrics.ssim(reference, image, 255)
    assert values["rounded to 8 bits"] == pytest.approx(values["slice maximum"], abs=0.05)


def test_object_only_ignores_the_air(pair, values):
    reference, image = pair
    inside = foreground(reference)
    far = ~(gaussian_filter(inside.astype(float), 3, truncate=3) > 0)
    assert far.sum() > 100
    other = image + far * np.float32(0.3)
    changed = {c.label: c.value for c in conventions(reference, other)}
    assert changed["object only"] == pytest.approx(values["object only"], abs=1e-6)
    assert changed["slice maximum"] < values["slice maximum"] - 0.01


def test_stretching_hides_brightness(pair):
    reference, _ = pair
    half = {c.label: c.value for c in conventions(reference, 0.5 * reference + np.float32(0.2))}
    assert half["each image from 0 to 1"] == pytest.approx(1, abs=1e-4)
    assert half["slice maximum"] < 0.9


def test_identical_images_are_perfect_by_all(pair):
    assert [c.value for c in conventions(pair[0], pair[0].copy())] == pytest.approx([1] * 8)


def test_an_empty_image_divides_by_nothing(pair):
    reference, _ = pair
    empty = conventions(reference, np.zeros_like(reference))
    assert all(np.isfinite(c.value) for c in empty)
    assert empty[-1].value < 0.6
