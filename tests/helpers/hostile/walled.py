"""HDF5 that no check of ours catches: only the walls around the reader hold.

Structures that point at themselves, which libhdf5 follows until its stack is full, and a length
that it believes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from tests.helpers import files


def _tree_in_circles(path: Path, kind: int, key: int) -> None:
    """Every node of one kind (0 groups, 1 chunks) becomes its own child, `key` bytes a key."""
    content = bytearray(path.read_bytes())
    at = content.find(b"TREE" + bytes([kind]))
    while at >= 0:
        (used,) = struct.unpack_from("<H", content, at + 6)
        content[at + 5] = 1  # level: its children are nodes
        for child in range(max(used, 1)):
            struct.pack_into("<Q", content, at + 24 + key + child * (key + 8), at)
        at = content.find(b"TREE" + bytes([kind]), at + 4)
    path.write_bytes(content)


def chunks_in_circles(folder: Path) -> None:
    path = folder / "chunks_in_circles.h5"
    files.write_h5(path, options={"chunks": (1, 24, 32)}, kspace=files.STACK[:, 0])
    _tree_in_circles(path, 1, 8 + 8 * 4)


def groups_in_circles(folder: Path) -> None:
    path = folder / "groups_in_circles.h5"
    files.write_h5(path, kspace=files.STACK[:, 0], other=np.ones(3))
    _tree_in_circles(path, 0, 8)


def type_of_itself(folder: Path) -> None:
    """A committed type that says its definition is shared, and is to be found in itself."""
    path = folder / "type_of_itself.h5"
    with h5py.File(path, "w") as file:
        file["type"] = np.dtype("f4")
        file.create_dataset("kspace", data=np.ones((3, 24, 32, 2), "f4"), dtype=file["type"])
        address = h5py.h5o.get_info(file["type"].id).addr
    content = bytearray(path.read_bytes())
    at = address + 16  # the first message of a version-1 header
    struct.pack_into("<HHB", content, at, 3, 24, 2 | content[at + 4])
    struct.pack_into("<BB6xQ", content, at + 8, 1, 0, address)
    path.write_bytes(content)


def endless_text(folder: Path) -> None:
    """A text of nine letters that claims to have 4 GiB."""
    path = folder / "endless_text.h5"
    files.write_h5(path, {"acquisition": "CORPD_FBK"}, kspace=files.kspace())
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    at = content.index(struct.pack("<IQI", 9, heap, 1))
    struct.pack_into("<I", content, at, 2**32 - 16)
    path.write_bytes(content)


def tree_with_a_wrong_byte(folder: Path) -> None:
    """One byte of a version-2 B-tree: libhdf5 sees it, and falls over its own cleaning up."""
    path = folder / "tree_with_a_wrong_byte.h5"
    with h5py.File(path, "w", libver="latest") as file:
        grows = {"chunks": (1, 8, 32), "maxshape": (None, None, 32), "compression": "gzip"}
        file.create_dataset("kspace", data=files.STACK[:, 0], **grows)
    content = bytearray(path.read_bytes())
    content[content.index(b"BTHD") + 27] ^= 1
    path.write_bytes(content)


ATTACKS: tuple[Callable[[Path], None], ...] = (
    chunks_in_circles,
    groups_in_circles,
    type_of_itself,
    endless_text,
    tree_with_a_wrong_byte,
)
