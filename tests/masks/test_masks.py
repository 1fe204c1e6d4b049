"""Masks against fastMRI's published formula, by counting many draws."""

from __future__ import annotations

import numpy as np
import pytest

from recon import masks
from recon.errors import InputError
from tests.helpers.noise import noise

DRAWS, WIDTH = 10_000, 368


@pytest.fixture(scope="module", params=[4, 8], ids=["4x", "8x"])
def draws(request):
    """The acceleration and 10,000 masks of one generator, shape (10000, 368)."""
    rng = np.random.default_rng(2024)
    acceleration = request.param
    stack = [masks.random_cartesian(WIDTH, acceleration, seed=rng) for _ in range(DRAWS)]
    return acceleration, np.array(stack)


def test_mean_number_of_lines(draws):
    """W / E[lines] = R. (E[W / lines] is larger, by Jensen's inequality: see below.)"""
    acceleration, stack = draws
    lines = stack.sum(axis=1)
    assert WIDTH / lines.mean() == pytest.approx(acceleration, rel=0.01)


def test_mean_acceleration_exceeds_the_nominal_one(draws):
    """1 / lines is convex: E[W / n] is about R (1 + Var[n] / E[n]^2), 0.6% up at 4x, 1.3% at 8x."""
    acceleration, stack = draws
    lines = stack.sum(axis=1)
    achieved = np.mean([masks.achieved_acceleration(mask) for mask in stack])
    assert achieved == pytest.approx(np.mean(WIDTH / lines))
    assert achieved > acceleration
    predicted = acceleration * (1 + lines.var() / lines.mean() ** 2)
    assert achieved == pytest.approx(predicted, rel=0.005)


def test_centre_block_on_every_draw(draws):
    acceleration, stack = draws
    n_low = round(WIDTH * 0.32 / acceleration)
    pad = (WIDTH - n_low + 1) // 2
    assert stack[:, pad : pad + n_low].all()
    # the neighbours are ordinary lines, so the block is not wider than it should be
    assert not stack[:, pad - 1].all()
    assert not stack[:, pad + n_low].all()


def test_inclusion_probability_of_every_other_line(draws):
    acceleration, stack = draws
    n_low = round(WIDTH * 0.32 / acceleration)
    pad = (WIDTH - n_low + 1) // 2
    p = (WIDTH / acceleration - n_low) / (WIDTH - n_low)
    outside = np.delete(stack, np.s_[pad : pad + n_low], axis=1)
    # five binomial standard deviations: about 1 in 5000 for some of 350 lines to fail
    bound = 5 * np.sqrt(p * (1 - p) / DRAWS)
    assert np.abs(outside.mean(axis=0) - p).max() < bound
    # neighbouring lines are drawn independently of each other
    pairs = (outside[:, 1:] & outside[:, :-1]).mean()
    assert pairs == pytest.approx(p * p, rel=0.02)


@pytest.mark.parametrize("draws", [4], indirect=True)
def test_spread_of_the_achieved_acceleration_at_4x(draws):
    low, high = np.quantile(WIDTH / draws[1].sum(axis=1), [0.05, 0.95])
    assert low == pytest.approx(3.54, abs=0.04)
    assert high == pytest.approx(4.60, abs=0.06)


@pytest.mark.parametrize("draws", [8], indirect=True)
def test_spread_of_the_achieved_acceleration_at_8x(draws):
    low, high = np.quantile(WIDTH / draws[1].sum(axis=1), [0.05, 0.95])
    assert low == pytest.approx(6.7, abs=0.15)
    assert high == pytest.approx(9.7, abs=0.2)


@pytest.mark.parametrize("width", [1, 2, 13, 64, 125, 218, 320, 367, 368, 640])
@pytest.mark.parametrize(("acceleration", "fraction"), [(4, 0.08), (8, 0.04), (2, 0.16), (5.5, 0)])
def test_centre_block_equals_fastmri(width, acceleration, fraction):
    subsample = pytest.importorskip("fastmri.data.subsample", reason="fastmri is not installed")
    theirs = subsample.RandomMaskFunc([fraction], [acceleration])
    n_low = round(width * fraction)
    centre = theirs.calculate_center_mask((1, width, 2), n_low).astype(bool)
    stack = np.array(
        [masks.random_cartesian(width, acceleration, fraction, seed=s) for s in range(200)]
    )
    assert stack[:, centre].all()
    if width > 60:  # enough lines that chance measures none of them 200 times
        np.testing.assert_array_equal(stack.all(axis=0), centre)


@pytest.mark.parametrize("width", [13, 64, 125, 218, 320, 367, 368, 640])
@pytest.mark.parametrize(("acceleration", "fraction"), [(4, 0.08), (8, 0.04), (3, 0.1), (5.5, 0)])
def test_equispaced_equals_fastmri(width, acceleration, fraction):
    subsample = pytest.importorskip("fastmri.data.subsample", reason="fastmri is not installed")
    theirs = subsample.EquispacedMaskFractionFunc([fraction], [acceleration])
    n_low = round(width * fraction)
    centre = theirs.calculate_center_mask((1, width, 2), n_low).astype(bool)
    distance = acceleration * (n_low - width) / (n_low * acceleration - width)
    offsets = range(round(distance))
    expected = [
        centre | theirs.calculate_acceleration_mask(width, acceleration, o, n_low).astype(bool)
        for o in offsets
    ]
    for offset in offsets:
        mask = masks.equispaced(width, acceleration, fraction, offset=offset)
        np.testing.assert_array_equal(mask, expected[offset])
    # a seed draws one of these, and every one of them sooner or later
    drawn = {masks.equispaced(width, acceleration, fraction, seed=s).tobytes() for s in range(200)}
    assert drawn == {mask.tobytes() for mask in expected}


FAMILIES = list(masks.FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("acceleration", [2, 4, 8, 5.5])
@pytest.mark.parametrize("width", [64, 125, 367, 368])
def test_every_family_keeps_the_centre_and_meets_the_acceleration(family, acceleration, width):
    n_low = 24 if family == "calibrated" else round(width * 0.32 / acceleration)
    start = (width - n_low + 1) // 2
    stack = np.array([masks.FAMILIES[family](width, acceleration, seed=s) for s in range(60)])
    assert stack.dtype == bool
    assert stack[:, start : start + n_low].all()
    lines = stack.sum(axis=1)
    if family == "calibrated":  # whole distances, and a block of its own that adds to them
        step = round(acceleration)
        block = np.arange(start, start + 24)
        possible = {len(np.union1d(block, np.arange(n, width, step))) for n in range(step)}
        assert set(lines) == possible
    elif family == "random":
        assert lines.mean() == pytest.approx(width / acceleration, rel=0.06)
    elif family == "equispaced":  # rounding costs or gains a line at either end, and the last one
        assert np.abs(lines - width / acceleration).max() <= 2.5
    else:
        assert (lines == round(width / acceleration)).all()


def test_variable_density_falls_outwards():
    stack = np.array([masks.variable_density(WIDTH, 4, seed=s) for s in range(400)])
    distance = np.abs(np.arange(WIDTH) - WIDTH // 2)
    share = [
        stack[:, (distance >= 20 + 40 * n) & (distance < 60 + 40 * n)].mean() for n in range(4)
    ]
    assert share == sorted(share, reverse=True)
    assert share[0] > 4 * share[3]


def test_low_pass_is_one_block():
    mask = masks.low_pass(WIDTH, 4)
    np.testing.assert_array_equal(np.flatnonzero(mask), np.arange(138, 230))
    np.testing.assert_array_equal(mask, masks.low_pass(WIDTH, 4, 0, seed=5))


@pytest.mark.parametrize("width", [368, 367])
def test_partial_fourier_leaves_out_one_side(width):
    reach = round(0.625 * width)
    sides = set()
    for seed in range(20):
        lines = np.flatnonzero(masks.partial_fourier(width, 4, seed=seed))
        first = lines.max() < reach
        assert first or lines.min() >= width - reach
        sides.add(first)
    assert sides == {True, False}
    # below 1.6x nothing has to be skipped: W / R lines in a row
    lines = np.flatnonzero(masks.partial_fourier(width, 1.25, seed=0))
    assert np.ptp(lines) == lines.size - 1 == round(width / 1.25) - 1


@pytest.mark.parametrize("family", FAMILIES)
def test_seeds_of_every_family(family):
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the state nobody may touch
    make = masks.FAMILIES[family]
    one, again = make(WIDTH, 4, seed=3), make(WIDTH, 4, None, np.random.default_rng(3))
    np.testing.assert_array_equal(one, again)
    others = {make(WIDTH, 4, seed=s).tobytes() for s in range(30)}
    assert (len(others) > 1) == (family != "low-pass")
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("width", [1, 2, 3, 5, 8, 33])
def test_narrow_slices_in_every_family(family, width):
    for seed in range(10):
        for acceleration in (1, 1.3, 4, 8):
            mask = masks.FAMILIES[family](width, acceleration, 0, seed)
            assert mask.shape == (width,)
            assert mask.any()
        assert masks.FAMILIES[family](width, 1, seed=seed).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_refuses_the_impossible(family):
    with pytest.raises(InputError, match="at least 1"):
        masks.FAMILIES[family](WIDTH, 0.5)
    too_much = 1.1 if family == "calibrated" else 0.3  # whose block is not part of W / R
    with pytest.raises(InputError, match=r"at most 0\.25|between 0 and 1"):
        masks.FAMILIES[family](WIDTH, 4, too_much)
    for fraction in (-0.001, 1.001, np.nan, np.inf):
        with pytest.raises(InputError, match="between 0 and 1"):
            masks.FAMILIES[family](WIDTH, 4, fraction)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("acceleration", [400, 1e20, 1e308])
def test_a_line_is_left_at_any_acceleration(family, acceleration):
    for fraction in (None, 0):
        assert masks.FAMILIES[family](WIDTH, acceleration, fraction).any()


def test_seed_decides_and_global_state_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the state nobody may touch
    first = masks.random_cartesian(WIDTH, 4, seed=3)
    np.testing.assert_array_equal(first, masks.random_cartesian(WIDTH, 4, seed=3))
    generator = np.random.default_rng(3)
    np.testing.assert_array_equal(first, masks.random_cartesian(WIDTH, 4, seed=generator))
    # a generator moves on, so its next mask is another one
    assert not np.array_equal(first, masks.random_cartesian(WIDTH, 4, seed=generator))
    assert not np.array_equal(first, masks.random_cartesian(WIDTH, 4, seed=4))
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_default_centre_fractions_are_those_of_fastmri():
    assert masks.default_center_fraction(4) == pytest.approx(0.08)
    assert masks.default_center_fraction(8) == pytest.approx(0.04)


@pytest.mark.parametrize("width", [1, 5, 320])
def test_acceleration_one_measures_everything(width):
    assert masks.random_cartesian(width, 1).all()
    assert masks.random_cartesian(width, 1, 1.0).all()


@pytest.mark.parametrize("width", [1, 2, 3, 5, 8])
def test_narrow_slices_still_measure_a_line(width):
    for seed in range(50):
        mask = masks.random_cartesian(width, 8, 0, seed)
        assert mask.shape == (width,)
        assert mask.dtype == bool
        assert mask.any()


@pytest.mark.parametrize(
    ("acceleration", "fraction", "says"),
    [
        (4, 0.3, "at most 0.25"),
        (8, 0.2, "keeps 74 of 368 lines"),
        (0.5, None, "at least 1"),
        (float("nan"), None, "at least 1"),
        (4, -0.1, "between 0 and 1"),
        (4, 1.5, "between 0 and 1"),
        (4, float("nan"), "between 0 and 1"),
    ],
)
def test_impossible_masks_are_refused(acceleration, fraction, says):
    with pytest.raises(InputError, match=says):
        masks.random_cartesian(WIDTH, acceleration, fraction)


def test_achieved_acceleration_counts_lines():
    mask = np.zeros(368, bool)
    mask[:92] = True
    assert masks.achieved_acceleration(mask) == 4


@pytest.mark.parametrize("shape", [(6, 368), (3, 5, 368)])
def test_apply_keeps_measured_lines_and_leaks_nothing(shape):
    k = noise(shape)
    mask = masks.random_cartesian(368, 4)
    kept = masks.apply(k, mask)
    assert kept.dtype == np.complex64
    np.testing.assert_array_equal(kept[..., mask], k[..., mask])
    # bit for bit zero: a -0.0 would tell the sign of what was not measured
    unmeasured = np.ascontiguousarray(kept[..., ~mask])
    assert not unmeasured.view(np.uint32).any()
    # the result does not depend on the unmeasured lines in any way
    other = k.copy()
    other[..., ~mask] *= -7
    assert masks.apply(other, mask).tobytes() == kept.tobytes()


def test_apply_is_a_projection():
    """Applying a mask twice changes nothing, and it is its own adjoint."""
    x, y = noise((2, 9, 40), 1, np.complex128)
    mask = masks.random_cartesian(40, 4)
    np.testing.assert_array_equal(masks.apply(masks.apply(x, mask), mask), masks.apply(x, mask))
    assert np.vdot(y, masks.apply(x, mask)) == pytest.approx(np.vdot(masks.apply(y, mask), x))


@pytest.mark.parametrize("width", [64, 81, 216])
@pytest.mark.parametrize("distance", [1, 2, 3, 5])
def test_calibrated_is_every_rth_line_and_a_block(width, distance):
    mask = masks.calibrated(width, distance, seed=3)
    middle = (width - 24 + 1) // 2
    assert mask[middle : middle + 24].all()
    regular = np.zeros(width, bool)
    regular[middle : middle + 24] = True
    offset = int(np.flatnonzero(mask)[0])
    assert offset < distance
    regular[offset::distance] = True
    np.testing.assert_array_equal(mask, regular)
    np.testing.assert_array_equal(mask, masks.calibrated(width, distance + 0.3, offset=offset))


def test_calibrated_takes_any_block_and_draws_its_offset():
    assert masks.calibrated(60, 4, 0.2, offset=0).sum() == 12 + 12
    assert masks.calibrated(60, 4, 0.0, offset=3).sum() == 15
    assert masks.calibrated(16, 4).all()  # narrower than the block
    offsets = {int(np.flatnonzero(masks.calibrated(90, 4, seed=s))[0]) for s in range(40)}
    assert offsets == {0, 1, 2, 3}
    with pytest.raises(InputError, match="at least 1"):
        masks.calibrated(60, 0.5)
    with pytest.raises(InputError, match="between 0 and 1"):
        masks.calibrated(60, 2, 1.5)
