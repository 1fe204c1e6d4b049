"""A lesion is where, what and as strong as was asked for, and zero contrast is no lesion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recon import masks
from recon.errors import InputError
from recon.fourier import fft2c, ifft2c
from recon.kspace import KSpace
from recon.measurement import CROP, measure, picture
from recon.methods import ZeroFilled
from recon.probes.lesion import Lesion, insert, profile
from recon.probes.survival import sweep
from recon.scan import Scan

SHAPES = [(64, 48), (33, 47), (3, 40, 31), (340, 30), (30, 351)]
KINDS = ["spot", "disc", "lines"]


def coils(shape, seed=0):
    """K-space with different smooth phase in every coil, no pixel of it zero."""
    rng = np.random.default_rng(seed)
    magnitude = 1 + rng.random(shape)
    phase = np.linspace(0, 3, shape[-1]) * rng.uniform(0.5, 1, (*shape[:-1], 1))
    return fft2c((magnitude * np.exp(1j * phase)).astype(np.complex64))


def middle(kspace, **changes):
    height, width = picture(kspace).shape
    return replace(Lesion(height // 2, width // 2), **changes)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("relative_to", ["local", "maximum"])
def test_zero_contrast_has_exactly_no_effect(shape, kind, relative_to):
    kspace = coils(shape)
    kspace[..., 0] = np.complex64(complex(-0.0, -0.0))  # adding zero would show
    lesion = middle(kspace, kind=kind, contrast=0.0, relative_to=relative_to, size=2)
    scan = Scan.of(KSpace(kspace), crop=CROP)
    result, truth = insert(scan, lesion)
    assert result.kspace.tobytes() == kspace.tobytes()
    assert not truth.any()
    mask = masks.random_cartesian(shape[-1], 2)
    (found,) = sweep(scan, scan.draw(2), [lesion], [ZeroFilled()])
    np.testing.assert_array_equal(found.image, scan.measure(mask, 2).zero_filled)
    np.testing.assert_allclose(found.image, measure(kspace, mask, 2).zero_filled, atol=1e-6)
    assert np.isnan(found.retained)
    assert np.isnan(found.visibility)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("contrast", [0.4, -0.7, -1.0, 2.0])
@pytest.mark.parametrize("relative_to", ["local", "maximum"])
def test_the_picture_changes_by_exactly_the_lesion(shape, kind, contrast, relative_to):
    kspace = coils(shape, 1)
    before = picture(kspace)
    lesion = middle(kspace, kind=kind, contrast=contrast, relative_to=relative_to, size=3)
    result, truth = insert(Scan.of(KSpace(kspace), crop=CROP), lesion)
    assert result.kspace.dtype == np.complex64
    np.testing.assert_allclose(picture(result.kspace) - before, truth, atol=2e-5)
    unit = before if relative_to == "local" else before.max()
    wanted = contrast * profile(lesion, before.shape) * unit
    np.testing.assert_allclose(truth, np.maximum(wanted, -before), atol=1e-5)
    assert np.sign(truth[truth != 0]).max() == np.sign(truth[truth != 0]).min() == np.sign(contrast)


@pytest.mark.parametrize("shape", SHAPES)
def test_phase_and_coil_ratio_stay(shape):
    kspace = coils(shape, 2)
    result, _ = insert(Scan.of(KSpace(kspace), crop=CROP), middle(kspace, size=6))
    before, after = ifft2c(kspace), ifft2c(result.kspace)
    gain = after / before  # one real factor for all coils of a pixel
    np.testing.assert_allclose(gain.imag, 0, atol=1e-5)
    if len(shape) == 3:
        np.testing.assert_allclose(gain.real, np.broadcast_to(gain.real[:1], shape), atol=1e-5)
    assert gain.real.max() == pytest.approx(1.5, abs=0.01)


def test_size_and_place_of_a_spot():
    shape = profile(Lesion(20.0, 31.0, size=8), (48, 64))
    assert shape[20, 31] == shape.max() == 1
    np.testing.assert_allclose([shape[24, 31], shape[20, 27]], 0.5)  # full width at half maximum
    assert profile(Lesion(20.5, 31.0), (48, 64))[20, 31] == pytest.approx(
        profile(Lesion(20.5, 31.0), (48, 64))[21, 31]
    )


@pytest.mark.parametrize("diameter", [1, 4, 9, 20.5])
def test_a_disc_has_its_area(diameter):
    area = profile(Lesion(25.3, 24.9, size=diameter, kind="disc"), (50, 50)).sum()
    assert area == pytest.approx(np.pi * diameter**2 / 4, rel=0.06, abs=0.25)


@pytest.mark.parametrize(("size", "column"), [(1, 20), (2, 20), (3, 21), (5, 20)])
def test_lines_are_four_bars_of_whole_pixels(size, column):
    pattern = profile(Lesion(20, column, size=size, kind="lines"), (41, 43))
    assert set(np.unique(pattern)) == {0, 1}
    row = pattern[20]
    runs = np.diff(np.flatnonzero(np.diff(row, prepend=0, append=0)))
    assert runs.tolist() == [size] * 7  # bar, gap, bar, gap, bar, gap, bar
    assert abs(np.flatnonzero(row).mean() - column) <= 0.5
    assert pattern[:, np.flatnonzero(row)[0]].sum() == 7 * size


def test_half_pixels_count_half():
    pattern = profile(Lesion(20, 20, size=1.5, kind="lines"), (41, 41))
    assert pattern[20].sum() == pytest.approx(4 * 1.5)
    assert set(np.unique(pattern[20])) == {0, 0.5, 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"row": -1},
        {"row": 40},
        {"column": 31},
        {"size": 0},
        {"contrast": -1.1},
        {"contrast": float("nan")},
        {"kind": "lines", "size": 0.5},
    ],
)
def test_impossible_lesions(changes):
    with pytest.raises(InputError):
        insert(Scan.of(coils((40, 31))), replace(Lesion(20, 15), **changes))
