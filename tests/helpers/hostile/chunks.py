"""HDF5 chunks that are shorter, longer or less filtered than they declare.

Where fewer bytes are stored than a chunk holds, libhdf5 hands out what stands behind them in
memory. Hundreds of small files: every filter, every mask of skipped filters, every index.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

SHAPE = (1, 32, 32)
SIZE = 32 * 32 * 8
FILTERS = {
    "none": {},
    "gzip": {"compression": "gzip"},
    "shuffle": {"shuffle": True},
    "fletcher32": {"fletcher32": True},
    "shuffle-gzip": {"shuffle": True, "compression": "gzip"},
    "gzip-fletcher32": {"compression": "gzip", "fletcher32": True},
    "shuffle-fletcher32": {"shuffle": True, "fletcher32": True},
    "all": {"shuffle": True, "compression": "gzip", "fletcher32": True},
}
# How libhdf5 looks chunks up: chosen by version, and by which axes may grow.
INDEXES = {
    "btree1": ("earliest", (1, 32, 32), None),
    "single": ("latest", (1, 32, 32), None),
    "fixed": ("latest", (1, 16, 32), None),
    "extensible": ("latest", (1, 16, 32), (None, 32, 32)),
    "btree2": ("latest", (1, 16, 32), (None, None, 32)),
}
LENGTHS = {
    "empty": 0,
    "tiny": 16,
    "half": 0.5,
    "short": -1,
    "exact": 1.0,
    "long": 1,
    "checksum": 4,
}


def _values(size: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).uniform(1, 2, size // 4).astype("f4").tobytes()


def _stored(size: int, length: float) -> bytes:
    if isinstance(length, float):
        wanted = int(size * length)
    else:
        wanted = length if length in (0, 16) else size + length
    return (_values(size) + bytes(16))[:wanted]


def write(path: Path, filters: str, index: str, mask: int, content: bytes, copies: int = 1) -> Path:
    """A file whose first chunk is stored as given."""
    version, chunk, grows = INDEXES[index]
    with h5py.File(path, "w", libver=version) as file:
        options = FILTERS[filters]
        found = file.create_dataset("kspace", SHAPE, "c8", chunks=chunk, maxshape=grows, **options)
        if chunk != SHAPE:
            found[...] = np.frombuffer(_values(SIZE, 1), "c8").reshape(SHAPE)
        found.id.write_direct_chunk((0, 0, 0), content, mask)
    return path


def misstored(folder: Path) -> Iterator[Path]:
    """Every filter, index and mask with too few, too many and just enough bytes."""
    for filters, index in itertools.product(FILTERS, INDEXES):
        count = sum(map(len, [filters.split("-") if filters != "all" else [1, 2, 3]]))
        count = 0 if filters == "none" else count
        size = 8 * int(np.prod(INDEXES[index][1]))
        for mask in (*range(2**count), 1 << 31):
            for name, length in LENGTHS.items():
                content = _stored(size, length)
                if "gzip" in filters and mask == 0:
                    content = zlib.compress(content)
                path = folder / f"{filters}_{index}_{mask:x}_{name}.h5"
                try:
                    yield write(path, filters, index, mask, content)
                except (OSError, ValueError):  # h5py itself will not write this one
                    path.unlink(missing_ok=True)


def edited_keys(folder: Path) -> Iterator[Path]:
    """Lengths and masks changed in the index itself, as no library would write them."""
    sizes = (0, 1, 16, SIZE // 2, SIZE - 1, SIZE + 1, 2 * SIZE, 2**20, 2**31, 2**32 - 1)
    for filters in FILTERS:
        plain = folder / f"plain-{filters}.h5"
        with h5py.File(plain, "w") as file:
            file.create_dataset("kspace", SHAPE, "c8", chunks=SHAPE, **FILTERS[filters])
            file["kspace"][...] = np.frombuffer(_values(SIZE), "c8").reshape(SHAPE)
            place = file["kspace"].id.get_chunk_info(0)
        content = plain.read_bytes()
        plain.unlink()
        key = content.index(struct.pack("<II", place.size, 0), content.index(b"TREE\1"))
        address = content.index(struct.pack("<Q", place.byte_offset), key)
        for size, mask in itertools.product(sizes, (0, 1, 3, 7, 2**32 - 1)):
            edited = bytearray(content)
            struct.pack_into("<II", edited, key, size, mask)
            path = folder / f"key_{filters}_{size:x}_{mask:x}.h5"
            path.write_bytes(edited)
            yield path
        for address_now in (0, 96, len(content) - 16, len(content), 2**40, 2**63, 2**64 - 1):
            edited = bytearray(content)
            struct.pack_into("<Q", edited, address, address_now)
            path = folder / f"address_{filters}_{address_now:x}.h5"
            path.write_bytes(edited)
            yield path


def overlapping(folder: Path) -> Iterator[Path]:
    """Chunks that share their bytes, lie on headers, or come twice."""
    for filters in FILTERS:
        plain = folder / f"plain-{filters}.h5"
        with h5py.File(plain, "w") as file:
            file.create_dataset("kspace", SHAPE, "c8", chunks=(1, 8, 32), **FILTERS[filters])
            file["kspace"][...] = np.frombuffer(_values(SIZE), "c8").reshape(SHAPE)
            places = [file["kspace"].id.get_chunk_info(i) for i in range(4)]
        content = plain.read_bytes()
        plain.unlink()
        first = struct.pack("<Q", places[0].byte_offset)
        at = [content.index(struct.pack("<Q", place.byte_offset)) for place in places]
        for step in (0, 8, 96):
            edited = bytearray(content)
            for where in at:
                struct.pack_into("<Q", edited, where, places[0].byte_offset + step)
            path = folder / f"overlap_{filters}_{step}.h5"
            path.write_bytes(edited)
            yield path
        second = content.index(struct.pack("<4Q", 0, 8, 0, 0), content.index(first) - 64)
        edited = bytearray(content)
        struct.pack_into(
            "<4Q", edited, second, 0, 0, 0, 0
        )  # the second chunk, at the first's place
        path = folder / f"twice_{filters}.h5"
        path.write_bytes(edited)
        yield path


def lying_layouts(folder: Path) -> Iterator[Path]:
    """Contiguous and compact storage whose declared length or place is another."""
    for kind, layout in (("contiguous", h5py.h5d.CONTIGUOUS), ("compact", h5py.h5d.COMPACT)):
        plain = folder / f"plain-{kind}.h5"
        with h5py.File(plain, "w") as file:
            plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plan.set_layout(layout)
            space = h5py.h5s.create_simple(SHAPE)
            kind_id = h5py.h5t.py_create(np.dtype("c8"))
            data = h5py.h5d.create(file.id, b"kspace", kind_id, space, plan)
            data.write(
                h5py.h5s.ALL, h5py.h5s.ALL, np.frombuffer(_values(SIZE), "c8").reshape(SHAPE)
            )
            offset = data.get_offset()
        content = plain.read_bytes()
        plain.unlink()
        if kind == "contiguous":
            at = content.index(struct.pack("<QQ", offset, SIZE))
            for place, size in itertools.product(
                (0, 64, offset, len(content) - 16, len(content), 2**40, 2**63, 2**64 - 2),
                (0, 16, SIZE - 1, SIZE, SIZE + 1, 2**32, 2**63),
            ):
                edited = bytearray(content)
                struct.pack_into("<QQ", edited, at, place, size)
                path = folder / f"contiguous_{place:x}_{size:x}.h5"
                path.write_bytes(edited)
                yield path
        else:
            at = content.index(_values(SIZE)[:16]) - 2
            for size in (0, 1, 16, SIZE // 2, SIZE - 1, SIZE + 1, 2**16 - 1):
                edited = bytearray(content)
                struct.pack_into("<H", edited, at, size)
                path = folder / f"compact_{size:x}.h5"
                path.write_bytes(edited)
                yield path
        for rows in (31, 33, 64, 512, 2048):  # the extent alone
            edited = bytearray(content)
            at = content.index(struct.pack("<3Q", *SHAPE))
            struct.pack_into("<3Q", edited, at, 1, rows, 32)
            path = folder / f"{kind}_rows_{rows}.h5"
            path.write_bytes(edited)
            yield path


def files(folder: Path) -> list[Path]:
    """All of them."""
    folder.mkdir(exist_ok=True)
    kinds = (misstored, edited_keys, overlapping, lying_layouts)
    return [path for kind in kinds for path in kind(folder)]
