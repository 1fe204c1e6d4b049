"""A scan line by line ends where the whole scan ends, and passes through every partial one."""

from __future__ import annotations

import numpy as np
import pytest

from recon import masks, metrics, phantom
from recon.errors import InputError
from recon.fourier import fft2c
from recon.kspace import KSpace, Source
from recon.measurement import CROP, measure, picture
from recon.probes.acquisition import line_order, replay
from recon.scan import Scan
from tests.helpers.noise import noise


def test_orders():
    full = np.ones(6, bool)
    assert line_order(full).tolist() == [0, 1, 2, 3, 4, 5]
    assert line_order(full, "centric").tolist() == [3, 2, 4, 1, 5, 0]
    assert line_order(np.ones(5, bool), "centric").tolist() == [2, 1, 3, 0, 4]
    some = np.array([1, 0, 0, 1, 1, 0], bool)
    assert line_order(some).tolist() == [0, 3, 4]
    assert line_order(some, "centric").tolist() == [3, 4, 0]


def test_random_order_is_the_seeds():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the state nobody may touch
    full = np.ones(50, bool)
    one, again, other = (line_order(full, "random", seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert sorted(one) == list(range(50))
    assert (one != other).any()
    assert (one != np.arange(50)).any()
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("order", ["linear", "centric", "random"])
@pytest.mark.parametrize("shape", [(40, 48), (33, 27), (2, 30, 41), (336, 20), (20, 336)])
def test_every_frame_is_the_zero_filled_image_of_its_lines(order, shape):
    kspace = noise(shape, 3)
    mask = masks.random_cartesian(shape[-1], 2, seed=1)
    film = replay(Scan.of(kspace, crop=CROP), mask, order, seed=5, frames=7)
    reference = picture(kspace)
    white = np.percentile(reference, 99.9)
    assert film.images.shape == (7, *reference.shape)
    for count, image, ssim in zip(film.counts, film.images, film.ssim, strict=True):
        so_far = np.isin(np.arange(shape[-1]), film.order[:count])
        exact = measure(kspace, so_far, 1).zero_filled
        np.testing.assert_allclose(image, np.clip(exact / white, 0, 1), atol=1e-5)
        assert ssim == pytest.approx(metrics.ssim(reference, exact), abs=1e-5)
    np.testing.assert_array_equal(so_far, mask)


def test_full_sampling_ends_with_the_reference():
    kspace = phantom.kspace((64, 61))
    film = replay(Scan.of(kspace), order="centric", frames=10)
    assert film.counts[-1] == 61
    assert film.ssim[-1] == pytest.approx(1, abs=1e-5)
    assert film.ssim[0] < 0.9
    assert film.images.dtype == np.float32
    assert film.images.min() >= 0
    assert film.images.max() == 1


def test_moments_are_evenly_spaced_and_the_clock_runs():
    film = replay(Scan.of(phantom.kspace((20, 30))), frames=4, repetition_time=600)
    assert film.counts.tolist() == [8, 15, 23, 30]
    np.testing.assert_allclose(film.seconds, [4.8, 9, 13.8, 18])


@pytest.mark.parametrize("width", [7, 49, 100])
def test_no_more_frames_than_lines(width):
    film = replay(Scan.of(phantom.kspace((20, width))), frames=1000)
    np.testing.assert_array_equal(film.counts, np.arange(1, width + 1))


def test_centre_first_shows_more_sooner():
    """Most of the energy is in the middle of k-space."""
    scan = Scan.of(phantom.kspace((64, 64)))
    centric, linear = (replay(scan, order=o, frames=8) for o in ("centric", "linear"))
    assert centric.ssim[1] > linear.ssim[1] + 0.1


def test_ssim_uses_the_volumes_range():
    kspace = phantom.kspace((40, 40))
    film = replay(Scan.of(KSpace(kspace, Source(attrs={"max": 3.0}))), frames=2)
    half = measure(kspace, np.arange(40) < 20, 1).zero_filled
    assert film.ssim[0] == pytest.approx(metrics.ssim(picture(kspace), half, 3.0), abs=1e-5)


def test_the_window_cuts_pictures_but_not_scores():
    """A few bright pixels are white like others, and count in full."""
    image = np.random.default_rng(0).random((64, 64))
    image[20, 30] = 50
    film = replay(Scan.of(fft2c(image.astype(np.complex64))), frames=4)
    assert film.ssim[-1] == pytest.approx(1, abs=1e-5)
    assert (film.images[-1] > 0.999).sum() >= 4
    assert film.images[-1].mean() > 0.4


@pytest.mark.parametrize(
    "arguments",
    [{"frames": 0}, {"repetition_time": 0}, {"mask": np.zeros(20, bool)}, {"order": "spiral"}],
)
def test_impossible_scans(arguments):
    with pytest.raises(InputError):
        replay(Scan.of(phantom.kspace((20, 20))), **arguments)
