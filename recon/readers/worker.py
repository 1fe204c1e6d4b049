"""The process that reads: a clean one that forks a reader for every file, and the reader.

Run by `recon.readers.isolated` as a script, with its end of a socket and the search path for
modules. The clean process never sees a byte of any file. It has loaded what readers need (not
torch), so a fork of it is ready in milliseconds; each fork is given one open file, gives up all
other rights, answers for this file alone, and ends.
"""

from __future__ import annotations

import codecs
import contextlib
import dataclasses
import importlib
import json
import os
import signal
import socket
import struct
import sys
import types
from pathlib import Path

# What libraries load when they first need it; a reader could not open the files any more.
MODULES = (
    "ast", "tokenize", "numpy.fft", "numpy.linalg", "numpy.ma", "numpy.lib.stride_tricks",
    "PIL.Image", "recon.readers.formats", "recon.readers.sandbox",
)  # fmt: skip
OPTIONAL = ("nibabel", "pydicom", "pydicom.encaps")  # a reader says so where one is missing
ENCODINGS = ("ascii", "latin-1", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp437", "cp1252")

ORDER = struct.Struct("<cQ")  # b"o" opens a file, b"e" ends it; a number for it


def _stand_in() -> None:
    """Let `recon.readers` be imported without `recon`, which would load torch."""
    package = types.ModuleType("recon")
    package.__path__ = [str(Path(__file__).parents[1])]
    sys.modules["recon"] = package


def main(control: socket.socket) -> None:
    """Fork a reader for every file, until the other side is gone."""
    for name in MODULES:
        importlib.import_module(name)
    for name in OPTIONAL:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for name in ENCODINGS:
        codecs.lookup(name)
    sys.modules["PIL.Image"].init()  # its formats are modules too
    control.sendall(b"f" if _filters() else b"r")
    readers: dict[int, int] = {}
    while True:
        order, descriptors, _, _ = socket.recv_fds(control, ORDER.size, 2)
        if len(order) < ORDER.size:
            break
        kind, number = ORDER.unpack(order)
        if kind == b"e":
            _end(readers.pop(number))
            continue
        session, file = descriptors
        pid = os.fork()
        if pid == 0:
            _become_reader(control, session, file)
        readers[number] = pid
        os.close(session)
        os.close(file)
    for pid in readers.values():
        _end(pid)


def _filters() -> bool:
    """Whether the kernel will refuse a reader's system calls, tried out in a fork."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(not sys.modules["recon.readers.sandbox"].enter(2**29, 1))
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


def _end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _become_reader(control: socket.socket, session: int, file: int) -> None:
    try:
        control.close()
        null = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(null, standard)
        os.close(null)
        serve(socket.socket(fileno=session), file)
    finally:
        os._exit(0)


def serve(session: socket.socket, file: int) -> None:
    """Answer for one file: what it holds, then as many parts of it as are asked for."""
    import numpy as np

    from recon.errors import InputError
    from recon.readers import formats, sandbox, wire
    from recon.readers.bounded_reading import GivenFile

    request, _ = wire.receive(session)
    path = GivenFile.of(file, request["name"])
    sandbox.enter(request["memory"], request["seconds"])
    try:
        with formats.opened(path, request["acceleration"]) as stored:
            fields = {one.name: getattr(stored, one.name) for one in dataclasses.fields(stored)}
            del fields["take"]
            fields["dtype"] = stored.dtype.str
            arrays = {name: one for name, one in fields.items() if isinstance(one, np.ndarray)}
            plain = {name: one for name, one in fields.items() if name not in arrays}
            names = list(arrays)
            wire.send(session, {"fields": plain, "arrays": names}, list(arrays.values()))
            while True:
                request, _ = wire.receive(session)
                index = tuple(slice(None) if i is None else i for i in request["index"])
                wire.send(session, {}, [stored.take(index)])
    except EOFError:  # the file, or nobody asks any more
        wire.send(session, {"damaged": True})
    except InputError as error:
        wire.send(session, {"refused": str(error)})
    except MemoryError:
        wire.send(session, {"too_large": True})
    except Exception:
        wire.send(session, {"damaged": True})


if __name__ == "__main__":
    # Ctrl-C is for who started this, and whose end of the socket closes when that ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.path[:] = json.loads(sys.argv[2])
    _stand_in()
    main(socket.socket(fileno=int(sys.argv[1])))
