"""What the page asks of the pipeline: open a file or example, reconstruct, pack for download."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from recon import examples, figures, readers
from recon.errors import InputError
from recon.kspace import KSpace
from recon.methods import DEFAULT, find
from recon.pipeline import Reconstruction, solve
from recon.scan import Coils, PhaseEncode, Sampling, Scan


@dataclass(frozen=True)
class Origin:
    """What is open: a built-in example, by its key, or an uploaded file, by its path."""

    example: str | None = None
    upload: str | None = None

    def path(self) -> Path | None:
        """The file to read; None for an example that is computed.

        Raises
        ------
        InputError
            If the upload is gone, or the example cannot be downloaded.
        """
        if self.upload is not None:
            path = Path(self.upload)
            if not path.is_file():
                raise InputError(
                    "Uploads are deleted after one to two hours; please upload the file again."
                )
            return path
        assert self.example is not None
        return examples.fetch(self.example) if examples.EXAMPLES[self.example].remote else None


@dataclass(frozen=True)
class Choice:
    """Everything a person has chosen on the page."""

    origin: Origin
    slice: int | None = None  # None: the middle one
    acceleration: float = 4
    seed: int = 0
    method: str = DEFAULT
    center_fraction: float | None = None
    coils: Coils = "rss"
    phase_encode: PhaseEncode = "columns"
    axes: readers.Axes = "auto"
    family: str = "random"
    mask: str | None = None  # lines drawn by hand, one character each: 1 measured, 0 not

    @property
    def drawn_mask(self) -> np.ndarray | None:
        """The mask drawn by hand: boolean, shape (W,)."""
        return None if self.mask is None else np.array([mark == "1" for mark in self.mask])


def describe(choice: Choice) -> readers.Description | None:
    """What the file holds; None for an example of one slice that is computed."""
    path = choice.origin.path()
    if path is None:
        return None
    return readers.describe(path, acceleration=choice.acceleration, axes=_axes(choice))


def read(choice: Choice) -> KSpace:
    """The chosen slice."""
    path = choice.origin.path()
    if path is None:  # one slice, however it is undersampled
        return _read(Choice(choice.origin))
    return _read(Choice(choice.origin, choice.slice, choice.acceleration, axes=choice.axes))


# One slice is looked at with many masks and methods; a large one takes 128 MiB.
@lru_cache(maxsize=2)
def _read(choice: Choice) -> KSpace:
    path = choice.origin.path()
    if path is None:
        assert choice.origin.example is not None
        kspace = examples.load(choice.origin.example)
    else:
        kspace = readers.read(
            path, slice=choice.slice, acceleration=choice.acceleration, axes=_axes(choice)
        )
    if choice.origin.example is not None:
        example = examples.EXAMPLES[choice.origin.example]
        notes = (
            (example.description, *kspace.source.notes) if example.remote else kspace.source.notes
        )
        kspace = replace(kspace, source=replace(kspace.source, name=example.title, notes=notes))
    return kspace


def _axes(choice: Choice) -> readers.Axes:
    """Examples are known: where they have a third axis, it counts slices."""
    return choice.axes if choice.origin.example is None else "slices"


def scan(choice: Choice) -> Scan:
    """The chosen slice as a person wishes to see it."""
    return _scan(read(choice), choice.coils, choice.phase_encode)


# KSpace is compared by identity, and `read` gives the same one for the same slice.
@lru_cache(maxsize=2)
def _scan(kspace: KSpace, coils: Coils, phase_encode: PhaseEncode) -> Scan:
    return Scan.of(kspace, coils=coils, phase_encode=phase_encode)


def sampling(choice: Choice, opened: Scan) -> Sampling:
    """The lines that a choice measures of its scan."""
    return opened.draw(
        choice.acceleration,
        choice.seed,
        choice.family,
        choice.center_fraction,
        choice.drawn_mask,
    )


# A class opens the same example with the same settings; a result without k-space is small.
@lru_cache(maxsize=16)
def run(choice: Choice) -> Reconstruction:
    """Read and reconstruct; the last few results are remembered."""
    method = find(choice.method)
    opened = scan(choice)
    return solve(opened, sampling(choice, opened), method)


def arrays(result: Reconstruction) -> dict[str, np.ndarray]:
    """Mask and images as float32 arrays by name."""
    named = {
        "mask": result.mask,
        "zero_filled": result.zero_filled,
        "reconstruction": result.image,
    }
    return named if result.reference is None else {**named, "reference": result.reference}


def archive(result: Reconstruction) -> bytes:
    """A ZIP file: every picture as PNG, the arrays as ``arrays.npz``, ``numbers.json``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as pack:
        for name, picture in figures.pictures(result).items():
            pack.writestr(f"{name}.png", figures.png(picture))
        with pack.open("arrays.npz", "w") as file:
            np.savez_compressed(file, **arrays(result))  # type: ignore[arg-type]
        pack.writestr("numbers.json", json.dumps(result.record(), indent=1, allow_nan=False))
    return buffer.getvalue()
