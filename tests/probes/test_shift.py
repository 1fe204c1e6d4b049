"""Changes of a slice do what they are called, and nothing besides."""

from __future__ import annotations

import numpy as np
import pytest

from recon import masks, phantom
from recon.errors import InputError
from recon.fourier import fft2c, ifft2c, magnitude
from recon.measurement import measure, picture
from recon.methods import ZeroFilled
from recon.metrics import scores
from recon.probes.shift import INSIDE, SHIFTS, Shift, add_noise, evaluate, known, rotate
from recon.scan import Scan
from tests.helpers.methods import FunctionMethod

SHAPES = [(64, 64), (63, 65), (80, 48), (2, 47, 60)]


def blob(shape, row, column, sigma=2.5):
    """K-space of a Gaussian with a phase, at a distance from the centre of rotation."""
    y = np.arange(shape[-2])[:, None] - shape[-2] // 2 - row
    x = np.arange(shape[-1])[None, :] - shape[-1] // 2 - column
    image = np.exp(-(y**2 + x**2) / (2 * sigma**2) + 0.8j)
    return fft2c(np.broadcast_to(image, shape).astype(np.complex64))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("angle", [10, -30, 45, 1.5])
def test_a_blob_goes_where_geometry_says(shape, angle):
    row, column = -9.0, 12.0  # up and to the right
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    expected = blob(shape, c * row - s * column, c * column + s * row)
    result = rotate(blob(shape, row, column), angle)
    assert result.dtype == np.complex64
    np.testing.assert_allclose(ifft2c(result), ifft2c(expected), atol=2e-4)


def test_counter_clockwise_on_a_screen():
    """What is right of the centre goes up, to smaller row numbers."""
    image = magnitude(rotate(blob((64, 64), 0, 20), 45))
    row, column = np.unravel_index(image.argmax(), image.shape)
    assert row < 32 < column


def test_what_a_training_had_too_is_known():
    rotated, noisy, equispaced, swapped = SHIFTS
    first = {"noise": 0.035}  # of the first records, which flipped and transposed without saying
    later = {"dataset": "open", "noise": 0.05, "augment": True, "families": True}
    for run, expected in (
        (first, {swapped}),
        (later, {noisy, equispaced, swapped}),
        (later | {"augment": False}, {noisy, equispaced}),
        (later | {"dataset": "fastmri"}, {equispaced}),  # measured slices are taken as they are
    ):
        assert {one for one in (INSIDE, *SHIFTS, Shift("other")) if known(one, run)} == expected
    assert not known(Shift("both", angle=20, noise=0.01), later)
    assert rotated.angle


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("angle", [7, 33])
def test_turning_back_restores_the_finest_detail(shape, angle):
    """Interpolation between pixels would smooth white noise; shears keep it."""
    rng = np.random.default_rng(0)
    image = np.zeros(shape, np.complex64)
    inner = image[..., 16:-16, 16:-16]
    inner[...] = rng.standard_normal(inner.shape) + 1j * rng.standard_normal(inner.shape)
    there = rotate(fft2c(image), angle)
    back = ifft2c(rotate(there, -angle))
    assert np.linalg.norm(there) == pytest.approx(np.linalg.norm(image), rel=0.02)
    assert np.linalg.norm(back - image) < 0.1 * np.linalg.norm(image)


def test_nothing_wraps_around():
    """A bright left edge turned out of the field of view does not come in on the right."""
    image = np.zeros((64, 48), np.complex64)
    image[:, :4] = 1
    turned = magnitude(rotate(fft2c(image), 30))
    assert turned[:, 36:].max() < 0.1
    assert turned[:, :12].max() > 0.9


def test_no_turn_is_no_change():
    kspace = phantom.kspace((20, 21))
    np.testing.assert_array_equal(rotate(kspace, 0), kspace)


@pytest.mark.parametrize("angle", [46, -90, float("nan")])
def test_large_angles_get_a_sentence(angle):
    with pytest.raises(InputError, match="45 degrees"):
        rotate(phantom.kspace((20, 20)), angle)


@pytest.mark.parametrize("shape", [(120, 100), (2, 81, 80)])
def test_noise_has_the_stated_level(shape):
    kspace = np.broadcast_to(5 * phantom.kspace(shape[-2:]), shape)
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the state nobody may touch
    noise = ifft2c(add_noise(kspace, 0.1, seed=1) - kspace)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    sigma = 0.1 * magnitude(kspace).max()
    for part in (noise.real, noise.imag):
        assert part.std() == pytest.approx(sigma, rel=5 / np.sqrt(2 * noise.size))
    np.testing.assert_array_equal(add_noise(kspace, 0.1, 1), add_noise(kspace, 0.1, 1))
    assert (add_noise(kspace, 0.1, 1) != add_noise(kspace, 0.1, 2)).any()
    np.testing.assert_array_equal(add_noise(kspace, 0), kspace)
    with pytest.raises(InputError, match="negative"):
        add_noise(kspace, -0.1)


@pytest.fixture(scope="module")
def kspace():
    return phantom.kspace((64, 48), seed=1)


def test_inside_is_the_plain_experiment(kspace):
    (one,) = evaluate(Scan.of(kspace), [ZeroFilled()], [INSIDE], 3, seed=7)
    plain = measure(kspace, masks.random_cartesian(48, 3, seed=7), 3).zero_filled
    np.testing.assert_array_equal(one.image, plain)
    np.testing.assert_array_equal(one.reference, picture(kspace))
    assert one.scores == scores(picture(kspace), plain)
    assert one.closed == 0


def test_every_shift_and_method_has_an_outcome(kspace):
    methods = [ZeroFilled(), FunctionMethod(lambda m: 2 * m.zero_filled, "twice")]
    outcomes = list(evaluate(Scan.of(kspace), methods))
    assert [(o.shift, o.method) for o in outcomes] == [
        (s, m) for s in (INSIDE, *SHIFTS) for m in methods
    ]
    shifted = {o.shift.label: o.scores["ssim"] for o in outcomes if o.method is methods[0]}
    assert len(set(shifted.values())) == len(shifted)  # none of them is without effect
    assert all(o.closed < 0 for o in outcomes if o.method is methods[1])


def test_a_shift_is_what_the_method_sees(kspace):
    seen = []

    def method(measurement):
        seen.append(measurement)
        return measurement.zero_filled

    shifts = [Shift("swapped", swapped=True), Shift("comb", family="equispaced")]
    swapped, _ = evaluate(Scan.of(kspace), [FunctionMethod(method)], shifts, 4, seed=2)
    mask = masks.random_cartesian(64, 4, seed=2)
    np.testing.assert_array_equal(seen[0].kspace, masks.apply(kspace.T, mask))
    np.testing.assert_allclose(swapped.reference, picture(kspace), atol=1e-6)
    np.testing.assert_array_equal(seen[1].mask, masks.equispaced(48, 4, seed=2))


def test_noise_is_measured_but_is_not_the_truth(kspace):
    (one,) = evaluate(
        Scan.of(kspace), [ZeroFilled()], [Shift("noise", noise=0.1)], 1, center_fraction=1
    )
    np.testing.assert_array_equal(one.reference, picture(kspace))
    np.testing.assert_array_equal(one.image, picture(add_noise(kspace, 0.1, 0)))
