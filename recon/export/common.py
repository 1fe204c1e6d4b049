"""What all exports share: how one looks, what is said in each, and files that are whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from recon import masks
from recon.errors import InputError
from recon.pipeline import Reconstruction

WARNING = "NOT FOR DIAGNOSIS"


@dataclass(frozen=True, eq=False)
class Slice:
    """What is saved of one slice.

    Attributes
    ----------
    image
        The picture, float32, shape (h, w).
    coil_images
        See `recon.pipeline.Reconstruction`.
    affine
        4 x 4, from (column, row, slices on from this one) of the picture to millimetres,
        right-anterior-superior; None where that is unknown.
    spacing
        Millimetres between rows, columns and slices; None where that is unknown.
    method, acceleration, measured, lines
        How it was reconstructed, and from how many lines of how many.
    """

    image: np.ndarray
    coil_images: np.ndarray | None
    affine: np.ndarray | None
    spacing: tuple[float, float, float] | None
    method: str
    acceleration: float
    measured: int
    lines: int

    @classmethod
    def of(cls, result: Reconstruction) -> Self:
        """Of a result: nothing that names the file, or a person."""
        return cls(
            result.image,
            result.coil_images,
            _affine(result),
            result.source.spacing,
            result.method,
            result.acceleration,
            result.sampling.measured_lines,
            result.line_mask.size,
        )

    def blank(self, apart: int) -> Self:
        """A slice of zeros of the same volume, so many slices further on."""
        coils = None if self.coil_images is None else np.zeros_like(self.coil_images)
        affine = self.affine
        if affine is not None:
            affine = affine.copy()
            affine[:, 3] += apart * affine[:, 2]
        return replace(self, image=np.zeros_like(self.image), coil_images=coils, affine=affine)

    def write(self, path: Path) -> None:
        """Keep it in a file for `read`."""
        held = {name: one for name, one in vars(self).items() if one is not None}
        with whole(path) as unfinished, unfinished.open("wb") as file:
            np.savez(file, **held)

    @classmethod
    def read(cls, path: Path) -> Self:
        """What `write` kept."""
        with np.load(path) as held:
            found: dict[str, Any] = dict.fromkeys(cls.__dataclass_fields__)
            for name in held.files:
                found[name] = held[name] if held[name].ndim > 1 else held[name].tolist()
        spacing = found.pop("spacing")
        return cls(spacing=None if spacing is None else tuple(spacing), **found)


def _affine(result: Reconstruction) -> np.ndarray | None:
    """Of the picture, from the source's, which is of the whole image from slice 0 on."""
    affine = result.source.affine
    if affine is None:
        return None
    whole_size, shown = result.kspace_magnitude.shape, result.image.shape
    cut = [(large - small) // 2 for large, small in zip(whole_size, shown, strict=True)]
    moved = affine.copy()
    moved[:, 3] = affine @ (*cut, result.source.slice, 1)
    return moved[:, [1, 0, 2, 3]]


Taker = Callable[[Slice], None]


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


def described(slice_: Slice) -> str:
    """What made a picture, in a line without anything that the file or its names say."""
    return f"{WARNING}: {slice_.method}, {masks.shortly(slice_.acceleration)}"


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
        """At the end: whether all came.

        Raises
        ------
        InputError
            If slices are missing.
        """
        if self.taken != self.slices:
            raise InputError(
                f"{self.taken} of {self.slices} slices were reconstructed, so the volume was not "
                f"saved; all of them are needed."
            )
