"""HDF5 values as they stand in the file: every filter, index and type, and no byte more."""

from __future__ import annotations

import itertools
import zlib

import h5py
import numpy as np
import pytest

from recon.errors import InputError
from recon.readers import describe, hdf5, read
from tests.helpers import hostile
from tests.helpers.files import STACK
from tests.helpers.hostile import chunks

VOLUME = STACK[:, 0]
WHOLE = (slice(None),) * 3


def taken(path, index=WHOLE):
    with hdf5.opened(path) as (raw, file):
        return hdf5.take(raw, hdf5.dataset(file, "kspace"), index)


@pytest.mark.parametrize(
    ("filters", "index"), [*itertools.product(chunks.FILTERS, ("earliest", "latest"))]
)
@pytest.mark.parametrize("grows", [None, (None, 24, 32), (None, None, 32)])
def test_every_filter_and_index_gives_what_was_written(tmp_path, filters, index, grows):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver=index) as file:
        file.create_dataset(
            "kspace", data=VOLUME, chunks=(2, 7, 32), maxshape=grows, **chunks.FILTERS[filters]
        )
    np.testing.assert_array_equal(taken(path), VOLUME)
    np.testing.assert_array_equal(read(path, slice=3), VOLUME[3])
    np.testing.assert_array_equal(taken(path, (slice(None), 23, slice(None))), VOLUME[:, 23])


@pytest.mark.parametrize("dtype", ["<c8", ">c8", "<c16", ">c16", "<f4", ">f8", "<i2", ">u2", "?"])
@pytest.mark.parametrize("options", [{}, {"chunks": (1, 24, 32), "shuffle": True}])
def test_every_type_gives_what_was_written(tmp_path, dtype, options):
    path = tmp_path / "a.h5"
    values = (100 * VOLUME).real if np.dtype(dtype).kind in "iu?f" else VOLUME
    values = np.abs(values).astype(dtype) if dtype[1:] != "c8" else values.astype(dtype)
    with h5py.File(path, "w") as file:
        file.create_dataset("kspace", data=values, **options)
    np.testing.assert_allclose(taken(path), values, rtol=1e-6)
    np.testing.assert_allclose(taken(path, (2, *WHOLE[1:])), values[2], rtol=1e-6)


def test_compact_values_are_read(tmp_path):
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_layout(h5py.h5d.COMPACT)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        kind, space = h5py.h5t.py_create(VOLUME.dtype), h5py.h5s.create_simple(VOLUME.shape)
        found = h5py.h5d.create(file.id, b"kspace", kind, space, plan)
        found.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(VOLUME))
    np.testing.assert_array_equal(taken(tmp_path / "a.h5"), VOLUME)


def test_chunks_that_were_never_written_are_zero(tmp_path):
    for options in ({}, {"compression": "gzip"}):
        with h5py.File(tmp_path / "a.h5", "w") as file:
            found = file.create_dataset("kspace", (5, 24, 32), "c8", chunks=(1, 24, 32), **options)
            found[2] = VOLUME[2]
        np.testing.assert_array_equal(taken(tmp_path / "a.h5")[2], VOLUME[2])
        assert not taken(tmp_path / "a.h5")[3].any()


def test_a_chunk_that_did_not_shrink_may_skip_gzip(tmp_path):
    content = np.random.default_rng(0).standard_normal(chunks.SIZE // 4).astype("f4").tobytes()
    path = chunks.write(tmp_path / "a.h5", "gzip", "btree1", 1, content)
    assert taken(path).tobytes() == content


@pytest.mark.parametrize("index", chunks.INDEXES)
@pytest.mark.parametrize("filters", [name for name in chunks.FILTERS if name != "none"])
def test_a_chunk_shorter_than_it_must_be_is_refused(tmp_path, filters, index):
    """Its filters skipped, libhdf5 would fill it up from memory."""
    path = chunks.write(tmp_path / "a.h5", filters, index, 7, b"\x01\x02\x03\x04" * 4)
    with pytest.raises(InputError, match="does not unpack to its declared size"):
        read(path)
    assert describe(path).slices == 1


def test_a_checksum_that_is_wrong_is_refused(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("kspace", data=VOLUME, fletcher32=True, chunks=VOLUME.shape)
        place = file["kspace"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[place.byte_offset + 5] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="checksum"):
        read(path)


@pytest.mark.parametrize("packed", [b"x\x9c", zlib.compress(b"1" * 99), b"\xff" * 99])
def test_damaged_gzip_is_refused(tmp_path, packed):
    with pytest.raises(InputError):
        read(chunks.write(tmp_path / "a.h5", "gzip", "btree1", 0, packed))


def test_contiguous_values_beyond_the_file_are_refused(tmp_path):
    for path in chunks.lying_layouts(tmp_path):
        _, place, *_ = path.stem.split("_")
        beyond = place != "rows" and int(place, 16) > path.stat().st_size - chunks.SIZE
        if path.stem.startswith("contiguous") and beyond and int(place, 16) < 2**64 - 1:
            with pytest.raises(InputError):
                read(path)


def test_there_are_hundreds_of_such_attacks(tmp_path):
    assert len(hostile.chunks.files(tmp_path)) > 1000
