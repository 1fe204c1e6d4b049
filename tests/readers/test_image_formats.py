"""Magnitude and complex images, NIfTI and DICOM: right slice, turned upright, right scale."""

from __future__ import annotations

import gzip

import nibabel
import numpy as np
import pydicom
import pytest

from recon.errors import InputError
from recon.fourier import ifft2c
from recon.readers import describe, isolated, read
from tests.conftest import SHARED
from tests.helpers import scans
from tests.helpers.files import anatomy, said, same

S, C, H, W = 3, 2, 24, 32

# NIfTI


VOXELS = np.abs(np.array([anatomy((W, H), s) for s in range(S)])).transpose(1, 2, 0) * 300


@pytest.mark.parametrize("suffix", ["nii", "nii.gz"])
@pytest.mark.parametrize("kind", [np.int16, np.float32, np.uint8, np.float64])
def test_nifti_volumes_are_simulated(tmp_path, suffix, kind):
    array = (VOXELS / 3 if kind is np.uint8 else VOXELS).astype(kind)
    path = scans.nifti(tmp_path / f"a.{suffix}", array)
    found = describe(path)
    assert (found.format, found.slices, found.height, found.width) == ("NIfTI", S, H, W)
    expected = nibabel.Nifti1Image.load(path).get_fdata()
    for number in range(S):
        slice_ = read(path, slice=number)
        assert slice_.source.simulated
        # Rows to the back, columns to the left: both run against the affine's axes.
        same(np.abs(ifft2c(np.asarray(slice_))), expected[::-1, ::-1, number].T, 2e-5)


@pytest.mark.parametrize("end", [b"", gzip.compress(b""), b"\0" * 512], ids=["", "bgzip", "padded"])
def test_nifti_in_gzip_of_several_members(tmp_path, end):
    """As bgzip and pigz write it, and pieces that were compressed apart and joined."""
    plain = scans.nifti(tmp_path / "a.nii", VOXELS.astype(np.float32)).read_bytes()
    pieces = [gzip.compress(plain[at : at + 999]) for at in range(0, len(plain), 999)]
    path = tmp_path / "b.nii.gz"
    path.write_bytes(b"".join(pieces) + end)
    packed = scans.zipped(tmp_path / "c.zip", {"b.nii.gz": path.read_bytes()})
    for number in range(S):
        expected = np.asarray(read(tmp_path / "a.nii", slice=number))
        for one in (path, packed):
            np.testing.assert_array_equal(np.asarray(read(one, slice=number)), expected)
    path.write_bytes(b"".join(pieces[:-1]))
    with pytest.raises(InputError, match="damaged"):
        read(path, slice=S - 1)


def test_nifti_scaling_and_complex_images(tmp_path):
    image = nibabel.Nifti1Image(VOXELS.astype(np.int16), scans.IDENTITY)
    image.header.set_slope_inter(0.5, 3)
    nibabel.save(image, tmp_path / "a.nii")
    expected = nibabel.Nifti1Image.load(tmp_path / "a.nii").get_fdata()[::-1, ::-1, 1].T
    same(np.abs(ifft2c(np.asarray(read(tmp_path / "a.nii", slice=1)))), expected, 2e-5)

    images = np.array([anatomy((W, H), s) for s in range(S)]).transpose(1, 2, 0)
    path = scans.nifti(tmp_path / "c.nii.gz", images.astype(np.complex64))
    slice_ = read(path, slice=2)
    assert not slice_.source.simulated
    same(ifft2c(np.asarray(slice_)), images[::-1, ::-1, 2].T)


def test_nifti_time_series_number_the_slices_first(tmp_path):
    array = np.stack([VOXELS, 2 * VOXELS], -1).astype(np.float32)
    path = scans.nifti(tmp_path / "a.nii", array)
    assert describe(path).slices == 2 * S
    first, second = (np.abs(ifft2c(np.asarray(read(path, slice=n)))) for n in (1, 1 + S))
    same(second, 2 * first)
    assert said(read(path).source, "2 volumes of 3 slices")


def test_nifti_magnitude_and_phase_become_complex(tmp_path):
    images = np.array([anatomy((W, H), s) for s in range(S)]).transpose(1, 2, 0)
    members = {}
    for name, part in (("sub_part-mag", np.abs(images)), ("sub_part-phase", np.angle(images))):
        file = scans.nifti(tmp_path / f"{name}.nii.gz", part.astype(np.float32))
        members[file.name] = file.read_bytes()
    slice_ = read(scans.zipped(tmp_path / "a.zip", members), slice=1)
    assert not slice_.source.simulated
    same(ifft2c(np.asarray(slice_)), images[::-1, ::-1, 1].T)


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR", "ASR", "SPL", "LIP"])
def test_nifti_slices_are_upright_whatever_the_affine(tmp_path, codes):
    """A point at the front right, or at the top, is drawn there."""
    ras = np.zeros((20, 24, 28), np.float32)
    ras += np.random.default_rng(0).random(ras.shape) * 0.01
    ras[14:18, 17:22, 20:27] = 1  # right, front, top
    image = nibabel.Nifti1Image(ras, np.eye(4))
    turned = image.as_reoriented(
        nibabel.orientations.ornt_transform(
            nibabel.orientations.axcodes2ornt("RAS"), nibabel.orientations.axcodes2ornt(codes)
        )
    )
    path = tmp_path / "a.nii"
    nibabel.save(turned, path)
    third = nibabel.Nifti1Image.load(path)
    middle = {"R": 15, "A": 19, "S": 23, "L": 4, "P": 4, "I": 4}[codes[2]]
    picture = np.abs(ifft2c(np.asarray(read(path, slice=middle))))
    top, left = np.argwhere(picture > 0.5).mean(0) / picture.shape
    assert top < 0.5  # the front or the head is above
    # Seen from the feet, the right is on the left; seen from the side, the front is.
    assert left < 0.5
    assert third.shape == turned.shape


# DICOM


PIXELS = VOXELS.transpose(2, 1, 0).astype(np.uint16)


def test_dicom_single_and_multi_frame(tmp_path):
    (tmp_path / "a.dcm").write_bytes(scans.dicom(PIXELS[0], slope=2, intercept=5))
    (tmp_path / "b.dcm").write_bytes(scans.dicom(PIXELS))
    expected = pydicom.dcmread(tmp_path / "a.dcm").pixel_array * 2.0 + 5
    single = read(tmp_path / "a.dcm")
    assert single.source.simulated
    same(np.abs(ifft2c(np.asarray(single))), expected, 2e-5)
    assert describe(tmp_path / "b.dcm").slices == S
    for number in range(S):
        image = np.abs(ifft2c(np.asarray(read(tmp_path / "b.dcm", slice=number))))
        same(image, pydicom.dcmread(tmp_path / "b.dcm").pixel_array[number], 2e-5)
    assert "Secret" not in repr(single.source)


@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.int32])
def test_dicom_pixel_types(tmp_path, kind):
    pixels = (PIXELS[0] / 4).astype(kind)
    (tmp_path / "a.dcm").write_bytes(scans.dicom(pixels))
    same(np.abs(ifft2c(np.asarray(read(tmp_path / "a.dcm")))), pixels.astype(float), 2e-5)


def test_dicom_series_is_sorted_by_position(tmp_path):
    members = {
        f"im{number}.dcm": scans.dicom(PIXELS[number], 9 - number, (0, 0, 5.0 * number))
        for number in (2, 0, 1)
    }
    path = scans.zipped(tmp_path / "a.zip", members)
    for number in range(S):
        same(
            np.abs(ifft2c(np.asarray(read(path, slice=number)))), PIXELS[number].astype(float), 2e-5
        )


def test_a_dicom_frame_larger_than_one_read(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 2**14, (2048, 2050), np.uint16)
    (tmp_path / "a.dcm").write_bytes(scans.dicom(pixels))
    with isolated.opened(tmp_path / "a.dcm") as stored:
        np.testing.assert_array_equal(stored.take((0, slice(None), slice(None))), pixels)


def test_large_dicom_images_that_do_not_shrink(tmp_path):
    """Of 1.7 MiB each when packed, more than one read may bring."""
    pixels = np.random.default_rng(0).integers(0, 2**14, (2, 1000, 1000), np.uint16)
    members = {f"{n}.dcm": scans.dicom(pixels[n], n, (0, 0, 5.0 * n)) for n in range(2)}
    with isolated.opened(scans.zipped(tmp_path / "a.zip", members)) as stored:
        for number in range(2):
            index = (number, slice(None), slice(None))
            np.testing.assert_array_equal(stored.take(index), pixels[number])


def test_dicom_magnitude_and_phase_become_complex(tmp_path):
    images = np.array([anatomy((H, W), s) for s in range(S)])
    phase = np.round(np.angle(images) / np.pi * 4096).astype(np.int16)
    members = {}
    for number in range(S):
        place = {"position": (0, 0, 3.0 * number)}
        pixels = np.round(np.abs(images[number]) * 20_000).astype(np.uint16)
        members[f"m{number}"] = scans.dicom(pixels, number, **place)
        members[f"p{number}"] = scans.dicom(phase[number], 50 + number, kind="P", **place)
    slice_ = read(scans.zipped(tmp_path / "a.zip", members), slice=1)
    assert not slice_.source.simulated
    same(ifft2c(np.asarray(slice_)), images[1] * 20_000, 2e-3)  # pixels are whole numbers


def test_dicom_that_is_refused(tmp_path):
    path = tmp_path / "a.dcm"
    for content, words in (
        (scans.dicom(PIXELS[0])[:-10], "complete"),
        (scans.dicom(PIXELS[0], PhotometricInterpretation="RGB", SamplesPerPixel=3), "colours"),
        (scans.dicom(PIXELS[0], Rows=4000), "MiB of pixels"),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=words):
            read(path)
    two = {str(n): scans.dicom(PIXELS[n], series=f"1.2.{n}") for n in range(2)}
    with pytest.raises(InputError, match="2 DICOM series"):
        read(scans.zipped(tmp_path / "a.zip", two))


def test_a_real_dicom_series(tmp_path):
    folder = SHARED / "example-dicom-structural/dicoms"
    if not folder.exists():
        pytest.skip("the shared data are not here")
    files = sorted(folder.glob("*.dcm"))[40:46]
    path = tmp_path / "a.zip"
    scans.zipped(path, {file.name: file.read_bytes() for file in files})
    assert describe(path).slices == 6
    for number, file in enumerate(sorted(files, key=lambda f: f.name)):
        expected = pydicom.dcmread(file).pixel_array.astype(float)
        found = [np.abs(ifft2c(np.asarray(read(path, slice=n)))) for n in (number, 5 - number)]
        if found[0].shape == expected.shape:
            assert min(np.abs(f - expected).max() for f in found) < 2e-5 * expected.max()
