"""NIfTI whose header lies, and what gzip makes of it."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np

from tests.helpers import scans
from tests.helpers.hostile.scanners.common import STACK, Made, put
from tests.helpers.hostile.zeros import MIB


def nifti(folder: Path) -> Made:
    """Headers of NIfTI, and what gzip makes of them."""
    grey = np.abs(STACK[0, 0]).astype(np.float32)[:, :, None].repeat(2, 2)
    valid = scans.nifti(folder / "valid.nii", grey).read_bytes()
    for name, at, kind, values in (
        ("no_axes", 40, "h", (0,)),
        ("many_axes", 40, "h", (8,)),
        ("negative", 42, "h", (-16,)),
        ("huge", 42, "hhh", (32767, 32767, 32767)),
        ("long", 46, "h", (32767,)),
        ("no_type", 70, "h", (0,)),
        ("colour", 70, "h", (128,)),
        ("wide", 70, "h", (1536,)),
        ("wider", 70, "h", (2048,)),
        ("unknown", 70, "h", (12345,)),
        ("bits", 72, "h", (1,)),
        ("offset_nan", 108, "f", (float("nan"),)),
        ("offset_endless", 108, "f", (float("inf"),)),
        ("offset_negative", 108, "f", (-1.0,)),
        ("offset_far", 108, "f", (1e30,)),
        ("slope_nan", 112, "f", (float("nan"),)),
        ("slope_huge", 112, "f", (3e38,)),
        ("two_files", 344, "4s", (b"ni1\0",)),
        ("affine", 280, "f", (float("nan"),)),
        ("flat", 280, "12f", (0.0,) * 12),
        ("code", 254, "h", (32767,)),
    ):
        yield f"nifti_{name}.nii", put(valid, at, kind, *values)
    yield "nifti_cut_short.nii", valid[:-1]
    yield "nifti_header_alone.nii", valid[:348]
    yield "nifti_packed_short.nii.gz", gzip.compress(valid)[:-20]
    yield "nifti_packed_twice.nii.gz", gzip.compress(gzip.compress(valid))
    yield (
        "nifti_bomb.nii.gz",
        gzip.compress(put(valid, 42, "hhh", 32767, 32767, 2) + bytes(99 * MIB)),
    )
    second = bytearray(540)
    struct.pack_into("<I4s4x", second, 0, 540, b"n+2\0")
    struct.pack_into("<hh8q", second, 12, 16, 32, 3, 2**62, 2**62, 2**62, 1, 1, 1, 1)
    yield "nifti_second.nii", bytes(second) + bytes(999)
    many = {f"{n}.nii": valid[:400] for n in range(3000)}
    yield "nifti_many.zip", scans.zipped(folder / "many.zip", many).read_bytes()
    pair = {"mag.nii": valid, "phase.nii": valid[:352]}
    yield "nifti_half_a_pair.zip", scans.zipped(folder / "pair.zip", pair).read_bytes()
