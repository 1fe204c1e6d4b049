"""How long and how large the work for one person may get, where many share a machine.

Scripts and trainings are not limited: only work inside of `limited` is. It is stopped between
two of PyTorch's functions and between two Fourier transforms, where nothing is left half done.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from recon.errors import InputError

SECONDS = float(os.environ.get("RECON_TIME_LIMIT", "20"))  # for one answer
MEMORY = 640 * 2**20  # bytes that a method may take beside the slice and its pictures


class _Clock:
    def __init__(self, seconds: float, given: float) -> None:
        self.end, self.given = time.monotonic() + seconds, given


_clock: ContextVar[_Clock | None] = ContextVar("clock", default=None)


class LimitError(InputError):
    """The work takes longer, or more memory, than one person gets."""


@contextmanager
def limited(seconds: float | None = None, given: float | None = None) -> Iterator[None]:
    """Around work that is to be done within `SECONDS`, or within `seconds`.

    Parameters
    ----------
    seconds
        Instead of `SECONDS`.
    given
        What everybody gets for the whole of which this work is a piece; `SECONDS` where None.

    Raises
    ------
    LimitError
        By `check` and `afford` inside of it.
    """
    from recon.watch import Watch  # PyTorch, which readers do without

    clock = _Clock(SECONDS if seconds is None else seconds, given or SECONDS)
    token = _clock.set(clock)
    try:
        with Watch():
            yield
    finally:
        _clock.reset(token)


@contextmanager
def spared(seconds: float) -> Iterator[None]:
    """Around work that leaves some of its time for what is done instead, if it has a limit."""
    clock = _clock.get()
    if clock is not None:
        clock.end -= seconds
    try:
        yield
    finally:
        if clock is not None:
            clock.end += seconds


@contextmanager
def waiting() -> Iterator[None]:
    """Around a wait for others, which takes nothing from one's time."""
    clock, start = _clock.get(), time.monotonic()
    try:
        yield
    finally:
        if clock is not None:
            clock.end += time.monotonic() - start


def check() -> None:
    """Go on only while there is time.

    Raises
    ------
    LimitError
        If the work is limited, and its time is over.
    """
    clock = _clock.get()
    if clock is not None and time.monotonic() > clock.end:
        raise LimitError(
            f"This takes longer than the {clock.given:g} seconds that everybody gets here; a "
            f"smaller slice, fewer coils or a faster method is quicker."
        )


def afford(size: float) -> None:
    """Go on only if this many bytes may be taken.

    Raises
    ------
    LimitError
        If the work is limited, and they are too many.
    """
    if _clock.get() is not None and size > MEMORY:
        raise LimitError(
            "This slice is too large for this method here; a smaller one, or the zero-filled "
            "image, takes less memory."
        )
