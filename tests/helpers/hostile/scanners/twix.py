"""Siemens raw data whose directory, headers or readouts lie."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np

from tests.helpers import scans
from tests.helpers.hostile.scanners.common import STACK, Made, put


def twix(folder: Path) -> Made:
    """Directory, headers and readouts of Siemens raw data."""
    valid = scans.twix(folder / "valid.dat", STACK, oversampling=1).read_bytes()
    start = 10_240
    first = start + struct.unpack_from("<I", valid, start)[0]
    step = 192 + 2 * (32 + 8 * 16)
    for name, at, kind, value in (
        ("count", 4, "I", 64),
        ("offset", 16, "Q", len(valid)),
        ("offset_endless", 16, "Q", 2**63),
        ("offset_into_itself", 16, "Q", 8),
        ("length", 24, "Q", 2**63),
        ("length_one", 24, "Q", 1),
        ("header_endless", start, "I", 2**32 - 1),
        ("header_none", start, "I", 0),
        ("samples_none", first + 48, "H", 0),
        ("samples_many", first + 48, "H", 65535),
        ("channels_none", first + 50, "H", 0),
        ("channels_many", first + 50, "H", 65535),
        ("line", first + 52, "H", 65535),
        ("average", first + 54, "H", 65535),
        ("slice", first + 56, "H", 65535),
        ("partition", first + 58, "H", 65535),
        ("repetition", first + 64, "H", 65535),
        ("cut", first + 80, "H", 65535),
        ("centre", first + 84, "H", 65535),
        ("all_flags", first + 40, "Q", 2**64 - 1),
        ("endless_sync", first + 40, "Q", 1 << 5),  # a block of no length follows itself
    ):
        yield f"twix_{name}.dat", put(valid, at, kind, value)
    everywhere = bytearray(valid)
    for number, at in enumerate(range(first, len(valid) - 192, step)):
        struct.pack_into("<H", everywhere, at + 56, 65535 - number)  # a slice for every readout
        struct.pack_into("<H", everywhere, at + 58, number * 1000)
    yield "twix_every_counter.dat", bytes(everywhere)
    noise = bytearray(valid)
    for at in range(first, len(valid) - 192, step):
        struct.pack_into("<Q", noise, at + 40, 1 << 25)
    yield "twix_only_noise.dat", bytes(noise)
    values = np.full((len(valid) - first) // 4, np.nan, "<f4").tobytes()
    yield "twix_nan.dat", valid[: first + 192] + values[: len(valid) - first - 192]
    yield "twix_cut_short.dat", valid[: first + step // 2]
    for name, old, new in (
        ("oversampling", rb"6  1\.000000", b"6  9" + b"9" * 7),
        ("matrix", rb"\{  16  \}", b"{ 9999 }"),
        ("lines", rb"\{  20  \}", b"{ 9999 }"),
        ("trajectory", rb"\t1\n", b"\t4\n"),
        ("blanks", rb"(?s)\{ <Precision.*", b"{" + b" " * 99),
    ):
        yield f"twix_{name}.dat", re.sub(old, lambda m, b=new: b.ljust(len(m[0]))[: len(m[0])],
                                         valid[:first]) + valid[first:]  # fmt: skip
    old = scans.twix(folder / "old.dat", STACK, version="vb", oversampling=1).read_bytes()
    first = struct.unpack_from("<I", old)[0]
    yield "twix_vb_samples.dat", put(old, first + 28, "HH", 65535, 65535)
    yield "twix_vb_sync.dat", put(put(old, first + 20, "Q", 1 << 5), first, "I", 0)
