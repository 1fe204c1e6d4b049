"""What goes between the page's process and the one that reads: plain numbers, words and arrays.

A message is a JSON object and arrays after it, each announced by type and shape. Whoever
receives one believes nothing: lengths are bounded before memory is taken, types are numbers,
and nothing is ever unpickled.
"""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from recon.readers.bounded_reading import MIB

MAX_WORDS = MIB
MAX_ARRAYS = 384 * MIB
MAX_AXES = 8

Message = tuple[dict[str, Any], list[np.ndarray]]


def send(sock: socket.socket, words: dict[str, Any], arrays: Sequence[np.ndarray] = ()) -> None:
    """One message.

    Parameters
    ----------
    sock
        A connected stream socket.
    words
        Anything that JSON knows.
    arrays
        Of numbers.
    """
    head = [[array.dtype.str, list(array.shape)] for array in arrays]
    text = json.dumps({"words": words, "arrays": head}, default=_plain).encode()
    sock.sendall(struct.pack("<I", len(text)) + text)
    for array in arrays:
        sock.sendall(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def receive(sock: socket.socket, seconds: float | None = None) -> Message:
    """The next message.

    Parameters
    ----------
    sock
        A connected stream socket.
    seconds
        Longest time for all of it; None waits for ever.

    Raises
    ------
    EOFError
        If the other side is gone.
    TimeoutError
        If it takes longer.
    ValueError
        If it is no message, or too large.
    """
    end = None if seconds is None else time.monotonic() + seconds
    length = struct.unpack("<I", _exactly(sock, 4, end))[0]
    if length > MAX_WORDS:
        raise ValueError("too many words")
    message = json.loads(_exactly(sock, length, end))
    announced = [(kind(one), shape(sizes)) for one, sizes in message["arrays"]]
    lengths = [math.prod(sizes) * one.itemsize for one, sizes in announced]
    if sum(lengths) > MAX_ARRAYS:
        raise ValueError("arrays too large")
    arrays = [
        np.frombuffer(_exactly(sock, length, end), one).reshape(sizes)
        for (one, sizes), length in zip(announced, lengths, strict=True)
    ]
    words = message["words"]
    if not isinstance(words, dict):
        raise ValueError("no message")
    return words, arrays


def _plain(value: Any) -> Any:
    return value.item()  # NumPy's numbers


def kind(name: Any) -> np.dtype:
    """A type of numbers, by the name that NumPy gives it.

    Raises
    ------
    ValueError
        If it is none.
    """
    found = np.dtype(name) if isinstance(name, str) and len(name) <= 4 else None
    if found is None or found.kind not in "cfiub":
        raise ValueError("no type of numbers")
    return found


def shape(sizes: Any) -> tuple[int, ...]:
    """Sizes of axes, from a sequence of them.

    Raises
    ------
    ValueError
        If they are none.
    """
    if len(sizes) > MAX_AXES or any(type(n) is not int or not 0 <= n < 2**40 for n in sizes):
        raise ValueError("no shape")
    return tuple(sizes)


def _exactly(sock: socket.socket, size: int, end: float | None) -> bytearray:
    content = bytearray(size)
    view, at = memoryview(content), 0
    while at < size:
        if end is not None:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            sock.settimeout(left)
        count = sock.recv_into(view[at:])
        if not count:
            raise EOFError
        at += count
    return content
