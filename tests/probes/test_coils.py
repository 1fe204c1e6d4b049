"""Folding and unfolding by hand, g-factors of coils that were placed, kernels."""

import numpy as np
import pytest

from recon.coils.gfactor import folded
from recon.errors import InputError
from recon.fourier import fft2c, ifft2c
from recon.kspace import KSpace, Source
from recon.probes import coils as probe
from recon.scan import Scan
from tests.helpers.coils import maps, seen
from tests.helpers.data import noise_kspace

SHAPE = (48, 60)


@pytest.fixture(scope="module")
def views() -> probe.Views:
    return probe.views(Scan.of(seen(6, SHAPE)))


@pytest.mark.parametrize("distance", [2, 3, 5])
def test_folding_is_what_every_rth_line_does(views, distance):
    mask = (np.arange(SHAPE[1]) - SHAPE[1] // 2) % distance == 0
    aliased = distance * ifft2c(fft2c(views.images) * mask)
    np.testing.assert_allclose(probe.fold(views.images, distance), aliased, atol=1e-5)


@pytest.mark.parametrize("distance", [2, 3])
def test_an_exact_scene_is_solved_exactly(distance):
    """Coil images that are maps times an image: the equations give the image back."""
    known = maps(6, SHAPE)
    rng = np.random.default_rng(0)
    image = (rng.standard_normal((*SHAPE, 2)) @ [1, 1j]) * (np.abs(known).sum(0) > 0)
    scene = probe.Views((known * image).astype(np.complex64), known)
    found = probe.equations(scene, 24, 33, distance)
    assert set(found.columns) <= set(folded(33, SHAPE[1], distance))
    assert found.columns[0] == 33
    np.testing.assert_allclose(found.solution, image[24, found.columns], atol=1e-4)
    np.testing.assert_allclose(found.truth, found.solution, atol=1e-4)
    np.testing.assert_allclose(found.matrix @ found.solution, found.measured, atol=1e-4)
    assert found.condition >= 1
    np.testing.assert_allclose(probe.unfold(scene, distance), image, atol=1e-3)
    g = probe.cost(known, distance).g
    np.testing.assert_allclose(g[24, found.columns], found.g, rtol=1e-4)


def test_fewer_coils_cost_more(views):
    every = probe.cost(views.maps, 3)
    few = probe.cost(views.without([0, 1, 2]).maps, 3)
    assert 1 <= every.mean < few.mean
    assert every.worst < few.worst
    with pytest.raises(InputError, match="two coils"):
        views.without(range(5))


def test_more_pixels_than_coils_have_no_solution():
    """An object of 39 pixels that folds every 15: two or three onto each other."""
    known = maps(2, (60, 60)) * (np.abs(np.arange(60) - 30) < 20)
    scene = probe.Views((1 + 0 * known).astype(np.complex64) * known, known)
    there = np.abs(known).sum(0) > 0
    most = probe.crowd(known, 4)
    price = probe.cost(known, 4)
    assert most[there].max() == price.pixels == 3
    assert np.isinf(price.g[there & (most > 2)]).all()
    assert np.isfinite(price.g[there & (most <= 2)]).all()
    assert price.unsolved == pytest.approx((most > 2)[there].mean(), abs=1e-9)
    assert price.mean == pytest.approx(price.g[there & (most <= 2)].mean())
    assert not probe.unfold(scene, 4)[most > 2].any()
    row, column = map(int, np.argwhere(most > 2)[0])
    found = probe.equations(scene, row, column, 4)
    assert len(found.columns) == 3
    assert np.isinf([*found.g, found.condition]).all()
    assert np.isnan(found.solution).all()


def test_where_nothing_can_be_parted_the_price_is_infinite():
    found = probe.cost(np.ones((2, 4, 12), np.complex64) / 2**0.5, 4)
    assert (found.mean, found.worst, found.unsolved) == (np.inf, np.inf, 1)


def test_the_width_becomes_a_multiple():
    odd = probe.views(Scan.of(seen(4, (48, 61)))).even(4)
    assert odd.maps.shape == odd.images.shape == (4, 48, 60)


def test_where_coils_lie_matters():
    """Pixels fold from left to right: coils in front of the head alone cannot part them."""
    around = probe.cost(probe.placed(8, 1.2, 360, size=48)[1].maps, 3)
    front = probe.cost(probe.placed(8, 1.2, 90, size=48)[1].maps, 3)
    far = probe.cost(probe.placed(8, 2.0, 360, size=48)[1].maps, 3)
    assert around.mean < far.mean
    assert around.mean < front.mean


@pytest.mark.parametrize("arc", [60, 90, 360])
def test_fields_of_placed_loops_are_those_of_the_law_of_biot_and_savart(arc):
    """A loop in a thousand straight pieces, integrated here."""
    loops, seen = probe.placed(8, 1.2, arc, size=48)
    turn = np.linspace(0, 2 * np.pi, 1001)
    wires = []
    for angle in loops.angles:
        outward, along = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        flat = loops.radius * outward + loops.size * np.cos(turn)[:, None] * along
        wires.append(np.column_stack([flat, loops.size * np.sin(turn)]))
    for row, column in ((24, 24), (10, 24), (30, 14)):
        point = np.array([column - 24, 24 - row, 0]) / 24
        field = []
        for wire in wires:
            piece, away = np.diff(wire, axis=0), point - (wire[1:] + wire[:-1]) / 2
            whole = (np.cross(piece, away) / np.linalg.norm(away, axis=1)[:, None] ** 3).sum(0)
            field.append(whole[0] - 1j * whole[1])
        field = np.array(field) / np.linalg.norm(field)
        found = seen.maps[:, row, column]
        assert abs(np.vdot(field, found)) == pytest.approx(1, abs=2e-3)


def test_missing_coils_cost_more_than_their_g(views):
    lost = views.lost([0, 1])
    inside = np.abs(views.maps).sum(0) > 0
    kept = np.linalg.norm(views.maps[2:], axis=0)
    np.testing.assert_allclose(lost[inside], 1 / kept[inside], rtol=1e-5)
    assert lost[inside].max() > 1.2
    assert views.lost([])[inside] == pytest.approx(1, abs=1e-5)


def test_the_kernel_of_most_use(views):
    mask, kernel = probe.kernel(Scan.of(seen(6, SHAPE)), 2, 24)
    assert kernel.offsets == (-3, -1, 1, 3)
    assert not mask[list(kernel.targets)].any()
    assert kernel.weights.shape == (6, 5, 4, 6)


def test_where_all_lines_are_measured_nothing_is_filled():
    with pytest.raises(InputError, match="nothing to fill"):
        probe.kernel(Scan.of(seen(6, SHAPE)), 2, SHAPE[1])


def test_one_coil_and_undersampled_data_are_one_sentence(views):
    for call in (probe.views, lambda scan: probe.kernel(scan, 2, 24)):
        with pytest.raises(InputError, match="several coils"):
            call(Scan.of(noise_kspace((32, 32))))
    mask = np.arange(60) % 2 == 0
    with pytest.raises(InputError, match="undersampled already"):
        probe.views(Scan.of(KSpace(seen(6, SHAPE) * mask, Source(mask=mask))))
    with pytest.raises(InputError, match="Nothing folds"):
        probe.equations(probe.Views(0 * views.images, 0 * views.maps), 3, 3, 2)
