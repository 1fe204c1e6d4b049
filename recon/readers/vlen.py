"""Values of variable length in HDF5, read without libhdf5.

A dataset of such values holds references (length, address, number), and the values lie in heap
collections (HDF5 File Format Specification, III.E and IV.B). ISMRMRD keeps every readout so.
libhdf5 believes lengths and follows them; here each is compared with what the heap says.
"""

from __future__ import annotations

import struct

import h5py
import numpy as np

from recon.errors import InputError
from recon.readers import chunks
from recon.readers.bounded_reading import MIB, BoundedFile
from recon.readers.heap_guard import OBJECT, SIGNATURE

MAX_RECORDS = 2**21
MAX_TABLE = 1024 * MIB
MAX_KEPT = 4096  # collections whose contents are remembered
REFERENCE = np.dtype([("length", "<u4"), ("address", "<u8"), ("number", "<u4")])

UNUSUAL = (
    "The table of this ISMRMRD file is compressed or stored in an unusual way; "
    "one that the ISMRMRD libraries wrote is accepted."
)


def records(raw: BoundedFile, found: h5py.Dataset) -> bytes:
    """The bytes of a one-dimensional dataset, as they are stored.

    Raises
    ------
    InputError
        If there are too many, they are compressed, or not all there.
    """
    kind = found.id.get_type()
    # libhdf5 tells the size in memory, where a text is a pointer; others are as in the file.
    is_text = isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str()
    size = REFERENCE.itemsize if is_text else kind.get_size()
    count = int(np.prod(found.shape, dtype=float)) if found.shape is not None else 0
    if found.shape is None or len(found.shape) > 1 or count > MAX_RECORDS:
        raise InputError(
            f"This ISMRMRD file holds {count} readouts; up to {MAX_RECORDS} are accepted."
        )
    if count * size > MAX_TABLE:
        raise InputError(UNUSUAL)
    plan = found.id.get_create_plist()
    if plan.get_nfilters() or plan.get_layout() not in (h5py.h5d.CONTIGUOUS, h5py.h5d.CHUNKED):
        raise InputError(UNUSUAL)
    if not found.chunks:
        offset = found.id.get_offset()
        content = b"" if offset is None else _pread(raw, count * size, offset)
    else:
        (step,) = found.chunks
        if not 0 < step * size <= 64 * MIB:
            raise InputError(UNUSUAL)
        corners = range(0, count, step)
        places = chunks.located(found, [corners], len(corners))
        parts = []
        for at in corners:
            place = places.get((at,))
            if place is None or place.size != step * size:
                raise InputError(UNUSUAL)
            parts.append(_pread(raw, step * size, place.byte_offset))
        content = b"".join(parts)[: count * size]
    if len(content) != count * size:
        raise InputError("This ISMRMRD file ends within its table; a complete one is accepted.")
    return content


def text(raw: BoundedFile, found: h5py.Dataset, limit: int = MIB) -> str | None:
    """The one text of a dataset, of variable or fixed length; None where it is no text.

    Raises
    ------
    ValueError
        If it is longer than `limit`.
    """
    kind = found.id.get_type()
    if not isinstance(kind, h5py.h5t.TypeStringID) or found.shape not in ((), (1,)):
        return None
    content = records(raw, found)
    if kind.is_variable_str():
        content = Heap(raw, limit).value(np.frombuffer(content, REFERENCE)[0], 1)
    if len(content) > limit:
        raise ValueError("text too long")
    return content.rstrip(b"\0").decode("utf-8", "replace")


class Heap:
    """Values of variable length in one file.

    Parameters
    ----------
    raw
        The file, with addresses of eight bytes and without a user block.
    limit
        Most bytes that one value may have.
    """

    def __init__(self, raw: BoundedFile, limit: int) -> None:
        self._raw, self._limit = raw, limit
        self._known: dict[int, dict[int, tuple[int, int]]] = {}

    def value(self, reference: np.void, itemsize: int) -> bytes:
        """The bytes that a reference points to.

        Raises
        ------
        ValueError
            If the heap does not hold exactly what the reference says.
        """
        length = int(reference["length"]) * itemsize
        if length == 0:
            return b""
        if length > self._limit:
            raise ValueError("value too long")
        address = int(reference["address"])
        if address not in self._known:
            if len(self._known) >= MAX_KEPT:
                self._known.clear()
            self._known[address] = self._objects(address)
        offset, size = self._known[address].get(int(reference["number"]), (0, -1))
        # Text may be followed by its terminator.
        if not length <= size <= length + 8:
            raise ValueError("heap object of another size")
        content = _pread(self._raw, length, offset)
        if len(content) != length:
            raise ValueError("heap beyond the end of the file")
        return content

    def _objects(self, address: int) -> dict[int, tuple[int, int]]:
        """Place and size of each object of a collection, by number."""
        head = _pread(self._raw, 16, address)
        size = struct.unpack("<8xQ", head)[0] if len(head) == 16 else 0
        if head[:4] != SIGNATURE or not 16 < size <= self._raw.size - address:
            raise ValueError("no heap collection")
        found: dict[int, tuple[int, int]] = {}
        at = 16
        while size - at >= OBJECT:
            number, length = struct.unpack("<H6xQ", _pread(self._raw, OBJECT, address + at))
            if number == 0:
                break
            step = OBJECT + length + -length % 8
            if step > size - at + 8 or number in found:
                raise ValueError("heap with an impossible object")
            found[number] = (address + at + OBJECT, length)
            at += step
        return found


def _pread(raw: BoundedFile, size: int, offset: int) -> bytes:
    if not 0 <= offset <= raw.size:
        raise ValueError("address beyond the end of the file")
    return raw.peek(min(size, raw.size - offset), offset)
