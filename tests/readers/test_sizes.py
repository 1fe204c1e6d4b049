"""Pictures are cut where a file's header says, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

import recon
from recon import phantom
from recon.fourier import center_crop, ifft2c
from tests.helpers import scans
from tests.helpers.files import anatomy, header, kspace, npy, said, write_h5, write_picture

WIDE = phantom.kspace((96, 40), seed=1)


def shown(path, **options) -> tuple[int, ...]:
    return recon.reconstruct(recon.read(path), method="zero-filled", **options).image.shape


def test_fastmri_is_cut_to_what_its_header_asks_for(tmp_path):
    path = write_h5(tmp_path / "a.h5", kspace=WIDE[None], ismrmrd_header=header(48, 36))
    source = recon.read(path).source
    assert source.size == (48, 36)
    assert source.spacing == pytest.approx((280 / 96, 162.8 / 40, 4.5))
    result = recon.reconstruct(recon.read(path), method="zero-filled")
    np.testing.assert_allclose(
        result.reference, center_crop(abs(ifft2c(WIDE)), (48, 36)), atol=1e-6
    )
    assert shown(path, crop=False) == WIDE.shape


def test_fastmri_is_cut_to_the_target_that_is_published_beside_it(tmp_path):
    path = write_h5(
        tmp_path / "a.h5",
        kspace=WIDE[None],
        ismrmrd_header=header(48, 36),
        reconstruction_rss=np.ones((1, 46, 38), np.float32),
    )
    assert shown(path) == (46, 38)


@pytest.mark.parametrize("broken", ["", "no XML", header(3, 3), "<a/>", "<!x>"])
def test_without_a_header_half_of_a_fastmri_readout_is_oversampling(tmp_path, broken):
    path = write_h5(tmp_path / "a.h5", {"max": 1.0}, kspace=WIDE[None], ismrmrd_header=broken)
    assert shown(path) == (48, 40)
    assert said(recon.read(path).source, "does not say how large its image is")


@pytest.mark.parametrize("shape", [(384, 384), (512, 512), (640, 320)])
def test_arrays_in_files_keep_their_edge(tmp_path, shape):
    assert shown(npy(tmp_path / "a", phantom.kspace(shape, seed=2))) == shape


def test_a_larger_image_than_the_kspace_is_not_made(tmp_path):
    path = write_h5(tmp_path / "a.h5", kspace=WIDE[None], ismrmrd_header=header(200, 300))
    assert shown(path) == WIDE.shape


def test_pixels_of_fastmri_are_those_of_its_kspace_not_of_an_interpolated_image(tmp_path):
    path = write_h5(tmp_path / "a.h5", kspace=WIDE[None], ismrmrd_header=header(96, 80))
    source = recon.read(path).source
    assert source.size == (96, 40)
    assert source.spacing == pytest.approx((280 / 96, 162.8 / 40, 4.5))


def test_rows_as_lines_are_cut_alike(tmp_path):
    path = write_h5(tmp_path / "a.h5", kspace=WIDE[None], ismrmrd_header=header(48, 36))
    assert shown(path, phase_encode="rows") == (48, 36)


def test_ismrmrd_is_cut_to_its_field_of_view(tmp_path):
    stack = kspace(2, 2, 48, 40)
    path = scans.mrd(tmp_path / "a.h5", stack, field=200)
    found = recon.read(path)
    assert found.shape == (2, 24, 40)  # the readout's oversampling is gone
    assert found.source.size == (24, 27)  # 200 of 300 mm of the phase-encode axis
    # Cutting does not stretch: 40 lines encode 300 mm, and 27 of them show 202.5.
    assert found.source.spacing == pytest.approx((300 / 24, 300 / 40, 5))
    assert shown(path) == (24, 27)


def test_twix_is_cut_to_its_field_of_view(tmp_path):
    stack = kspace(1, 1, 48, 40)
    path = scans.twix(tmp_path / "a.dat", stack, wider=0.25, field=(240, 200, 5))
    found = recon.read(path)
    assert found.shape == (24, 40)
    assert found.source.size == (24, 32)
    assert found.source.spacing == pytest.approx((10, 6.25, 5))
    assert shown(path) == (24, 32)


def test_of_a_reduced_picture_the_pixels_are_larger(tmp_path):
    grey = np.abs(anatomy((400, 640)) * 90).astype(np.uint8)
    affine = np.diag([0.5, 0.5, 2.0, 1.0])
    read = recon.read(scans.nifti(tmp_path / "a.nii", grey.T[:, :, None], affine))
    assert read.shape == (200, 320)
    assert read.source.spacing == pytest.approx((1, 1, 2))
    # Both images cover the same field: corners of pixels agree, not their centres.
    whole = recon.read(scans.nifti(tmp_path / "b.nii", grey.T[::2, ::2, None], affine))
    assert whole.source.spacing == pytest.approx((0.5, 0.5, 2))
    corner = read.source.affine @ [-0.5, -0.5, 0, 1]
    old = whole.source.affine @ [-0.5, -0.5, 0, 1]
    far = read.source.affine @ [199.5, 319.5, 0, 1]
    assert abs(far - corner)[:2] == pytest.approx([320, 200])
    assert corner.shape == old.shape
    assert recon.read(write_picture(tmp_path / "a.png", grey)).source.affine is None
