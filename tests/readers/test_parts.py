"""Real and imaginary part that a file keeps under names of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from recon.errors import InputError
from recon.readers import read
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
        {"kspace_imag": COILS[0].imag.astype(np.float64)},
        {"other_imag": COILS[0].imag},
        {},
    ],
)
def test_what_does_not_belong_together_is_not_joined(tmp_path, beside):
    with pytest.raises(InputError):
        read(in_numpy(tmp_path, kspace_real=COILS[0].real, **beside))
