"""The chunks of an HDF5 dataset, read and unpacked here and not by libhdf5.

A chunk is stored with its length and a mask of the filters that were skipped for it. libhdf5
(2.0.0) takes both as they come: where fewer bytes are stored than the chunk holds and nothing
unpacks them, it hands out whatever stands behind them in memory. So libhdf5 is asked only where
the chunks lie. Their bytes are read from the file, every filter is undone in memory that was
counted beforehand, and what does not come out at exactly the chunk's size is refused.
"""

from __future__ import annotations

import itertools
import math
import zlib

import h5py
import numpy as np

from recon.errors import InputError
from recon.readers.bounded_reading import MIB, BoundedFile, Index, narrow, taken_shape

MAX_CHUNK = 64 * MIB
MAX_UNPACKED = 1024 * MIB  # all chunks that one slice touches
MAX_CHUNKS = 100_000  # that one slice touches
MAX_LISTED = 1_000_000  # that are looked at to find them
SHUFFLE, DEFLATE = h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE
FLETCHER32 = h5py.h5z.FILTER_FLETCHER32
FILTERS = {SHUFFLE, DEFLATE, FLETCHER32}

WRONG_SIZE = (
    "A chunk of this HDF5 file does not unpack to its declared size; "
    "the file may be damaged or incomplete."
)
UNUSUAL = "This HDF5 file is compressed in an unusual way; use gzip or none."

Corner = tuple[int, ...]


def filters_of(found: h5py.Dataset) -> list[int]:
    """Filters in the order in which they were applied.

    Raises
    ------
    InputError
        If there is one besides shuffle, gzip and checksum, or they stand in an odd order.
    """
    plan = found.id.get_create_plist()
    pipeline = [plan.get_filter(i) for i in range(plan.get_nfilters())]
    filters = [code for code, *_ in pipeline]
    if set(filters) - FILTERS:
        raise InputError("This HDF5 file is compressed in a way other than gzip; use gzip or none.")
    itemsize = found.id.get_type().get_size()
    shuffled = all(values[:1] == (itemsize,) for code, _, values, _ in pipeline if code == SHUFFLE)
    before = [code for code in filters if code != FLETCHER32]
    if len(set(filters)) < len(filters) or before == [DEFLATE, SHUFFLE] or not shuffled:
        raise InputError(UNUSUAL)
    return filters


def take(raw: BoundedFile, found: h5py.Dataset, stored: np.dtype, index: Index) -> np.ndarray:
    """Part of a chunked dataset.

    Parameters
    ----------
    raw
        The file that the dataset lives in.
    found
        The dataset; its shape has been checked.
    stored
        Type of its values as they stand in the file.
    index
        One entry an axis: an index, or ``slice(None)``.

    Returns
    -------
    Values at 32-bit precision; chunks that were never written are zero.

    Raises
    ------
    InputError
        If a chunk does not unpack to exactly its size, or there are too many.
    """
    chunk, size = found.chunks, math.prod(found.chunks) * stored.itemsize
    starts = [
        range(i - i % step, i + 1, step) if isinstance(i, int) else range(0, n, step)
        for i, n, step in zip(index, found.shape, chunk, strict=True)
    ]
    count = math.prod(map(len, starts))
    if size > MAX_CHUNK or count > MAX_CHUNKS or count * size > MAX_UNPACKED:
        raise InputError(
            "One slice of this HDF5 file is spread over too many chunks; "
            "chunks of one slice each are accepted."
        )
    filters = filters_of(found)
    places = located(found, starts, count)
    values = np.zeros(taken_shape(found.shape, index), narrow(np.zeros(0, stored)).dtype)
    for corner in itertools.product(*starts):
        if corner not in places:
            continue
        place = places[corner]
        # Unpacked, a chunk is at most a little larger than packed; gzip never adds an eighth.
        if place.byte_offset + place.size > raw.size or place.size > size + size // 8 + MIB:
            raise InputError(WRONG_SIZE)
        raw.seek(place.byte_offset)
        with raw.allow(place.size):
            packed = raw.read(place.size)
        whole = unpacked(packed, size, stored.itemsize, filters, place.filter_mask)
        part, target = [], []
        for i, at, n, step in zip(index, corner, found.shape, chunk, strict=True):
            part.append(i - at if isinstance(i, int) else slice(0, min(step, n - at)))
            if not isinstance(i, int):
                target.append(slice(at, at + step))
        block = np.frombuffer(whole, stored).reshape(chunk)[tuple(part)]
        values[tuple(target)] = narrow(block)
    return values


def located(
    found: h5py.Dataset, starts: list[range], count: int
) -> dict[Corner, h5py.h5d.StoreInfo]:
    """Where the wanted chunks lie: one walk through the index, which ends when all are found.

    Raises
    ------
    InputError
        If a chunk is there twice.
    """
    places: dict[Corner, h5py.h5d.StoreInfo] = {}
    seen = 0

    def look(place: h5py.h5d.StoreInfo) -> bool | None:
        nonlocal seen
        seen += 1
        corner = place.chunk_offset
        if place.byte_offset is not None and all(map(range.__contains__, starts, corner)):
            if corner in places:
                raise InputError("This HDF5 file holds one chunk twice; it may be damaged.")
            places[corner] = place
        return True if len(places) == count or seen > MAX_LISTED else None

    found.id.chunk_iter(look)
    if seen > MAX_LISTED:
        raise InputError(
            f"This HDF5 file has more than {MAX_LISTED} chunks; larger chunks are accepted."
        )
    return places


def unpacked(packed: bytes, size: int, itemsize: int, filters: list[int], skipped: int) -> bytes:
    """One chunk as it was before its filters.

    Parameters
    ----------
    packed
        As stored.
    size
        Bytes of the chunk's values.
    itemsize
        Bytes of one value.
    filters
        From `filters_of`.
    skipped
        Bit n is set where filter n was not applied to this chunk.

    Raises
    ------
    InputError
        If anything but exactly `size` bytes comes out, or the checksum is another.
    """
    for number, code in reversed(list(enumerate(filters))):
        if skipped >> number & 1:
            continue
        if code == DEFLATE:  # a checksum may be packed too
            packed = zlib.decompressobj().decompress(packed, size + 8)
        elif code == FLETCHER32:
            packed, sums = packed[:-4], int.from_bytes(packed[-4:], "little")
            if _fletcher32(packed) != (sums % 2**16 % 65535, sums // 2**16 % 65535):
                raise InputError("A chunk of this HDF5 file is damaged: its checksum is another.")
        elif len(packed) == size:  # SHUFFLE
            packed = np.frombuffer(packed, np.uint8).reshape(itemsize, -1).T.tobytes()
    if len(packed) != size or skipped >> len(filters):
        raise InputError(WRONG_SIZE)
    return packed


def _fletcher32(data: bytes) -> tuple[int, int]:
    """Fletcher's sums of big-endian 16-bit words, modulo 65535, as HDF5 takes them."""
    words = np.frombuffer(data + b"\0" * (len(data) % 2), ">u2")
    first = second = 0
    for at in range(0, len(words), 2**16):
        block = words[at : at + 2**16].astype(np.uint64)
        second += len(block) * first + int(block @ np.arange(len(block), 0, -1, dtype=np.uint64))
        first += int(block.sum())
    return first % 65535, second % 65535
