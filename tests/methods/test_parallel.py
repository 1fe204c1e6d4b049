"""The scanners' methods: better than what they start from, and one sentence where they cannot."""

import json
from dataclasses import replace

import numpy as np
import pytest

import recon
from recon import cli, masks, phantom
from recon.coils import phantom as coil_phantom
from recon.coils.absent import absent_noise
from recon.coils.simulate import Loops, narrowed
from recon.fourier import fft2c, ifft2c, rss
from recon.measurement import Measurement, measure, shown_rows
from recon.methods import METHODS
from recon.methods.parallel import WIDE
from recon.methods.simple import PartialFourier
from recon.scan import Scan
from tests.helpers.coils import maps, seen
from tests.helpers.data import noise_kspace

SEVERAL = [name for name, method in METHODS.items() if method.coils == "several"]
SHAPE = (64, 72)


def snr(image: np.ndarray, truth: np.ndarray) -> float:
    return 20 * np.log10(np.linalg.norm(truth) / np.linalg.norm(image - truth))


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return rss(ifft2c(seen(8, SHAPE, 0)))


def test_the_table_has_them():
    assert SEVERAL == ["cs-sense", "sense", "grappa"]
    assert METHODS["pocs"].coils == "any"


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("distance", [2, 3])
def test_they_unfold_the_phantom(truth, name, distance):
    measurement = measure(seen(8, SHAPE), masks.calibrated(72, distance, 0.25, 1), distance)
    found = METHODS[name](measurement)
    assert found.dtype == np.float32
    assert snr(found, truth) > snr(measurement.zero_filled, truth) + 10


@pytest.mark.parametrize("name", SEVERAL)
def test_measured_lines_of_every_coil_stay(name):
    mask = masks.calibrated(72, 3, 0.25, 1)
    measurement = measure(seen(8, SHAPE), mask, 3)
    images = METHODS[name].coil_images(measurement)
    assert images.shape == measurement.kspace.shape
    assert images.dtype == np.complex64
    away = np.linalg.norm(fft2c(images)[..., mask] - measurement.kspace[..., mask])
    assert away < 1e-5 * np.linalg.norm(measurement.kspace)


@pytest.mark.parametrize("name", SEVERAL)
def test_what_was_not_measured_is_not_seen_and_scale_is_kept(name):
    mask = masks.calibrated(72, 3, 0.25, 1)
    kspace = seen(8, SHAPE)
    other = np.where(mask, kspace, 7 - 3j).astype(np.complex64)
    one = METHODS[name](measure(kspace, mask, 3))
    np.testing.assert_array_equal(one, METHODS[name](measure(other, mask, 3)))
    for factor in (1e-7, 1e5):
        scaled = METHODS[name](measure(kspace * np.float32(factor), mask, 3))
        np.testing.assert_allclose(scaled / factor, one, atol=1e-3 * one.max())


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("shape", [(33, 47), (16, 64), (64, 31)])
def test_odd_and_small_sizes(name, shape):
    kspace = coil_phantom.kspace(Loops.ring(4), shape)
    image = METHODS[name](measure(kspace, masks.calibrated(shape[1], 2, 0.4, 0), 2))
    assert image.shape == shape
    assert np.isfinite(image).all()


@pytest.mark.parametrize("name", ["sense", "cs-sense"])
def test_given_sensitivities_are_used(truth, name):
    """Lines without a middle tell nothing about coils, unless somebody knows them."""
    mask = np.arange(72) % 3 == 1
    plain = measure(seen(8, SHAPE), mask, 3)
    with pytest.raises(recon.InputError, match=r"5 lines side by side .* measures 0 there\.$"):
        METHODS[name](plain)
    known = Measurement(
        plain.kspace, mask, 3, plain.zero_filled, plain.crop, 2 * maps(8, SHAPE)
    )  # of any length
    assert snr(METHODS[name](known), truth) > snr(plain.zero_filled, truth) + 10


@pytest.mark.parametrize("name", SEVERAL)
def test_one_coil_is_one_sentence(name, tmp_path, capsys):
    kspace = phantom.kspace((48, 40))
    with pytest.raises(recon.InputError, match=r"has one coil\.$"):
        recon.reconstruct(kspace, method=name)
    np.save(tmp_path / "one.npy", kspace)
    words = [str(tmp_path / "one.npy"), "--method", name, "zero-filled", "--out", str(tmp_path)]
    assert cli.main(words) == 1
    assert "has one coil." in capsys.readouterr().err
    records = json.loads((tmp_path / "metrics.json").read_text())
    assert [record["method"] for record in records] == ["zero-filled"]


def test_noise_alone_breaks_nothing():
    kspace = noise_kspace((3, 32, 40))
    mask = masks.calibrated(40, 2, 0.5, 0)
    for name in SEVERAL:
        assert np.isfinite(METHODS[name](measure(kspace, mask, 2))).all()


# ---- conjugate symmetry ---------------------------------------------------------------------


def half(width: int, reach: float = 5 / 8) -> np.ndarray:
    return np.arange(width) < round(reach * width)


def test_a_smooth_phase_is_all_that_half_of_kspace_lacks():
    kspace = phantom.kspace((96, 96), noise=0)
    truth = np.abs(ifft2c(kspace))
    measurement = measure(kspace, half(96), 1.6)
    found = PartialFourier()(measurement)
    assert snr(found, truth) > snr(measurement.zero_filled, truth) + 5


def test_a_real_object_comes_back_exactly():
    image = np.random.default_rng(0).random((16, 33)) + 1  # odd: every line has a mirror line
    kspace = fft2c(image).astype(np.complex64)
    found = PartialFourier()(measure(kspace, half(33), 1.6))
    np.testing.assert_allclose(found, image, atol=2e-3)


def test_coils_are_completed_alone_and_measured_lines_stay():
    kspace = seen(4, SHAPE)
    mask = half(72)
    images = PartialFourier().coil_images(measure(kspace, mask, 1.6))
    away = np.linalg.norm(fft2c(images)[..., mask] - kspace[..., mask])
    assert away < 1e-5 * np.linalg.norm(kspace)


def test_without_a_middle_it_is_one_sentence():
    kspace = phantom.kspace((48, 40))
    with pytest.raises(recon.InputError, match="middle of k-space"):
        recon.reconstruct(kspace, method="pocs", mask=np.arange(40) % 2 == 1)


# ---- the readout ----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 64, 20), (65, 20), (2, 47, 20)])
def test_rows_that_are_not_shown_are_cut_before_anything_else(shape):
    kspace = noise_kspace(shape)
    kept = shown_rows(kspace, (33, 99))
    top = (shape[-2] - 33) // 2
    rows = ifft2c(kspace)[..., top : top + 33, :]
    np.testing.assert_allclose(ifft2c(kept), rows, atol=1e-6)
    assert shown_rows(kspace, (70, 10)) is kspace


@pytest.mark.parametrize("name", ["zero-filled", "sense", "grappa", "resnet-dc"])
@pytest.mark.parametrize("phase_encode", ["columns", "rows"])
def test_half_of_the_readout_gives_the_same_rows(name, phase_encode):
    """A 128-row slice of which 64 are shown, against the same slice with its maps and all rows."""
    kspace = coil_phantom.kspace(Loops.ring(4), (64, 72))
    long = np.zeros((4, 128, 72), np.complex64)
    long[:, 32:96] = ifft2c(kspace)
    long = fft2c(long).astype(np.complex64)
    given = long if phase_encode == "columns" else long.swapaxes(-2, -1)
    crop = (64, 72) if phase_encode == "columns" else (72, 64)
    scan = Scan.of(np.ascontiguousarray(given), phase_encode=phase_encode, crop=crop)
    mask = masks.calibrated(72, 2, 0.3, 0)
    measurement = scan.measure(mask)
    assert measurement.kspace.shape == (4, 64, 72)
    short = measure(kspace, mask, measurement.acceleration, (64, 72))
    expected, found = METHODS[name](short), METHODS[name](measurement)
    np.testing.assert_allclose(found, expected, atol=1e-5 * expected.max())


@pytest.mark.parametrize("name", ["sense", "cs-sense"])
def test_it_is_noted_where_no_single_image_explains_all_coils(name):
    wide, mask = seen(8, SHAPE), masks.calibrated(72, 3, 0.3, 0)
    assert WIDE not in METHODS[name].notes(measure(wide, mask, 3))
    narrow, mask = narrowed(wide, 36), masks.calibrated(36, 3, 0.5, 0)
    measurement = measure(narrow, mask, 3)
    assert METHODS[name].notes(measurement) == (WIDE,)
    known = replace(measurement, sensitivities=np.ones_like(narrow))
    assert METHODS[name].notes(known) == ()
    assert METHODS["grappa"].notes(measurement) == ()  # it needs no such image


@pytest.mark.parametrize("name", ["sense", "grappa"])
def test_no_noise_is_added_to_weighted_sums_of_what_was_measured(name):
    """Their noise in filled lines is no less than in measured ones: by replicas."""
    mask = masks.calibrated(72, 3, 0.3, 0)
    clean, method = seen(4, SHAPE, noise=0), METHODS[name]
    drawn = [
        noise_kspace(clean.shape, seed=seed) * 0.01 * np.abs(ifft2c(clean)).max()
        for seed in range(6)
    ]
    found = [fft2c(method.coil_images(measure(clean + noise, mask, 3))) for noise in drawn]
    spread = np.var(found, axis=0)
    assert spread[..., ~mask].mean() > 0.7 * spread[..., mask].mean()
    measurement = measure(clean + drawn[0], mask, 3)
    picture = measurement.picture_of(method.coil_images(measurement))
    np.testing.assert_allclose(method(measurement), picture, rtol=1e-6)
    assert not any("was added" in note for note in method.notes(measurement))


@pytest.mark.parametrize("name", ["cs-sense", "resnet-dc", "varnet"])
def test_every_picture_of_all_coils_has_the_noise_of_a_full_scan_and_says_so(name):
    kspace, mask = seen(4, SHAPE, noise=0.01), masks.calibrated(72, 3, 0.3, 0)
    measurement, method = measure(kspace, mask, 3), METHODS[name]
    power = absent_noise(measurement)
    assert power > 0
    images = method.coil_images(measurement)
    plain = measurement.picture_of(images)
    found = method.picture(images, measurement)
    np.testing.assert_allclose(found**2 - plain**2, power, rtol=0, atol=1e-5 * plain.max() ** 2)
    share = 100 * np.sqrt(power) / measurement.zero_filled.max()
    (said,) = (note for note in method.notes(measurement) if "was added to the picture" in note)
    assert f"{share:.1f}%" in said
    alone = measure(kspace[0], mask, 3)
    assert absent_noise(alone) == 0
