"""Training: the data, the split, and a short real run of ``train.py`` on made images."""

import json
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import torch
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from recon import datasets, metrics, weights
from recon.fourier import ifft2c
from recon.kspace import InputError
from recon.training.losses import ssim_loss
from recon.simulate import kspace_from_magnitude

ROOT = Path(__file__).parent.parent


def blobs(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    picture = np.zeros(shape)
    for _ in range(12):
        cy, cx = rng.uniform(0.25, 0.75, 2) * shape
        radius = rng.uniform(5, 25)
        picture += rng.uniform(100, 400) * ((y - cy) ** 2 + (x - cx) ** 2 < radius**2)
    return picture.astype(np.uint16)


def write_dicom(path: Path, picture: np.ndarray) -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    dicom = FileDataset(path, {}, file_meta=meta, preamble=b"\0" * 128)
    dicom.Rows, dicom.Columns = picture.shape
    dicom.SamplesPerPixel, dicom.PhotometricInterpretation = 1, "MONOCHROME2"
    dicom.BitsAllocated = dicom.BitsStored = 16
    dicom.HighBit, dicom.PixelRepresentation = 15, 0
    dicom.PixelData = picture.tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    dicom.save_as(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A small copy of the data's layout: one volume for each split, and a DICOM series."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for patient in ("01", "09", "19"):
        slices = [blobs(rng, (180, 164)) for _ in range(3)]
        volume = np.stack([*slices, slices[0] // 50])  # the last one is mostly noise
        path = root / f"open_ms_data/longitudinal/raw/patient{patient}/study1_T1W.nii.gz"
        path.parent.mkdir(parents=True)
        nibabel.save(nibabel.Nifti1Image(volume.transpose(2, 1, 0), np.eye(4)), path)
    for index in range(2):
        write_dicom(root / f"SAG-anon/{index:04}.dcm", blobs(rng, (160, 170)))
    return root


def test_no_subject_is_in_two_splits():
    subjects = [s for split in datasets.SPLITS.values() for s in split]
    assert len(subjects) == len(set(subjects))


def test_volumes_keep_orientation_and_lose_empty_slices(folder):
    training = {v.subject: v.slices for v in datasets.load(folder, "train")}
    assert training.keys() == {"open_ms_01", "sag-anon"}
    assert training["open_ms_01"].shape == (3, 180, 164)
    np.testing.assert_array_equal(
        training["sag-anon"][1], pydicom.dcmread(folder / "SAG-anon/0001.dcm").pixel_array
    )
    assert [v.subject for v in datasets.load(folder, "validation")] == ["open_ms_09"]
    assert [v.subject for v in datasets.load(folder, "test")] == ["open_ms_19"]


def test_empty_folder_gets_a_sentence(tmp_path):
    with pytest.raises(InputError, match="no images of the train split"):
        datasets.load(tmp_path, "train")


def test_scans_are_normalised_by_the_zero_filled_maximum():
    image = blobs(np.random.default_rng(1), (64, 400)).astype(np.float32)
    kspace = kspace_from_magnitude(image, np.random.default_rng(2))
    measurement, reference = datasets.undersample(kspace, 4, np.random.default_rng(3))
    assert measurement.zero_filled.shape == reference.shape == (64, 320)
    assert measurement.zero_filled.max() == pytest.approx(1)
    assert not measurement.kspace[:, ~measurement.mask].any()
    expected = image[:, 40:360]
    np.testing.assert_allclose(reference * expected.max() / reference.max(), expected, atol=1e-2)


def test_batches_are_decided_by_their_generator():
    images = [blobs(np.random.default_rng(i), (64, 72)).astype(np.float32) for i in range(4)]
    draw = [
        datasets.patches(images, 4, np.random.default_rng(seed), size=3, patch=48)
        for seed in (1, 1, 2)
    ]
    assert draw[0][0].shape == draw[0][1].shape == (3, 1, 48, 48)
    assert draw[0][0].dtype == np.float32
    np.testing.assert_array_equal(draw[0], draw[1])
    assert np.abs(np.subtract(draw[0], draw[2])).max() > 0.1


def test_patch_larger_than_an_image_gets_a_sentence():
    image = np.ones((40, 64), np.float32)
    with pytest.raises(InputError, match="at least 48"):
        datasets.patches([image], 4, np.random.default_rng(0), patch=48)


def test_a_strip_is_a_whole_scan_in_small():
    """Undersampling a band of the image equals that band of the undersampled image."""
    rng = np.random.default_rng(5)
    kspace = kspace_from_magnitude(blobs(rng, (60, 72)), rng)
    band = datasets.strip(kspace, 20, np.random.default_rng(7))
    top = np.random.default_rng(7).integers(41)
    np.testing.assert_allclose(ifft2c(band), ifft2c(kspace)[top : top + 20], atol=1e-2)
    mask = rng.random(72) < 0.3
    np.testing.assert_allclose(
        ifft2c(band * mask), ifft2c(kspace * mask)[top : top + 20], atol=1e-2
    )
    assert datasets.strip(kspace, 1000, rng).shape == kspace.shape


def test_ssim_loss_is_the_metric():
    rng = np.random.default_rng(3)
    reference = rng.random((2, 1, 40, 33)).astype(np.float32) * np.float32([[[[1]]], [[[7]]]])
    image = reference + rng.normal(0, 0.2, reference.shape).astype(np.float32)
    expected = np.mean([metrics.ssim(r[0], x[0]) for r, x in zip(reference, image, strict=True)])
    # scikit-image leaves out the border that the window does not fit into; so does the loss
    loss = float(ssim_loss(torch.from_numpy(image), torch.from_numpy(reference)))
    assert 1 - loss == pytest.approx(expected, abs=1e-5)


def run_training(model: str, folder: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "train.py", model, "--steps", "2"]
    return subprocess.run(
        [*command, "--data", str(folder), "--out", str(out)],
        cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("model", "name"), [("resnet", "resnet-4x"), ("resnet-dc", "resnet-dc")])
def test_a_short_run_writes_a_checkpoint_and_repeats_bit_for_bit(folder, tmp_path, model, name):
    for out in ("one", "two"):
        result = run_training(model, folder, tmp_path / out)
        assert result.returncode == 0, result.stderr
    one, two = (tmp_path / out / name / "model.safetensors" for out in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    text = (tmp_path / "one" / name / "record.json").read_text()
    record = json.loads(text)
    assert [h["step"] for h in record["history"]] == [2]
    assert {row["subject"] for row in record["test"]} == {"open_ms_19"}
    assert weights.load(name, tmp_path / "one") is not None
    card = (tmp_path / "one" / name / "README.md").read_text()
    assert record["command"] in card
    for written in (text, card):
        assert str(tmp_path) not in written


def test_empty_data_folder_is_one_sentence(tmp_path):
    result = run_training("resnet", tmp_path, tmp_path / "out")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "no images" in result.stderr
