"""What the attacks are made of: a small scan, and other values in its file."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tests.helpers.files import kspace

Made = Iterator[tuple[str, bytes]]
STACK = kspace(2, 2, 16, 20)


def put(content: bytes, at: int, kind: str, *values: object) -> bytes:
    """A copy with other values at a place."""
    copy = bytearray(content)
    struct.pack_into("<" + kind, copy, at, *values)
    return bytes(copy)
