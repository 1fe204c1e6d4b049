"""What cannot be read is refused in one sentence that says what would be accepted."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from unittest.mock import Mock

import h5py
import numpy as np
import pytest

from recon.errors import InputError
from recon.readers import SUFFIXES, describe, read, warm
from tests.helpers.files import (
    STACK,
    npy,
    one_of_each,
    write_h5,
    write_mat,
    write_mat73,
    write_picture,
)


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
    "dicom": (bytes_as("a.dcm", b"\0" * 128 + b"DICM" + b"\0" * 99), "DICOM|damaged"),
    "pickle": (bytes_as("a.npy", b"\x80\x04]\x94."), "pickle"),
    "real stack": (saved(np.ones((3, 64, 64))), r"\(3, 64, 64\) and real"),
    "colour": (saved(np.ones((64, 64, 3))), r"\(64, 64, 3\) and real"),
    "real matrix": (saved(np.ones((64, 64), np.float32)), "axis of exactly 2"),
    "bytes": (saved(np.ones((64, 64, 2), np.uint8)), "integer"),
    "vector": (saved(ones(64)), "2 to 5 axes"),
    "six axes": (saved(ones(2, 2, 2, 2, 16, 16)), "2 to 5 axes"),
    "text array": (saved(np.array(["a", "b"])), "numbers"),
    "small": (saved(ones(15, 64)), "15 x 64; .* 16 to 2048"),
    "wide": (saved(ones(16, 2049)), "16 x 2049"),
    "many coils": (saved(ones(2, 65, 16, 40)), "65 coils; 1 to 64 .* a letter for each"),
    "many datasets": (
        lambda p: write_h5(p / "a.h5", **{f"a{n}": np.arange(3) for n in range(65)}),
        "more than 64 arrays or groups, too many",
    ),
    "many variables": (
        lambda p: write_mat73(p / "a.mat", **{f"a{n}": np.ones((3, 3)) for n in range(65)}),
        "more than 64 arrays or groups, too many",
    ),
    "many samples": (saved(ones(1, 64, 520, 520)), "million samples"),
    "no slices": (saved(ones(0, 32, 32)), "no slice"),
    "zero": (saved(0 * ones(32, 32)), "zero everywhere"),
    "not finite": (with_nan, "finite"),
    "overflow": (saved(1e300 * np.ones((32, 32), np.complex128)), "finite"),
    "several arrays": (many(a=ones(32, 32), b=ones(32, 32)), "2 arrays .* 'kspace'"),
    "no array": (many(a=np.arange(3), b=np.arange(4)), "no array that can be"),
    "ismrmrd": (ismrmrd, "ISMRMRD file does not say how k-space was encoded"),
    "h5 without numbers": (lambda p: write_h5(p / "a.h5", names=[b"a", b"b"]), "no array"),
    "mat without numbers": (
        lambda p: write_mat(p / "a.mat", cell=np.array(["a", "b"], object)),
        "no array",
    ),
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
    path = npy(tmp_path / "a", STACK)
    for absent in (tmp_path / "absent.npy", path / "below.npy"):
        assert "no such file" in refused(absent)
    assert "This is a folder without a Bruker scan" in refused(tmp_path)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EMFILE])
def test_a_file_that_cannot_be_opened_is_not_called_missing(tmp_path, monkeypatch, number):
    path = npy(tmp_path / "a", STACK)
    warm()
    failed = Mock(side_effect=OSError(number, os.strerror(number)))
    monkeypatch.setattr("recon.readers.isolated.os.open", failed)
    assert f"could not be opened ({os.strerror(number)})" in refused(path)


def test_wrong_arguments_are_not_blamed_on_the_file(tmp_path):
    path = npy(tmp_path / "a", STACK)
    for number in (1.5, "all", "1"):
        with pytest.raises(InputError, match=f"is a whole number, from 0; {number!r} is none"):
            read(path, slice=number)
    for asked in ("4", None):
        for function in (read, describe):
            with pytest.raises(InputError, match=f"acceleration is a number.* {asked!r} is none"):
                function(path, acceleration=asked)
    assert read(path, slice=np.int64(1), acceleration=np.float32(4)).source.slice == 1


def test_axes_have_three_values(tmp_path):
    with pytest.raises(InputError, match="such as SCHW or HWC"):
        read(npy(tmp_path / "a", STACK), axes="rows")


def test_content_decides_not_the_name(tmp_path):
    path = npy(tmp_path / "a", STACK[0, 0]).rename(tmp_path / "a.h5")
    np.testing.assert_array_equal(read(path), STACK[0, 0])


def test_every_accepted_suffix_can_be_described(tmp_path):
    paths = one_of_each(tmp_path / "files")
    for path in paths:
        describe(path)
        assert path.name.endswith(SUFFIXES)
    unseen = {one for one in SUFFIXES if not any(path.name.endswith(one) for path in paths)}
    assert unseen <= {".jpeg", ".tiff", ".pth", ".hdf5"}
