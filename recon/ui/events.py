"""What all events of the page share: errors become sentences, and short work goes first.

Inputs arrive as a set: Gradio hands an event one dictionary, from component to value.
"""

from __future__ import annotations

import functools
import inspect
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from recon import limits
from recon.errors import InputError
from recon.ui import html
from recon.weights import WeightsError

Values = Mapping[Any, Any]
"""What an event gets: the value of every component that it asked for."""

# One reconstruction uses all cores and, at worst, most of a gigabyte; others wait their turn.
# Experiments have a line of their own, so that nobody's click waits behind a long one.
SHORT: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "reconstruct"}
LONG: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "experiment"}
PATIENCE = 20.0  # seconds that long work gives way at most, between two of its pieces
AT_ONCE = 2  # pieces of work, one of each line, whichever way they were asked for
QUEUE = 60.0  # seconds that a piece of work waits for its place among them
EXPERIMENT = 15  # times what one answer gets: all pieces of long work together

NEXT = "number => (number ?? 0) + 1"  # in the browser

MISTAKE = (
    "This could not be done because of a mistake in this program; "
    "the pictures still show what was there before."
)


class Turns:
    """Long work goes on in pieces, and lets short work through between them."""

    def __init__(self) -> None:
        self._short = 0
        self._pieces = 0
        self._changed = threading.Condition()
        self._places = threading.BoundedSemaphore(AT_ONCE)

    @contextmanager
    def piece(self, seconds: float | None = None, given: float | None = None) -> Iterator[None]:
        """Around a piece of work: few at a time, each for a time as in `limits.limited`.

        Raises
        ------
        InputError
            If there was no place among them for a long while, or the time is over.
        """
        if not self._places.acquire(timeout=QUEUE):
            raise InputError("The server is busy just now; please try again in a minute.")
        try:
            with self._counted("_pieces"), limits.limited(seconds, given):
                yield
        finally:
            self._places.release()

    @contextmanager
    def short(self) -> Iterator[None]:
        """Around short work."""
        with self._counted("_short"):
            yield

    @contextmanager
    def _counted(self, name: str) -> Iterator[None]:
        with self._changed:
            setattr(self, name, getattr(self, name) + 1)
        try:
            yield
        finally:
            with self._changed:
                setattr(self, name, getattr(self, name) - 1)
                self._changed.notify_all()

    def until_idle(self) -> None:
        """Wait until nobody's work is going on, short or long."""
        with self._changed:
            self._changed.wait_for(lambda: not self._short and not self._pieces)

    def give_way(self, patience: float = PATIENCE) -> None:
        """Between two pieces of long work: wait while short work is going on."""
        end = time.monotonic() + patience
        with limits.waiting(), self._changed:
            while self._short and (left := end - time.monotonic()) > 0:
                self._changed.wait(left)


TURNS = Turns()


def careful(message: Any, ended: Values = MappingProxyType({})) -> Callable[[Callable], Callable]:
    """Turn whatever goes wrong in an event into one sentence in `message`, and nothing else.

    Works on functions, which count as short work, and on generators, whose signs of being at work
    are taken away by the values `ended`.
    """

    def sentence(error: Exception) -> dict[Any, Any]:
        if isinstance(error, InputError | WeightsError):
            return {message: html.message(str(error)), **ended}
        logging.getLogger(__name__).exception("an event failed")  # the person keeps the page
        return {message: html.message(MISTAKE), **ended}

    def decorate(event: Callable) -> Callable:
        if inspect.isgeneratorfunction(event):

            @functools.wraps(event)
            def guarded(*values: Any) -> Iterator[dict[Any, Any]]:
                try:
                    yield from in_pieces(event(*values))
                except Exception as error:
                    yield sentence(error)

        else:

            @functools.wraps(event)
            def guarded(*values: Any) -> Any:
                try:
                    with TURNS.short(), TURNS.piece():
                        return event(*values)
                except Exception as error:
                    return sentence(error)

        return guarded

    return decorate


def in_pieces(work: Iterator[Any]) -> Iterator[Any]:
    """Long work, one piece between two of its answers, within a limited time each and in all."""
    whole = left = EXPERIMENT * limits.SECONDS
    while True:
        last = left < limits.SECONDS
        with TURNS.piece(min(limits.SECONDS, left), whole if last else None):
            start = time.monotonic()  # not before: waiting for a place takes nothing from it
            try:
                answer = next(work)
            except StopIteration:
                return
        left -= time.monotonic() - start
        yield answer


def quiet(**options: Any) -> dict[str, Any]:
    """Options of an event that shows no progress and is no part of the interface."""
    return {"show_progress": "hidden", "api_visibility": "private", **options}
