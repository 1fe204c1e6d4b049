"""Every layout of every format keeps its values and axes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.errors import InputError
from recon.fourier import ifft2c
from recon.kspace import KSpace
from recon.readers import bounded_reading, describe, read
from recon.readers.bounded_reading import Stream, take
from tests.helpers.files import (
    STACK,
    C,
    H,
    S,
    W,
    kspace,
    npy,
    ordered,
    said,
    same,
    write_h5,
    write_mat,
    write_mat73,
)

FASTMRI = {"attrs": {"acquisition": "CORPD_FBK"}}


def npy_fortran(path: Path, array: np.ndarray) -> Path:
    return npy(path, np.asfortranarray(array))


def npy_big_endian(path: Path, array: np.ndarray) -> Path:
    return npy(path, array.astype(">c16"))


def npz(path: Path, array: np.ndarray) -> Path:
    np.savez(path.with_suffix(".npz"), array)
    return path.with_suffix(".npz")


def npz_packed(path: Path, array: np.ndarray) -> Path:
    np.savez_compressed(path.with_suffix(".npz"), other=np.arange(3), ksp=np.asfortranarray(array))
    return path.with_suffix(".npz")


def fastmri(path: Path, array: np.ndarray) -> Path:
    return write_h5(path.with_suffix(".h5"), kspace=array, **FASTMRI)


def fastmri_packed(path: Path, array: np.ndarray) -> Path:
    options = {"compression": "gzip", "shuffle": True, "chunks": (2,) * (array.ndim - 2) + (7, 9)}
    return write_h5(path.with_suffix(".h5"), kspace=array, options=options, **FASTMRI)


def hdf5_other(path: Path, array: np.ndarray) -> Path:
    return write_h5(path.with_suffix(".hdf5"), ksp=array.astype(np.complex128))


def mat(path: Path, array: np.ndarray) -> Path:
    return write_mat(path.with_suffix(".mat"), kspace=array)


def mat_packed(path: Path, array: np.ndarray) -> Path:
    return write_mat(path.with_suffix(".mat"), True, note="text", other=3.0, rawdata=array)


def mat73(path: Path, array: np.ndarray) -> Path:
    return write_mat73(path.with_suffix(".mat"), kspace=array)


NUMPY = (npy, npy_fortran, npy_big_endian, npz, npz_packed, hdf5_other)
MATLAB = (mat, mat_packed, mat73)

# How the file is written, axes as stored, what is said of them; slices, coils, ambiguous.
LAYOUTS = [
    *[(one, *row) for one in NUMPY for row in (
        ("HW", "auto", 1, 1, False),
        ("SHW", "auto", S, 1, True),
        ("SHW", "slices", S, 1, True),
        ("CHW", "coils", 1, C, True),
        ("HWC", "auto", 1, C, True),
        ("HWS", "slices", S, 1, True),
        ("SCHW", "auto", S, C, False),
        ("SHWC", "auto", S, C, False),
        ("HWCS", "auto", S, C, False),
    )],
    *[(one, *row) for one in (fastmri, fastmri_packed) for row in (
        ("SHW", "auto", S, 1, False),
        ("SCHW", "auto", S, C, False),
    )],
    *[(one, *row) for one in MATLAB for row in (
        ("HW", "auto", 1, 1, False),
        ("HWS", "auto", S, 1, True),
        ("HWC", "coils", 1, C, True),
        ("SHW", "auto", S, 1, True),
        ("HWCS", "auto", S, C, False),
        ("SCHW", "auto", S, C, False),
    )],
]  # fmt: skip


@pytest.mark.parametrize(
    ("write", "letters", "axes", "slices", "coils", "ambiguous"),
    LAYOUTS,
    ids=[f"{row[0].__name__}-{row[1]}-{row[2]}" for row in LAYOUTS],
)
def test_every_layout_keeps_values_and_axes(
    tmp_path, write, letters, axes, slices, coils, ambiguous
):
    path = write(tmp_path / "file", ordered(STACK, letters))
    found = describe(path, axes=axes)
    assert (found.slices, found.coils, found.height, found.width) == (slices, coils, H, W)
    assert found.ambiguous is ambiguous
    for number in range(slices):
        slice_ = read(path, slice=number, axes=axes)
        expected = STACK[number] if coils > 1 else STACK[number, 0]
        assert isinstance(slice_, KSpace)
        assert slice_.dtype == np.complex64
        np.testing.assert_array_equal(slice_, expected)
        assert (slice_.source.slice, slice_.source.slices) == (number, slices)
        assert slice_.source.name == path.name
        assert slice_.source.mask is None
        assert not slice_.source.simulated
        assert said(slice_.source, "planes") is (ambiguous and axes == "auto")


@pytest.mark.parametrize("slices", [1, 2, 5])
def test_the_middle_slice_is_the_default(tmp_path, slices):
    assert read(fastmri(tmp_path / "a", STACK[:slices])).source.slice == slices // 2


@pytest.mark.parametrize("number", [-1, S, 10**9])
def test_a_slice_that_is_not_there_is_refused(tmp_path, number):
    with pytest.raises(InputError, match=f"no slice {number}; .* 0 to {S - 1}"):
        read(fastmri(tmp_path / "a", STACK), slice=number)


def test_a_single_coil_axis_is_dropped(tmp_path):
    slice_ = read(fastmri(tmp_path / "a", STACK[:, :1]), slice=1)
    np.testing.assert_array_equal(slice_, STACK[1, 0])


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("letters", ["HW", "SHW", "SCHW"])
@pytest.mark.parametrize("write", [npy, npz, hdf5_other], ids=lambda one: one.__name__)
def test_real_and_imaginary_parts_on_an_axis_of_two(tmp_path, write, letters, axis):
    array = ordered(STACK, letters)
    pairs = np.stack([array.real, array.imag], axis)
    if write is hdf5_other:
        path = write_h5(tmp_path / "a.h5", kspace=pairs.astype(np.float64))
    else:
        path = write(tmp_path / "a", pairs)
    expected = ordered(STACK, letters.replace("S", ""))
    np.testing.assert_array_equal(read(path, slice=0), expected)


def test_pairs_of_whole_numbers_stand_last(tmp_path):
    """As converters count them; two slices of a picture stand first."""
    array = (STACK[0, 0] * 50).round()
    counts = np.stack([array.real, array.imag], -1).astype(np.int16)
    np.testing.assert_array_equal(read(npy(tmp_path / "a", counts)), array)
    with pytest.raises(InputError, match="axis of exactly 2"):
        read(npy(tmp_path / "b", np.moveaxis(counts, -1, 0)))
    np.savez(tmp_path / "c.npz", measured=STACK[0, 0], places=counts)
    np.testing.assert_array_equal(read(tmp_path / "c.npz"), STACK[0, 0])


def test_hdf5_compound_of_real_and_imaginary_part(tmp_path):
    pairs = np.empty(STACK.shape, [("real", "f4"), ("imag", "f4")])
    pairs["real"], pairs["imag"] = STACK.real, STACK.imag
    slice_ = read(write_h5(tmp_path / "a.h5", data=pairs), slice=3)
    np.testing.assert_array_equal(slice_, STACK[3])


@pytest.mark.parametrize("compressed", [False, True])
def test_mat5_agrees_with_scipy(tmp_path, compressed):
    array = (STACK[0, 0] * 50).round()
    path = write_mat(
        tmp_path / "a.mat", compressed, kspace=array.astype(np.complex128), text="x", cell=[{}, 1]
    )
    np.testing.assert_array_equal(read(path), scipy.io.loadmat(path)["kspace"].astype("c8"))


def test_mat5_of_doubles_that_matlab_stored_as_bytes(tmp_path):
    """MATLAB stores whole numbers tightly; SciPy does not, so the bytes are written here."""
    rng = np.random.default_rng(1)
    real, imaginary = (rng.integers(-100, 100, (H, W)).astype(np.int8) for _ in range(2))

    def element(kind, content):
        head = np.array([kind, len(content)], "<u4").tobytes()
        return head + content + b"\0" * (-len(content) % 8)

    body = element(6, np.array([6 | 0x800, 0], "<u4").tobytes())
    body += element(5, np.array([H, W], "<i4").tobytes())
    body += np.array([1 | 3 << 16], "<u4").tobytes() + b"ksp\0"  # a small element
    body += element(1, real.tobytes("F")) + element(1, imaginary.tobytes("F"))
    text = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"
    path = tmp_path / "a.mat"
    path.write_bytes(text + np.array([14, len(body)], "<u4").tobytes() + body)
    np.testing.assert_array_equal(scipy.io.loadmat(path)["ksp"], real + 1j * imaginary)
    np.testing.assert_array_equal(read(path), real + 1j * imaginary)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from([1, 16, bounded_reading.PIECE]))
def test_taking_from_a_stream_is_indexing(data, piece):
    shape = tuple(data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4)))
    array = np.arange(np.prod(shape), dtype=">i2").reshape(shape)
    index = tuple(data.draw(st.one_of(st.just(slice(None)), st.integers(0, n - 1))) for n in shape)
    content = array.tobytes()
    chunk = data.draw(st.integers(1, 7))
    at = 0

    def some(size):
        nonlocal at
        part = content[at : at + min(size, chunk)]
        at += len(part)
        return part

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounded_reading, "PIECE", piece)  # larger arrays are read piece by piece
        taken = take(Stream(some), shape, array.dtype, index)
    np.testing.assert_array_equal(taken, array[index])


def test_calgary_campinas_is_recognised_and_said(tmp_path):
    """(x, ky, kz, 2 C), real and imaginary alternating; its images need no shifts."""
    stack = kspace(4, 3, 40, 32)
    images = ifft2c(stack)
    theirs = np.fft.fftshift(np.fft.fft2(images), axes=(-2, -1)).transpose(0, 2, 3, 1)
    pairs = np.stack([theirs.real, theirs.imag], -1).reshape(4, 40, 32, 6).astype(np.float32)
    assert np.abs(np.fft.ifft2(theirs[1, ..., 0])).max() > 0
    path = write_h5(tmp_path / "e13991s3_P01536.7.h5", kspace=pairs)
    held = describe(path)
    assert (held.format, held.slices, held.coils) == ("Calgary-Campinas HDF5", 4, 3)
    for number in range(4):
        found = read(path, slice=number)
        scale = np.sqrt(40 * 32)  # their transform is not orthonormal
        np.testing.assert_allclose(
            abs(ifft2c(found.data)), abs(images[number]) * scale, atol=2e-4 * scale
        )
    assert said(found.source, "Calgary-Campinas", "transformed")
    pairs[:, :, 27:] = 0  # kz was measured to 85 %
    cut = read(write_h5(tmp_path / "cut.h5", kspace=pairs), slice=1)
    assert cut.source.mask.sum() == 27
    assert said(cut.source, "partial Fourier")


def test_m4raw_is_read_as_fastmri(tmp_path):
    """(18, 4, 256, 256) with a header and `reconstruction_rss` of the same size."""
    stack = kspace(3, 4, 48, 48)
    rss = np.ones((3, 48, 48), np.float32)
    attrs = {"acquisition": "AXT1", "max": 1.0, "patient_id": "secret"}
    path = write_h5(tmp_path / "a.h5", attrs, kspace=stack, reconstruction_rss=rss)
    found = read(path, slice=2)
    np.testing.assert_array_equal(found.data, stack[2])
    assert (found.source.format, found.source.size) == ("fastMRI HDF5", (48, 48))
    assert "secret" not in str(found.source)


def test_real_and_imaginary_part_first_are_no_calgary_campinas(tmp_path):
    """Coils of (2, C, H, W), though W is even and below 128, as there."""
    stack = kspace(1, 16, 64, 96)[0]
    path = write_h5(tmp_path / "a.h5", kspace=np.array([stack.real, stack.imag], np.float32))
    found = describe(path, axes="CHW")
    assert (found.format, found.coils) == ("HDF5", 16)
    same(read(path, axes="CHW"), stack)
