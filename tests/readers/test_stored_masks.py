"""Undersampled files keep their masks, and which attributes of a file are kept."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from recon.errors import InputError
from recon.readers import describe, read
from tests.helpers import scans
from tests.helpers.files import (
    MASK,
    STACK,
    C,
    H,
    S,
    W,
    said,
    same,
    write_h5,
    write_mat,
    write_mat73,
)


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


def write_pt(path: Path, **arrays: np.ndarray) -> None:
    torch.save({name: torch.from_numpy(array) for name, array in arrays.items()}, path)


WRITERS = {
    "h5": write_h5,
    "npz": np.savez,
    "compressed.npz": np.savez_compressed,
    "mat": write_mat,
    "73.mat": write_mat73,
    "pt": write_pt,
}


@pytest.mark.parametrize("name", ["mask", "Mask", "MASK"])
@pytest.mark.parametrize("suffix", WRITERS)
def test_a_mask_beside_the_array(tmp_path, suffix, name):
    path = tmp_path / f"a.{suffix}"
    WRITERS[suffix](path, **{"kspace": STACK[0, 0] * MASK, name: MASK.astype(np.uint8)})
    np.testing.assert_array_equal(read(path).source.mask, MASK)


@pytest.mark.parametrize("suffix", WRITERS)
def test_of_two_masks_none_is_taken(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    WRITERS[suffix](path, kspace=STACK[0, 0] * MASK, mask=MASK, Mask=~MASK)
    with pytest.raises(InputError, match=r"mask .* one value, 0 or 1, for each"):
        read(path)


def _folder(path: Path, **arrays: np.ndarray) -> Path:
    members = {}
    for name, array in arrays.items():
        np.save(path.with_name("array.npy"), array)
        members[f"{name.replace('__', '/')}.npy"] = path.with_name("array.npy").read_bytes()
    members |= {"__MACOSX/scan/._kspace.npy": b"hidden", "__MACOSX/scan/k.npy": b"hidden"}
    return scans.zipped(path, members)


def test_a_mask_in_a_zipped_folder(tmp_path):
    """The middle lines alone, which only the mask tells from zero-padding."""
    middle = np.abs(np.arange(W) - W // 2) < W // 4
    undersampled, other = STACK[0, 0] * middle, STACK[1, 0]
    path = _folder(tmp_path / "a.zip", scan__kspace=undersampled, scan__mask=middle)
    np.testing.assert_array_equal(read(path).source.mask, middle)
    arrays = {"scan__kspace": undersampled, "scan__maps": other, "scan__mask": middle}
    found = read(_folder(tmp_path / "b.zip", **arrays))
    same(found, undersampled)
    np.testing.assert_array_equal(found.source.mask, middle)


def test_arrays_of_one_name_in_several_folders(tmp_path):
    path = _folder(tmp_path / "a.zip", one__kspace=STACK[0, 0], two__kspace=STACK[1, 0])
    with pytest.raises(InputError, match="2 arrays that may be k-space"):
        read(path)
    arrays = {"kspace": STACK[0, 0] * MASK, "one__mask": MASK, "two__mask": ~MASK}
    with pytest.raises(InputError, match=r"mask .* one value, 0 or 1"):
        read(_folder(tmp_path / "b.zip", **arrays))


def test_a_mask_that_is_contradicted_is_passed_over_and_noted(tmp_path):
    source = read(write_h5(tmp_path / "a.h5", kspace=STACK, mask=MASK)).source
    assert source.mask is None
    assert said(source, "outside", "mask")


@pytest.mark.parametrize(
    "mask",
    [
        np.ones(7),
        np.ones((H, 5)),
        np.random.default_rng(0).random((H, W)) > 0.5,
        np.where(MASK, np.nan, 1),
        np.full(W, b"1"),
        np.full(W, 1j),
        np.zeros(W),
        np.full(W, 0.5),
    ],
    ids=["7 values", "another shape", "2-D", "NaN", "text", "complex", "none", "half"],
)
@pytest.mark.parametrize("suffix", WRITERS)
def test_a_mask_that_fits_nothing_is_refused(tmp_path, mask, suffix):
    if mask.dtype.kind == "S" and suffix in ("mat", "73.mat", "pt"):
        pytest.skip("text is no array there")
    path = tmp_path / f"a.{suffix}"
    WRITERS[suffix](path, kspace=STACK[0, 0], mask=mask)
    with pytest.raises(InputError, match=r"mask .* one value, 0 or 1, for each"):
        read(path)


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
