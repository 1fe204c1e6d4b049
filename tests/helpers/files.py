"""Small valid files of every format that `recon.readers` accepts."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import scipy.io
import torch
from PIL import Image

from recon.fourier import fft2c
from recon.kspace import Source
from tests.helpers import scans

S, C, H, W = 5, 3, 24, 32


def anatomy(shape: tuple[int, int], seed: int = 0, phase: bool = True) -> np.ndarray:
    """An image with edges, texture, noise and (where asked) phase: complex128, shape (H, W)."""
    rng = np.random.default_rng(seed)
    y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    radius = np.hypot(y / 0.8, x / 0.7)
    image = (radius < 1) * (1 + 0.3 * np.cos(9 * x + seed)) + 0.6 * (radius < 0.4)
    image = image + 0.02 * rng.standard_normal(shape)
    return image * np.exp(1j * (2 * x + y**2 + seed)) if phase else image + 0j


def heads(slices: int = 6, coils: int = 5, height: int = 64, width: int = 48) -> np.ndarray:
    """A head of several slices under several coils: k-space (S, C, H, W) of complex64."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in (height, width)), indexing="ij")
    images = np.zeros((slices, coils, height, width), complex)
    angles = 2 * np.pi * np.arange(coils) / coils
    for s in range(slices):
        z = s / max(1, slices - 1) - 0.5
        radius = np.hypot(y / 0.85, x / 0.75)
        image = (radius < 1 - 0.2 * abs(z)) * 0.5
        for cy, cx, r, amount in np.random.default_rng(s).uniform(-0.5, 0.5, (12, 4)):
            image = image + amount * (np.hypot(y - cy, x - cx) < 0.1 + abs(r) / 3) * (radius < 0.8)
        for c, angle in enumerate(angles):
            distance = (y - np.cos(angle)) ** 2 + (x - np.sin(angle)) ** 2
            phase = angle + 1.5 * (x * np.cos(angle) + y * np.sin(angle))
            images[s, c] = image * np.exp(-distance) * np.exp(1j * phase)
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((2, *images.shape)) * 0.01
    return fft2c(images + noise[0] + 1j * noise[1]).astype(np.complex64)


def kspace(slices: int = S, coils: int = C, height: int = H, width: int = W) -> np.ndarray:
    """K-space, each slice and coil different: complex64, shape (S, C, H, W)."""
    images = [[anatomy((height, width), 7 * s + c) for c in range(coils)] for s in range(slices)]
    return fft2c(np.array(images)).astype(np.complex64)


def ordered(stack: np.ndarray, letters: str) -> np.ndarray:
    """(S, C, H, W) with its axes in another order, such as "HWS"; axes left out lose all but 0."""
    index = tuple(slice(None) if letter in letters else 0 for letter in "SCHW")
    kept = [letter for letter in "SCHW" if letter in letters]
    return stack[index].transpose([kept.index(letter) for letter in letters])


def write_h5(path: Path, attrs: dict | None = None, options: dict | None = None, **arrays) -> Path:
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array, **(options or {}))
        file.attrs.update(attrs or {})
    return path


def write_mat(path: Path, compressed: bool = False, **arrays) -> Path:
    scipy.io.savemat(path, arrays, do_compression=compressed)
    return path


def write_mat73(path: Path, **arrays) -> Path:
    """As MATLAB writes -v7.3: text in the user block, axes reversed, complex as a compound."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in arrays.items():
            stored = np.asarray(array).T
            if np.iscomplexobj(stored):
                part = stored.real.dtype
                pairs = np.empty(stored.shape, [("real", part), ("imag", part)])
                pairs["real"], pairs["imag"] = stored.real, stored.imag
                stored = pairs
            file[name] = stored
            file[name].attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\2IM")
    return path


def write_picture(path: Path, array: np.ndarray, **options) -> Path:
    Image.fromarray(array).save(path, **options)
    return path


def one_of_each(folder: Path) -> list[Path]:
    """A small valid file for each parser and storage variant."""
    folder.mkdir(exist_ok=True)
    stack = kspace(2, 2, 16, 20)
    volume = stack[:, 0]
    mask = np.arange(20) % 2 == 0
    grey = np.abs(anatomy((20, 24)) * 90).clip(0, 255).astype(np.uint8)
    np.save(folder / "volume.npy", volume)
    np.savez(folder / "stored.npz", kspace=volume, mask=mask)
    np.savez_compressed(folder / "packed.npz", kspace=volume)
    attrs = {"acquisition": "CORPD_FBK", "max": 1.5}
    write_h5(folder / "multi.h5", attrs, kspace=stack, mask=mask)
    packed = {"compression": "gzip", "shuffle": True, "fletcher32": True, "chunks": (1, 8, 8)}
    write_h5(folder / "packed.h5", attrs, packed, kspace=volume)
    write_mat(folder / "plain.mat", kspace=volume.transpose(1, 2, 0))
    write_mat(folder / "packed.mat", compressed=True, kspace=volume.transpose(1, 2, 0), mask=mask)
    write_mat73(folder / "v73.mat", kspace=volume.transpose(1, 2, 0))
    write_picture(folder / "grey.png", grey)
    write_picture(folder / "grey.jpg", grey)
    write_picture(folder / "grey.tif", grey)
    write_picture(folder / "lzw.tif", grey, compression="tiff_lzw")
    scans.mrd(folder / "mrd.mrd", stack, noise=1, oversampling=1)
    scans.twix(folder / "vd.dat", stack, oversampling=1)
    scans.twix(folder / "vb.dat", stack, version="vb", oversampling=1)
    scans.bart(folder / "bart.zip", stack)
    scans.bruker(folder / "bruker.zip", stack * 1000)
    scans.nifti(folder / "plain.nii", grey[:, :, None])
    scans.nifti(folder / "packed.nii.gz", grey[:, :, None])
    (folder / "frames.dcm").write_bytes(scans.dicom(np.array([grey, grey])))
    series = {str(n): scans.dicom(grey, n, (0, 0, n)) for n in range(2)}
    scans.zipped(folder / "series.zip", series)
    scans.tensor(folder / "tensor.pt", {"kspace": torch.from_numpy(stack)})
    return sorted(folder.iterdir())


def indexes(folder: Path) -> list[Path]:
    """Small valid HDF5 files, one for each way in which chunks are looked up."""
    folder.mkdir(exist_ok=True)
    volume = kspace(3, 1, 16, 20)[:, 0]
    for name, chunk, grows in (
        ("single", (3, 16, 20), None),
        ("fixed", (1, 8, 20), None),
        ("extensible", (1, 8, 20), (None, 16, 20)),
        ("btree2", (1, 8, 20), (None, None, 20)),
    ):
        with h5py.File(folder / f"{name}.h5", "w", libver="latest") as file:
            packed = {"compression": "gzip", "shuffle": True} if name != "fixed" else {}
            file.create_dataset("kspace", data=volume, chunks=chunk, maxshape=grows, **packed)
            file.attrs["acquisition"] = "CORPD_FBK"
    return sorted(folder.iterdir())


def header(rows: int, columns: int) -> str:
    """As fastMRI has it beside its k-space, of the picture's size."""
    return f"""<?xml version="1.0"?><ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD"><encoding>
    <encodedSpace><matrixSize><x>96</x><y>40</y><z>1</z></matrixSize>
    <fieldOfView_mm><x>280</x><y>162.8</y><z>4.5</z></fieldOfView_mm></encodedSpace>
    <reconSpace><matrixSize><x>{rows}</x><y>{columns}</y><z>1</z></matrixSize>
    <fieldOfView_mm><x>140</x><y>140</y><z>4.5</z></fieldOfView_mm></reconSpace>
    <trajectory>cartesian</trajectory></encoding></ismrmrdHeader>"""


def npy(path: Path, array: np.ndarray) -> Path:
    """An array as a file beside `path`, whose suffix becomes ``.npy``."""
    np.save(path.with_suffix(".npy"), array)
    return path.with_suffix(".npy")


def said(source: Source, *words: str) -> bool:
    """Whether one note has all the words."""
    return any(all(word in note for word in words) for note in source.notes)


STACK = kspace()
MASK = np.isin(np.arange(W), [3, 7, 8, 14, 15, 16, 17, 20, 29])


def same(found: np.ndarray, expected: np.ndarray, tolerance: float = 1e-5) -> None:
    """Assert that arrays are equal, to a share of the largest value."""
    assert found.shape == expected.shape
    scale = np.abs(expected).max()
    np.testing.assert_allclose(np.asarray(found) / scale, expected / scale, atol=tolerance)
