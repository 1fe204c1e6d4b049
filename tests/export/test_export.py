"""What is saved is what was reconstructed, read back by each format's own library."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import h5py
import nibabel
import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import recon
from recon import export, masks
from recon.errors import InputError
from recon.export import EXPORTS
from recon.fourier import rss
from recon.kspace import KSpace, Source
from tests.helpers import scans
from tests.helpers.files import anatomy, kspace, write_h5

SECRET = "Secret^Name"


@pytest.fixture(scope="module")
def results() -> list[recon.Reconstruction]:
    stack = kspace(3, 2, 40, 32)
    return [
        recon.reconstruct(
            KSpace(one, Source(name=SECRET, slice=n, slices=3, size=(36, 30), spacing=(1, 2, 3))),
            method="zero-filled",
        )
        for n, one in enumerate(stack)
    ]


def saved(results, names, folder, slices=None):
    with export.opened(names, folder, "volume", slices or len(results)) as take:
        for result in results:
            take(result)
    return folder


def test_every_kind_is_read_back_as_it_was(results, tmp_path):
    images = np.stack([one.image for one in results])
    folder = saved(results, list(EXPORTS), tmp_path)
    with h5py.File(folder / "volume.h5") as file:
        np.testing.assert_array_equal(file["reconstruction"][...], images)
        assert file["reconstruction"].dtype == np.float32
        assert list(file) == ["reconstruction"]
    np.testing.assert_array_equal(np.load(folder / "volume.npy"), images)
    volume: Any = nibabel.load(folder / "volume.nii")
    np.testing.assert_array_equal(volume.get_fdata(dtype=np.float32).T, images)
    assert volume.header.get_zooms() == (2, 1, 3)
    assert volume.header["sform_code"] == volume.header["qform_code"] == 0
    files = sorted((folder / "volume-dicom").iterdir())
    assert [one.name for one in files] == ["0001.dcm", "0002.dcm", "0003.dcm"]
    for path, image in zip(files, images, strict=True):
        one = pydicom.dcmread(path)
        values = one.pixel_array * float(one.RescaleSlope) + float(one.RescaleIntercept)
        # The precision that is stated: half of the slope, the maximum divided by 65535.
        assert np.abs(values - image).max() <= 0.5001 * image.max() / 65535
    assert {one.name for one in folder.iterdir()} == {
        "volume.h5", "volume.npy", "volume.nii", "volume-dicom",
    }  # fmt: skip


def test_slices_that_were_kept_are_saved_alike(results, tmp_path):
    """Of a volume whose slices other processes did, or an earlier run."""
    direct = saved(results, ["h5", "npy", "nii"], tmp_path / "direct")
    (tmp_path / "kept").mkdir()
    for number, result in enumerate(results):
        export.Slice.of(result).write(tmp_path / "kept" / f"{number}.npz")
    kept = [export.Slice.read(path) for path in sorted((tmp_path / "kept").iterdir())]
    assert SECRET not in str(kept)
    again = saved(kept, ["h5", "npy", "nii"], tmp_path / "again")
    for path in direct.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()


def test_dicom_says_what_it_is_and_names_nobody(results, tmp_path):
    folder = saved(results, ["dicom"], tmp_path)
    files = [pydicom.dcmread(one) for one in sorted((folder / "volume-dicom").iterdir())]
    for one in files:
        assert one.SOPClassUID == pydicom.uid.SecondaryCaptureImageStorage
        for text in (one.SeriesDescription, one.DerivationDescription, one.ImageComments):
            assert "NOT FOR DIAGNOSIS" in text
        assert not one.PatientName
        assert not one.PatientID
        assert one.ImageType[:2] == ["DERIVED", "SECONDARY"]
        assert one.PixelSpacing == [1, 2]
        assert SECRET not in str(one)
    assert len({one.SOPInstanceUID for one in files}) == 3
    assert len({one.SeriesInstanceUID for one in files}) == 1
    again = saved(results, ["dicom"], tmp_path / "again")
    other = pydicom.dcmread(next((again / "volume-dicom").iterdir()))
    assert other.SeriesInstanceUID != files[0].SeriesInstanceUID
    assert all(uid.startswith("2.25.") for uid in (other.SOPInstanceUID, other.StudyInstanceUID))


def test_numpy_has_complex_coil_images_where_they_were_kept(tmp_path):
    stack = kspace(1, 3, 40, 32)[0]
    source = Source(size=(36, 30))
    for wish in ({"method": "zero-filled"}, {"method": "resnet-dc"}, {"coils": 1}):
        result = recon.reconstruct(KSpace(stack, source), coil_images=True, **wish)
        saved([result], ["npy"], tmp_path)
        (images,) = np.load(tmp_path / "volume.npy")
        assert images.dtype == np.complex64
        shown = rss(images) if images.ndim == 3 else abs(images)
        np.testing.assert_allclose(shown, result.image, rtol=1e-6, atol=1e-6)
    rows = recon.reconstruct(
        stack, coil_images=True, method="zero-filled", phase_encode="rows", axes="CHW"
    )
    np.testing.assert_allclose(rss(rows.coil_images), rows.image, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("turn", ["axial", "oblique"])
def test_nifti_keeps_places_in_the_scanner(tmp_path, turn):
    """The same spot has the same millimetres before and after, whatever was cut and turned."""
    grey = np.zeros((34, 28, 5), np.float32) + np.abs(anatomy((34, 28)))[..., None] * 50
    grey[20, 9, 3] = 4000
    affine = np.diag([-2.0, 1.5, 4.0, 1.0])
    if turn == "oblique":
        c, s = np.cos(0.3), np.sin(0.3)
        affine = np.array([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]) @ affine
    affine[:3, 3] = 40, -30, 12
    path = scans.nifti(tmp_path / "in.nii", grey, affine)
    results = [
        recon.reconstruct(recon.read(path, slice=n), 1, method="zero-filled") for n in (2, 3, 4)
    ]
    made: Any = nibabel.load(saved(results, ["nii"], tmp_path) / "volume.nii")
    at = np.unravel_index(made.get_fdata().argmax(), made.shape)
    assert at[2] == 1
    np.testing.assert_allclose(made.affine @ (*at, 1), affine @ (20, 9, 3, 1), atol=1e-3)
    assert made.header["sform_code"] == 1


def test_a_cut_picture_lies_where_its_middle_was():
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    source = Source(slice=2, size=(30, 28), affine=affine)
    result = recon.reconstruct(KSpace(kspace(1, 1, 40, 32)[0, 0], source), method="zero-filled")
    found = export.Slice.of(result).affine
    # Column 0, row 0 of the picture are column 2, row 5 of the whole image, in slice 2.
    np.testing.assert_allclose(found @ (0, 0, 0, 1), (10, 6, 8, 1))
    np.testing.assert_allclose(found @ (1, 0, 0, 1), (10, 9, 8, 1))


def test_a_reconstruction_is_a_submission_to_fastmri(tmp_path):
    """`evaluate.py` reads targets and reconstructions by the same file name."""
    stack = kspace(2, 1, 40, 32)[:, 0]
    target = np.stack([recon.reconstruct(one, 1, method="zero-filled").image for one in stack])
    path = write_h5(tmp_path / "file1000001.h5", kspace=stack, reconstruction_esc=target)
    results = [
        recon.reconstruct(recon.read(path, slice=n), 1, method="zero-filled") for n in range(2)
    ]
    folder = saved(results, ["h5"], tmp_path / "out")
    with h5py.File(path) as one, h5py.File(folder / "volume.h5") as other:
        assert one["reconstruction_esc"].shape == other["reconstruction"].shape
        np.testing.assert_allclose(one["reconstruction_esc"], other["reconstruction"], atol=1e-6)


def test_after_an_error_nothing_is_left_and_what_was_there_stays(results, tmp_path):
    saved(results, list(EXPORTS), tmp_path)
    before = {one: one.stat().st_mtime_ns for one in tmp_path.rglob("*")}

    def broken() -> Iterator[recon.Reconstruction]:
        yield results[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        saved(broken(), list(EXPORTS), tmp_path, 3)
    assert {one: one.stat().st_mtime_ns for one in tmp_path.rglob("*")} == before
    with pytest.raises(InputError, match="1 of 3 slices"):
        saved(results[:1], ["npy"], tmp_path / "few", 3)
    assert list((tmp_path / "few").iterdir()) == []


def test_slices_of_two_sizes_are_no_volume(results, tmp_path):
    other = recon.reconstruct(kspace(1, 1, 24, 32)[0, 0], method="zero-filled")
    for name in EXPORTS:
        with pytest.raises(InputError, match="one size"):
            saved([results[0], other], [name], tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("module", "name"), [("nibabel", "nii"), ("pydicom", "dicom")])
def test_a_missing_library_is_named_in_one_sentence(results, tmp_path, monkeypatch, module, name):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(InputError, match=f"pip install {module}"):
        saved(results, [name], tmp_path)


def test_an_unknown_kind_is_refused(results, tmp_path):
    with pytest.raises(InputError, match="h5, npy, nii, dicom"):
        saved(results, ["../x"], tmp_path)


@pytest.mark.parametrize("name", list(EXPORTS))
def test_one_file_to_send(results, name):
    suffix, content = export.packed(results[:1], name)
    assert suffix == {"h5": ".h5", "npy": ".npy", "nii": ".nii", "dicom": ".zip"}[name]
    if name == "dicom":
        with zipfile.ZipFile(io.BytesIO(content)) as pack:
            assert pack.namelist() == ["reconstruction-dicom/0001.dcm"]
    elif name == "npy":
        np.testing.assert_array_equal(np.load(io.BytesIO(content))[0], results[0].image)


def test_an_empty_picture_is_saved_too(tmp_path):
    """A slice whose picture is zero, as a method may give: no division by its maximum."""
    from dataclasses import replace

    mask = masks.random_cartesian(32, 4, seed=0)
    result = recon.reconstruct(kspace(1, 1, 40, 32)[0, 0], mask=mask, method="zero-filled")
    saved([replace(result, image=np.zeros_like(result.image))], list(EXPORTS), tmp_path)
    one = pydicom.dcmread(tmp_path / "volume-dicom/0001.dcm")
    assert not one.pixel_array.any()


def _slices(seed: int, shape: tuple[int, int], count: int, scale: float) -> list[export.Slice]:
    """Pictures of a volume that lies obliquely, with values over many orders of magnitude."""
    rng = np.random.default_rng(seed)
    affine = np.eye(4)
    affine[:3, :3] = np.linalg.qr(rng.standard_normal((3, 3)))[0] * rng.uniform(0.3, 9, 3)
    affine[:3, 3] = rng.uniform(-300, 300, 3)
    column, row, step = np.linalg.norm(affine[:3, :3], axis=0)
    images = scale * rng.random((count, *shape)) ** rng.uniform(1, 9)
    places = [affine @ (np.eye(4) + np.outer((0, 0, n, 0), (0, 0, 0, 1))) for n in range(count)]
    return [
        export.Slice(
            np.float32(image),
            None,
            place if seed % 2 else None,
            (row, column, step) if seed % 3 else None,
            "zero-filled",
            4.0,
            10,
            40,
        )
        for image, place in zip(images, places, strict=True)
    ]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**20),
    st.tuples(st.integers(1, 67), st.integers(1, 67)),
    st.integers(1, 5),
    st.sampled_from([1e-25, 1e-6, 1, 3e4, 1e25]),
)
def test_pictures_of_any_size_and_scale_are_read_back(tmp_path_factory, seed, shape, count, scale):
    folder = tmp_path_factory.mktemp("any")
    kept = folder / "kept.npz"
    slices = _slices(seed, shape, count, scale)
    images = np.stack([one.image for one in slices])
    saved(slices, list(EXPORTS), folder)
    with h5py.File(folder / "volume.h5") as file:
        np.testing.assert_array_equal(file["reconstruction"][...], images)
    np.testing.assert_array_equal(np.load(folder / "volume.npy"), images)
    volume: Any = nibabel.load(folder / "volume.nii")
    assert volume.shape == (shape[1], shape[0], count)
    np.testing.assert_array_equal(volume.get_fdata(dtype=np.float32).T, images)
    first = slices[0]
    if first.affine is not None:
        np.testing.assert_allclose(volume.affine, first.affine, rtol=1e-6, atol=1e-4)
        np.testing.assert_allclose(volume.get_qform(), first.affine, rtol=1e-4, atol=1e-2)
    elif first.spacing is not None:
        row, column, step = first.spacing
        np.testing.assert_allclose(volume.header.get_zooms(), (column, row, step), rtol=1e-6)
    files = sorted((folder / "volume-dicom").iterdir())
    assert len(files) == count
    for path, one in zip(files, slices, strict=True):
        read = pydicom.dcmread(path)
        values = read.pixel_array.reshape(shape) * float(read.RescaleSlope)
        assert np.abs(values - one.image).max() <= 0.5001 * one.image.max() / 65535
        if one.spacing is not None:
            np.testing.assert_allclose(read.PixelSpacing, one.spacing[:2], rtol=1e-6)
    first.write(kept)
    again = export.Slice.read(kept)
    np.testing.assert_array_equal(again.image, first.image)
    assert (again.affine is None) == (first.affine is None)
    assert again.spacing == first.spacing


@pytest.mark.parametrize("name", EXPORTS)
def test_nothing_is_refused_in_one_sentence(tmp_path, name):
    with (
        pytest.raises(InputError, match="no slice to save"),
        export.opened([name], tmp_path / "out", "volume", 0),
    ):
        pass
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="no slice to save"):
        export.packed([], name)
