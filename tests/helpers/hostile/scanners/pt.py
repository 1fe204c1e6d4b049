"""PyTorch's archives, and the pickles in them."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import torch

from tests.helpers import scans
from tests.helpers.hostile.scanners.common import STACK, Made
from tests.helpers.hostile.zeros import MIB


class _Run:
    def __reduce__(self) -> tuple:
        return (exec, ("open('ran-code', 'w')",))


def pt(folder: Path) -> Made:
    """PyTorch's archives and the pickles in them."""
    buffer = io.BytesIO()
    torch.save({"kspace": torch.from_numpy(STACK)}, buffer)
    with zipfile.ZipFile(buffer) as archive:
        valid = {name: archive.read(name) for name in archive.namelist()}
    root = next(iter(valid)).split("/")[0]

    def made(text: bytes | None = None, **more: bytes) -> bytes:
        files = {**valid, **({f"{root}/data.pkl": text} if text is not None else {}), **more}
        return scans.zipped(folder / "made.zip", files, packed=False).read_bytes()

    text = valid[f"{root}/data.pkl"]
    strides = b"}X\7\0\0\0stridesJ" + struct.pack("<i", -16) + b"K\x20\x86sb"  # built once more
    for name, content in (
        ("code", pickle.dumps(_Run(), 2)),
        ("system", b"cos\nsystem\n(S'touch ran-code'\ntR."),
        ("builtins", b"\x80\x02cbuiltins\ngetattr\n."),
        ("endless_text", b"\x80\x04\x8d" + struct.pack("<Q", 2**63 - 1) + b"x."),
        ("endless_number", b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"1."),
        ("endless_memo", b"\x80\x02Nr\xff\xff\xff\x7f."),
        ("itself", b"\x80\x02]q\0h\0a."),
        ("deep", b"\x80\x02" + b"(" * 200_000 + b"t" * 200_000 + b"."),
        ("twice_as_long", b"\x80\x02]" + b"q\0(h\0h\0l" * 30 + b"."),
        ("nothing", b""),
        ("stop", b"."),
        ("none", b"\x80\x02N."),
        ("number", b"\x80\x02K\x05."),
        ("frame", b"\x80\x04\x95" + struct.pack("<Q", 2**63) + b"N."),
        ("extension", b"\x80\x02\x82\x01."),
        ("buffer", b"\x80\x05\x97."),
        ("shape", text.replace(b"K\x10K\x14", b"K\xffK\xff")),
        ("stride", text.replace(b"M@\x01", b"M\xff\xff")),
        ("storage", text.replace(b"ComplexFloatStorage", b"ComplexFloatNothing")),
        ("changed", text.removesuffix(b"s.") + strides + b"s."),
        ("long", b"\x80\x02" + b"N0" * MIB + b"N."),
    ):
        yield f"pt_{name}.pt", made(content)
    data = f"{root}/data/0"
    yield (
        "pt_no_data.pt",
        scans.zipped(
            folder / "made.zip", {k: v for k, v in valid.items() if k != data}, packed=False
        ).read_bytes(),
    )
    yield "pt_data_short.pt", made(**{data: valid[data][:-8]})
    yield "pt_nan.pt", made(**{data: np.full(1280, np.nan, "<c8").tobytes()})
    yield "pt_order.pt", made(**{f"{root}/byteorder": b"sideways"})
    yield "pt_order_big.pt", made(**{f"{root}/byteorder": b"big"})
    yield "pt_two_lists.pt", made(**{"other/data.pkl": pickle.dumps(_Run())})
    yield "pt_old.pt", pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(_Run(), 2)
