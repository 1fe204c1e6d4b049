"""Attacks in HDF5: links to other files, lying sizes, and defects of libhdf5."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from tests.helpers import files
from tests.helpers.hostile.zeros import MIB, zlib_zeros

SECRET = b"secret-" * 4096


def _other(folder: Path) -> Path:
    """Another HDF5 file of the machine."""
    path = folder.parent / f"{folder.name}-secret.h5"
    with h5py.File(path, "w") as other:
        other["x"] = files.kspace()[:, 0]
        other["group/data"] = files.kspace()[:, 0]
    return path


def _secret(folder: Path) -> Path:
    """Another file of the machine that an attacker wants; its bytes make valid k-space."""
    path = folder.parent / f"{folder.name}-secret.bin"
    path.write_bytes(SECRET)
    return path


def external_storage(folder: Path) -> None:
    with h5py.File(folder / "external_storage.h5", "w") as file:
        external = [(str(_secret(folder)), 0, 16384)]
        file.create_dataset("kspace", (2, 32, 32), "c8", external=external)


def virtual_dataset(folder: Path) -> None:
    layout = h5py.VirtualLayout((5, 24, 32), "c8")
    layout[:] = h5py.VirtualSource(str(_other(folder)), "x", (5, 24, 32))
    with h5py.File(folder / "virtual_dataset.h5", "w") as file:
        file.create_virtual_dataset("kspace", layout)


def external_link(folder: Path) -> None:
    with h5py.File(folder / "external_link.h5", "w") as file:
        file["kspace"] = h5py.ExternalLink(str(_other(folder)), "x")


def external_mask(folder: Path) -> None:
    with h5py.File(folder / "external_mask.h5", "w") as file:
        file["kspace"] = files.kspace()
        file["mask"] = h5py.ExternalLink(str(_other(folder)), "x")


def external_group(folder: Path) -> None:
    with h5py.File(folder / "external_group.h5", "w") as file:
        file["dataset"] = h5py.ExternalLink(str(_other(folder)), "group")


def soft_link(folder: Path) -> None:
    with h5py.File(folder / "soft_link.h5", "w") as file:
        file["hidden"] = files.kspace()
        file["kspace"] = h5py.SoftLink("/hidden")


def v73_external_link(folder: Path) -> None:
    path = files.write_mat73(folder / "v73_external_link.mat", other=np.ones((3, 3)))
    with h5py.File(path, "r+") as file:
        file["kspace"] = h5py.ExternalLink(str(_other(folder)), "x")


def declared_only(folder: Path) -> None:
    with h5py.File(folder / "declared_only.h5", "w") as file:
        file.create_dataset("kspace", (1, 200_000, 200_000), "c8", chunks=(1, 512, 512))


def declared_small_sides(folder: Path) -> None:
    """As large as is accepted, and nothing stored."""
    with h5py.File(folder / "declared_small_sides.h5", "w") as file:
        file.create_dataset("kspace", (1000, 4, 2048, 2048), "c8", chunks=(1, 1, 512, 512))


def gzip_bomb(folder: Path) -> None:
    with h5py.File(folder / "gzip_bomb.h5", "w") as file:
        found = file.create_dataset(
            "kspace", (64, 1024, 1024), "c8", chunks=(1, 1024, 1024), compression="gzip"
        )
        packed = zlib.compress(bytes(8 * MIB), 9)
        for number in range(64):
            found.id.write_direct_chunk((number, 0, 0), packed)


def lying_chunk(folder: Path) -> None:
    """A chunk of 0.5 MiB that unpacks to 512 MiB inside libhdf5."""
    packed = zlib_zeros(512)
    with h5py.File(folder / "lying_chunk.h5", "w") as file:
        found = file.create_dataset(
            "kspace", (1, 256, 256), "c8", chunks=(1, 256, 256), compression="gzip"
        )
        found.id.write_direct_chunk((0, 0, 0), packed)


def huge_chunk(folder: Path) -> None:
    with h5py.File(folder / "huge_chunk.h5", "w") as file:
        found = file.create_dataset(
            "kspace",
            (1, 64, 64),
            "c8",
            chunks=(1, 8192, 8192),
            maxshape=(None, None, None),
            compression="gzip",
        )
        found.id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(MIB)))


def huge_attribute(folder: Path) -> None:
    with h5py.File(folder / "huge_attribute.h5", "w") as file:
        file["kspace"] = files.kspace()
        file.attrs["acquisition"] = "x" * (48 * MIB)


def wide_compound(folder: Path) -> None:
    """Two floats, and a gap between them."""
    wide = np.dtype(
        {"names": ["real", "imag"], "formats": ["f4", "f4"], "offsets": [0, 60], "itemsize": 64}
    )
    with h5py.File(folder / "wide_compound.h5", "w") as file:
        file["kspace"] = np.ones((1, 64, 64), wide)


def odd_floats(folder: Path) -> None:
    """Floats with another exponent bias: h5py widens them past the end of its buffer."""
    odd = h5py.h5t.IEEE_F32LE.copy()
    odd.set_ebias(255)
    pair = h5py.h5t.create(h5py.h5t.COMPOUND, 8)
    pair.insert(b"r", 0, odd)
    pair.insert(b"i", 4, h5py.h5t.IEEE_F32LE)
    with h5py.File(folder / "odd_floats.h5", "w") as file:
        space = h5py.h5s.create_simple((2, 16, 20))
        h5py.h5d.create(file.id, b"kspace", pair, space)


def endless_heap(folder: Path) -> None:
    """The free space of the heap has no length, and libhdf5 never gets past it."""
    path = folder / "endless_heap.h5"
    files.write_h5(path, {"acquisition": "CORPD_FBK"}, kspace=files.kspace())
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    text = content.index(b"CORPD_FBK", heap)
    struct.pack_into("<HHIQ", content, text + 16, 0, 0, 0, 0)
    path.write_bytes(content)


def heaps_in_heaps(folder: Path) -> None:
    """20,000 headers of heap collections, each of which reaches to the end of the file."""
    path = folder / "heaps_in_heaps.h5"
    files.write_h5(path, {"acquisition": "CORPD_FBK"}, kspace=files.kspace())
    content = path.read_bytes()
    heap = content.index(b"GCOL")
    count = 20_000
    fakes = b"".join(b"GCOL\1\0\0\0" + struct.pack("<Q", 16 * n) for n in range(count, 0, -1))
    with h5py.File(path, "r+") as file:
        file.attrs["acquisition"] = "a" * (16 * count + 4096)
    content = bytearray(path.read_bytes())
    long = content.index(b"a" * 4096)
    content[long : long + len(fakes)] = fakes
    assert heap
    path.write_bytes(content)


ATTACKS: tuple[Callable[[Path], None], ...] = (
    external_storage,
    virtual_dataset,
    external_link,
    external_mask,
    external_group,
    soft_link,
    v73_external_link,
    declared_only,
    declared_small_sides,
    gzip_bomb,
    lying_chunk,
    huge_chunk,
    huge_attribute,
    wide_compound,
    odd_floats,
    endless_heap,
    heaps_in_heaps,
)
