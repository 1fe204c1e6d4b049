"""Laboratories' own k-space, BART's and PyTorch's, and what formats are told that nobody opens."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from recon.errors import InputError
from recon.fourier import fft2c, ifft2c
from recon.readers import cfl, read
from tests.helpers import scans
from tests.helpers.files import kspace, said, same

S, C, H, W = 3, 2, 24, 32
STACK = kspace(S, C, H, W)


# BART


@pytest.mark.parametrize("suffix", [".cfl", ".hdr"])
def test_bart_pair_beside_each_other(tmp_path, suffix):
    packed = scans.bart(tmp_path / "a.zip", STACK)
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path)
    found = read(tmp_path / f"scan/ksp{suffix}", slice=1)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(read(packed, slice=1)))
    assert found.source.name == f"ksp{suffix}"
    (tmp_path / "scan/ksp.hdr").unlink()
    with pytest.raises(InputError, match="one half of a BART pair"):
        read(tmp_path / "scan/ksp.cfl")


def test_bart_pair_in_a_zip(tmp_path):
    path = scans.bart(tmp_path / "a.zip", STACK)
    for number in range(S):
        same(read(path, slice=number), STACK[number], 1e-7)
    assert read(path).source.format == "BART"


def test_a_bart_plane_of_both_phase_encode_directions(tmp_path):
    """As `bart slice 0` leaves it, and as the raw data of BART's ESPIRiT examples are."""
    path = scans.bart(tmp_path / "a.zip", STACK[:1])
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    (header,) = (name for name in files if name.endswith(".hdr"))
    numbers = files[header].decode().splitlines()[1].split()
    flat = ["1", *numbers[:2], *numbers[3:]]
    files[header] = f"# Dimensions\n{' '.join(flat)}\n".encode()
    same(read(scans.zipped(tmp_path / "b.zip", files)), STACK[0], 1e-7)


def test_bart_3d_kspace_is_transformed_and_3d_images_are_not(tmp_path):
    depth = 16
    profile = np.hanning(depth + 2)[1:-1, None, None, None] * (1 + 0.2j)
    stack = (kspace(1, C, H, W) * profile).astype(np.complex64)
    images = np.fft.ifftshift(ifft2c(stack), 0)
    volume = fft2c(np.fft.fftshift(np.fft.fft(images, axis=0, norm="ortho"), 0))
    for name, array in (("k", volume), ("i", stack)):
        path = scans.zipped(tmp_path / f"{name}.zip", scans.cfl(array.transpose(2, 3, 0, 1)))
        same(read(path, slice=5), stack[5])
        assert said(read(path).source, "3-D k-space") is (name == "k")


@pytest.mark.parametrize("transformed", [True, False])
def test_a_bart_pair_is_unpacked_once_for_a_slice(tmp_path, monkeypatch, transformed):
    """And once more to see whether it is 3-D k-space."""
    depth, coils, lines = 16, 3, 5
    volume = np.random.default_rng(0).normal(size=(24, 32, depth, coils, 1, lines)) * (1 + 0.5j)
    if transformed:
        volume *= 100.0 ** -abs(np.arange(depth) - depth // 2)[:, None, None, None]
    path = scans.zipped(tmp_path / "a.zip", scans.cfl(volume))
    begun = []
    once = zipfile.ZipFile.open
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *a: begun.append(1) or once(*a))
    with cfl.opened(path) as stored:
        begun.clear()
        found = stored.take((depth * 2 + 7, *[slice(None)] * 3))
        assert len(begun) <= 1
    volume = volume[..., 0, 2]
    if transformed:
        volume = np.fft.ifftshift(volume, 2)
        volume = np.fft.fftshift(np.fft.ifft(volume, axis=2, norm="ortho"), 2)
    same(found, volume[:, :, 7].transpose(2, 0, 1), 1e-5)


def test_bart_own_files(tmp_path):
    """`bart phantom -k` and `bart fft`: the same image to 1e-5."""
    if subprocess.run(["which", "bart"], capture_output=True, check=False).returncode:
        pytest.skip("bart is not installed")
    run = lambda *words: subprocess.run(["bart", *words], cwd=tmp_path, check=True)  # noqa: E731
    run("phantom", "-k", "-x", "64", "-s", "4", "ksp")
    run("fft", "-i", "-u", "3", "ksp", "img")
    members = {f"ksp.{end}": (tmp_path / f"ksp.{end}").read_bytes() for end in ("cfl", "hdr")}
    found = ifft2c(np.asarray(read(scans.zipped(tmp_path / "a.zip", members))))
    image = np.fromfile(tmp_path / "img.cfl", np.complex64).reshape(4, 64, 64).transpose(0, 2, 1)
    same(found, image)


@pytest.mark.parametrize("sizes", ["4 5", "64 64 1 -2", "64 x", "", "64 64 1 1 2"])
def test_bart_headers_that_do_not_fit(tmp_path, sizes):
    members = scans.cfl(np.ones((64, 64)))
    members["scan/ksp.hdr"] = f"# Dimensions\n{sizes}\n".encode()
    with pytest.raises(InputError, match="BART"):
        read(scans.zipped(tmp_path / "a.zip", members))


def test_half_a_bart_pair_says_what_is_missing(tmp_path):
    (tmp_path / "a.cfl").write_bytes(b"\0" * 100)
    with pytest.raises(InputError, match=r"half of a BART pair; a zip of \.cfl and \.hdr"):
        read(tmp_path / "a.cfl")


# PyTorch


@pytest.mark.parametrize("wrap", [lambda t: t, lambda t: {"kspace": t, "note": "x", "n": 3}])
def test_tensors(tmp_path, wrap):
    path = scans.tensor(tmp_path / "a.pt", wrap(torch.from_numpy(STACK)))
    for number in range(S):
        same(read(path, slice=number), STACK[number], 1e-7)
    assert read(path).source.format == "PyTorch"


def test_tensors_as_pairs_views_and_with_a_mask(tmp_path):
    pairs = torch.view_as_real(torch.from_numpy(STACK))
    same(read(scans.tensor(tmp_path / "a.pt", pairs), slice=1), STACK[1], 1e-7)
    turned = torch.from_numpy(STACK.transpose(3, 2, 1, 0).copy()).permute(3, 2, 1, 0)
    same(read(scans.tensor(tmp_path / "b.pt", turned), slice=1), STACK[1], 1e-7)
    mask = torch.arange(W) % 2 == 0
    data = {"kspace": torch.from_numpy(STACK) * mask, "mask": mask}
    found = read(scans.tensor(tmp_path / "c.pt", data))
    np.testing.assert_array_equal(found.source.mask, mask)


def test_tensors_that_wait_to_be_conjugated_or_negated(tmp_path):
    conjugated = torch.from_numpy(STACK).conj()
    assert conjugated.is_conj()
    same(read(scans.tensor(tmp_path / "a.pt", conjugated), slice=1), STACK[1].conj(), 1e-7)
    negated = torch._neg_view(torch.from_numpy(STACK))
    assert negated.is_neg()
    same(read(scans.tensor(tmp_path / "b.pt", negated), slice=1), -STACK[1], 1e-7)


def test_tensors_run_no_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran-code",))

    with pytest.raises(InputError, match="more than tensors"):
        read(scans.tensor(tmp_path / "a.pt", {"kspace": torch.zeros(32, 32), "x": Evil()}))
    assert not (tmp_path / "ran-code").exists()


# What has no open reader


PAR = (
    b"# === DATA DESCRIPTION FILE ======================================================\n#\n"
    b"# CAUTION - Investigational device.\n# Limited by Federal Law to investigational use.\n#\n"
    b"# Dataset name: x\n#\n# CLINICAL TRYOUT             Research image export tool     V4.2\n"
)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("P12345.7", b"\0" * 34 + b"GE_MED_NMR" + b"\0" * 99, "GE P-file.*pfile2ismrmrd"),
        ("a.raw", b"\0" * 99, "does not say whose; of Philips's, 'philips_to_ismrmrd'"),
        ("a.data", b"\0" * 99, "does not say whose; of Philips's, 'philips_to_ismrmrd'"),
        ("a.list", b"# === DATA DESCRIPTION FILE ===\n", "a Philips raw.*philips_to_ismrmrd"),
        ("a.lab", b"\0" * 99, "a Philips raw.*philips_to_ismrmrd"),
        ("a.PAR", PAR, "an image file of Philips.*parrec2nii"),
        ("a.txt", PAR, "an image file of Philips.*parrec2nii"),
        ("a.rec", b"\0" * 99, "an image file of Philips.*parrec2nii"),
        ("a.hdr", (348).to_bytes(4, "little") + b"\0" * 344, "half of a NIfTI.*nib-convert"),
        ("a.hdr", (540).to_bytes(4, "big") + b"\0" * 536, "half of a NIfTI.*nib-convert"),
        ("a.img", b"\0" * 99, "half of a NIfTI or Analyze pair.*nib-convert"),
        ("a.mrd", b"yardl\x01\0\0\0", "MRD stream of version 2.*mrd_to_ismrmrd"),
    ],
)
def test_others_say_how_to_convert(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        read(tmp_path / name)


def test_a_zip_of_nothing_says_which_nifti_files_are_meant(tmp_path):
    """In the field a NIfTI pair is .hdr and .img."""
    path = scans.zipped(tmp_path / "a.zip", {"a.hdr": b"\0" * 348, "a.img": b"\0" * 99})
    with pytest.raises(InputError, match="a magnitude and a phase NIfTI"):
        read(path)
