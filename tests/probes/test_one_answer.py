"""Every experiment says what `recon.reconstruct` says where the same thing is asked of a slice.

Same picture, same range, same scores, whichever coils are looked at and whichever way round.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pytest

import recon
from recon import masks, metrics, phantom
from recon.coils.compression import compressed
from recon.errors import InputError
from recon.fourier import fft2c, ifft2c
from recon.kspace import KSpace, Source
from recon.measurement import picture
from recon.methods import METHODS, ZeroFilled
from recon.probes.crimes import commit
from recon.probes.ensemble import ensemble
from recon.probes.handdrawn import against_random, score_masks
from recon.probes.lesion import Lesion, insert
from recon.probes.many_masks import ZeroFilledPictures, readout
from recon.probes.nullspace import residual, split
from recon.probes.processing import inspect
from recon.probes.shift import INSIDE, SHIFTS, Shift, evaluate
from recon.probes.survival import sweep
from recon.scan import Scan

SHAPE = (48, 40)
EXACT = {"rtol": 0, "atol": 1e-6}


def coils() -> np.ndarray:
    """K-space of four coils, of which one repeats another and one hears next to nothing."""
    image = ifft2c(phantom.kspace(SHAPE, seed=4))
    y, x = np.linspace(-1, 1, SHAPE[0])[:, None], np.linspace(-1, 1, SHAPE[1])[None, :]
    left, top = np.exp(0.8 * x + 0.5j * y), np.exp(-0.8 * y - 0.9j * x)
    weak = 0.1 * np.exp(2j * x * y)
    return fft2c(np.stack([left, top, 0.7j * left, weak + 0 * top]) * image).astype(np.complex64)


@dataclass(frozen=True)
class Case:
    """A slice from a volume whose maximum is known, and what a person asks of it."""

    coils: Any
    phase_encode: str

    @cached_property
    def kspace(self) -> KSpace:
        whole = 1.8 * float(picture(coils()).max())
        return KSpace(coils(), Source(attrs={"max": whole}))

    @property
    def wishes(self) -> dict[str, Any]:
        return {"coils": self.coils, "phase_encode": self.phase_encode}

    @cached_property
    def scan(self) -> Scan:
        return Scan.of(self.kspace, **self.wishes)

    def reconstruct(self, *arguments: Any, **options: Any) -> recon.Reconstruction:
        return recon.reconstruct(self.kspace, *arguments, **self.wishes, **options)


@pytest.fixture(
    scope="module",
    params=[(c, p) for c in ("rss", "svd", 1) for p in ("columns", "rows")],
    ids=lambda wishes: "-".join(map(str, wishes)),
)
def case(request):
    return Case(*request.param)


@pytest.fixture(scope="module", params=["zero-filled", "cs"])
def method(request):
    return METHODS[request.param]


# ---- the cases themselves: were all answers alike, the tests below would say nothing -----------


def test_the_range_matters(case):
    result = case.reconstruct(4, method="zero-filled")
    by_slice = metrics.ssim(result.reference, result.image)
    if case.coils == 1:  # the attribute is not that of one coil
        assert result.metrics["ssim"] == pytest.approx(by_slice, abs=1e-6)
    else:
        assert result.data_range == case.kspace.source.attrs["max"]
        assert result.metrics["ssim"] > by_slice + 0.02


def test_coils_matter():
    all_of_them, virtual, alone = (
        Case(c, "columns").reconstruct(4, method="zero-filled") for c in ("rss", "svd", 1)
    )
    assert len(compressed(coils(), virtual.line_mask)) == 2
    assert np.abs(virtual.image - all_of_them.image).max() > 1e-3
    assert abs(virtual.metrics["ssim"] - all_of_them.metrics["ssim"]) > 1e-5
    assert np.abs(alone.image - all_of_them.image).max() > 0.1
    other = compressed(coils(), np.ones(SHAPE[1], bool))
    here = compressed(coils(), virtual.line_mask)
    assert abs(abs(other) - abs(here)).max() > 1e-3 * abs(here).max()


# ---- the same question, the same answer ---------------------------------------------------------


def test_ensemble(case, method):
    seeds = (0, 3, 8)
    (first, *_, last) = ensemble(case.scan, method, seeds, 3, family="equispaced")
    results = [case.reconstruct(3, seed, method=method.name, family="equispaced") for seed in seeds]
    np.testing.assert_allclose(case.scan.upright(first.mean), results[0].image, **EXACT)
    mean = np.mean([result.image for result in results], 0, np.float64)
    np.testing.assert_allclose(case.scan.upright(last.mean), mean, **EXACT)
    assert last.ssim == pytest.approx([result.metrics["ssim"] for result in results], abs=1e-6)


def test_handdrawn(case, method):
    drawn = [masks.random_cartesian(case.scan.width, 3, seed=seed) for seed in range(3)]
    exact = [case.reconstruct(mask=m, method=method.name).metrics["ssim"] for m in drawn]
    assert list(score_masks(case.scan, drawn, method)) == pytest.approx(exact, abs=1e-6)
    standing = against_random(case.scan, drawn[1], 2, method=method)
    assert standing.ssim == pytest.approx(exact[1], abs=1e-6)


def test_handdrawn_by_the_quick_way(case):
    quick = ZeroFilledPictures(case.scan)
    for seed in range(3):
        mask = masks.random_cartesian(case.scan.width, 3, seed=seed)
        result = case.reconstruct(mask=mask, method="zero-filled")
        np.testing.assert_allclose(case.scan.upright(quick(mask)), result.image, **EXACT)
        (ssim,) = score_masks(case.scan, [mask])
        assert ssim == pytest.approx(result.metrics["ssim"], abs=1e-6)
        assert against_random(case.scan, mask, 2).ssim == ssim


def test_shift_inside(case, method):
    (inside,) = evaluate(case.scan, [method], [INSIDE], 4, seed=6)
    result = case.reconstruct(4, 6, method=method.name)
    np.testing.assert_allclose(inside.image, result.image, **EXACT)
    np.testing.assert_allclose(inside.reference, result.reference, **EXACT)
    assert inside.scores == pytest.approx(result.metrics, abs=1e-6)
    assert inside.closed == pytest.approx(result.closed_share, abs=1e-6)


def test_shift_of_the_axis_is_the_other_wish(case, method):
    (swapped,) = evaluate(case.scan, [method], [Shift("swapped", swapped=True)], 4, seed=6)
    other = Case(case.coils, "columns" if case.phase_encode == "rows" else "rows")
    result = other.reconstruct(4, 6, method=method.name)
    np.testing.assert_allclose(swapped.image, result.image, **EXACT)
    np.testing.assert_allclose(swapped.reference, result.reference, **EXACT)
    assert swapped.scores == pytest.approx(result.metrics, abs=1e-6)


def test_shift_of_the_mask(case, method):
    (combed,) = evaluate(case.scan, [method], [Shift("comb", family="equispaced")], 4, seed=6)
    result = case.reconstruct(4, 6, method=method.name, family="equispaced")
    np.testing.assert_allclose(combed.image, result.image, **EXACT)
    assert combed.scores == pytest.approx(result.metrics, abs=1e-6)


def test_crimes_start_from_the_raw_picture(case, method):
    raw = next(commit(case.scan, [method], 4, seed=5))
    assert raw.version == "raw"
    exact = case.reconstruct(4, 5, method=method.name).metrics
    assert raw.scores == pytest.approx(exact, abs=1e-6)


def test_lesion(case, method):
    lesion = Lesion(20, 17, size=5, contrast=0.8)
    scan, sampling = case.scan, case.scan.draw(4, seed=1)
    ill, _ = insert(scan, lesion)
    assert np.abs(ill.truth - scan.truth).max() > 0.01
    full = case.kspace.data.copy()
    full[1 if case.coils == 1 else ...] = (
        ill.kspace.swapaxes(-2, -1) if case.phase_encode == "rows" else ill.kspace
    )
    result = recon.reconstruct(KSpace(full, case.kspace.source), 4, 1, method.name, **case.wishes)
    assert ill.data_range == result.data_range
    assert ill.data_range_from == result.data_range_from
    np.testing.assert_allclose(scan.upright(ill.truth), result.reference, **EXACT)
    (found,) = sweep(scan, sampling, [lesion], [method])
    np.testing.assert_allclose(scan.upright(found.image), result.image, **EXACT)
    assert ill.score(found.image) == pytest.approx(result.metrics, abs=1e-6)


def test_nullspace(case, method):
    sampling = case.scan.draw(4, seed=1)
    measurement = case.scan.measure(sampling.mask, sampling.acceleration)
    images = method.coil_images(measurement)
    result = case.reconstruct(4, 1, method=method.name)
    np.testing.assert_allclose(
        case.scan.upright(method.picture(images, measurement)), result.image, **EXACT
    )
    parts = split(images, sampling.mask)
    np.testing.assert_allclose(
        case.scan.upright(method.picture(parts.measured + parts.filled, measurement)),
        result.image,
        **EXACT,
    )
    if method.name == "zero-filled":
        assert parts.filled_share < 1e-10
        assert residual(images, measurement.kspace, sampling.mask) < 1e-6


# ---- rows are the columns of the transposed array -----------------------------------------------


@pytest.fixture(scope="module", params=["rss", "svd", 1], ids=str)
def pair(request):
    """A person's array whose lines are rows, and the transposed one; the picture is cropped."""
    data = coils()
    rows = Scan.of(data, coils=request.param, phase_encode="rows", crop=(44, 30))
    columns = Scan.of(data.swapaxes(-2, -1), coils=request.param, crop=(30, 44))
    return rows, columns


def test_upright_is_the_persons_way_round(pair):
    rows, columns = pair
    assert columns.truth.shape == (30, 44)
    data = coils()[rows.coils] if rows.coils == 1 else coils()
    np.testing.assert_allclose(rows.upright(rows.truth), picture(data, (44, 30)), **EXACT)
    np.testing.assert_array_equal(rows.truth, columns.truth)


def test_rows_in_ensemble(pair):
    rows, columns = (list(ensemble(scan, ZeroFilled(), range(3))) for scan in pair)
    for one, other in zip(rows, columns, strict=True):
        assert one.ssim == other.ssim
        for name in ("mean", "deviation"):
            upright = pair[0].upright(getattr(one, name))
            assert upright.shape == (44, 30)
            np.testing.assert_array_equal(upright, getattr(other, name).T)


def test_rows_in_handdrawn(pair):
    mask = masks.random_cartesian(SHAPE[0], 3)
    for method in (None, ZeroFilled()):
        one, other = (against_random(scan, mask, 4, method=method) for scan in pair)
        assert one.ssim == other.ssim
        np.testing.assert_array_equal(one.others, other.others)


def test_rows_in_many_masks(pair):
    rows, columns = pair
    np.testing.assert_array_equal(readout(rows), readout(columns))
    mask = masks.random_cartesian(SHAPE[0], 3)
    one, other = (ZeroFilledPictures(scan)(mask) for scan in pair)
    np.testing.assert_array_equal(one, other)
    exact = rows.measure(mask).zero_filled
    np.testing.assert_allclose(one, exact, atol=2e-6 * exact.max())
    assert rows.upright(one).shape == (44, 30)


def test_rows_in_shift(pair):
    rows, columns = (list(evaluate(scan, [ZeroFilled()])) for scan in pair)
    assert len(rows) == 1 + len(SHIFTS)
    for one, other in zip(rows, columns, strict=True):
        assert one.scores == other.scores
        assert one.closed == other.closed
        assert one.image.shape == one.reference.shape == (44, 30)
        np.testing.assert_array_equal(one.image, other.image.T)
        np.testing.assert_array_equal(one.reference, other.reference.T)
    upright = pair[0].upright(pair[0].truth)
    for outcome in rows:
        if not outcome.shift.angle:
            np.testing.assert_allclose(outcome.reference, upright, atol=1e-5)


def test_rows_in_crimes(pair):
    rows, columns = (list(commit(scan, [ZeroFilled()])) for scan in pair)
    assert [(one.version, one.scores) for one in rows] == [
        (one.version, one.scores) for one in columns
    ]


def test_rows_in_lesion(pair):
    """A place in the upright picture is where a person pointed."""
    rows, _ = pair
    place = (13, 21)  # row and column in the upright picture
    lesion = Lesion(*rows.turned(*place), size=3, relative_to="maximum")
    (one, there), (other, truth) = (insert(scan, lesion) for scan in pair)
    np.testing.assert_array_equal(there, truth)
    np.testing.assert_array_equal(one.kspace, other.kspace)
    assert np.unravel_index(rows.upright(there).argmax(), (44, 30)) == place
    grown = rows.upright(one.truth) - rows.upright(rows.truth)
    np.testing.assert_allclose(grown, rows.upright(there), atol=2e-5)
    found = [next(sweep(scan, scan.draw(3), [lesion], [ZeroFilled()])) for scan in pair]
    assert found[0].retained == found[1].retained
    assert found[0].visibility == found[1].visibility
    np.testing.assert_array_equal(rows.upright(found[0].image), found[1].image.T)


def test_rows_in_nullspace(pair):
    both = []
    for scan in pair:
        mask = scan.draw(3).mask
        measurement = scan.measure(mask)
        parts = split(METHODS["cs"].coil_images(measurement), mask)
        both.append((parts.filled_share, scan.upright(measurement.picture_of(parts.filled))))
    assert both[0][0] == both[1][0] > 0
    assert both[0][1].shape == (44, 30)
    np.testing.assert_array_equal(both[0][1], both[1][1].T)


def test_rows_in_traces(pair):
    """What is said of rows and columns is meant of the person's array."""
    rows, columns = (inspect(scan) for scan in pair)
    assert rows["asymmetry"] == columns["asymmetry"]
    assert rows["empty_edges"].value == columns["empty_edges"].value == 0
    data = coils()[pair[0].coils] if pair[0].coils == 1 else coils()
    data[..., :4, :] = 0
    data[..., -4:, :] = 0
    data[..., -3:] = 0
    for phase_encode in ("rows", "columns"):
        clue = inspect(Scan.of(data, phase_encode=phase_encode))["empty_edges"]
        assert clue.value == pytest.approx(8 / SHAPE[0])
        assert "8 rows and 3 columns" in clue.sentence


# ---- without a truth there is no experiment -----------------------------------------------------


@pytest.mark.parametrize(
    "experiment",
    [
        lambda scan: next(ensemble(scan, ZeroFilled(), [0])),
        lambda scan: next(score_masks(scan, [np.ones(scan.width, bool)])),
        lambda scan: next(score_masks(scan, [np.ones(scan.width, bool)], ZeroFilled())),
        lambda scan: next(evaluate(scan, [ZeroFilled()])),
        lambda scan: next(commit(scan, [ZeroFilled()])),
        lambda scan: insert(scan, Lesion(20, 20)),
        lambda scan: next(sweep(scan, scan.draw(), [Lesion(20, 20)], [ZeroFilled()])),
        inspect,
    ],
)
@pytest.mark.parametrize("wanted", ["rss", "svd"])
def test_data_that_arrived_undersampled_get_a_sentence(experiment, wanted):
    mask = masks.random_cartesian(SHAPE[1], 3)
    scan = Scan.of(KSpace(masks.apply(coils(), mask), Source(mask=mask)), coils=wanted)
    with pytest.raises(InputError, match="undersampled already"):
        experiment(scan)
