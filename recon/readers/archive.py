"""Zip archives from strangers: a bounded directory, plain members, no bombs."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from recon.errors import InputError
from recon.readers.bounded_reading import MIB, RATIO, BoundedFile, Stream, is_bomb

MAX_MEMBERS = 4096
MAX_UNPACKED = 2048 * MIB


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive, read through a `BoundedFile`.

    Raises
    ------
    InputError
        If it has too many members.
    """
    # The directory is the largest single read; the bound keeps a million names out of memory.
    with BoundedFile(path, limit=MIB) as file, zipfile.ZipFile(file) as archive:
        if len(archive.infolist()) > MAX_MEMBERS:
            raise InputError(
                f"This zip archive has {len(archive.infolist())} members; "
                f"up to {MAX_MEMBERS} are read."
            )
        yield archive


def members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The ordinary files of an archive; what macOS and others hide beside them is left out."""
    return [
        one
        for one in archive.infolist()
        if not one.is_dir()
        and not any(
            part.startswith((".", "__MACOSX")) for part in PurePosixPath(one.filename).parts
        )
    ]


def check(info: zipfile.ZipInfo) -> None:
    """Refuse a member that is encrypted, oddly compressed, or unpacks to too much.

    Raises
    ------
    InputError
    """
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError(
            "This archive is encrypted or unusually compressed; "
            "a plain zip, stored or deflated, is accepted."
        )
    if is_bomb(info.file_size, info.compress_size) or info.file_size > MAX_UNPACKED:
        raise InputError(
            f"A member of this archive unpacks to {info.file_size / MIB:.0f} MiB; at most "
            f"{MAX_UNPACKED // MIB} MiB, compressed at most {RATIO} times, are accepted."
        )


class Member:
    """Pieces of a member, unpacked once where they are asked for in their order.

    What is skipped is unpacked too, and going back starts at the beginning again.
    """

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        self._archive, self._info = archive, info
        self._begin()

    def _begin(self) -> None:
        member = self._archive.open(self._info)
        self._stream = Stream(lambda size: member.read(min(size, MIB)))
        self._at = 0

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset` on.

        Raises
        ------
        EOFError
            If the member ends before.
        """
        if offset < self._at:
            self._begin()
        self._stream.skip(offset - self._at)
        self._at = offset + size
        return self._stream.exactly(size)


def content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    """All bytes of a small member.

    Raises
    ------
    InputError
        If there are more than `limit`.
    """
    check(info)
    if info.file_size > limit:
        raise InputError(
            f"A member of this archive has {info.file_size / MIB:.1f} MiB; "
            f"at most {limit / MIB:.1f} MiB are accepted there."
        )
    try:
        return Member(archive, info).read(0, info.file_size)
    except EOFError:
        raise InputError(
            "A member of this archive is not all there; a complete one is accepted."
        ) from None
