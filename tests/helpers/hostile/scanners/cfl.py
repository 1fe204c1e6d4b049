"""BART's pairs that do not belong together."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tests.helpers import scans
from tests.helpers.hostile.scanners.common import STACK, Made
from tests.helpers.hostile.zeros import MIB


def cfl(folder: Path) -> Made:
    """BART's pairs."""
    valid = scans.cfl(STACK[0].transpose(1, 2, 0)[:, :, None])
    data = valid["scan/ksp.cfl"]

    def made(header: bytes, data: bytes = data, **more: bytes) -> bytes:
        files = {"ksp.hdr": header, "ksp.cfl": data, **more}
        return scans.zipped(folder / "made.zip", files).read_bytes()

    for name, sizes in (
        ("none", ""),
        ("zero", "0 20 1 2"),
        ("negative", "-16 -20 1 2"),
        ("huge", "2147483648 " * 16),
        ("words", "sixteen 20"),
        ("many", "1 " * 4000),
        ("long", "9" * 5000),
        ("wrong", "16 20 1 3"),
        ("maps", "16 20 1 1 2"),
        ("deep", "1 1 640"),
        ("number", "16 20 1e1"),
    ):
        yield f"cfl_{name}.zip", made(f"# Dimensions\n{sizes}\n".encode())
    yield "cfl_no_word.zip", made(b"16 20 1 2\n")
    yield "cfl_long_header.zip", made(b"# Dimensions\n" + b"1 " * MIB)
    header = b"# Dimensions\n16 20 1 2\n"
    yield "cfl_nan.zip", made(header, np.full(640, np.nan, "<c8").tobytes())
    yield "cfl_bomb.zip", made(b"# Dimensions\n4096 4096 1 2\n", bytes(256 * MIB))
    yield "cfl_two.zip", made(header, **{"kmore.hdr": header, "kmore.cfl": data})
    plain = made(header)
    flags = bytearray(plain)
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        for found in re.finditer(re.escape(mark), plain):
            flags[found.start() + at] |= 1
    yield "cfl_encrypted.zip", bytes(flags)
    yield "cfl_cut_short.zip", plain[:-30]
    yield "cfl_half.cfl", data
