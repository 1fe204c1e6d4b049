"""Attacks in MATLAB 5 files."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.helpers.hostile.zeros import MIB


def _mat5(shape: tuple[int, ...], real: int) -> bytes:
    """A complex double variable; `real` bytes of zeros claimed for each part."""
    size = int(np.prod(shape)) * 8 if real < 0 else real
    head = struct.pack("<4I", 6, 8, 6 | 0x800, 0)
    dims = struct.pack("<2I", 5, 4 * len(shape)) + struct.pack(f"<{len(shape)}i", *shape)
    dims += b"\0" * (-len(dims) % 8)
    head += dims + struct.pack("<2I", 1, 6) + b"kspace\0\0"
    pack = zlib.compressobj(6)
    out = [pack.compress(struct.pack("<2I", 14, min(2**32 - 1, len(head) + 16 + 2 * size)) + head)]
    for _ in range(2):
        out.append(pack.compress(struct.pack("<2I", 9, size)))
        out += [pack.compress(bytes(min(MIB, size - at))) for at in range(0, size, MIB)]
    body = b"".join(out) + pack.flush()
    text = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"
    return text + struct.pack("<2I", 15, len(body)) + body


def mat_zeros(folder: Path) -> None:
    (folder / "mat_zeros.mat").write_bytes(_mat5((4096, 4096), -1))


def mat_zeros_within_limits(folder: Path) -> None:
    (folder / "mat_zeros_within_limits.mat").write_bytes(_mat5((1024, 1024, 16), -1))


def mat_declares(folder: Path) -> None:
    (folder / "mat_declares.mat").write_bytes(_mat5((2**30, 2**30, 2), 64))


def mat_many_variables(folder: Path) -> None:
    text = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"
    (folder / "mat_many_variables.mat").write_bytes(text + struct.pack("<2I", 1, 0) * 500_000)


ATTACKS: tuple[Callable[[Path], None], ...] = (
    mat_zeros,
    mat_zeros_within_limits,
    mat_declares,
    mat_many_variables,
)
