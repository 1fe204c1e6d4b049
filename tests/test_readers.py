"""Reading files: every layout keeps its values, and what had to be assumed is said."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from recon.fourier import fft2c, ifft2c
from recon.kspace import InputError, KSpace
from recon.readers import SUFFIXES, describe, detect, read
from recon.readers.bounded import Stream, take
from tests.helpers.files import (
    C,
    H,
    S,
    W,
    anatomy,
    kspace,
    one_of_each,
    ordered,
    write_h5,
    write_mat,
    write_mat73,
    write_picture,
)

DATA = Path(os.environ.get("RECON_DATA", Path(__file__).parents[2] / "shared" / "data"))
REAL = DATA / "real_kspace"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="real k-space is not on this machine")

STACK = kspace()


def said(source, *words: str) -> bool:
    return any(all(word in note for word in words) for note in source.notes)


# --- layouts: (how the file is written, axes as stored, axes= , slices, coils, ambiguous) ---

FASTMRI = {"attrs": {"acquisition": "CORPD_FBK"}}


def npy(path: Path, array: np.ndarray) -> Path:
    np.save(path.with_suffix(".npy"), array)
    return path.with_suffix(".npy")


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
@given(st.data())
def test_taking_from_a_stream_is_indexing(data):
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

    np.testing.assert_array_equal(take(Stream(some), shape, array.dtype, index), array[index])


# --- fastMRI ---


def test_fastmri_keeps_a_few_attributes_and_never_the_patient(tmp_path):
    attrs = {
        "acquisition": "CORPDFS_FBK",
        "max": np.float64(3.5),
        "norm": np.float32(2),
        "acceleration": 4,
        "patient_id": "0123456789abcdef",
        "other": "x",
    }
    source = read(write_h5(tmp_path / "a.h5", attrs, kspace=STACK)).source
    assert source.format == "fastMRI HDF5"
    assert source.attrs == {
        "acquisition": "CORPDFS_FBK",
        "max": 3.5,
        "norm": 2.0,
        "acceleration": 4.0,
    }
    assert all(type(value) in (str, float) for value in source.attrs.values())
    assert "0123456789abcdef" not in repr(source)


def test_attributes_are_cut_and_cleaned(tmp_path):
    attrs = {"acquisition": "A\n\x07B" + "c" * 500, "max": np.arange(3.0), "norm": np.nan}
    attrs["acceleration"] = h5py.Empty("f4")
    source = read(write_h5(tmp_path / "a.h5", attrs, kspace=STACK)).source
    assert list(source.attrs) == ["acquisition"]
    assert len(source.attrs["acquisition"]) <= 64
    assert source.attrs["acquisition"].isprintable()


MASK = np.isin(np.arange(W), [3, 7, 8, 14, 15, 16, 17, 20, 29])


@pytest.mark.parametrize(
    "stored",
    [
        MASK,
        MASK.astype(np.float32),
        MASK.astype(np.uint8)[None, :, None],
        MASK[None, None, :, None],
        np.tile(MASK, (S, 1)),
        np.tile(MASK, (H, 1)).astype(np.int64),
    ],
    ids=["bool", "float", "1W1", "11W1", "SW", "HW"],
)
@pytest.mark.parametrize("coils", [1, C])
def test_a_mask_in_the_file_is_kept(tmp_path, stored, coils):
    array = (STACK * MASK)[:, 0] if coils == 1 else STACK * MASK
    slice_ = read(write_h5(tmp_path / "a.h5", kspace=array, mask=stored), slice=2)
    assert slice_.source.mask.dtype == bool
    np.testing.assert_array_equal(slice_.source.mask, MASK)
    np.testing.assert_array_equal(slice_, array[2])
    assert slice_.source.notes == ()


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed, write_mat, write_mat73])
def test_a_mask_beside_the_array_in_other_formats(tmp_path, write):
    path = tmp_path / ("a.npz" if write.__module__.startswith("numpy") else "a.mat")
    write(path, kspace=STACK[0, 0] * MASK, mask=MASK.astype(np.uint8))
    np.testing.assert_array_equal(read(path).source.mask, MASK)


@pytest.mark.parametrize(
    ("mask", "words"),
    [(MASK, ("outside", "mask")), (np.ones((H, 5)), ("mask", "passed over"))],
    ids=["contradicted", "of another shape"],
)
def test_a_mask_that_does_not_fit_is_passed_over_and_noted(tmp_path, mask, words):
    source = read(write_h5(tmp_path / "a.h5", kspace=STACK, mask=mask)).source
    assert source.mask is None
    assert said(source, *words)


def test_a_mask_of_all_lines_is_no_mask(tmp_path):
    path = write_h5(tmp_path / "a.h5", kspace=STACK, mask=np.ones(W))
    assert read(path).source.mask is None


@pytest.mark.parametrize(("asked", "got"), [(4, 4), (8, 8), (5, 4), (100, 8), (1, 4)])
def test_student_files_give_the_nearest_variant(tmp_path, asked, got):
    masks = {4: np.arange(W) % 4 == 0, 8: np.arange(W) % 8 == 0}
    arrays = {f"kspace_{n}af": STACK[:, 0] * mask for n, mask in masks.items()}
    arrays |= {f"mask_{n}af": mask for n, mask in masks.items()}
    path = write_h5(tmp_path / "a.h5", **arrays)
    assert describe(path).accelerations == (4, 8)
    slice_ = read(path, slice=1, acceleration=asked)
    np.testing.assert_array_equal(slice_, STACK[1, 0] * masks[got])
    np.testing.assert_array_equal(slice_.source.mask, masks[got])
    assert said(slice_.source, "4x and 8x", f"{got}x was read")


def test_student_files_prefer_full_sampling(tmp_path):
    mask = np.arange(W) % 4 == 0
    arrays = {"kspace": STACK[:, 0], "kspace_4af": STACK[:, 0] * mask, "mask_4af": mask}
    path = write_h5(tmp_path / "a.h5", **arrays)
    np.testing.assert_array_equal(read(path, slice=0), STACK[0, 0])
    assert read(path).source.mask is None
    assert describe(path).accelerations == (4,)


# --- what the array gives away ---


def test_missing_columns_are_found_without_a_mask(tmp_path):
    source = read(npy(tmp_path / "a", STACK[0, 0] * MASK)).source
    np.testing.assert_array_equal(source.mask, MASK)
    assert said(source, f"{W - MASK.sum()} of {W} columns", "undersampled")


def test_a_column_that_one_coil_measured_is_not_missing(tmp_path):
    array = STACK[0].copy()
    array[:2, :, 10] = 0
    assert read(npy(tmp_path / "a", array), axes="coils").source.mask is None


@pytest.mark.parametrize("padded", [np.s_[:3], np.s_[-4:]])
def test_zero_padding_is_noted_and_no_undersampling(tmp_path, padded):
    array = STACK[0, 0].copy()
    array[:, padded] = 0
    source = read(npy(tmp_path / "a", array)).source
    assert source.mask is None
    assert said(source, "zero-padding", f"of {W} columns")


def test_missing_rows_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"Rows .* last axis"):
        read(npy(tmp_path / "a", STACK[0, 0] * (np.arange(H) % 2 == 0)[:, None]))


def test_a_two_dimensional_mask_is_refused(tmp_path):
    keep = np.random.default_rng(0).random((H, W)) < 0.4
    with pytest.raises(InputError, match="here and there"):
        read(npy(tmp_path / "a", STACK[0, 0] * keep))


def test_an_elliptical_window_is_fully_sampled(tmp_path):
    y, x = np.meshgrid(np.linspace(-1, 1, H), np.linspace(-1, 1, W), indexing="ij")
    array = STACK[0, 0] * (np.hypot(y, x) < 1)
    assert read(npy(tmp_path / "a", array)).source.mask is None


@pytest.mark.parametrize("shape", [(24, 32), (25, 33), (64, 63)])
def test_unshifted_kspace_is_shifted_with_its_mask(tmp_path, shape):
    centred = fft2c(anatomy(shape)).astype(np.complex64)
    mask = np.arange(shape[1]) % 3 == shape[1] // 2 % 3
    path = tmp_path / "a.npz"
    np.savez(path, kspace=np.fft.ifftshift(centred * mask), mask=np.fft.ifftshift(mask))
    slice_ = read(path)
    np.testing.assert_array_equal(slice_, centred * mask)
    np.testing.assert_array_equal(slice_.source.mask, mask)
    assert said(slice_.source, "corner")


@pytest.mark.parametrize("shape", [(64, 64), (48, 81)])
@pytest.mark.parametrize("coils", [1, 4])
def test_complex_images_are_told_from_kspace(shape, coils):
    image = np.array([anatomy(shape, seed) for seed in range(coils)])
    assert detect.looks_like_image(image)
    assert not detect.looks_like_image(fft2c(image))
    assert not detect.looks_like_image(np.fft.fft2(image))


def test_the_image_detector_is_conservative():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((5, 64, 64)) + 1j * rng.standard_normal((5, 64, 64))
    point = np.zeros((64, 64), complex)
    point[30, 40] = 1
    ramp = np.exp(0.1j * np.arange(64)) * np.ones((64, 1))
    for array in (noise, noise[0], noise[0, :16, :16], point, np.ones((64, 64)) + 0j, ramp):
        assert not detect.looks_like_image(array)
    mask = rng.random(64) < 0.25
    mask[29:35] = True
    assert not detect.looks_like_image(fft2c(anatomy((64, 64))) * mask)


def test_a_complex_image_is_transformed_and_noted(tmp_path):
    image = anatomy((64, 48))
    slice_ = read(npy(tmp_path / "a", image))
    np.testing.assert_allclose(slice_, fft2c(image), atol=1e-5)
    assert said(slice_.source, "complex image")
    assert not slice_.source.simulated


@pytest.mark.parametrize("shape", [(24, 32), (25, 33)])
@pytest.mark.parametrize(("phase", "simulated"), [(True, False), (False, True)])
def test_kspace_of_an_image_without_phase_counts_as_simulated(tmp_path, shape, phase, simulated):
    source = read(npy(tmp_path / "a", fft2c(anatomy(shape, phase=phase)))).source
    assert source.simulated is simulated
    assert said(source, "no phase") is simulated


# --- pictures ---

GREY = np.abs(anatomy((40, 30)) * 90).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("a.png", GREY),
        ("a.png", GREY.astype(np.uint16) * 257),
        ("a.tif", GREY),
        ("a.tif", GREY.astype(np.uint16) * 257),
        ("a.tif", GREY.astype(np.int32) * 70000),
        ("a.tiff", GREY.astype(np.float32) / 7),
    ],
    ids=["png8", "png16", "tif8", "tif16", "tif32", "tif-float"],
)
def test_the_magnitude_of_simulated_kspace_is_the_picture(tmp_path, name, array):
    slice_ = read(write_picture(tmp_path / name, array))
    image = np.abs(ifft2c(np.asarray(slice_)))
    np.testing.assert_allclose(image, array, atol=2e-6 * float(array.max()))
    assert slice_.source.simulated
    assert said(slice_.source, "simulated")
    np.testing.assert_array_equal(slice_, read(tmp_path / name))


def test_jpeg_is_read_as_a_picture(tmp_path):
    path = write_picture(tmp_path / "a.jpg", GREY, quality=95)
    image = np.abs(ifft2c(np.asarray(read(path))))
    assert np.abs(image - GREY).mean() < 4


def test_colour_is_weighted_and_alpha_dropped(tmp_path):
    colours = np.zeros((16, 64, 4), np.uint8)
    colours[..., :3] = np.repeat(
        np.array([[200, 0, 0], [0, 200, 0], [0, 0, 200], [200, 200, 200]], np.uint8), 16, axis=0
    )
    colours[..., 3] = np.arange(64)
    image = np.abs(ifft2c(np.asarray(read(write_picture(tmp_path / "a.png", colours)))))
    expected = np.repeat(200 * np.array([0.299, 0.587, 0.114, 1]), 16)
    np.testing.assert_allclose(image[3], expected, atol=0.01)


def test_frames_of_a_tiff_are_slices(tmp_path):
    frames = [Image.fromarray(GREY // (n + 1)) for n in range(4)]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    assert describe(tmp_path / "a.tif").slices == 4
    for number in (0, 3, 1):
        image = np.abs(ifft2c(np.asarray(read(tmp_path / "a.tif", slice=number))))
        np.testing.assert_allclose(image, GREY // (number + 1), atol=1e-3)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_exif_orientation_is_honoured(tmp_path, name):
    exif = Image.Exif()
    exif[0x0112] = 6
    write_picture(tmp_path / "plain.png", np.rot90(GREY, -1))
    path = write_picture(
        tmp_path / name, GREY, exif=exif, **({"quality": 95} if "j" in name else {})
    )
    expected = np.abs(ifft2c(np.asarray(read(tmp_path / "plain.png"))))
    image = np.abs(ifft2c(np.asarray(read(path))))
    found = describe(path)
    assert (found.height, found.width) == image.shape == expected.shape == (30, 40)
    assert np.abs(image - expected).mean() < 4


def test_large_pictures_are_reduced_by_areas(tmp_path):
    large = np.kron(GREY[:20, :16], np.ones((40, 40), np.uint8))
    path = write_picture(tmp_path / "a.png", large)
    slice_ = read(path)
    assert slice_.shape == (320, 256) == (describe(path).height, describe(path).width)
    np.testing.assert_allclose(
        np.abs(ifft2c(np.asarray(slice_)))[8::16, 8::16], GREY[:20, :16], atol=1e-3
    )
    assert said(slice_.source, "reduced from 800 x 640 to 320 x 256")


@pytest.mark.parametrize("write", [write_mat, write_mat73])
def test_matlab_images(tmp_path, write):
    image = np.abs(anatomy((40, 30)))
    slice_ = read(write(tmp_path / "a.mat", Img=image))
    np.testing.assert_allclose(np.abs(ifft2c(np.asarray(slice_))), image, atol=1e-5)
    assert slice_.source.simulated
    slice_ = read(write(tmp_path / "b.mat", Img=anatomy((40, 30))))
    np.testing.assert_allclose(slice_, fft2c(anatomy((40, 30))), atol=1e-5)
    assert not slice_.source.simulated
    assert said(slice_.source, "complex image")


# --- refusals: one sentence, what is wrong and what would be accepted ---


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read(path)
    sentence = str(caught.value)
    with pytest.raises(InputError) as again:
        describe(path)
    assert str(again.value) == sentence or "slice" in sentence
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert ". " not in sentence
    assert "\n" not in sentence
    assert str(path.parent) not in sentence
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return sentence


def many(**arrays):
    return lambda folder: np.savez(folder / "a.npz", **arrays)


def saved(array):
    return lambda folder: np.save(folder / "a.npy", array)


def with_nan(folder):
    array = STACK.copy()
    array[:, 0, 3, 3] = np.nan
    write_h5(folder / "a.h5", kspace=array)


def ismrmrd(folder):
    with h5py.File(folder / "a.h5", "w") as file:
        file["dataset/data"] = np.zeros(3, [("head", "i4"), ("data", "f4")])
        file["dataset/xml"] = "<ismrmrdHeader/>"


def bytes_as(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def ones(*shape):
    return np.ones(shape, np.complex64)


REFUSED = {
    "text as npy": (bytes_as("a.npy", b"hello " * 50), r"named \.npy"),
    "text as mat": (bytes_as("a.mat", b"hello " * 50), "MATLAB"),
    "unknown": (bytes_as("a.xyz", b"hello " * 50), "not known"),
    "empty": (bytes_as("a.h5", b""), "empty"),
    "dicom": (bytes_as("a.dcm", b"\0" * 128 + b"DICM" + b"\0" * 99), "DICOM"),
    "pickle": (bytes_as("a.npy", b"\x80\x04]\x94."), "pickle"),
    "real stack": (saved(np.ones((3, 64, 64))), r"\(3, 64, 64\) and real"),
    "colour": (saved(np.ones((64, 64, 3))), r"\(64, 64, 3\) and real"),
    "real matrix": (saved(np.ones((64, 64), np.float32)), "axis of exactly 2"),
    "bytes": (saved(np.ones((64, 64, 2), np.uint8)), "integer"),
    "vector": (saved(ones(64)), "2 to 4 axes"),
    "five axes": (saved(ones(2, 2, 2, 16, 16)), "2 to 4 axes"),
    "text array": (saved(np.array(["a", "b"])), "numbers"),
    "small": (saved(ones(15, 64)), "15 x 64; .* 16 to 2048"),
    "wide": (saved(ones(16, 2049)), "16 x 2049"),
    "many coils": (saved(ones(2, 65, 16, 40)), "65 coils; 1 to 64"),
    "many samples": (saved(ones(1, 64, 520, 520)), "million samples"),
    "no slices": (saved(ones(0, 32, 32)), "no slice"),
    "zero": (saved(0 * ones(32, 32)), "zero everywhere"),
    "not finite": (with_nan, "finite"),
    "overflow": (saved(1e300 * np.ones((32, 32), np.complex128)), "finite"),
    "several arrays": (many(a=ones(32, 32), b=ones(32, 32)), "2 arrays .* 'kspace'"),
    "no array": (many(a=np.arange(3), b=np.arange(4)), "no array that can be"),
    "ismrmrd": (ismrmrd, "ISMRMRD .* fastMRI"),
    "h5 without numbers": (lambda p: write_h5(p / "a.h5", names=[b"a", b"b"]), "no array"),
    "mat without numbers": (lambda p: write_mat(p / "a.mat", cell={"a": 1}), "no array"),
    "lzf": (
        lambda p: write_h5(p / "a.h5", options={"compression": "lzf"}, kspace=STACK),
        "other than gzip",
    ),
    "narrow picture": (
        lambda p: write_picture(p / "a.png", np.ones((4000, 40), np.uint8)),
        "too narrow",
    ),
    "large picture": (
        lambda p: write_picture(p / "a.png", np.ones((20, 4097), np.uint8)),
        "4097 x 20; at most 4096",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_in_one_sentence(tmp_path, name):
    write, words = REFUSED[name]
    write(tmp_path)
    (path,) = tmp_path.iterdir()
    with pytest.raises(InputError, match=words):
        read(path)
    if name not in ("zero", "not finite", "overflow"):  # seen only when values are read
        refused(path)


def test_missing_files_and_folders_are_refused(tmp_path):
    for path in (tmp_path / "absent.npy", tmp_path):
        assert "no such file" in refused(path)


def test_axes_have_three_values(tmp_path):
    with pytest.raises(InputError, match="'auto', 'slices' or 'coils'"):
        read(npy(tmp_path / "a", STACK), axes="rows")


def test_content_decides_not_the_name(tmp_path):
    path = npy(tmp_path / "a", STACK[0, 0]).rename(tmp_path / "a.h5")
    np.testing.assert_array_equal(read(path), STACK[0, 0])


def test_every_accepted_suffix_can_be_described(tmp_path):
    found = {path.suffix: describe(path) for path in one_of_each(tmp_path / "files")}
    assert set(found) <= set(SUFFIXES)
    assert {suffix.replace("hdf5", "h5") for suffix in SUFFIXES} - set(found) <= {".jpeg", ".tiff"}


# --- real files ---

ULTRA = sorted((REAL / "ultra_low_field").glob("*.mat")) if REAL.is_dir() else []


@needs_real
def test_the_spin_echo_head():
    path = REAL / "se_t1_sag_data.mat"
    slice_ = read(path)
    np.testing.assert_array_equal(slice_, scipy.io.loadmat(path)["data"].astype("c8"))
    assert slice_.source.notes == ()
    assert not slice_.source.simulated


@needs_real
def test_ultra_low_field_files_are_stacks_of_four_slices():
    assert len(ULTRA) == 12
    for path in ULTRA:
        expected = scipy.io.loadmat(path)["kspace"]
        assert describe(path).slices == 4
        for number in range(4):
            slice_ = read(path, slice=number)
            np.testing.assert_array_equal(slice_, expected[..., number].astype("c8"))
            assert slice_.source.mask is None
            assert not slice_.source.simulated
            assert not said(slice_.source, "image")
        coils = read(path, axes="coils")
        np.testing.assert_array_equal(coils, np.moveaxis(expected, -1, 0).astype("c8"))


@needs_real
def test_the_coil_images_become_kspace():
    images = np.moveaxis(np.load(REAL / "brain_slice.npz")["arr_0"], -1, 0)
    slice_ = read(REAL / "brain_slice.npz")
    assert slice_.shape == (7, 256, 216)
    np.testing.assert_allclose(slice_, fft2c(images), rtol=1e-4, atol=1e-6 * np.abs(images).max())
    assert said(slice_.source, "coils")
    assert said(slice_.source, "complex image")


@needs_real
def test_the_image_detector_on_every_real_slice():
    slices = [read(path, slice=n) for path in ULTRA for n in range(4)]
    slices += [read(REAL / "se_t1_sag_data.mat"), read(REAL / "brain_slice.npz")]
    ratios = []
    for one in slices:
        array = np.asarray(one)
        ratios.append(detect.concentration(array) / detect.concentration(ifft2c(array)))
        assert detect.looks_like_image(ifft2c(array))
        assert not detect.looks_like_image(array)
        assert not detect.is_unshifted(array)
        assert detect.is_unshifted(np.fft.ifftshift(array, axes=(-2, -1)))
    # The threshold on the inverse ratio is far from every real slice, on both sides.
    assert min(ratios) > 5
    assert 1 / min(ratios) < 0.6 * detect.IMAGE_RATIO
