"""Real and imaginary part that a file keeps under names of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from recon.errors import InputError
from recon.readers import read
from recon.readers.stored_array import in_pairs
from tests.helpers.files import MASK, STACK, write_h5, write_mat, write_mat73

COILS = STACK[0]
Write = Callable[..., Path]


def in_numpy(folder: Path, **arrays: np.ndarray) -> Path:
    np.savez(folder / "a.npz", **arrays)
    return folder / "a.npz"


def in_pytorch(folder: Path, **arrays: np.ndarray) -> Path:
    tensors = {name: torch.from_numpy(one.copy()) for name, one in arrays.items()}
    torch.save(tensors, folder / "a.pt")
    return folder / "a.pt"


def in_hdf5(folder: Path, **arrays: np.ndarray) -> Path:
    return write_h5(folder / "a.h5", **arrays)


def in_a_group(folder: Path, **arrays: np.ndarray) -> Path:
    return write_h5(folder / "a.h5", **{f"scan/{name}": one for name, one in arrays.items()})


def in_matlab(folder: Path, **arrays: np.ndarray) -> Path:
    return write_mat(folder / "a.mat", **arrays)


def in_matlab_73(folder: Path, **arrays: np.ndarray) -> Path:
    return write_mat73(folder / "a.mat", **arrays)


EVERYWHERE = pytest.mark.parametrize(
    "write",
    [in_numpy, in_pytorch, in_hdf5, in_a_group, in_matlab, in_matlab_73],
    ids=lambda one: one.__name__,
)


@EVERYWHERE
@pytest.mark.parametrize(
    ("real", "imaginary"),
    [("kspace_real", "kspace_imag"), ("real", "imag"), ("ksp_re", "ksp_im"), ("kReal", "kImag")],
)
def test_two_parts_are_one_kspace(tmp_path, write: Write, real, imaginary):
    path = write(tmp_path, **{real: COILS[0].real, imaginary: COILS[0].imag})
    found = read(path)
    assert found.data.dtype == np.complex64
    np.testing.assert_array_equal(found, COILS[0])


@EVERYWHERE
def test_the_mask_beside_them_is_theirs(tmp_path, write: Write):
    data = np.where(MASK, COILS[0], 0)
    found = read(write(tmp_path, kspace_real=data.real, kspace_imag=data.imag, mask=MASK))
    np.testing.assert_array_equal(found, data)
    np.testing.assert_array_equal(found.source.mask, MASK)


def test_two_coils_in_parts_are_no_pairs(tmp_path):
    two = COILS[:2]
    path = in_numpy(tmp_path, kspace_real=two.real, kspace_imag=two.imag)
    np.testing.assert_array_equal(read(path, axes="coils"), two)


def test_a_complex_array_comes_first(tmp_path):
    image = COILS[1]
    path = in_numpy(tmp_path, x=COILS[0], img_real=image.real, img_imag=image.imag)
    np.testing.assert_array_equal(read(path), COILS[0])


@pytest.mark.parametrize(
    "beside",
    [
        {"kspace_imag": COILS[0].imag[:, :-1]},  # of another shape
        {"kspace_imag": COILS[0].imag > 0},
        {"other_imag": COILS[0].imag},
        {},
    ],
)
def test_what_does_not_belong_together_is_not_joined(tmp_path, beside):
    with pytest.raises(InputError):
        read(in_numpy(tmp_path, kspace_real=COILS[0].real, **beside))


@EVERYWHERE
def test_parts_called_kspace_come_before_any_other_array(tmp_path, write: Write):
    data, beside = COILS[0], np.stack(COILS[:4])
    found = read(write(tmp_path, csm=beside, kspace_real=data.real, kspace_imag=data.imag))
    np.testing.assert_array_equal(found, data)


def test_parts_above_come_before_what_lies_in_groups(tmp_path):
    data = COILS[0]
    arrays = {"kspace_real": data.real, "kspace_imag": data.imag, "calibration/csm": COILS}
    for path in (write_h5(tmp_path / "a.h5", **arrays), write_mat73(tmp_path / "a.mat", **arrays)):
        np.testing.assert_array_equal(read(path), data)


@pytest.mark.parametrize("turned", [False, True])
def test_parts_with_a_name_come_before_those_without(tmp_path, turned):
    data, other = COILS[:2]
    named = {"kspace_real": data.real, "kspace_imag": data.imag}
    nameless = {"real": other.real, "imag": other.imag}
    arrays = nameless | named if turned else named | nameless
    np.testing.assert_array_equal(read(in_numpy(tmp_path, **arrays)), data)


def test_parts_of_whole_numbers(tmp_path):
    real, imaginary = (np.round(100 * one).astype(np.int16) for one in (COILS.real, COILS.imag))
    path = in_numpy(tmp_path, kspace_real=real[0], kspace_imag=imaginary[0])
    np.testing.assert_array_equal(read(path), (real + 1j * imaginary)[0])


def test_parts_of_different_precision(tmp_path):
    path = in_numpy(tmp_path, real=COILS[0].real, imag=COILS[0].imag.astype(np.float64))
    np.testing.assert_array_equal(read(path), COILS[0])


def test_a_name_counts_more_than_a_type(tmp_path):
    pairs = np.round(100 * np.stack([COILS[0].real, COILS[0].imag], -1)).astype(np.int16)
    path = in_numpy(tmp_path, kspace=pairs, trajectory=np.ones((30, 48, 2), np.float32))
    np.testing.assert_array_equal(read(path), pairs[..., 0] + 1j * pairs[..., 1])


def test_a_pair_with_an_unusual_name_is_the_last_resort(tmp_path):
    image = COILS[1]
    pairs = np.stack([COILS[0].real, COILS[0].imag], -1)
    path = in_numpy(tmp_path, x=pairs, maps_real=image.real, maps_imag=image.imag)
    np.testing.assert_array_equal(read(path), COILS[0])


def test_a_long_name_takes_no_time():
    start = time.monotonic()
    assert in_pairs({"_" * 100_000 + "x": ((64, 64), np.dtype("f4"))}) == {}
    assert time.monotonic() - start < 1
