"""Reading no more of a file than was agreed beforehand.

A file that a stranger uploads may declare anything about its own size. Here every single read
has a limit, and an array is taken from a stream piece by piece, so what a file declares is
never trusted with memory.
"""

from __future__ import annotations

import io
import math
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

MIB = 2**20
PIECE = 4 * MIB
RATIO = 100  # that bytes are compressed at most
GZIP = 31  # zlib's `wbits`

Index = tuple[int | slice, ...]


class GivenFile(type(Path())):  # type: ignore[misc]
    """A file that somebody else has opened, under the name that a person gave it.

    It can be used like the `Path` that readers take, and opens nothing: who holds one needs no
    right to open files.
    """

    descriptor: int
    status: os.stat_result

    @classmethod
    def of(cls, descriptor: int, name: str) -> GivenFile:
        """The file behind an open descriptor, which stays open."""
        given = cls(name)
        given.descriptor, given.status = descriptor, os.fstat(descriptor)
        return given

    def open(self, mode: str = "r", *_: Any, **__: Any) -> Any:
        if mode != "rb":
            raise ValueError("a given file can only be read")
        file = io.FileIO(os.dup(self.descriptor), "rb")
        file.seek(0)
        return file

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        return self.status

    def is_file(self, **_: Any) -> bool:
        return stat.S_ISREG(self.status.st_mode)


class Readable(Protocol):
    """Something that gives bytes, such as a file or a member of a zip archive."""

    def read(self, size: int, /) -> bytes: ...


class BoundedFile(io.FileIO):
    """A file, opened for reading, that refuses to read too much at once.

    h5py, zipfile and Pillow all read through such an object, so the limit also holds for
    their own tables: a string of a gigabyte in an HDF5 heap, a zip directory of a million
    names.

    Parameters
    ----------
    path
        An ordinary file.
    limit
        Most bytes that one read may ask for.
    total
        Most bytes that all reads together may bring; None for no bound.
    calls
        Most reads; None for no bound.

    Raises
    ------
    ValueError
        By `read` and `readinto`, where a read passes a bound.
    """

    def __init__(
        self,
        path: Path,
        limit: int = 2 * PIECE,
        total: int | None = None,
        calls: int | None = None,
    ) -> None:
        super().__init__(os.dup(path.descriptor) if isinstance(path, GivenFile) else path, "rb")
        self.limit = limit
        self.total = total
        self.calls = calls
        self.allowed = False
        self.size = self.seek(0, io.SEEK_END)
        self.seek(0)

    @contextmanager
    def allow(self, limit: int) -> Iterator[None]:
        """For a while, let one read ask for `limit` bytes if that is more than usual."""
        usual, self.limit, self.allowed = self.limit, max(limit, self.limit), True
        try:
            yield
        finally:
            self.limit, self.allowed = usual, False

    def read(self, size: int | None = -1, /) -> bytes:
        remaining = max(0, self.size - self.tell())
        wanted = remaining if size is None or size < 0 else min(size, remaining)
        self._check(wanted)
        return super().read(wanted) or b""

    def readinto(self, buffer: Any, /) -> int:
        self._check(memoryview(buffer).nbytes)
        count = super().readinto(buffer) or 0
        # libhdf5 does not ask how much came, and would take old memory for the rest.
        memoryview(buffer).cast("B")[count:] = bytes(memoryview(buffer).nbytes - count)
        return count

    def peek(self, size: int, at: int) -> bytes:
        """Up to `size` bytes from a place in the file, outside the bounds on reads."""
        position = self.tell()
        self.seek(at)
        content = super().read(size) or b""
        self.seek(position)
        return content

    def readall(self) -> bytes:
        return self.read()

    def _check(self, size: int) -> None:
        if size > self.limit:
            raise ValueError("one read asks for more than is allowed")
        if self.calls is not None:
            self.calls -= 1
            if self.calls < 0:
                raise ValueError("the file is in more pieces than is allowed")
        if self.total is not None:
            self.total -= size
            if self.total < 0:
                raise ValueError("the header asks for more than is allowed")


class Stream:
    """Bytes in the order they come, with exact reads and lazy skips.

    Parameters
    ----------
    read
        Gives at most the asked number of bytes; none at the end.
    seek
        Moves forward by a number of bytes; where None, skipped bytes are read and dropped.

    Attributes
    ----------
    at
        Bytes that lie behind, skipped ones too.
    """

    def __init__(
        self, read: Callable[[int], bytes], seek: Callable[[int], Any] | None = None
    ) -> None:
        self._read, self._seek, self._pending, self.at = read, seek, 0, 0

    def skip(self, size: int) -> None:
        """Leave `size` bytes out, when something after them is wanted."""
        self._pending += size
        self.at += size

    def exactly(self, size: int) -> bytes:
        """The next `size` bytes.

        Raises
        ------
        EOFError
            If the stream ends before.
        """
        if self._seek is not None and self._pending:
            self._seek(self._pending)
            self._pending = 0
        while self._pending:
            self._pending -= len(self._some(min(self._pending, PIECE)))
        self.at += size
        parts = []
        while size:
            parts.append(self._some(min(size, PIECE)))
            size -= len(parts[-1])
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _some(self, size: int) -> bytes:
        part = self._read(size)
        if not part:
            raise EOFError("the stream ends early")
        return part


def inflated(file: Readable, size: int, wbits: int = zlib.MAX_WBITS) -> Stream:
    """What a zlib stream of `size` bytes, starting at the file's position, unpacks to.

    `wbits` of `GZIP` is gzip, which may be several streams, one after another.
    """
    unpack = zlib.decompressobj(wbits)
    left = size

    def read(wanted: int) -> bytes:
        nonlocal left, unpack
        while True:
            packed = unpack.unused_data or unpack.unconsumed_tail
            if not packed:
                packed = file.read(min(left, MIB // 4))
                left -= len(packed)
            if unpack.eof:
                if wbits != GZIP or not packed.startswith(b"\x1f"):  # else padding
                    return b""
                unpack = zlib.decompressobj(wbits)
            part = unpack.decompress(packed, wanted)
            if part or not packed:
                return part

    return Stream(read)


def is_bomb(unpacked: int, packed: int, harmless: int = 16 * MIB) -> bool:
    """Whether bytes unpack to more than is `harmless`, and more than `RATIO` times themselves."""
    return unpacked > harmless and unpacked > RATIO * packed


def in_words(size: int) -> str:
    """So many bytes, as a person reads it."""
    return f"{size / MIB:.1f} MiB" if size >= MIB / 10 else f"{size / 1024:.1f} KiB"


def narrow(values: np.ndarray) -> np.ndarray:
    """Values at 32-bit precision, in this machine's byte order; integers keep their size.

    Parameters
    ----------
    values
        Real or complex, of any shape. What does not fit in 32 bits becomes infinite.
    """
    kind = {"c": "c8", "f": "f4"}.get(values.dtype.kind, values.dtype.newbyteorder("="))
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(kind, copy=False)


def take(stream: Stream, shape: tuple[int, ...], dtype: np.dtype, index: Index) -> np.ndarray:
    """Part of an array that a stream holds in C order, with little else ever in memory.

    Parameters
    ----------
    stream
        At the array's first byte.
    shape, dtype
        Of the whole array; checked by the caller.
    index
        One entry an axis: an index to take there, or ``slice(None)``.

    Returns
    -------
    ``array[index]``, narrowed to 32 bits; see `narrow`.
    """
    values = np.zeros(taken_shape(shape, index), narrow(np.zeros(0, dtype)).dtype)
    _fill(values, stream, shape, dtype, index)
    return values if values.ndim else values[()]


def taken_shape(shape: tuple[int, ...], index: Index) -> tuple[int, ...]:
    """Shape of ``array[index]``, where an entry is an index or ``slice(None)``."""
    return tuple(n for n, i in zip(shape, index, strict=True) if isinstance(i, slice))


def _fill(
    values: np.ndarray, stream: Stream, shape: tuple[int, ...], dtype: np.dtype, index: Index
) -> None:
    size = math.prod(shape) * dtype.itemsize
    first, rest = index[0], index[1:]
    if isinstance(first, slice) and (size <= PIECE or len(shape) == 1):
        values[...] = narrow(np.frombuffer(stream.exactly(size), dtype).reshape(shape)[index])
        return
    step = size // shape[0]
    if isinstance(first, slice):
        for at in range(len(values)):
            _fill(values[at, ...], stream, shape[1:], dtype, rest)  # a view, of one value too
        return
    stream.skip(first * step)
    if len(shape) == 1:
        values[...] = narrow(np.frombuffer(stream.exactly(step), dtype))[0]
    else:
        _fill(values, stream, shape[1:], dtype, rest)
    stream.skip((shape[0] - first - 1) * step)
