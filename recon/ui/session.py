"""What the page asks of the pipeline: open a file or an example, and reconstruct."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from recon import examples, limits, masks, readers
from recon.errors import InputError
from recon.kspace import KSpace
from recon.methods import DEFAULT, METHODS, Method, find
from recon.pipeline import Reconstruction, solve
from recon.readers.layout import Axes
from recon.scan import Coils, PhaseEncode, Sampling, Scan
from recon.ui import solved
from recon.ui.memory import remembered
from recon.ui.solved import Solved
from recon.ui.words import Language
from recon.volume import Volume, VolumeRun
from recon.weights import WeightsError


class GoneError(InputError):
    """What was uploaded is not there, or not this person's."""

    def __init__(self) -> None:
        super().__init__(
            "This file is not on the server, where uploads stay for an hour; please upload the "
            "file again."
        )


SIZES = 256  # of what was read lately, remembered when the slice itself is forgotten
SPARE = 3.0  # seconds kept for the zero-filled image, where a method takes too long


@dataclass(frozen=True)
class Origin:
    """What is open: a built-in example, by its key, or an uploaded file, by its path."""

    example: str | None = None
    upload: str | None = None

    def path(self) -> Path | None:
        """The file to read; None for an example that no single file holds.

        Raises
        ------
        InputError
            If the upload is gone, or the example cannot be downloaded.
        """
        if self.upload is not None:
            if self.gone:
                raise GoneError
            return Path(self.upload)
        assert self.example is not None
        return examples.fetch(self.example) if examples.EXAMPLES[self.example].whole else None

    @property
    def gone(self) -> bool:
        """Whether this is an upload that was deleted."""
        return self.upload is not None and not Path(self.upload).is_file()


COILS = Origin(example="phantom-coils")  # shown where the open slice has one coil


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
    crop: bool = True
    axes: Axes = "auto"
    family: str = "random"
    mask: str | None = None  # lines drawn by hand, one character each: 1 measured, 0 not
    language: Language = field(default="en", compare=False)  # of what is printed: no other answer

    def key(self, **without: bool) -> str:
        """The same for questions with the same answer: a short form of `asked`."""
        return f"{zlib.crc32(repr(self.asked(**without)).encode()):08x}"

    def asked(
        self,
        with_method: bool = True,
        with_slice: bool = True,
        with_lines: bool = True,
        with_seed: bool = True,
    ) -> tuple[Any, ...]:
        """What the answer depends on."""
        origin = self.origin
        axes = "" if origin.example is not None else self.axes  # of examples they are known
        fraction = self.center_fraction
        return (
            origin.example, origin.upload, self.slice if with_slice else None,
            float(self.acceleration) if with_lines else None, self.seed if with_seed else None,
            None if fraction is None or not with_lines else float(fraction), self.coils,
            self.phase_encode, self.crop, axes, self.family if with_lines else "",
            self.mask if with_lines else None, self.method if with_method else "",
        )  # fmt: skip

    @property
    def questions(self) -> dict[str, str]:
        """What a result may answer, by kind; its key is the same as long as it does.

        ``all``: this slice with these lines and this method; ``scan``: with any method;
        ``volume``: all of its slices; ``lesson``: this slice with lines of the lesson's own;
        ``coils``: what experiments with coils show, with lines of their own.
        """
        return {
            "all": self.key(),
            "scan": self.key(with_method=False),
            "volume": self.key(with_slice=False),
            "lesson": self.key(with_method=False, with_lines=False),
            "coils": with_coils(self)[0].key(with_method=False, with_lines=False, with_seed=False),
        }

    @property
    def name(self) -> str:
        """What the slice is called."""
        return self._file if self.slice in (None, 0) else f"{self._file}, slice {self.slice}"

    @property
    def _file(self) -> str:
        origin = self.origin
        if origin.example is not None:
            return examples.EXAMPLES[origin.example].title
        return Path(origin.upload or "").name

    def words(self, kind: str = "scan") -> str:
        """In a few words, what a question of a kind is about; see `questions`."""
        said = self._file if kind == "volume" else self.name
        if scan(self).source.mask is not None:
            said += ", with its own mask"
        else:
            said += f", at {self.acceleration:g}x with mask seed {self.seed}"
        return f"{said}, by {find(self.method).label}" if kind in ("all", "volume") else said

    @property
    def drawn_mask(self) -> np.ndarray | None:
        """The mask drawn by hand: boolean, shape (W,)."""
        return None if self.mask is None else masks.from_text(self.mask)


def describe(choice: Choice) -> readers.Description:
    """What the file or the example holds."""
    path = choice.origin.path()
    if path is None:
        return _one_slice(Choice(choice.origin))
    return readers.describe(path, acceleration=choice.acceleration, axes=_axes(choice))


# Of examples without a file; the one with coils takes seconds to compute.
@remembered(16)
def _one_slice(choice: Choice) -> readers.Description:
    kspace = read(choice)
    *coils, height, width = kspace.data.shape
    return readers.Description(
        format=kspace.source.format,
        slices=1,
        coils=coils[0] if coils else 1,
        height=height,
        width=width,
        accelerations=(),
        ambiguous=False,
    )


def read(choice: Choice) -> KSpace:
    """The chosen slice."""
    path = choice.origin.path()
    if path is None:  # one slice, however it is undersampled
        return _read(Choice(choice.origin))
    return _read(Choice(choice.origin, choice.slice, choice.acceleration, axes=choice.axes))


_samples: dict[Origin, int] = {}


# One slice is looked at with many masks and methods; a large one takes 128 MiB.
@remembered(1)
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
    _samples[choice.origin] = kspace.data.size
    for old in list(_samples)[:-SIZES]:
        _samples.pop(old, None)
    if choice.origin.gone:  # deleted while it was read
        _samples.pop(choice.origin, None)
    return kspace


def _axes(choice: Choice) -> Axes:
    """Examples are known: where they have a third axis, it counts slices."""
    return choice.axes if choice.origin.example is None else "slices"


def scan(choice: Choice) -> Scan:
    """The chosen slice as a person wishes to see it."""
    wish = Choice(
        choice.origin, coils=choice.coils, phase_encode=choice.phase_encode, crop=choice.crop
    )
    if choice.origin.path() is not None:
        wish = replace(wish, slice=choice.slice, acceleration=choice.acceleration, axes=choice.axes)
    return _scan(wish)


@remembered(2)
def _scan(choice: Choice) -> Scan:
    return Scan.of(
        read(choice), coils=choice.coils, phase_encode=choice.phase_encode, crop=choice.crop
    )


def all_coils(choice: Choice) -> Choice:
    """The same, where one coil alone was chosen, with all of them."""
    return replace(choice, coils="rss") if isinstance(choice.coils, int) else choice


def has_several(opened: Scan) -> bool:
    """Whether there is more than one coil."""
    return opened.kspace.ndim == 3 and len(opened.kspace) > 1


def with_coils(choice: Choice) -> tuple[Choice, str]:
    """What experiments with coils show: the slice that is open; else an example, and why."""
    wish = all_coils(choice)
    opened = scan(wish)
    if opened.source.mask is not None:
        why = "The file that is open was undersampled already."
    elif not has_several(opened):
        why = "The open slice has one coil."
    else:
        return wish, ""
    return Choice(COILS, 0), why


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
@remembered(16)
def run(choice: Choice) -> Reconstruction:
    """Read and reconstruct; the last few results are remembered."""
    way = method(choice)
    opened = scan(choice)
    result = solve(opened, sampling(choice, opened), way)
    return replace(result, seconds=way.seconds)


def method(choice: Choice, name: str | None = None) -> Solved:
    """The method of a choice, or another by its name, for the slice that is open.

    Raises
    ------
    InputError
        If there is none.
    """
    return Solved(find(choice.method if name is None else name), choice.origin.upload)


def methods(choice: Choice, names: Sequence[str]) -> list[Method]:
    """Methods by name, the simplest first, in whatever order they were chosen.

    Raises
    ------
    InputError
        If none was chosen.
    """
    if not names:
        raise InputError("Choose at least one method.")
    return [method(choice, name) for name in reversed(METHODS) if name in names]


def samples(origin: Origin) -> int | None:
    """Of one slice, coils x height x width; None where none of it was read lately."""
    return _samples.get(origin)


def forget(files: set[str]) -> None:
    """Drop everything that is remembered of uploads, which have been deleted."""
    for origin in [one for one in list(_samples) if one.upload in files]:
        _samples.pop(origin, None)
    for remembering in (_read, _scan, run, solved):
        remembering.forget(files)


def attempt(choice: Choice) -> tuple[Reconstruction, str]:
    """The result; without weights or time for the method the zero-filled image, and why."""
    try:
        with limits.spared(SPARE):
            return run(choice), ""
    except (WeightsError, limits.LimitError) as error:
        reason = error
    fallback = run(replace(choice, method="zero-filled"))
    return fallback, f"{reason} The zero-filled image stands in its place."


def volume(choice: Choice) -> VolumeRun | None:
    """All slices of the file that is open, to be reconstructed; None if it is no file."""
    path = choice.origin.path()
    if path is None:
        return None
    opened = Volume.of(
        path,
        acceleration=choice.acceleration,
        axes=_axes(choice),
        coils=choice.coils,
        phase_encode=choice.phase_encode,
        crop=choice.crop,
    )
    drawn = {
        "acceleration": choice.acceleration,
        "seed": choice.seed,
        "family": choice.family,
        "center_fraction": choice.center_fraction,
        "mask": choice.drawn_mask,
    }
    return VolumeRun(opened, [find(choice.method)], drawn)


def subject(choice: Choice) -> tuple[Scan, Sampling]:
    """What an experiment is about: a fully sampled scan, and the lines that it measures.

    Raises
    ------
    InputError
        If the data arrived undersampled.
    """
    opened = scan(choice)
    opened.fully_sampled  # noqa: B018
    return opened, sampling(choice, opened)
