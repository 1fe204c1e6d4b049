"""The point spread function against the pictures it explains and against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from recon import masks, phantom
from recon.errors import InputError
from recon.fourier import ifft2c
from recon.probes.psf import full_width, incoherence, point_spread, sidelobe_level


def middle(width: int, lines: int) -> np.ndarray:
    """So many lines around index width // 2, as evenly as can be."""
    index = np.arange(width) - width // 2
    return (index >= -((lines - 1) // 2)) & (index <= lines // 2)


@pytest.mark.parametrize("family", masks.FAMILIES)
@pytest.mark.parametrize("shape", [(40, 64), (33, 47), (20, 81), (21, 30)])
def test_its_convolution_with_the_image_is_the_zero_filled_image(family, shape):
    kspace = phantom.kspace(shape, seed=1)
    width = shape[-1]
    mask = masks.FAMILIES[family](width, 3, seed=4)
    image, psf = ifft2c(kspace), point_spread(mask)
    convolved = np.zeros(shape, complex)
    for column in range(width):
        for source in range(width):
            convolved[:, column] += image[:, source] * psf[(column - source + width // 2) % width]
    zero_filled = ifft2c(masks.apply(kspace, mask))
    error = np.linalg.norm(convolved - zero_filled) / np.linalg.norm(zero_filled)
    assert error < 1e-5
    assert np.linalg.norm(zero_filled - image) > 0.05 * np.linalg.norm(image)


@pytest.mark.parametrize("width", [1, 2, 15, 16])
def test_full_sampling_spreads_nothing(width):
    full = np.ones(width, bool)
    point = np.zeros(width)
    point[width // 2] = 1
    np.testing.assert_allclose(point_spread(full), point, atol=1e-15)
    assert incoherence(full) == pytest.approx(0, abs=1e-12)
    assert sidelobe_level(full) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("width", [24, 33])
def test_origin_is_the_share_of_lines_and_sides_are_conjugate(width):
    mask = masks.random_cartesian(width, 2, seed=2)
    psf = point_spread(mask)
    c = width // 2
    assert psf[c] == pytest.approx(mask.sum() / width)
    assert (np.abs(psf) ** 2).sum() == pytest.approx(mask.sum() / width)  # Parseval
    np.testing.assert_allclose(psf[c + 1 :][: c - 1], psf[1:c][::-1].conj()[: width - c - 1])


@pytest.mark.parametrize(("width", "step"), [(64, 4), (63, 3), (60, 5)])
def test_every_nth_line_folds_the_image_undiminished(width, step):
    mask = np.arange(width) % step == 1
    places = np.flatnonzero(np.abs(point_spread(mask)) > 1e-12) - width // 2
    expected = [width // step * k for k in range(-step, step + 1)]
    assert set(places) == {d for d in expected if -(width // 2) <= d < (width + 1) // 2}
    assert incoherence(mask) == pytest.approx(1)
    assert sidelobe_level(mask) == pytest.approx(1)


@pytest.mark.parametrize(("width", "lines"), [(320, 81), (321, 40), (64, 9)])
def test_lines_in_the_middle_have_a_dirichlet_kernel(width, lines):
    mask = middle(width, lines)
    d = np.arange(1, width // 2 + 1)
    kernel = np.abs(np.sin(np.pi * lines * d / width) / (lines * np.sin(np.pi * d / width)))
    assert incoherence(mask) == pytest.approx(kernel.max())
    # its first zero is at W / n pixels, and no pixel closer than that belongs to a sidelobe
    assert sidelobe_level(mask) == pytest.approx(kernel[d >= width / lines].max())
    # 0.217 is the first sidelobe of sin(x) / x, and a few lines in a period have a little more
    assert sidelobe_level(mask) < 0.23 < incoherence(mask)
    # sin(x) / x falls to its half at x = 1.8955
    assert full_width(mask) == pytest.approx(2 * 1.8955 / np.pi * width / lines, rel=5e-3)


def test_a_single_line_resolves_nothing():
    mask = np.arange(20) == 7
    assert incoherence(mask) == pytest.approx(1)
    assert sidelobe_level(mask) == pytest.approx(1)
    assert full_width(mask) == 20


def test_random_lines_fold_less_than_equispaced_ones():
    """The reason for random sampling: aliasing becomes noise (Lustig et al. 2007)."""
    comb = np.arange(320) % 4 == 0
    levels = [sidelobe_level(masks.random_cartesian(320, 4, 0, seed=s)) for s in range(200)]
    assert max(levels) < 0.5 < sidelobe_level(comb)
    # Beside the origin, h is a sum of independent phasors of mean square (1 - p) / (p W), p being
    # 1/4, so |h| is Rayleigh distributed; the largest of 160 of them is Gumbel distributed.
    expected = np.sqrt((np.log(160) + np.euler_gamma) * (1 - 1 / 4) / 80)
    assert np.mean(levels) == pytest.approx(expected, rel=0.05)


def test_shifting_a_mask_changes_no_measure():
    """A shift in k-space is a phase in the image."""
    mask = np.pad(masks.random_cartesian(50, 3, seed=1), (3, 12))
    for measure in (incoherence, sidelobe_level, full_width):
        assert measure(np.roll(mask, 9)) == pytest.approx(measure(mask))


@pytest.mark.parametrize("measure", [point_spread, incoherence, sidelobe_level, full_width])
def test_no_line_at_all(measure):
    with pytest.raises(InputError, match="at least one"):
        measure(np.zeros(9, bool))
