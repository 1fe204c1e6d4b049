"""MATLAB's version 5 to 7 files, as far as numeric arrays go.

Written after "MAT-File Format" (The MathWorks). SciPy reads these files too, but only whole
variables, and compressed ones without a bound on what they unpack to. Arrays are stored in
Fortran order, the real part first and the imaginary part after it.
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recon.errors import InputError
from recon.readers.bounded_reading import (
    MIB,
    RATIO,
    BoundedFile,
    Index,
    Stream,
    inflated,
    is_bomb,
    take,
)

COMPRESSED, MATRIX = 15, 14
STORAGE = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}
STRUCTURE = 2
# Classes of arrays; cells, objects, text and sparse arrays are passed over.
CLASSES = {
    6: "f8",
    7: "f4",
    8: "i1",
    9: "u1",
    10: "i2",
    11: "u2",
    12: "i4",
    13: "u4",
    14: "i8",
    15: "u8",
}
MAX_VARIABLES = 256
MAX_FIELDS = 64  # of a structure
MAX_NAME = 64  # letters
MAX_DEPTH = 4  # structures in structures
MAX_UNPACKED = 2048 * MIB


@dataclass(frozen=True)
class Variable:
    """A numeric array of the file: its shape as MATLAB shows it, and where it lies.

    `dtype` is what MATLAB would make of it; in the file it may be stored more tightly. A field
    of a structure has both names, parted by a slash.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    is_complex: bool
    order: str  # "<" or ">"
    offset: int  # of the variable's first tag in the file
    size: int  # bytes in the file
    compressed: bool
    inside: int  # bytes of the unpacked variable before this array, which may be a field of it


def variables(file: BoundedFile) -> Iterator[Variable]:
    """The numeric arrays of a file; only their headers are read.

    Raises
    ------
    InputError
        If the file ends within a variable, or has too many.
    """
    file.seek(126)
    order = {b"IM": "<", b"MI": ">"}[file.read(2)]
    offset = 128
    for _ in range(MAX_VARIABLES):
        if offset + 8 > file.size:
            return
        file.seek(offset)
        kind, size = struct.unpack(order + "II", file.read(8))
        if offset + 8 + size > file.size:
            raise InputError(
                "This MATLAB file ends in the middle of a variable; a complete one is accepted."
            )
        if kind in (COMPRESSED, MATRIX):
            stream = _stream(file, offset, size, kind == COMPRESSED)
            for name, shape, flags, inside in _arrays(stream, order, size):
                dtype = np.dtype("?" if flags & 0x200 else CLASSES[flags & 0xFF])
                place = (offset, size, kind == COMPRESSED, inside)
                yield Variable(name, shape, dtype, bool(flags & 0x800), order, *place)
        offset += 8 + size
    raise InputError(f"This MATLAB file has too many variables; up to {MAX_VARIABLES} are read.")


def take_variable(file: BoundedFile, variable: Variable, index: Index) -> np.ndarray:
    """Part of a variable.

    Parameters
    ----------
    file
        The file it lies in.
    variable
        From `variables`; its shape has been checked.
    index
        One entry an axis: an index, or ``slice(None)``.

    Returns
    -------
    Real or complex values.

    Raises
    ------
    InputError
        If it unpacks to far more than is stored, or to something else than it declares.
    """
    parts = 2 if variable.is_complex else 1
    stream = _stream(file, variable.offset, variable.size, variable.compressed)
    stream.skip(variable.inside)
    _preamble(stream, variable.order)
    taken = []
    for _ in range(parts):
        kind, size, small = _tag(stream, variable.order)
        dtype = np.dtype(variable.order + STORAGE[kind])
        if size != math.prod(variable.shape) * dtype.itemsize:
            raise InputError(
                "A variable of this MATLAB file is shorter or longer than it declares; "
                "the file may be damaged."
            )
        if parts * size > MAX_UNPACKED or is_bomb(parts * size, variable.size):
            raise InputError(
                f"A variable of this MATLAB file unpacks to {parts * size / MIB:.0f} MiB; at most "
                f"{MAX_UNPACKED // MIB} MiB, compressed at most {RATIO} times, are accepted."
            )
        # The stored array, read in C order, is the transposed one.
        source = Stream(io.BytesIO(small).read) if small is not None else stream
        taken.append(take(source, variable.shape[::-1], dtype, index[::-1]).T)
        stream.skip(0 if small is not None else -size % 8)
    if parts == 1:
        return taken[0]
    joined = np.empty(taken[0].shape, np.complex64)
    joined.real, joined.imag = taken
    return joined


def _stream(file: BoundedFile, offset: int, size: int, compressed: bool) -> Stream:
    if compressed:
        file.seek(offset + 8)
        return inflated(file, size)
    file.seek(offset)
    return Stream(file.read, lambda step: file.seek(step, io.SEEK_CUR))


def _arrays(
    stream: Stream, order: str, packed: int, path: str = "", depth: int = 0
) -> Iterator[tuple[str, tuple[int, ...], int, int]]:
    """Path, shape, flags and place in the stream of a matrix, or of the fields it consists of."""
    at = stream.at
    flags, shape, name, end = _preamble(stream, order)
    path = path or name
    if flags & 0xFF in CLASSES:
        yield path, shape, flags, at
    elif flags & 0xFF == STRUCTURE and math.prod(shape) == 1 and depth < MAX_DEPTH:
        (length,) = struct.unpack(order + "i", _element(stream, order)[:4])
        if not 0 < length <= MAX_NAME:
            raise ValueError("names of an impossible length")
        names = _element(stream, order, MAX_FIELDS * length)
        for start in range(0, len(names), length):
            field = names[start : start + length].split(b"\0")[0].decode("latin-1")
            yield from _arrays(stream, order, packed, f"{path}/{field}", depth + 1)
    if depth:  # more may follow
        left = end - stream.at
        if left < 0 or is_bomb(left, packed):
            raise ValueError("a field that is not as long as it says, or unpacks to far more")
        stream.skip(left)


def _preamble(stream: Stream, order: str) -> tuple[int, tuple[int, ...], str, int]:
    """Flags, shape and name, which begin every matrix, and where in the stream it ends."""
    kind, size = struct.unpack(order + "II", stream.exactly(8))
    end = stream.at + size
    if kind != MATRIX:
        raise ValueError("no matrix")
    if not size:  # a field without a value
        return 0, (), "", end
    flags = struct.unpack(order + "I", _element(stream, order)[:4])[0]
    if flags & 0xFF not in CLASSES and flags & 0xFF != STRUCTURE:
        return flags, (), "", end
    sizes = _element(stream, order)
    shape = struct.unpack(f"{order}{len(sizes) // 4}i", sizes)
    if any(size < 0 for size in shape):
        raise ValueError("negative size")
    return flags, shape, _element(stream, order).decode("latin-1"), end


def _tag(stream: Stream, order: str) -> tuple[int, int, bytes | None]:
    """Kind and size of the next element, and its bytes where they are inside the tag."""
    tag = stream.exactly(8)
    kind, size = struct.unpack(order + "II", tag)
    if kind >> 16:  # at most four bytes: both numbers share the first word
        return kind & 0xFFFF, kind >> 16, tag[4 : 4 + (kind >> 16)]
    return kind, size, None


def _element(stream: Stream, order: str, most: int = 256) -> bytes:
    _, size, small = _tag(stream, order)
    if small is not None:
        return small
    if size > most:
        raise ValueError("header too long")
    content = stream.exactly(size)
    stream.skip(-size % 8)
    return content
