"""What all exports share: how one looks, what is said in each, and files that are whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from recon.errors import InputError
from recon.pipeline import Reconstruction

WARNING = "NOT FOR DIAGNOSIS"

Taker = Callable[[Reconstruction], None]


@dataclass(frozen=True)
class Export:
    """One kind of file that results are saved as.

    Attributes
    ----------
    name
        On the command line: ``--save NAME``.
    label
        What people read.
    suffix
        What is put behind the name of a volume.
    opened
        ``opened(path, slices)`` yields a function that takes one slice after another.
    """

    name: str
    label: str
    suffix: str
    opened: Callable[[Path, int], AbstractContextManager[Taker]]


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A path to write to, which becomes `path` when all went well, and else is removed."""
    unfinished = path.with_name(path.name + ".part")
    _remove(unfinished)
    try:
        yield unfinished
        _remove(path)
        unfinished.replace(path)
    finally:
        _remove(unfinished)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def described(result: Reconstruction) -> str:
    """What made a picture, in a line without anything that the file or its names say."""
    return f"{WARNING}: {result.method}, {result.acceleration:.3g}x"


class Sizes:
    """Slices of one volume have one size.

    Parameters
    ----------
    slices
        How many there will be.
    """

    def __init__(self, slices: int) -> None:
        self.slices, self.taken = slices, 0
        self.shape: tuple[int, ...] | None = None

    def next(self, shape: tuple[int, ...]) -> int:
        """Check the size of the next slice; its place, from 0.

        Raises
        ------
        InputError
        """
        self.shape = self.shape or shape
        if shape != self.shape:
            raise InputError(
                f"Slices of one size can be saved as a volume; here one is "
                f"{' x '.join(map(str, shape))} and another {' x '.join(map(str, self.shape))}."
            )
        if self.taken >= self.slices:
            raise ValueError("more slices than were announced")
        self.taken += 1
        return self.taken - 1

    def check(self) -> None:
        """At the end: whether all came."""
        if self.taken != self.slices:
            raise InputError(
                f"{self.taken} of {self.slices} slices were reconstructed, so the volume was not "
                f"saved; all of them are needed."
            )
