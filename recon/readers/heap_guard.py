"""A guard for HDF5's global heap, where text of variable length lives.

libhdf5 (2.0.0, as h5py 3.16 ships it) walks the objects of a heap collection without minding
that an object of size zero leads nowhere: two changed bytes make it loop for ever, and no other
thread can use h5py meanwhile. So every collection is walked here before libhdf5 sees it. The
layout is that of the HDF5 File Format Specification, III.E.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from recon.readers.bounded_reading import MIB, BoundedFile

SIGNATURE = b"GCOL"
OBJECT = 16  # bytes of an object's header, where sizes are stored in 8 bytes


class HeapGuard(BoundedFile):
    """A `BoundedFile` that looks at each heap collection on its way to libhdf5.

    Collections lie side by side, so all of them together are no longer than the file. What
    only looks like one, inside another, is counted too; this bounds the work.

    Raises
    ------
    ValueError
        By `readinto`, where a collection is damaged.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.walked: set[int] = set()
        self.left = 2 * self.size + MIB

    def readinto(self, buffer: Any, /) -> int:
        at = self.tell()
        count = super().readinto(buffer)
        if not self.allowed:  # among samples the signature may stand by chance
            # A read may begin or end within a signature; three bytes more on each side tell.
            before = self.peek(3, at - 3) if at >= 3 else b""
            after = self.peek(3, at + count)
            seen = before + bytes(buffer[:count]) + after
            found = seen.find(SIGNATURE)
            while found >= 0:
                self._walk(at - len(before) + found)
                found = seen.find(SIGNATURE, found + 1)
        return count

    def _walk(self, address: int) -> None:
        if address in self.walked:
            return
        head = self.peek(16, address)
        size = struct.unpack("<8xQ", head)[0] if len(head) == 16 else 0
        self.left -= size
        if not 16 < size <= self.limit or self.left < 0:
            raise ValueError("heap of an impossible size")
        content = self.peek(size, address)
        if len(content) != size:
            raise ValueError("heap beyond the end of the file")
        at = 16
        while size - at >= OBJECT:
            number, length = struct.unpack_from("<H6xQ", content, at)
            # Number 0 is the free space, whose length counts its own header.
            step = length if number == 0 else OBJECT + length + -length % 8
            if not OBJECT <= step <= size - at:
                raise ValueError("heap with an impossible object")
            at += step
        self.walked.add(address)
