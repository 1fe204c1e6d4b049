"""What an array gives away: missing lines, padding, shifts, images in place of k-space."""

from __future__ import annotations

import numpy as np
import pytest

from recon import phantom
from recon.errors import InputError
from recon.fourier import fft2c, ifft2c
from recon.pipeline import reconstruct
from recon.readers import detect, read
from tests.helpers.files import MASK, STACK, H, W, anatomy, npy, said, write_h5


def test_missing_columns_are_found_without_a_mask(tmp_path):
    source = read(npy(tmp_path / "a", STACK[0, 0] * MASK)).source
    np.testing.assert_array_equal(source.mask, MASK)
    assert said(source, f"{W - MASK.sum()} of {W} columns", "undersampled")


def test_a_column_that_one_coil_measured_is_not_missing(tmp_path):
    array = STACK[0].copy()
    array[:2, :, 10] = 0
    assert read(npy(tmp_path / "a", array), axes="coils").source.mask is None


@pytest.mark.parametrize("padded", [[0, 1, 2], [-1], [0, 1, 2, 3, -4, -3, -2, -1]])
def test_zero_padding_is_noted_and_no_undersampling(tmp_path, padded):
    array = STACK[0, 0].copy()
    array[:, padded] = 0
    source = read(npy(tmp_path / "a", array)).source
    assert source.mask is None
    assert said(source, "zero-padding", f"of {W} columns")


@pytest.mark.parametrize("missing", [np.s_[-4:], np.s_[:8], np.s_[22:]])
def test_one_sided_partial_fourier_has_no_reference(tmp_path, missing):
    array = STACK[0, 0].copy()
    array[:, missing] = 0
    source = read(npy(tmp_path / "a", array)).source
    np.testing.assert_array_equal(source.mask, array.any(0))
    assert said(source, "partial Fourier", f"of {W} columns")


def test_missing_rows_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"Rows .* last axis"):
        read(npy(tmp_path / "a", STACK[0, 0] * (np.arange(H) % 2 == 0)[:, None]))


def test_a_two_dimensional_mask_is_refused(tmp_path):
    keep = np.random.default_rng(0).random((H, W)) < 0.4
    with pytest.raises(InputError, match="here and there"):
        read(npy(tmp_path / "a", STACK[0, 0] * keep))


def test_an_elliptical_window_is_fully_sampled(tmp_path):
    y, x = np.meshgrid(np.linspace(-1, 1, H), np.linspace(-1, 1, W), indexing="ij")
    array = STACK[0, 0] * (np.hypot(y, x) < 1)
    assert read(npy(tmp_path / "a", array)).source.mask is None


@pytest.mark.parametrize("shape", [(48, 40), (47, 41)])
@pytest.mark.parametrize("shifted", [True, False], ids=["fftshift(fft2)", "fft2"])
@pytest.mark.parametrize("of", [anatomy, lambda shape: ifft2c(phantom.kspace(shape))])
def test_an_image_around_the_corners_is_moved_to_the_middle(tmp_path, shape, shifted, of):
    """K-space as students make it: without `ifftshift` before the transform."""
    image = of(shape)
    made = np.fft.fft2(image)
    made = np.fft.fftshift(made) if shifted else made
    found = read(npy(tmp_path / "a", made.astype(np.complex64)))
    assert said(found.source, "around the corners")
    moved = np.abs(ifft2c(found.data)) / np.sqrt(np.prod(shape))
    np.testing.assert_allclose(moved, np.abs(image), atol=1e-3 * np.abs(image).max())
    centred = read(npy(tmp_path / "b", fft2c(image).astype(np.complex64)))
    assert not said(centred.source, "around the corners")


@pytest.mark.parametrize("shape", [(24, 32), (25, 33), (64, 63)])
def test_unshifted_kspace_is_shifted_with_its_mask(tmp_path, shape):
    centred = fft2c(anatomy(shape)).astype(np.complex64)
    mask = np.arange(shape[1]) % 3 == shape[1] // 2 % 3
    path = tmp_path / "a.npz"
    np.savez(path, kspace=np.fft.ifftshift(centred * mask), mask=np.fft.ifftshift(mask))
    slice_ = read(path)
    np.testing.assert_array_equal(slice_, centred * mask)
    np.testing.assert_array_equal(slice_.source.mask, mask)
    assert said(slice_.source, "corner")


@pytest.mark.parametrize("shape", [(64, 64), (48, 81)])
@pytest.mark.parametrize("coils", [1, 4])
def test_complex_images_are_told_from_kspace(shape, coils):
    image = np.array([anatomy(shape, seed) for seed in range(coils)])
    assert detect.looks_like_image(image)
    assert not detect.looks_like_image(fft2c(image))
    assert not detect.looks_like_image(np.fft.fft2(image))


def test_the_image_detector_is_conservative():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((5, 64, 64)) + 1j * rng.standard_normal((5, 64, 64))
    point = np.zeros((64, 64), complex)
    point[30, 40] = 1
    ramp = np.exp(0.1j * np.arange(64)) * np.ones((64, 1))
    for array in (noise, noise[0], noise[0, :16, :16], point, np.ones((64, 64)) + 0j, ramp):
        assert not detect.looks_like_image(array)
    mask = rng.random(64) < 0.25
    mask[29:35] = True
    assert not detect.looks_like_image(fft2c(anatomy((64, 64))) * mask)


def test_a_complex_image_is_transformed_and_noted(tmp_path):
    image = anatomy((64, 48))
    slice_ = read(npy(tmp_path / "a", image))
    np.testing.assert_allclose(slice_, fft2c(image), atol=1e-5)
    assert said(slice_.source, "complex image")
    assert not slice_.source.simulated


@pytest.mark.parametrize("shape", [(24, 32), (25, 33)])
@pytest.mark.parametrize(("phase", "simulated"), [(True, False), (False, True)])
def test_kspace_of_an_image_without_phase_counts_as_simulated(tmp_path, shape, phase, simulated):
    source = read(npy(tmp_path / "a", fft2c(anatomy(shape, phase=phase)))).source
    assert source.simulated is simulated
    assert said(source, "no phase") is simulated


@pytest.mark.parametrize("power", [-14, -11, -9, 9, 11, 13])
def test_values_whose_score_would_be_nan_are_scored_at_their_own_scale(tmp_path, power):
    plain = reconstruct(STACK[0, 0], method="zero-filled").metrics
    path = tmp_path / "a.h5"
    largest = float(np.abs(ifft2c(STACK[0, 0])).max())
    write_h5(
        path, {"max": 1.5 * largest * 10.0**power}, kspace=STACK[:1, 0] * np.float32(10.0**power)
    )
    result = reconstruct(read(path), method="zero-filled")
    assert result.reference.max() == pytest.approx(largest * 10.0**power, rel=1e-3)
    assert result.metrics["nmse"] == pytest.approx(plain["nmse"], rel=1e-3)
    assert 0 < result.metrics["ssim"] < 1
    assert result.data_range == pytest.approx(1.5 * result.reference.max(), rel=1e-3)
    assert result.data_range_from == "volume maximum"


@pytest.mark.parametrize("power", [-6, 0, 5])
def test_usual_values_stay_as_they_are(tmp_path, power):
    path = write_h5(tmp_path / "a.h5", kspace=STACK[:1, 0] * np.float32(10.0**power))
    np.testing.assert_array_equal(read(path), STACK[0, 0] * np.float32(10.0**power))
