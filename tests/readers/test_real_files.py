"""Real measured files."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.io

from recon.fourier import fft2c, ifft2c
from recon.readers import describe, detect, read
from tests.conftest import SHARED
from tests.helpers.files import said

REAL = SHARED / "real_kspace"
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="real k-space is not on this machine")
ULTRA = sorted((REAL / "ultra_low_field").glob("*.mat")) if REAL.is_dir() else []


def test_the_spin_echo_head():
    path = REAL / "se_t1_sag_data.mat"
    slice_ = read(path)
    np.testing.assert_array_equal(slice_, scipy.io.loadmat(path)["data"].astype("c8"))
    assert slice_.source.notes == ()
    assert not slice_.source.simulated


def test_ultra_low_field_files_are_stacks_of_four_slices():
    assert len(ULTRA) == 12
    for path in ULTRA:
        expected = scipy.io.loadmat(path)["kspace"]
        assert describe(path).slices == 4
        for number in range(4):
            slice_ = read(path, slice=number)
            np.testing.assert_array_equal(slice_, expected[..., number].astype("c8"))
            assert slice_.source.mask is None
            assert not slice_.source.simulated
            assert not said(slice_.source, "image")
        coils = read(path, axes="coils")
        np.testing.assert_array_equal(coils, np.moveaxis(expected, -1, 0).astype("c8"))


def test_the_coil_images_become_kspace():
    images = np.moveaxis(np.load(REAL / "brain_slice.npz")["arr_0"], -1, 0)
    slice_ = read(REAL / "brain_slice.npz")
    assert slice_.shape == (7, 256, 216)
    np.testing.assert_allclose(slice_, fft2c(images), rtol=1e-4, atol=1e-6 * np.abs(images).max())
    assert said(slice_.source, "coils")
    assert said(slice_.source, "complex image")


def test_the_image_detector_on_every_real_slice():
    slices = [read(path, slice=n) for path in ULTRA for n in range(4)]
    slices += [read(REAL / "se_t1_sag_data.mat"), read(REAL / "brain_slice.npz")]
    ratios = []
    for one in slices:
        array = np.asarray(one)
        ratios.append(detect.concentration(array) / detect.concentration(ifft2c(array)))
        assert detect.looks_like_image(ifft2c(array))
        assert not detect.looks_like_image(array)
        assert not detect.is_unshifted(array)
        assert detect.is_unshifted(np.fft.ifftshift(array, axes=(-2, -1)))
    # The threshold on the inverse ratio is far from every real slice, on both sides.
    assert min(ratios) > 5
    assert 1 / min(ratios) < 0.6 * detect.IMAGE_RATIO
