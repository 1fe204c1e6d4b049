"""Files are parsed in a process of their own, which may die without taking the page with it.

The parsers below this package are written in C and were broken before: a damaged file can make
them crash, loop, or show memory that is not its own. Here they run in a process that holds one
open file and nothing else (see `worker` and `sandbox`), for a bounded time and in bounded memory.
A new one is forked for every file, so none ever holds two people's bytes.

On Windows, and where ``RECON_READ_IN_PROCESS=1`` is set, files are parsed in this process,
with the checks of each reader but without these walls.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import json
import logging
import math
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from recon.errors import InputError
from recon.readers import beside, formats, wire
from recon.readers.bounded_reading import MIB, Index, taken_shape
from recon.readers.stored_array import Stored
from recon.readers.worker import ORDER

SECONDS = 9.5  # for all that is asked of one opened file; nobody waits for ten
PROCESSOR_SECONDS = 8  # of them, or less where others are busy too
PATIENCE = 60.0  # after which a file that took too long may be tried again
MEMORY = 640 * MIB  # beyond what an idle reader has
MAX_SENTENCE = 500

TOO_SLOW = (
    f"This file takes longer to read than the {PROCESSOR_SECONDS} seconds there are; "
    f"a smaller or less compressed one is accepted."
)
TOO_LARGE = (
    f"This file takes more memory to read than the {MEMORY // MIB} MiB there are; "
    f"a smaller one is accepted."
)


def walled() -> bool:
    """Whether files are parsed in a process of their own."""
    return hasattr(os, "fork") and os.environ.get("RECON_READ_IN_PROCESS") != "1"


class NotStartedError(RuntimeError):
    """The process that reads could not be started: something is wrong here, not with a file."""


class _Nursery:
    """The clean process, which forks readers; started when first needed."""

    def __init__(self) -> None:
        self.control, theirs = socket.socketpair()
        # Nothing of this process's environment, where secrets may be.
        kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        with theirs:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-I", str(Path(__file__).with_name("worker.py"))),
                    *(
                        str(theirs.fileno()),
                        json.dumps([str(Path(one).resolve()) for one in sys.path]),
                    ),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**environment, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                cwd="/",
            )
        ready = self.control.recv(1)
        if not ready:
            raise NotStartedError("the process that reads files did not start")
        if ready != b"f":
            logging.getLogger(__name__).warning(
                "No system calls are filtered here: a process that reads is bounded in memory and "
                "time, but could open files."
            )

    def end(self) -> None:
        self.control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(2)


_lock = threading.Lock()
_nursery: _Nursery | None = None
_numbers = itertools.count()
_given_up: OrderedDict[tuple[int, ...], float] = OrderedDict()  # when a file took too long


def warm() -> None:
    """Start the process that reads, so that the first file need not wait for it."""
    if walled():
        with _lock:
            _current()


def _current() -> _Nursery:
    global _nursery
    if _nursery is None or _nursery.process.poll() is not None:
        _nursery = _Nursery()
    return _nursery


def _forked(number: int, file: int) -> tuple[_Nursery, socket.socket]:
    """Who forked a reader of an open file, and where that reader listens."""
    global _nursery
    order = ORDER.pack(b"o", number)
    for _ in range(2):
        with _lock:
            nursery = _current()
            ours, theirs = socket.socketpair()
            with theirs:
                try:
                    socket.send_fds(nursery.control, [order], [theirs.fileno(), file])
                    return nursery, ours
                except OSError:  # it died after `_current` looked
                    ours.close()
                    nursery.end()
                    _nursery = None
    raise NotStartedError("the process that reads files died")


@atexit.register
def _close() -> None:
    global _nursery
    if _nursery is not None:
        _nursery.end()
    _nursery = None


def _forget() -> None:
    """A fork of this process must not talk to its parent's readers."""
    global _nursery, _lock
    if _nursery is not None:
        _nursery.control.close()
    _nursery, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


class _Reader:
    """One reader and its file."""

    def __init__(self, path: Path, file: int, acceleration: float) -> None:
        status = os.fstat(file)
        self.identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        if time.monotonic() - _given_up.get(self.identity, -math.inf) < PATIENCE:
            raise InputError(TOO_SLOW)
        self.path, self.left, self.number = path, SECONDS, next(_numbers)
        self.shape: tuple[int, ...] = ()
        self.picture = False
        self.nursery, self.socket = _forked(self.number, file)
        self.question = {
            "name": path.name,
            "acceleration": acceleration,
            "memory": MEMORY,
            "seconds": PROCESSOR_SECONDS,
        }

    def ask(self, question: dict[str, Any]) -> wire.Message:
        """A question and its answer.

        Raises
        ------
        InputError
            If the file is refused, takes too long, or the reader did not survive it.
        """
        start = time.monotonic()
        try:
            wire.send(self.socket, question)
            words, arrays = wire.receive(self.socket, self.left)
        except TimeoutError:
            raise self._too_slow() from None
        except EOFError:
            if time.monotonic() - start > 0.9 * PROCESSOR_SECONDS:  # the kernel ended it
                raise self._too_slow() from None
            raise formats.damaged(self.path) from None
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            raise formats.damaged(self.path) from None
        self.left -= time.monotonic() - start
        if words.get("too_large"):
            raise InputError(TOO_LARGE)
        if isinstance(words.get("refused"), str):
            sentence = "".join(one for one in words["refused"] if one.isprintable())
            raise InputError(sentence[:MAX_SENTENCE])
        if words.get("damaged"):
            raise formats.damaged(self.path)
        return words, arrays

    def _too_slow(self) -> InputError:
        _given_up[self.identity] = time.monotonic()
        while len(_given_up) > 256:
            _given_up.popitem(last=False)
        return InputError(TOO_SLOW)

    def take(self, index: Index) -> np.ndarray:
        _, arrays = self.ask({"index": [i if isinstance(i, int) else None for i in index]})
        # A reader that a file has taken over may answer anything; frames may differ in size.
        expected = taken_shape(self.shape, index)
        if len(arrays) != 1 or (arrays[0].shape != expected and not self.picture):
            raise formats.damaged(self.path)
        return arrays[0]

    def end(self) -> None:
        self.socket.close()
        with _lock, contextlib.suppress(OSError):
            self.nursery.control.sendall(ORDER.pack(b"e", self.number))


@contextmanager
def opened(path: Path, acceleration: float = 4) -> Iterator[Stored]:
    """The k-space of a file, as `formats.opened` gives it, parsed in a process of its own.

    Parameters
    ----------
    path
        The file; or a scan that is several, see `recon.readers.beside`.
    acceleration
        Which variant to prefer where the file has several.

    Raises
    ------
    InputError
        If the file has no k-space that can be read, within `SECONDS` and `MEMORY`.
    """
    if not isinstance(acceleration, Real):
        raise InputError(f"An acceleration is a number, such as 4; {acceleration!r} is none.")
    with beside.whole(path) as one, _opened(one, path, float(acceleration)) as stored:
        yield stored


@contextmanager
def _opened(path: Path, asked: Path, acceleration: float) -> Iterator[Stored]:
    """What is in the file at `path`, which a person calls `asked`."""
    if not walled():
        with formats.opened(path, acceleration) as stored:
            yield stored
        return
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        raise formats.no_file(path) from None
    except OSError as error:  # no right to, or too many files are open
        raise InputError(
            f"This file could not be opened ({error.strerror}); one that can be is accepted."
        ) from None
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise formats.no_file(path)
        reader = _Reader(asked, file, acceleration)
    finally:
        os.close(file)
    try:
        yield _stored(reader)
    finally:
        reader.end()


def _stored(reader: _Reader) -> Stored:
    words, arrays = reader.ask(reader.question)
    try:
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in words["fields"].items()
        }
        fields |= zip(words["arrays"], arrays, strict=True)
        fields["dtype"] = wire.kind(fields["dtype"])
        stored = Stored(**fields, take=reader.take)
        reader.shape = wire.shape(stored.shape)
        reader.picture = stored.picture
    except (AttributeError, KeyError, TypeError, ValueError):
        raise formats.damaged(reader.path) from None
    return stored
