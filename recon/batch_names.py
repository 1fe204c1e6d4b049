"""What files and folders of a batch are called, and how they are known again."""

from __future__ import annotations

import re
from collections.abc import Set
from itertools import chain, count
from pathlib import Path

from recon import masks
from recon.methods import METHODS

_MADE = f"(?P<method>{'|'.join(map(re.escape, METHODS))})-[^-]+x"  # by which method, how fast
_FIGURE = re.compile(rf"(?P<stem>.*)-slice\d+-{_MADE}\.png")
_FOLDER = re.compile(_MADE)


def free(file: Path, taken: Set[str]) -> str:
    """What is made of a file is called as it is, or with a number where that name is taken."""
    packed = file.name.lower().endswith(".nii.gz")
    stem = file.name[: -len(".nii.gz")] if packed else file.stem
    numbered = (f"{stem}-{number}" for number in count(2))
    return next(name for name in chain([stem], numbered) if name not in taken)


def figure(stem: str, number: int, method: str, acceleration: float) -> str:
    """The picture of a slice."""
    return f"{stem}-slice{number}-{method}-{masks.shortly(acceleration)}.png"


def folder(method: str, acceleration: float) -> str:
    """Where volumes lie."""
    return f"{method}-{masks.shortly(acceleration)}"


def of_figure(name: str) -> tuple[str, str] | None:
    """The stem and the method of a `figure`; None for any other name."""
    found = _FIGURE.fullmatch(name)
    return found and (found["stem"], found["method"])


def is_made(name: str) -> bool:
    """Whether a name is that of a `figure` or a `folder`."""
    return bool(_FIGURE.fullmatch(name) or _FOLDER.fullmatch(name))
