"""DICOM whose elements lie."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from tests.helpers import scans
from tests.helpers.hostile.scanners.common import STACK, Made, put


def dicom(folder: Path) -> Made:
    """Elements of DICOM."""
    grey = np.abs(STACK[0, 0] * 1000).astype(np.uint16)
    for name, more in (
        ("rows", {"Rows": 65535}),
        ("no_rows", {"Rows": 0}),
        ("frames", {"NumberOfFrames": 2147483647}),
        ("frames_negative", {"NumberOfFrames": -2}),
        ("bits", {"BitsAllocated": 1}),
        ("bits_many", {"BitsAllocated": 64}),
        ("bits_stored", {"BitsStored": 0}),
        ("bits_above", {"BitsStored": 32}),
        ("samples", {"SamplesPerPixel": 3}),
        ("colour", {"PhotometricInterpretation": "RGB"}),
        ("palette", {"PhotometricInterpretation": "PALETTE COLOR"}),
        ("slope", {"RescaleSlope": "1e308"}),
        ("slope_none", {"RescaleSlope": 0}),
        ("place", {"ImagePositionPatient": [1e300, 0, 0]}),
        ("flat", {"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}),
        ("spacing", {"PixelSpacing": [0, -1]}),
    ):
        yield f"dicom_{name}.dcm", scans.dicom(grey, **more)
    valid = scans.dicom(grey)
    yield "dicom_cut_short.dcm", valid[:-100]
    yield "dicom_head_alone.dcm", valid[:140]
    yield "dicom_nothing_after.dcm", valid[:132]
    for name, syntax in (
        ("jpeg", b"1.2.840.10008.1.2.4.70"),
        ("deflated", b"1.2.840.10008.1.2.1.99"),
    ):
        old = b"1.2.840.10008.1.2.1\0"
        at = valid.index(old)
        made = valid[: at - 2] + struct.pack("<H", len(syntax)) + syntax + valid[at + len(old) :]
        yield f"dicom_{name}.dcm", made
    at = valid.index(b"\xe0\x7f\x10\0OW")
    yield "dicom_pixels_endless.dcm", put(valid, at + 8, "I", 0xFFFFFFFF)
    yield "dicom_pixels_few.dcm", put(valid, at + 8, "I", 2)
    yield "dicom_no_pixels.dcm", valid[:at]
    sequence = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff"
    yield "dicom_nested.dcm", valid[:at] + sequence * 5000
    yield "dicom_element_endless.dcm", valid[:at] + b"\x08\0\x41\x11OB\0\0\xf0\xff\xff\xff"
    other = scans.dicom(grey[:, :-2], 2, series="1.2.4")
    for name, files in (
        ("two_series", {"1": valid, "2": other}),
        ("two_sizes", {"1": valid, "2": scans.dicom(grey[:, :-2], 2)}),
        ("many_frames", {"1": scans.dicom(np.array([grey, grey])), "2": valid}),
        ("text", {"1": valid, "2": b"\0" * 128 + b"DICM" + b"x" * 99}),
    ):
        yield f"dicom_{name}.zip", scans.zipped(folder / "s.zip", files).read_bytes()
