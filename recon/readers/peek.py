"""A first look at a file: as little of it as tells what it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

HEAD = 2056
HDF5 = b"\x89HDF\r\n\x1a\n"


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
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            self.head = file.read(HEAD)


def begins(*magics: bytes, at: int = 0) -> Callable[[Peek], bool]:
    """A test for files with one of these byte strings at a place."""
    return lambda file: file.head[at:].startswith(magics)


def hdf5(file: Peek) -> bool:
    """Whether a file is HDF5, perhaps after a user block."""
    return any(file.head[at : at + 8] == HDF5 for at in (0, 512, 1024, 2048))
