"""Thirty arrays of known layout: each is read right, or the person is told and can say it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io

from recon.errors import InputError
from recon.fourier import fft2c
from recon.readers import describe, read
from tests.conftest import SHARED
from tests.helpers.files import heads, npy, ordered, write_h5, write_mat

S = 6
STACK = heads()
TIME = np.stack([STACK, 2 * STACK, 3 * STACK])


def as_npy(path: Path, array: np.ndarray) -> Path:
    return npy(path, array)


def as_mat(path: Path, array: np.ndarray) -> Path:
    return write_mat(path.with_suffix(".mat"), kspace=array)


def as_h5(path: Path, array: np.ndarray) -> Path:
    return write_h5(path.with_suffix(".h5"), kspace=array)


def as_pairs(path: Path, array: np.ndarray) -> Path:
    return npy(path, np.stack([array.real, array.imag], -1))


ALL = ("SHW", "CHW", "HWS", "HWC", "SCHW", "CSHW", "HWSC", "HWCS", "SHWC", "CHWS")
KNOWN = [(write, letters) for write in (as_npy, as_mat, as_h5) for letters in ALL]
KNOWN += [(as_pairs, letters) for letters in ("CHW", "SHW", "CSHW", "HWSC")]


@pytest.mark.parametrize(
    ("write", "letters"), KNOWN, ids=[f"{write.__name__}-{letters}" for write, letters in KNOWN]
)
def test_no_layout_is_misread_in_silence(tmp_path, write, letters):
    path = write(tmp_path / "a", ordered(STACK, letters))
    number = 0 if "S" not in letters else 4
    expected = STACK[number] if "C" in letters else STACK[number, 0]
    found = read(path, slice=number)
    assert found.shape == expected.shape, found.source.notes
    np.testing.assert_array_equal(np.asarray(found), expected)
    assert any("axes" in note for note in found.source.notes)  # what was decided is said


@pytest.mark.parametrize("letters", ["SCHW", "HWSC", "CSHW", "WHSC", "CHW", "HWC", "SWH"])
def test_letters_decide(tmp_path, letters):
    path = npy(tmp_path / "a", ordered(STACK, letters))
    number = 2 if "S" in letters else 0
    expected = STACK[number] if "C" in letters else STACK[number, 0]
    for said in (letters, letters.lower()):
        np.testing.assert_array_equal(np.asarray(read(path, slice=number, axes=said)), expected)
    assert not describe(path, axes=letters).ambiguous


@pytest.mark.parametrize("letters", ["SCH", "HHW", "XYHW", "HW", "SCHWT", "", "S C"])
def test_letters_that_do_not_fit_are_refused(tmp_path, letters):
    with pytest.raises(InputError, match=r"axes|letter"):
        read(npy(tmp_path / "a", STACK), axes=letters)


def test_five_axes_are_time_frames_of_slices(tmp_path):
    """CMRxRecon: MATLAB's (kx, ky, coils, slices, time)."""
    matlab = write_mat(tmp_path / "a.mat", kspace_full=TIME.transpose(3, 4, 2, 1, 0))
    for path, axes in ((matlab, "auto"), (npy(tmp_path / "b", TIME), "auto")):
        assert describe(path, axes=axes).slices == 3 * S
        for frame, number in ((0, 0), (1, 4), (2, 5)):
            found = np.asarray(read(path, slice=frame * S + number))
            np.testing.assert_array_equal(found, TIME[frame, number])


@pytest.mark.parametrize("dead", [0, 3, 4])
def test_a_coil_that_saw_nothing_is_one_of_the_coils(tmp_path, dead):
    coils = STACK[2].copy()
    coils[dead] = 0
    found = read(npy(tmp_path / "a.npy", coils))
    np.testing.assert_array_equal(found, coils)


@pytest.mark.parametrize("kind", ["FSE", "GRE", "FLAIR"])
def test_measured_slices_are_slices(tmp_path, kind):
    path = SHARED / f"real_kspace/ultra_low_field/fig7A_{kind}_kspace.mat"
    if not path.exists():
        pytest.skip("the shared data are not here")
    array = scipy.io.loadmat(path)["kspace"]
    for moved in (array, array.transpose(2, 0, 1)):
        found = describe(npy(tmp_path / "a", moved))
        assert (found.slices, found.coils, found.ambiguous) == (4, 1, False)


@pytest.mark.parametrize("side", ["images", "kspace"])
def test_measured_coils_are_coils(tmp_path, side):
    path = SHARED / "real_kspace/brain_slice.npz"
    if not path.exists():
        pytest.skip("the shared data are not here")
    array = np.load(path)["arr_0"]
    if side == "kspace":
        array = fft2c(array.transpose(2, 0, 1)).transpose(1, 2, 0)
    for moved in (array, array.transpose(2, 0, 1)):
        for file in (npy(tmp_path / "a", moved), write_mat(tmp_path / "a.mat", kspace=moved)):
            found = describe(file)
            assert (found.slices, found.coils, found.ambiguous) == (1, 7, False)
