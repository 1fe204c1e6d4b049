"""Attacks in NumPy files and the ZIP archives around them."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.helpers.hostile.zeros import MIB, zeros


def _npy_header(shape: tuple[int, ...], dtype: str = "<c8") -> bytes:
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode()


def npy_declares(folder: Path) -> None:
    path = folder / "npy_declares.npy"
    path.write_bytes(_npy_header((200_000, 200_000)).ljust(228, b"\0"))


def npy_long_header(folder: Path) -> None:
    head = b"\x93NUMPY\2\0" + struct.pack("<I", 2**32 - 1)
    (folder / "npy_long_header.npy").write_bytes(head + b"(" * 100_000)


def npy_deep_header(folder: Path) -> None:
    head = b"\x93NUMPY\1\0" + struct.pack("<H", 9000)
    (folder / "npy_deep_header.npy").write_bytes(head + b"(" * 9000)


class _Touch:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def npy_pickle(folder: Path) -> None:
    bomb = np.array([_Touch(folder / "ran-code")], dtype=object)
    np.save(folder / "npy_pickle.npy", bomb, allow_pickle=True)


def npz_pickle(folder: Path) -> None:
    bomb = np.array([_Touch(folder / "ran-code")], dtype=object)
    np.savez(folder / "npz_pickle.npz", kspace=bomb)


def _npz(path: Path, claimed: int | None = None) -> None:
    """One array of 1 GiB of zeros; the directory may claim another size."""
    header = _npy_header((128, 1024, 1024))
    size = len(header) + 1024 * MIB
    pack = zlib.compressobj(9, wbits=-15)
    data = pack.compress(header) + pack.flush(zlib.Z_FULL_FLUSH) + zeros(1024)
    fields = (8, 0, 0, 0, len(data), claimed or size, 10)  # no checksum: nobody gets so far
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, *fields, 0) + b"kspace.npy"
    entry = (
        struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, *fields, *[0] * 4, 0, 0) + b"kspace.npy"
    )
    start = len(local) + len(data)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entry), start, 0)
    path.write_bytes(local + data + entry + end)


def npz_bomb(folder: Path) -> None:
    _npz(folder / "npz_bomb.npz")


def npz_lying_sizes(folder: Path) -> None:
    """The bomb again, but the directory claims a modest size."""
    _npz(folder / "npz_lying_sizes.npz", claimed=15 * MIB)


def npz_many_names(folder: Path) -> None:
    """A directory of 200,000 names."""
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", *[0] * 4, *[0] * 4, 0, 0, 0, 5, *[0] * 4, 0, 0)
    directory = (entry + b"a.npy") * 200_000
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, len(directory), 0, 0)
    (folder / "npz_many_names.npz").write_bytes(b"PK\3\4" + directory + end)


def zip_in_disguise(folder: Path) -> None:
    for suffix in ("npy", "npz", "h5", "mat", "png"):
        with zipfile.ZipFile(folder / f"zip_in_disguise.{suffix}", "w") as archive:
            archive.writestr("word/document.xml", "<text/>" * 100)


ATTACKS: tuple[Callable[[Path], None], ...] = (
    npy_declares,
    npy_long_header,
    npy_deep_header,
    npy_pickle,
    npz_pickle,
    npz_bomb,
    npz_lying_sizes,
    npz_many_names,
    zip_in_disguise,
)
