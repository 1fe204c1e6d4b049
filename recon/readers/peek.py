"""A first look at a file: as little of it as tells what it is."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from recon.readers import archive

HEAD = 2056
HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP = (b"PK\3\4", b"PK\5\6")
MAX_LOOKED_AT = 1024  # of a zip archive's files
BROKEN = (OSError, ValueError, zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError)


class Peek:
    """The beginning of a file.

    Parameters
    ----------
    path
        An ordinary file.

    Attributes
    ----------
    head
        Its first bytes, `HEAD` at most.
    suffix
        Of its name, in lower case.
    size
        Of the file, in bytes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.suffix = path.suffix.lower()
        with path.open("rb") as file:
            self.head = file.read(HEAD)
            self.size = file.seek(0, io.SEEK_END)

    def at(self, offset: int, size: int) -> bytes:
        """A few bytes further in."""
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(size)

    @cached_property
    def unpacked(self) -> bytes:
        """The first bytes of what a gzip file unpacks to, or of any other file."""
        if not self.head.startswith(b"\x1f\x8b"):
            return self.head
        try:
            return zlib.decompressobj(31).decompress(self.head, HEAD)
        except zlib.error:
            return b""

    @cached_property
    def members(self) -> tuple[str, ...]:
        """Names in a zip archive; else nothing."""
        if self.head.startswith(ZIP):
            with suppress(*BROKEN), archive.opened(self.path) as opened:
                return tuple(info.filename for info in archive.members(opened))
        return ()

    def holds(self, magic: bytes, at: int) -> bool:
        """Whether a file in a zip archive has these bytes at a place near its beginning."""
        if not self.members:
            return False
        with suppress(*BROKEN), archive.opened(self.path) as opened:
            for info in archive.members(opened)[:MAX_LOOKED_AT]:
                with suppress(*BROKEN, RuntimeError), opened.open(info) as member:
                    if member.read(HEAD)[at:].startswith(magic):
                        return True
        return False


def begins(*magics: bytes, at: int = 0) -> Callable[[Peek], bool]:
    """A test for files with one of these byte strings at a place."""
    return lambda file: file.head[at:].startswith(magics)


def zipped(*ends: str) -> Callable[[Peek], bool]:
    """A test for zip archives in which, for each of these, a member's name ends so."""
    return lambda file: all(any(name.endswith(end) for name in file.members) for end in ends)


def hdf5(file: Peek) -> bool:
    """Whether a file is HDF5, perhaps after a user block."""
    return any(file.head[at : at + 8] == HDF5 for at in (0, 512, 1024, 2048))


def ge_pfile(file: Peek) -> bool:
    """Whether a file is GE's: its logo, or its name, such as P12345.7."""
    return b"GE_MED_NMR" in file.head or file.suffix == ".7"


def philips_images(file: Peek) -> bool:
    """Whether a file is one of Philips's image pairs: .par, which says so, or .rec."""
    return b"image export tool" in file.head or file.suffix in (".par", ".rec")


def philips(file: Peek) -> bool:
    """Whether a file says that it is raw data of Philips: .lab and .sin, or .list."""
    told = b"DATA DESCRIPTION FILE" in file.head[:400]
    return told or file.suffix in (".lab", ".sin", ".list")


def raw(file: Peek) -> bool:
    """Whether a file is named as raw data are, such as those beside .lab and .list."""
    return file.suffix in (".raw", ".data")
