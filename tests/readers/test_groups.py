"""K-space in groups of HDF5 and structures of MATLAB."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import scipy.io

from recon.errors import InputError
from recon.readers import describe, read
from recon.readers.hdf5 import MAX_MEMBERS
from tests.helpers.files import MASK, STACK, write_h5, write_mat, write_mat73

SLICE = STACK[0, 0]
MASKED = np.where(MASK, SLICE, 0)


def in_hdf5(path, scan, **beside):
    return write_h5(path / "a.h5", **{f"scan/{name}": one for name, one in scan.items()}, **beside)


def in_matlab_73(path, scan, **beside):
    return write_mat73(
        path / "a.mat", **{f"scan/{name}": one for name, one in scan.items()}, **beside
    )


def in_matlab_5(path, scan, **beside):
    return write_mat(path / "a.mat", scan=scan, **beside)


def in_compressed_matlab_5(path, scan, **beside):
    return write_mat(path / "a.mat", compressed=True, scan=scan, **beside)


EVERYWHERE = pytest.mark.parametrize(
    "write",
    [in_hdf5, in_matlab_73, in_matlab_5, in_compressed_matlab_5],
    ids=lambda one: one.__name__,
)


@EVERYWHERE
def test_kspace_in_a_group_with_its_mask(tmp_path, write):
    fov, noise = np.ones((1, 3)), np.zeros((2, 70))
    path = write(
        tmp_path, {"fov": fov, "kspace": MASKED, "mask": MASK.astype("u1"), "noise": noise}
    )
    found = read(path)
    np.testing.assert_array_equal(found, MASKED)
    np.testing.assert_array_equal(found.source.mask, MASK)


@EVERYWHERE
def test_what_stands_beside_the_groups_comes_first(tmp_path, write):
    path = write(tmp_path, {"kspace": 2 * SLICE, "mask": MASK}, measured=SLICE)
    found = read(path)
    np.testing.assert_array_equal(found, SLICE)
    assert found.source.mask is None


@EVERYWHERE
def test_the_names_in_a_group_choose(tmp_path, write):
    path = write(tmp_path, {"calibration": 2 * SLICE, "ksp": SLICE})
    np.testing.assert_array_equal(read(path), SLICE)


@EVERYWHERE
def test_two_in_a_group_that_may_be_meant_are_refused(tmp_path, write):
    with pytest.raises(InputError, match="2 arrays that may be k-space"):
        read(write(tmp_path, {"one": SLICE, "other": SLICE}))


@pytest.mark.parametrize("compressed", [False, True])
def test_a_structure_holds_much_that_is_no_array(tmp_path, compressed):
    scan = {
        "name": "text",
        "cell": np.array([{"kspace": 3 * SLICE}, "x"], object),
        "list": np.zeros(3, [("kspace", "c16")]),
        "nothing": np.zeros((0, 0)),
        "acquired": {"kspace": SLICE, "voxel": [1.0, 2, 3]},
    }
    path = write_mat(tmp_path / "a.mat", compressed, scan=scan, after=np.arange(9.0))
    found = read(path)
    np.testing.assert_array_equal(found, SLICE)
    np.testing.assert_array_equal(
        found, scipy.io.loadmat(path, simplify_cells=True)["scan"]["acquired"]["kspace"]
    )


def test_masks_of_other_groups_are_of_other_scans(tmp_path):
    path = write_h5(tmp_path / "a.h5", **{"a/kspace": SLICE, "b/mask": MASK, "c/mask": ~MASK})
    assert read(path).source.mask is None


def test_groups_of_the_same_depth_with_one_kspace_each_are_refused(tmp_path):
    path = write_h5(tmp_path / "a.h5", **{"a/kspace": SLICE, "b/kspace": SLICE})
    with pytest.raises(InputError, match="2 arrays that may be k-space"):
        read(path)


def test_groups_that_contain_themselves_end(tmp_path):
    path = write_h5(tmp_path / "a.h5", **{"a/kspace": SLICE})
    with h5py.File(path, "a") as file:
        file["a/again"] = file["a"]
    np.testing.assert_array_equal(read(path), SLICE)


def test_links_in_groups_are_not_followed(tmp_path):
    write_h5(tmp_path / "secret.h5", kspace=SLICE)
    path = write_h5(tmp_path / "a.h5", **{"a/fov": np.ones(3)})
    with h5py.File(path, "a") as file:
        file["a/kspace"] = h5py.ExternalLink("secret.h5", "/kspace")
        file["a/ksp"] = h5py.SoftLink("/b")
        file["a/b"] = h5py.ExternalLink("secret.h5", "/")
    with pytest.raises(InputError, match="The array in this file has the shape"):
        describe(path)


def test_more_groups_than_anybody_has_are_refused(tmp_path):
    names = {f"g{i}/x": np.ones(1) for i in range(MAX_MEMBERS + 1)}
    with pytest.raises(InputError, match="too many to look through"):
        describe(write_h5(tmp_path / "a.h5", **names))


def test_a_field_that_unpacks_to_far_more_is_refused(tmp_path):
    scan = {"empty": np.zeros(2**23), "kspace": SLICE}
    path = write_mat(tmp_path / "a.mat", compressed=True, scan=scan)
    assert path.stat().st_size < 2**17
    with pytest.raises(InputError, match="may be damaged"):
        describe(path)


def test_one_field_of_nothing_but_its_tag(tmp_path):
    """As MATLAB writes a field without a value; SciPy writes an array of no elements."""
    path = write_mat(tmp_path / "a.mat", scan={"a": 0.0, "kspace": SLICE})
    content = path.read_bytes()
    whole = np.frombuffer(content[128 + 4 : 128 + 8], "<u4")[0]
    field = content.index(np.array([14, 56], "<u4").tobytes(), 136)  # of the number
    shorter = content[132 + 4 : field] + np.array([14, 0], "<u4").tobytes() + content[field + 64 :]
    head = content[:132] + np.array([whole - 56], "<u4").tobytes()
    path.write_bytes(head + shorter)
    assert len(shorter) == whole - 56
    np.testing.assert_array_equal(read(path), SLICE)
