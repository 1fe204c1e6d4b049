"""Maps against truth, against BART, and where there is little to make them from."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from recon import masks
from recon.benchmark import bart
from recon.coils import phantom as coil_phantom
from recon.coils.espirit import calibrate, centre_block, espirit, sensitivities
from recon.coils.simulate import Loops, coil_kspace, narrowed, plane
from recon.coils.simulate import sensitivities as true_maps
from recon.fourier import fft2c, ifft2c

SHAPE = (96, 80)
REAL = Path(__file__).parents[2].parent / "shared/data/real_kspace/brain_slice.npz"


def disc(shape=SHAPE):
    y, x = (np.linspace(-1, 1, length) for length in shape)
    inside = y[:, None] ** 2 + x[None] ** 2 < 0.6
    texture = 1 + 0.5 * np.cos(9 * y)[:, None] * np.cos(7 * x)[None]
    return inside * texture * np.exp(1j * y[:, None])


def scan(coils=6, shape=SHAPE, noise=0.005, seed=0):
    """K-space of a disc within a ring of loops, and its coil images without noise."""
    maps = true_maps(Loops.ring(coils), shape, plane())
    kspace = coil_kspace(disc(shape), maps, np.random.default_rng(seed), noise)
    return torch.from_numpy(kspace), torch.from_numpy((maps * disc(shape)).astype(np.complex64))


def folded(coils=6, width=48, noise=0.005):
    """K-space of the same disc where the field of view is only so many columns wide."""
    return torch.from_numpy(narrowed(scan(coils, noise=noise)[0].numpy(), width))


def block(width, lines):
    mask = torch.zeros(width, dtype=torch.bool)
    start = (width - lines + 1) // 2
    mask[start : start + lines] = True
    return mask


def missed(maps, images):
    """Share of the coil images that the maps cannot show: projection error, free of phase."""
    shown = maps * (maps.conj() * images).sum(0)
    return float((images - shown).norm() / images.norm())


@pytest.mark.parametrize(
    ("lines", "limit"), [(24, 0.02), (16, 0.03), (12, 0.04), (9, 0.05), (7, 0.06), (5, 0.1)]
)
def test_maps_explain_the_coil_images(lines, limit):
    kspace, images = scan()
    mask = block(SHAPE[1], lines)
    maps = sensitivities(kspace * mask, mask)
    assert missed(maps, images) < limit


@pytest.mark.parametrize("lines", [5, 6, 7, 8, 12, 24])
def test_one_image_or_two_with_few_lines_too(lines):
    """What fits into one window of few positions was taken for one image."""
    for coils in (6, 8):
        kspace, _ = scan(coils)
        mask = block(SHAPE[1], lines)
        assert calibrate(kspace * mask, mask).one_image
        kspace, mask = folded(coils), block(48, lines)
        assert not calibrate(kspace * mask, mask).one_image


@pytest.mark.parametrize("times", [5, 20])
def test_a_noisy_coil_is_no_second_image(times):
    kspace, images = scan(8)
    kspace[3] += (times - 1) * (scan(8, noise=0.005, seed=1)[0] - scan(8, noise=0)[0])[3]
    mask = block(SHAPE[1], 24)
    found = calibrate(kspace * mask, mask)
    assert found.one_image
    assert missed(found.maps(), images) < 0.05


@pytest.mark.parametrize("lines", [6, 26])
def test_a_coil_that_sees_more_is_no_noisy_one(lines, monkeypatch):
    """Middle lines hold signal to their ends, most of it of the coil that is nearest."""
    kspace = torch.from_numpy(coil_phantom.kspace(Loops.ring(8)))
    mask = block(kspace.shape[-1], lines)
    found, _ = calibrate(kspace * mask, mask), monkeypatch.setattr("recon.coils.espirit.NOISY", 1e9)
    same = calibrate(kspace * mask, mask)
    torch.testing.assert_close(found.rotation, same.rotation)


@pytest.mark.parametrize("shape", [(97, 80), (96, 81), (91, 77), (40, 30), (200, 33)])
def test_odd_and_narrow_images(shape):
    kspace, images = scan(shape=shape)
    mask = torch.from_numpy(masks.random_cartesian(shape[1], 2, center_fraction=0.3))
    assert missed(sensitivities(kspace * mask, mask), images) < 0.06


def test_maps_have_unit_length_or_are_nothing_and_the_air_is_nothing():
    kspace, images = scan()
    mask = block(SHAPE[1], 24)
    length = sensitivities(kspace * mask, mask).norm(dim=0)
    nothing = length == 0
    torch.testing.assert_close(length[~nothing], torch.ones_like(length[~nothing]))
    assert nothing[:6, :6].all()
    assert not nothing[images.norm(dim=0) > 0].any()


def test_some_rows_are_those_rows():
    kspace, _ = scan()
    mask = block(SHAPE[1], 20)
    part, whole = (sensitivities(kspace * mask, mask, rows) for rows in (slice(30, 50), None))
    torch.testing.assert_close(part, whole[:, 30:50], rtol=0, atol=1e-5)


def test_the_order_of_coils_does_not_matter():
    kspace, _ = scan()
    mask, order = block(SHAPE[1], 20), torch.tensor([3, 0, 5, 1, 4, 2])
    maps = sensitivities(kspace * mask, mask)
    other = sensitivities(kspace[order] * mask, mask)
    projector, its = (m[:, None] * m[None].conj() for m in (maps[order], other))
    assert (projector - its).abs().square().mean().sqrt() < 2e-3


def test_a_dead_coil_gets_no_map():
    kspace, images = scan()
    kspace[2], images[2] = 0, 0
    mask = block(SHAPE[1], 20)
    maps = sensitivities(kspace * mask, mask)
    assert maps[2].abs().max() < 1e-4
    assert missed(maps, images) < 0.03


@pytest.mark.parametrize("lines", [24, 16])
@pytest.mark.parametrize("coils", [4, 8, 16])
def test_an_object_that_lies_on_itself_is_no_single_image(coils, lines):
    def share(kspace):
        mask = block(kspace.shape[-1], lines)
        return calibrate(kspace * mask, mask)

    for noise in (0.001, 0.02):
        assert share(scan(coils, noise=noise)[0]).one_image
        assert not share(folded(coils, 46, noise)).one_image
    # The disc is 62 columns wide: the more of it lies on itself, the more energy is there.
    shares = [share(folded(coils, width)).folded for width in (72, 56, 46)]
    assert shares == sorted(shares)
    assert shares[0] < 0.01 < 0.1 < shares[-1] < 1


def test_one_coil_sees_everything():
    kspace, _ = scan(1)
    maps = espirit(kspace[:, 36:60, 28:52], SHAPE).maps(crop=0)
    torch.testing.assert_close(maps.abs(), torch.ones(1, *SHAPE), rtol=0, atol=1e-4)


def test_nothing_at_all_gives_finite_maps():
    maps = espirit(torch.zeros(3, 24, 12, dtype=torch.complex64), (40, 30)).maps()
    assert torch.isfinite(torch.view_as_real(maps)).all()


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (range(3, 8), slice(3, 8)),
        (range(10), slice(0, 10)),
        ([0, 1, 9], slice(5, 5)),
        ([5], slice(5, 6)),
    ],
)
def test_the_centre_block_is_the_run_around_the_middle_line(measured, expected):
    mask = torch.zeros(10, dtype=torch.bool)
    mask[list(measured)] = True
    assert centre_block(mask) == expected


@pytest.mark.parametrize(("before", "after"), [(20, 1), (20, 2), (2, 20), (1, 22), (40, 6)])
def test_a_block_that_ends_beside_the_middle_still_gives_maps(before, after):
    kspace, images = scan()
    middle = SHAPE[1] // 2
    mask = torch.zeros(SHAPE[1], dtype=torch.bool)
    mask[middle - before : middle + after] = True
    found = calibrate(kspace * mask, mask)
    assert found.one_image
    assert missed(found.maps(), images) < 0.06


def test_too_few_lines_make_no_maps():
    kspace, _ = scan()
    mask = block(SHAPE[1], 3)
    assert sensitivities(kspace * mask, mask) is None


@pytest.mark.skipif(bart.version() is None, reason="BART is not installed")
@pytest.mark.parametrize("lines", [24, 16, 12])
def test_no_worse_than_bart(lines):
    kspace, images = scan(noise=0.01)
    mask = block(SHAPE[1], lines)
    ours = missed(sensitivities(kspace * mask, mask), images)
    theirs = missed(torch.from_numpy(bart.ecalib((kspace * mask).numpy(), lines)), images)
    assert ours < 1.05 * theirs + 0.002


@pytest.mark.skipif(bart.version() is None, reason="BART is not installed")
def test_the_same_maps_as_bart_on_a_measured_head():
    if not REAL.is_file():
        pytest.skip("the measured head is not there")
    images = torch.from_numpy(np.moveaxis(np.load(REAL)["arr_0"], -1, 0).astype(np.complex64))
    kspace = fft2c(images.contiguous())
    mask = block(kspace.shape[-1], 24)
    ours = sensitivities(kspace * mask, mask)
    theirs = torch.from_numpy(bart.ecalib((kspace * mask).numpy(), 24))
    energy = images.norm(dim=0)
    both = (ours.norm(dim=0) > 0) & (theirs.norm(dim=0) > 0) & (energy > 0.1 * energy.max())
    assert both.float().sum() > 0.99 * (energy > 0.1 * energy.max()).sum()
    overlap = (ours.conj() * theirs).sum(0).abs()[both]  # 1 where they agree up to phase
    assert (1 - overlap.square()).clamp(min=0).sqrt().mean() < 0.03
    head = energy > 0.1 * energy.max()
    assert missed(ours * head, images * head) < missed(theirs * head, images * head) + 0.001


def test_maps_cost_no_more_than_some_hundred_transforms():
    """Processor time, against that of transforms of the same coils in the same run."""
    kspace = torch.randn(8, 256, 256, dtype=torch.complex64)
    kspace += 50 * fft2c(ifft2c(kspace * block(256, 8)))
    mask = block(256, 24)

    def cost(work: Callable[[], object]) -> float:
        work()
        start = time.process_time()
        work()
        return time.process_time() - start

    reference = cost(lambda: [ifft2c(kspace) for _ in range(20)])
    assert cost(lambda: sensitivities(kspace, mask)) < 40 * reference
