"""Scanners' own k-space: right slice, coil, line and scale."""

from __future__ import annotations

import re
import zipfile
from unittest.mock import Mock

import h5py
import ismrmrd
import numpy as np
import numpy.lib.recfunctions as rfn
import pytest

from recon.errors import InputError
from recon.fourier import fft2c, ifft2c
from recon.readers import bruker, describe, read
from tests.conftest import SHARED
from tests.helpers import scans
from tests.helpers.files import kspace, said, same

S, C, H, W = 3, 2, 24, 32


def oversampled(stack: np.ndarray) -> np.ndarray:
    """K-space of the same images in twice the field of view along the readout."""
    images = ifft2c(stack)
    height = stack.shape[-2]
    return fft2c(np.pad(images, [*[(0, 0)] * (stack.ndim - 2), (height // 2, height // 2), (0, 0)]))


STACK = kspace(S, C, H, W)
WIDE = oversampled(STACK)


# ISMRMRD, written by its own library


def test_mrd_slices_coils_and_oversampling(tmp_path):
    path = scans.mrd(tmp_path / "a.h5", WIDE, noise=8)
    found = describe(path)
    assert (found.format, found.slices, found.coils) == ("ISMRMRD", S, C)
    assert (found.height, found.width) == (H, W)
    for number in range(S):
        slice_ = read(path, slice=number)
        same(slice_, STACK[number])
        assert slice_.source.mask is None
        assert not slice_.source.simulated
    assert said(slice_.source, "oversampling", "24 of 48")
    assert said(slice_.source, "8 noise readouts")
    assert slice_.source.attrs["noise"] == pytest.approx(3, rel=0.1)
    assert slice_.source.attrs["field_strength"] == 1.5


@pytest.mark.parametrize("write", [scans.mrd, scans.twix])
def test_noise_readouts_tell_how_coils_share_noise(tmp_path, write):
    """Two coils, 3 in the real part and 3 in the imaginary one, from 8 readouts of 48 samples."""
    found = read(write(tmp_path / "a", WIDE, noise=8)).source
    assert found.attrs["noise"] == pytest.approx(3, rel=0.1)
    np.testing.assert_allclose(found.noise_covariance, 18 * np.eye(2), atol=5)
    assert read(write(tmp_path / "b", WIDE)).source.noise_covariance is None


def test_mrd_equals_the_reconstruction_of_its_own_library(tmp_path):
    """As `ismrmrd-python-tools` does it: readouts by the library, then a plain inverse FFT."""
    path = scans.mrd(tmp_path / "a.h5", WIDE, noise=2)
    file = ismrmrd.Dataset(str(path), "dataset", create_if_needed=False)
    grid = np.zeros_like(WIDE)
    for i in range(file.number_of_acquisitions()):
        one = file.read_acquisition(i)
        if not one.isFlagSet(ismrmrd.ACQ_IS_NOISE_MEASUREMENT):
            grid[one.idx.slice, :, :, one.idx.kspace_encode_step_1] = one.data
    file.close()
    images = ifft2c(grid)[:, :, H // 2 : H // 2 + H]
    for number in range(S):
        same(ifft2c(np.asarray(read(path, slice=number))), images[number])


@pytest.mark.parametrize("middle", [0, W // 2 - 1, W // 2 + 1])
def test_mrd_whose_header_is_a_line_off_is_read_as_it_fits(tmp_path, middle):
    slice_ = read(scans.mrd(tmp_path / "a.h5", WIDE, middle=middle), slice=1)
    same(slice_, STACK[1])
    assert slice_.source.mask is None


def test_mrd_with_fewer_lines_around_the_middle_is_zero_padded_and_not_undersampled(tmp_path):
    """As the same k-space in any other file."""
    lines = np.arange(6, W - 6)
    padded = np.zeros_like(WIDE)
    padded[..., lines] = WIDE[..., lines]
    source = read(scans.mrd(tmp_path / "a.h5", padded, lines=lines)).source
    assert source.mask is None
    assert said(source, "zero-padding")
    for few in (np.arange(10, W - 10), np.arange(6, W)):
        found = read(scans.mrd(tmp_path / "b.h5", WIDE, lines=few)).source
        np.testing.assert_array_equal(np.flatnonzero(found.mask), few)


def test_mrd_calibration_lines_of_another_size_are_left_out(tmp_path):
    slice_ = read(scans.mrd(tmp_path / "a.h5", WIDE, short=range(12, 20)), slice=0)
    same(slice_, STACK[0])
    assert said(slice_.source, "8 calibration lines of another size")


def test_mrd_averages_and_repetitions(tmp_path):
    path = scans.mrd(tmp_path / "a.h5", WIDE, averages=3, repetitions=2)
    assert describe(path).slices == 2 * S
    for number in range(2 * S):
        same(read(path, slice=number), STACK[number % S] * (1 + number // S))
    source = read(path).source
    assert said(source, "3 averages were averaged")
    assert said(source, "2 repetitions of 3 slices", "slices first")


def test_mrd_acceleration_with_calibration_becomes_the_mask(tmp_path):
    lines = [*range(0, W, 2), 15, 17]
    path = scans.mrd(tmp_path / "a.h5", WIDE, lines=sorted(lines), calibration=[15, 17])
    slice_ = read(path, slice=1)
    assert slice_.source.mask is not None
    np.testing.assert_array_equal(np.flatnonzero(slice_.source.mask), sorted(lines))
    same(slice_, STACK[1] * slice_.source.mask)


def test_mrd_separate_calibration_is_left_out(tmp_path):
    lines = sorted([*range(0, W, 2), 15, 17])
    path = scans.mrd(tmp_path / "a.h5", WIDE, lines=lines, calibration=[15, 17], mode="separate")
    source = read(path).source
    np.testing.assert_array_equal(np.flatnonzero(source.mask), np.arange(0, W, 2))
    assert said(source, "separate calibration")


def test_mrd_partial_fourier_has_no_reference(tmp_path):
    slice_ = read(scans.mrd(tmp_path / "a.h5", WIDE, lines=np.arange(8, W)))
    np.testing.assert_array_equal(np.flatnonzero(slice_.source.mask), np.arange(8, W))


def test_mrd_asymmetric_echo_has_no_reference(tmp_path):
    source = read(scans.mrd(tmp_path / "a.h5", WIDE, first_sample=10)).source
    assert source.mask is not None
    assert source.mask.all()
    assert said(source, "asymmetric echo")


@pytest.mark.parametrize("depth", [4, 5])
def test_mrd_3d_is_transformed_along_partitions(tmp_path, depth):
    images = ifft2c(oversampled(kspace(depth, C, H, W)))
    shifted = np.fft.ifftshift(images, 0)
    volume = fft2c(np.fft.fftshift(np.fft.fft(shifted, axis=0, norm="ortho"), 0))
    path = scans.mrd(tmp_path / "a.h5", volume, partitions=depth)
    assert describe(path).slices == depth
    for number in range(depth):
        same(read(path, slice=number), kspace(depth, C, H, W)[number])


def test_mrd_in_a_group_of_another_name(tmp_path):
    path = scans.mrd(tmp_path / "a.h5", WIDE)
    with h5py.File(path, "r+") as file:
        file["links"] = h5py.ExternalLink("other.h5", "/x")
        file.move("dataset", "2026-11-30")
    found = read(path, slice=1)
    same(found, STACK[1])
    assert found.source.format == "ISMRMRD"


def test_mrd_that_does_not_tell_the_time_of_a_sample(tmp_path):
    path = scans.mrd(tmp_path / "a.h5", WIDE)
    with h5py.File(path, "r+") as file:
        table = file["dataset/data"][()]
        head = table["head"][[n for n in table.dtype["head"].names if n != "sample_time_us"]]
        head = rfn.repack_fields(head)
        kinds = [("head", head.dtype), ("data", h5py.vlen_dtype(np.float32))]
        fewer = np.empty(table.shape, kinds)
        fewer["head"], fewer["data"] = head, table["data"]
        del file["dataset/data"]
        file["dataset/data"] = fewer
    same(read(path, slice=1), STACK[1])


def test_mrd_that_is_not_cartesian_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"trajectory .* radial"):
        read(scans.mrd(tmp_path / "a.h5", WIDE, trajectory="radial"))


# Siemens TWIX


@pytest.mark.parametrize("version", ["vb", "vd"])
def test_twix_slices_coils_and_oversampling(tmp_path, version):
    path = scans.twix(tmp_path / "a.dat", WIDE, version=version, averages=2, reverse=range(1, W, 2))
    found = describe(path)
    assert (found.format, found.slices, found.coils) == ("Siemens TWIX", S, C)
    for number in range(S):
        slice_ = read(path, slice=number)
        same(slice_, STACK[number])
        assert slice_.source.mask is None
    assert said(slice_.source, "2 averages")
    assert not said(slice_.source, "Secret")


def test_twix_noise_acceleration_and_calibration(tmp_path):
    lines = sorted([*range(0, W, 2), 15, 17])
    path = scans.twix(tmp_path / "a.dat", WIDE, lines=lines, reference=[15, 17], noise=10)
    slice_ = read(path, slice=2)
    np.testing.assert_array_equal(np.flatnonzero(slice_.source.mask), lines)
    same(slice_, STACK[2] * slice_.source.mask)
    assert slice_.source.attrs["noise"] == pytest.approx(3, rel=0.1)


def test_twix_3d(tmp_path):
    images = ifft2c(oversampled(kspace(4, C, H, W)))
    volume = fft2c(
        np.fft.fftshift(np.fft.fft(np.fft.ifftshift(images, 0), axis=0, norm="ortho"), 0)
    )
    path = scans.twix(tmp_path / "a.dat", volume, partitions=4)
    for number in range(4):
        same(read(path, slice=number), kspace(4, C, H, W)[number])


@pytest.mark.parametrize(
    ("mode", "separate"),
    [
        ("sPat.ucRefScanMode\t = \t2", False),
        ("sPat.ucRefScanMode\t = \t4", True),
        ("sPat.ucRefScanMode                       = 0x4", True),  # as VB and VD pad and write it
        ("sPat.ucRefScanMode                       = 0x10", False),
        ("sPat.ucRefScanMode\t = \t64", False),
        ("sPat.ucRefScanMode\t = \t256", True),
        ("sPat.ucRefScanMode\t = \t512", True),
        ('<ParamLong."ucRefScanMode">  { <Default> 1 <Limit> { 1 2 4 8 } 4  }', True),
        ('<ParamLong."ucRefScanMode">  { <Default> 4 <Limit> { 1 2 4 8 }  }', False),
    ],
)
def test_twix_calibration_lines_are_kept_unless_they_are_a_scan_of_their_own(
    tmp_path, mode, separate
):
    lines = sorted([*range(0, W, 2), 15, 17])
    path = scans.twix(tmp_path / "a.dat", WIDE, lines=lines, reference=[15, 17], protocol=mode)
    source = read(path).source
    assert said(source, "separate calibration") is separate
    expected = np.arange(0, W, 2) if separate else lines
    np.testing.assert_array_equal(np.flatnonzero(source.mask), expected)


def test_twix_trajectories_are_known_in_either_notation(tmp_path):
    for value in ("2", "0x2"):
        line = f"sKSpace.ucTrajectory                     = {value}"
        with pytest.raises(InputError, match="Cartesian"):
            read(scans.twix(tmp_path / "a.dat", WIDE, protocol=line))


def test_twix_a_precision_is_no_value(tmp_path):
    line = '<ParamDouble."flReadoutOSFactor">  { <Precision> 12  }'
    path = scans.twix(tmp_path / "a.dat", STACK, oversampling=1, protocol=line)
    same(read(path, slice=0), STACK[0])


def test_twix_of_a_scanner():
    """A phantom on a Prisma: equal to turbotwix and twixtools, and a picture of the phantom."""
    path = SHARED / "formats/pulseq_tutorials/02_basic_gradient_echo/data/01_GRE_example.dat"
    if not path.exists():
        pytest.skip("the shared data are not here")
    turbotwix = pytest.importorskip("turbotwix")
    slice_ = read(path)
    expected = turbotwix.open_twix(str(path)).read(dims=("Lin",))[0].T
    same(slice_, expected)
    assert slice_.source.mask is None
    image = np.abs(ifft2c(np.asarray(slice_)))
    assert image[96:160, 96:160].mean() > 5 * image[:16, :16].mean()
    # As its protocol says of the slice: 224 mm in 256 pixels, and 3 mm thick.
    assert slice_.source.spacing == pytest.approx((0.875, 0.875, 3))


# Bruker


@pytest.mark.parametrize("job", [False, True])
@pytest.mark.parametrize(("factor", "repetitions"), [(1, 1), (4, 2)])
def test_bruker_slices_and_steps(tmp_path, job, factor, repetitions):
    whole = np.round(STACK.real * 1000) + 1j * np.round(STACK.imag * 1000)
    rng = np.random.default_rng(0)
    steps = rng.permutation(np.arange(-W // 2, W // 2))
    path = scans.bruker(
        tmp_path / "a.zip",
        whole,
        order=[0, 2, 1],
        steps=steps,
        factor=factor,
        repetitions=repetitions,
        job=job,
    )
    assert describe(path).slices == S * repetitions
    for number in range(S * repetitions):
        slice_ = read(path, slice=number)
        same(slice_, whole[number % S] * (1 + number // S), 1e-7)
    assert slice_.source.format == "Bruker"
    assert slice_.source.mask is None


@pytest.mark.parametrize("stored", ["32bit_signed", "64bit_float"])
def test_bruker_numbers_as_paravision_360_stores_them(tmp_path, stored):
    path = scans.bruker(tmp_path / "a.zip", STACK * 1000, stored=stored)
    for number in range(S):
        expected = STACK[number] * 1000
        same(read(path, slice=number), np.round(expected.real) + 1j * np.round(expected.imag), 1e-7)


def test_bruker_partial_fourier_becomes_the_mask(tmp_path):
    path = scans.bruker(tmp_path / "a.zip", STACK * 1000, steps=range(-6, W // 2))
    np.testing.assert_array_equal(np.flatnonzero(read(path).source.mask), np.arange(10, W))


def test_bruker_scan_equals_the_scanners_own_reconstruction(tmp_path):
    folder = SHARED / "formats/brukerMRI/example_dataset/100"
    if not folder.exists():
        pytest.skip("the shared data are not here")
    path = tmp_path / "scan.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in folder.rglob("*"):
            archive.write(file, file.relative_to(folder.parent))
    scanner = np.fromfile(folder / "pdata/1/2dseq", "<i2").reshape(3, 128, 128).astype(float)
    # RECO_transposition says which frames the scanner turned.
    frames = [scanner[0].T, scanner[1], scanner[2]]
    reco = (folder / "pdata/1/reco").read_text("latin-1")
    slope = float(re.search(r"RECO_map_slope=.*\n([0-9.]+)", reco)[1])
    for number, frame in enumerate(frames):
        values = np.asarray(read(path, slice=number)).astype(np.complex128)
        image = np.abs(ifft2c(values)) * 128 * slope  # its transform is not orthonormal
        # The scanner drops what is behind the point; where nothing is, single precision decides.
        assert np.abs(image - frame - 0.5).max() <= 0.503
        assert np.mean(np.floor(image) == frame) > 0.999


def test_bruker_folder_is_read_as_its_zip(tmp_path):
    path = scans.bruker(tmp_path / "a.zip", STACK * 1000)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "study")
    for number in range(S):
        one, other = read(tmp_path / "study/7", slice=number), read(path, slice=number)
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    assert one.source.name == "7"
    assert not [one for one in (tmp_path / "study/7").iterdir() if one.suffix == ".zip"]


def test_a_large_bruker_scan_is_unpacked_once_for_a_slice(tmp_path, monkeypatch):
    """Raw data of 18 MiB that do not shrink: no readout lies within reach of a single read."""
    rng = np.random.default_rng(0)
    stack = (rng.normal(size=(9, 2, 256, 512, 2)) * 3000).round() @ np.array([1, 1j])
    path = scans.bruker(tmp_path / "a.zip", stack, factor=8)
    for number in (0, 8):
        same(read(path, slice=number), stack[number], 1e-7)
    with bruker.opened(path) as stored:
        begun = []
        once = zipfile.ZipFile.open
        monkeypatch.setattr(zipfile.ZipFile, "open", lambda *a: begun.append(1) or once(*a))
        for number in (3, 4):
            same(stored.take((number, *[slice(None)] * 3)), stack[number], 1e-7)
        assert len(begun) <= 2


def test_a_bruker_scan_of_partitions_is_unpacked_once_for_a_slice(tmp_path, monkeypatch):
    """Partitions are taken in the order in which they were measured, from the centre outwards."""
    depth = 4
    volume = (STACK[:1] * 1000).round().repeat(depth, 0)
    path = scans.bruker(tmp_path / "a.zip", volume, order=[2, 1, 3, 0], partitions=True)
    with bruker.opened(path) as stored:
        begun = []
        once = zipfile.ZipFile.open
        monkeypatch.setattr(zipfile.ZipFile, "open", lambda *a: begun.append(1) or once(*a))
        found = stored.take((depth // 2, *[slice(None)] * 3))
        assert len(begun) <= 1
    same(found, volume.sum(0) / np.sqrt(depth), 1e-6)


def test_where_there_is_no_room_for_a_copy_the_scan_is_not_called_damaged(tmp_path, monkeypatch):
    with zipfile.ZipFile(scans.bruker(tmp_path / "a.zip", STACK * 1000)) as archive:
        archive.extractall(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    with pytest.raises(InputError, match=r"copied into one \(No such file .*; a zip of them"):
        read(tmp_path / "7")


def test_a_bruker_folder_that_broke_its_reader_is_not_called_a_zip(tmp_path, monkeypatch):
    with zipfile.ZipFile(scans.bruker(tmp_path / "a.zip", STACK * 1000)) as archive:
        archive.extractall(tmp_path)
    monkeypatch.setattr("recon.readers.wire.receive", Mock(side_effect=EOFError))
    with pytest.raises(InputError, match="could not be read as a file with k-space"):
        read(tmp_path / "7")
