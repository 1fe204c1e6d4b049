"""DICOM series and frames: their order, scale and place, and what else an archive may hold."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

import recon
from recon.readers import isolated, read
from tests.helpers import scans
from tests.helpers.files import said, same

AXIAL, CORONAL, SAGITTAL = [1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1], [0, 1, 0, 0, 0, -1]
RNG = np.random.default_rng(0)


def grey(count: int) -> np.ndarray:
    """Images that tell each other apart."""
    pixels = RNG.integers(1, 99, (count, 24, 20)) + 100 * np.arange(count)[:, None, None]
    return pixels.astype(np.uint16)


def images_of(path: Path) -> list[np.ndarray]:
    with isolated.opened(path) as stored:
        count = stored.shape[0]
        return [stored.take((n, slice(None), slice(None))) for n in range(count)]


def series(path: Path, pixels: np.ndarray, places: Sequence[tuple], **more: object) -> Path:
    """A file for each place: orientation and position."""
    files = {
        f"{n}.dcm": scans.dicom(pixels[n], n, place, ImageOrientationPatient=turned, **more)
        for n, (turned, place) in enumerate(places)
    }
    return scans.zipped(path, files)


def test_every_frame_of_an_enhanced_file_has_its_own_scale_and_place(tmp_path):
    pixels = grey(6)
    each = [
        {"ImagePositionPatient": [-50, -60, 5.0 * n], "RescaleSlope": n + 1, "RescaleIntercept": n}
        for n in range(6)
    ]
    path = tmp_path / "a.dcm"
    path.write_bytes(scans.dicom(pixels[::-1], each=each[::-1]))
    for n, image in enumerate(images_of(path)):
        np.testing.assert_array_equal(image, pixels[n] * np.float32(n + 1) + np.float32(n))
    source = read(path, slice=2).source
    assert source.spacing == pytest.approx((1.5, 2.5, 5))
    np.testing.assert_allclose(source.affine @ (0, 0, 2, 1), (50, 60, 10, 1))


def test_frames_of_one_file_that_are_magnitude_and_phase_are_joined(tmp_path):
    pixels = grey(6)
    each = [
        {"ImagePositionPatient": [0, 0, 5.0 * (n // 2)], "ComplexImageComponent": component}
        for n, component in enumerate(["MAGNITUDE", "PHASE"] * 3)
    ]
    (tmp_path / "a.dcm").write_bytes(scans.dicom(pixels, each=each))
    found = images_of(tmp_path / "a.dcm")
    assert len(found) == 3
    same(np.abs(found[1]), pixels[2].astype(float))
    assert said(read(tmp_path / "a.dcm").source, "Magnitude and phase were joined")


def test_frames_of_which_no_place_is_told_keep_their_order(tmp_path):
    pixels = grey(3)
    (tmp_path / "a.dcm").write_bytes(scans.dicom(pixels))
    np.testing.assert_array_equal(images_of(tmp_path / "a.dcm"), pixels)
    assert read(tmp_path / "a.dcm").source.affine is None


@pytest.mark.parametrize(
    ("told", "depth"),
    [
        ({"SliceThickness": 5}, 5),
        ({"SliceThickness": 5, "SpacingBetweenSlices": 6}, 6),
        ({"SpacingBetweenSlices": -6}, 6),
        ({"SliceThickness": ""}, None),
        ({}, None),
    ],
)
def test_one_slice_is_as_thick_as_the_file_says(tmp_path, told, depth):
    (tmp_path / "a.dcm").write_bytes(scans.dicom(grey(1)[0], position=(7, 8, 9), **told))
    source = read(tmp_path / "a.dcm").source
    if depth is None:
        assert source.affine is source.spacing is None
    else:
        assert source.spacing == pytest.approx((1.5, 2.5, depth))
        np.testing.assert_allclose(source.affine @ (0, 0, 0, 1), (-7, -8, 9, 1))


def test_places_that_come_again_are_time_frames(tmp_path):
    pixels = grey(12)
    places = [(AXIAL, (0, 0, 5.0 * n)) for _ in range(3) for n in (3, 1, 0, 2)]
    path = series(tmp_path / "a.zip", pixels, places)
    order = [2, 1, 3, 0, 6, 5, 7, 4, 10, 9, 11, 8]
    np.testing.assert_array_equal(images_of(path), pixels[order])
    for number in (1, 9):
        source = read(path, slice=number).source
        assert source.spacing == pytest.approx((1.5, 2.5, 5))
        np.testing.assert_allclose(source.affine @ (0, 0, number, 1), (0, 0, 5, 1))
    assert said(source, "same places up to 3 times")


def test_a_localizer_keeps_its_directions_together_and_has_no_one_place(tmp_path):
    pixels = grey(9)
    turns = ((AXIAL, (0, 0, 5)), (CORONAL, (0, 10, 0)), (SAGITTAL, (10, 0, 0)))
    places = [(turned, np.multiply(step, n)) for n in range(3) for turned, step in turns]
    path = series(tmp_path / "a.zip", pixels, places, SliceThickness=4)
    found = np.array(images_of(path))
    order = [np.flatnonzero((pixels == image).all((1, 2)))[0] % 3 for image in found]
    assert order == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    source = read(path).source
    assert source.affine is None
    assert source.spacing == pytest.approx((1.5, 2.5, 4))


@pytest.mark.parametrize(
    "places",
    [
        [(AXIAL, (0, 0, z)) for z in (0, 5, 10, 25, 30)],
        [(AXIAL, (0, 0, z)) for z in (0, 5, 10, 10)],
        [(AXIAL, (0, 0, 5 * n)) for n in (0, 1, 2)] + [(AXIAL, (9, 0, 5 * n)) for n in (0, 1, 2)],
    ],
    ids=["a gap", "one of them twice", "moved"],
)
def test_places_that_are_not_even_or_not_the_same_every_time_have_no_affine(tmp_path, places):
    path = series(tmp_path / "a.zip", grey(len(places)), places, SliceThickness=5)
    source = read(path).source
    assert source.affine is None
    assert source.spacing == pytest.approx((1.5, 2.5, 5))


def test_a_reduced_picture_without_a_place_has_larger_pixels(tmp_path):
    pixels = RNG.integers(1, 99, (640, 480)).astype(np.uint16)
    places = [(AXIAL, (0, 0, 0)), (CORONAL, (0, 0, 0))]
    path = series(tmp_path / "a.zip", np.array([pixels, pixels]), places, SliceThickness=5)
    assert read(path).source.spacing == pytest.approx((3, 5, 5))


def test_black_and_white_may_be_the_other_way_round(tmp_path):
    (pixels,) = grey(1)
    told = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12, "HighBit": 11}
    (tmp_path / "a.dcm").write_bytes(scans.dicom(pixels, **told))
    np.testing.assert_array_equal(images_of(tmp_path / "a.dcm")[0], 4095 - pixels.astype(float))


def report() -> bytes:
    """A structured report: DICOM without pixels."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID, made.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.11", generate_uid()
    made.SeriesInstanceUID, made.Modality = generate_uid(), "SR"
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, made, enforce_file_format=True)
    return buffer.getvalue()


def test_a_series_as_it_is_burnt_on_a_disc(tmp_path):
    """Behind what starts a viewer, and with a report."""
    pixels = grey(3)
    viewer = {f"VIEWER/{n}.DLL": bytes(200) for n in range(40)}
    files = {"AUTORUN.INF": b"hello", "INDEX.HTM": b"hello", **viewer, "DICOM/SR1": report()}
    files |= {f"DICOM/{n}": scans.dicom(pixels[n], n, (0, 0, 5.0 * n)) for n in range(3)}
    path = scans.zipped(tmp_path / "a.zip", files)
    np.testing.assert_array_equal(images_of(path), pixels)
    with pytest.raises(recon.InputError, match="holds no DICOM image"):
        read(scans.zipped(tmp_path / "b.zip", {"SR1": report()}))
