"""Small made data sets in the layouts that training reads."""

from __future__ import annotations

from pathlib import Path

import h5py
import nibabel
import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from recon.fourier import fft2c
from recon.simulate import kspace_from_magnitude
from tests.helpers.noise import noise


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
    pydicom.dcmwrite(path, dicom)


def open_images(root: Path) -> Path:
    """One volume for each split, and a DICOM series."""
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


def fastmri(root: Path, coils: int = 0) -> Path:
    """Files of six slices, the first two nearly empty, in fastMRI's folders.

    Single-coil k-space where `coils` is 0.
    """
    rng = np.random.default_rng(1)
    kind = "multicoil" if coils else "singlecoil"
    for split, count in (("train", 3), ("val", 1)):
        for number in range(count):
            images = [blobs(rng, (200, 168)) * scale for scale in (0.01, 0.02, 1, 1, 1, 1)]
            kspace = np.stack([kspace_from_magnitude(image, rng) for image in images])
            if coils:
                sensitivity = np.exp(1j * rng.uniform(0, 6, coils))[None, :, None, None]
                kspace = kspace[:, None] * sensitivity.astype(np.complex64)
            path = root / f"{kind}_{split}" / f"file{split}{number}.h5"
            path.parent.mkdir(parents=True, exist_ok=True)
            with h5py.File(path, "w") as file:
                file["kspace"] = kspace.astype(np.complex64)
                file.attrs["acquisition"] = "CORPD_FBK"
    return root


def noise_kspace(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Fully sampled k-space of complex noise."""
    return fft2c(noise(shape, seed, np.complex128)).astype(np.complex64)
