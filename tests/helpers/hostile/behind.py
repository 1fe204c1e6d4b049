"""Damage behind checksums, which stop most damaged files at once.

What a checksum covers is taken out, damaged, and put back with a checksum that fits: members of
zip archives, gzip, the chunks of PNG, compressed elements of MATLAB files, and the structures of
HDF5 since its version 1.8.
"""

from __future__ import annotations

import functools
import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np

Harm = Callable[[bytes], bytes]
SIGNATURES = (
    *(b"OHDR", b"OCHK", b"BTHD", b"BTIN", b"BTLF", b"FAHD", b"FADB", b"EAHD", b"EAIB", b"EASB"),
    *(b"EADB", b"FRHP", b"FHDB", b"FHIB"),
)
LONGEST = 1024  # bytes of an HDF5 structure in files as small as ours
ELEMENTS = 128  # where the elements of a MATLAB file start
COMPRESSED = 15  # type of such an element


def behind(content: bytes, harm: Harm, rng: np.random.Generator) -> bytes | None:
    """A copy damaged behind one of its checksums; None where it has none.

    Parameters
    ----------
    content
        Of a valid file.
    harm
        Changes some bytes.
    rng
        Chooses which part is damaged.
    """
    if content[:4] == b"PK\3\4":
        return _zip(content, harm, rng)
    if content[:2] == b"\x1f\x8b":
        return gzip.compress(harm(gzip.decompress(content)), 6, mtime=0)
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        return _png(content, harm, rng)
    if content[:6] == b"MATLAB" and content[ELEMENTS : ELEMENTS + 4] == b"\x0f\0\0\0":
        return _matlab(content, harm, rng)
    if content[:4] == b"\x89HDF" and structures(content):
        return _hdf5(content, harm, rng)
    return None


def _zip(content: bytes, harm: Harm, rng: np.random.Generator) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    # Small members are where lengths and types stand: each has the same chance.
    chosen = rng.integers(len(members))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for at, (info, data) in enumerate(members):
            data = harm(data) if at == chosen and len(data) > 8 else data
            archive.writestr(info.filename, data, info.compress_type)
    return packed.getvalue()


def _png(content: bytes, harm: Harm, rng: np.random.Generator) -> bytes:
    chunks, at = [], 8
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at)
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + size]))
        at += 12 + size
    chosen, result = rng.integers(len(chunks) - 1), content[:8]  # the last one is empty
    for number, (kind, data) in enumerate(chunks):
        if number == chosen and kind == b"IDAT":
            data = zlib.compress(harm(zlib.decompress(data)))
        elif number == chosen:
            data = harm(data)
        result += struct.pack(">I", len(data)) + kind + data
        result += struct.pack(">I", zlib.crc32(kind + data))
    return result


def _matlab(content: bytes, harm: Harm, rng: np.random.Generator) -> bytes:
    elements, at = [], ELEMENTS
    while at < len(content):
        kind, size = struct.unpack_from("<II", content, at)
        assert kind == COMPRESSED
        elements.append(content[at + 8 : at + 8 + size])
        at += 8 + size
    chosen, result = rng.integers(len(elements)), content[:ELEMENTS]
    for number, data in enumerate(elements):
        if number == chosen:
            data = zlib.compress(harm(zlib.decompress(data)))
        result += struct.pack("<II", COMPRESSED, len(data)) + data
    return result


def _hdf5(content: bytes, harm: Harm, rng: np.random.Generator) -> bytes:
    start, end = structures(content)[rng.integers(len(structures(content)))]
    damaged = harm(content[start:end])[: end - start]
    copy = bytearray(content)
    copy[start : start + len(damaged)] = damaged
    struct.pack_into("<I", copy, end, lookup3(bytes(copy[start:end])))
    return bytes(copy)


@functools.cache
def structures(content: bytes) -> list[tuple[int, int]]:
    """Start and end of everything in an HDF5 file that a checksum follows."""
    starts = [0] if content[:4] == b"\x89HDF" and content[8] >= 2 else []
    for signature in SIGNATURES:
        at = content.find(signature)
        while at >= 0:
            starts.append(at)
            at = content.find(signature, at + 4)
    found = []
    for start in sorted(starts):
        for end in range(start + 8, min(start + LONGEST, len(content) - 4)):
            (stored,) = struct.unpack_from("<I", content, end)
            if stored and stored == lookup3(content[start:end]):
                found.append((start, end))
                break
    return found


def lookup3(data: bytes) -> int:
    """Bob Jenkins' hash, ``hashlittle`` of lookup3.c, from 0: the checksum of HDF5's structures."""
    most = 0xFFFFFFFF

    def turned(value: int, by: int) -> int:
        return (value << by | value >> (32 - by)) & most

    a = b = c = (0xDEADBEEF + len(data)) & most
    if not data:
        return c
    words = struct.unpack(
        f"<{-(-len(data) // 12) * 3}I", data.ljust(-(-len(data) // 12) * 12, b"\0")
    )
    for at in range(0, len(words) - 3, 3):
        a, b, c = ((x + y) & most for x, y in zip((a, b, c), words[at : at + 3], strict=True))
        a, c = (a - c) & most ^ turned(c, 4), (c + b) & most
        b, a = (b - a) & most ^ turned(a, 6), (a + c) & most
        c, b = (c - b) & most ^ turned(b, 8), (b + a) & most
        a, c = (a - c) & most ^ turned(c, 16), (c + b) & most
        b, a = (b - a) & most ^ turned(a, 19), (a + c) & most
        c, b = (c - b) & most ^ turned(b, 4), (b + a) & most
    a, b, c = ((x + y) & most for x, y in zip((a, b, c), words[-3:], strict=True))
    c = (c ^ b) - turned(b, 14) & most
    a = (a ^ c) - turned(c, 11) & most
    b = (b ^ a) - turned(a, 25) & most
    c = (c ^ b) - turned(b, 16) & most
    a = (a ^ c) - turned(c, 4) & most
    b = (b ^ a) - turned(a, 14) & most
    return (c ^ b) - turned(b, 24) & most
