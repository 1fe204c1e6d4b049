"""Curves: colours that can be seen, and as many kinds of line as there are methods."""

import re

import numpy as np
import pytest

from recon.methods import METHODS
from recon.ui import plots


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_colours_stand_out_from_light_and_dark():
    light, dark = luminance("#ffffff"), luminance("#0b0f19")
    for colour in plots.COLORS:
        here = luminance(colour)
        assert (light + 0.05) / (here + 0.05) >= 3, colour
        assert (here + 0.05) / (dark + 0.05) >= 3, colour


def test_a_mark_before_the_first_point_is_inside_of_the_axes():
    drawn = plots.curves(
        [plots.Series("loss", [50, 100], [0.3, 0.2])], "step", "loss", "Loss", mark=(0, "step 0")
    )
    (place,) = (float(x) for x in re.findall(r'class="mark" x1="([\d.]+)"', drawn))
    assert place == plots.LEFT


@pytest.mark.parametrize("about", [4, 6])
def test_an_axis_has_at_least_three_numbers_and_not_too_many(about):
    rng = np.random.default_rng(0)
    for low, high in [(0.46, 0.9), (0.05, 0.95), *np.sort(rng.uniform(0, 1, (500, 2)), axis=1)]:
        ticks = plots._ticks(low, high, about)
        assert 3 <= len(ticks) <= 2 * about, (low, high)
        assert all(low <= tick <= high for tick in ticks)


def test_no_two_methods_have_the_same_line():
    series = [plots.Series(name, [0, 1], [0, n]) for n, name in enumerate(METHODS)]
    drawn = plots.curves(series, "x", "y", "alt")
    lines = re.findall(r'stroke="(#\w+)" stroke-width="2"( stroke-dasharray="[\d ]+")?/>', drawn)
    assert len(lines) == len(set(lines)) == len(METHODS)
    keys = re.findall(r'<i style="([^"]+)"', drawn)
    assert len(keys) == len(set(keys)) == len(METHODS)
