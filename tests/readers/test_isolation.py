"""The process that reads: what it may, what it may not, and that nobody else dies with it."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from recon.errors import InputError
from recon.readers import describe, isolated, read, warm, wire
from recon.readers.bounded_reading import MIB
from tests.helpers import hostile
from tests.helpers.files import STACK, npy, one_of_each, write_h5

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not isolated.walled(), reason="no process of its own here")
linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's filter is Linux's")


# Loads the module alone, because all of `recon` takes seconds.
SCRIPT = """
import json, os, resource, signal, socket, sys
sys.path.insert(0, os.path.join("recon", "readers"))
import sandbox

def said(code):
    answer, theirs = socket.socketpair()
    if os.fork() == 0:
        answer.close()
        try:
            known = {"filtered": sandbox.enter(200 * 2**20, 1), **globals()}
            word = str(eval(code, known))
        except BaseException as error:
            word = type(error).__name__
        theirs.sendall(word.encode())
        os._exit(0)
    theirs.close()
    return answer.recv(99).decode(), os.wait()[1]

print(json.dumps([said(code) for code in json.loads(sys.argv[1])]))
"""


def in_sandbox(*codes: str) -> list:
    """What forks say that have given their rights up, and how they ended."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(codes)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


FORBIDDEN = {
    "open a path": "open('/etc/hostname')",
    "reopen its descriptors": "open('/proc/self/fd/0')",
    "list a folder": "os.listdir('/')",
    "ask whether a file is there": "os.stat('/etc/hostname')",
    "make a file": "os.open('/tmp/recon-made', os.O_CREAT | os.O_WRONLY)",
    "make a socket": "socket.socket()",
    "make a local socket": "socket.socket(socket.AF_UNIX)",
    "start a program": "os.execv('/bin/true', ['true'])",
    "fork": "os.fork()",
    "signal another process": "os.kill(1, 0)",
    "delete": "os.unlink('/tmp/recon-made')",
}


@linux
def test_a_reader_can_do_nothing_but_compute():
    said = in_sandbox(*FORBIDDEN.values())
    for deed, ended in zip(FORBIDDEN, said, strict=True):
        assert ended == ["PermissionError", 0], deed
    assert in_sandbox("filtered", "len(bytes(2**20))") == [["True", 0], [str(MIB), 0]]


@linux
def test_memory_and_time_end():
    memory, time_ = in_sandbox("bytearray(300 * 2**20)", "sum(range(10**12))")
    assert memory == ["MemoryError", 0]
    assert time_[0] == ""
    assert time_[1] in (signal.SIGXCPU, signal.SIGKILL)


@linux
def test_the_process_is_clean_and_small(tmp_path, monkeypatch):
    monkeypatch.setenv("RECON_SECRET", "a secret of this process")
    isolated._close()
    read(npy(tmp_path / "a", STACK))
    folder = Path(f"/proc/{isolated._nursery.process.pid}")
    assert b"RECON_SECRET" not in (folder / "environ").read_bytes()
    assert not {"torch", "gradio"} & set((folder / "maps").read_text().replace("/", " ").split())
    assert "libtorch" not in (folder / "maps").read_text()
    assert (folder / "cwd").readlink() == Path("/")
    kept = [one.readlink() for one in (folder / "fd").iterdir() if one.name != "2"]
    assert all(str(one).startswith(("/dev/null", "socket:")) for one in kept), kept


@linux
def test_nothing_is_logged_where_the_kernel_filters_calls(caplog):
    isolated._close()
    warm()
    assert isolated._nursery is not None
    assert caplog.text == ""


def test_answers_are_the_same_with_and_without_walls(tmp_path, monkeypatch):
    paths = one_of_each(tmp_path / "files")
    apart = [(describe(path), read(path)) for path in paths]
    monkeypatch.setenv("RECON_READ_IN_PROCESS", "1")
    for path, (description, values) in zip(paths, apart, strict=True):
        assert describe(path) == description
        here = read(path)
        np.testing.assert_array_equal(here, values)
        assert str(here.source) == str(values.source)


@pytest.mark.parametrize("attack", hostile.WALLED, ids=lambda attack: attack.__name__)
def test_a_reader_dies_alone(tmp_path, attack):
    attack(tmp_path)
    (path,) = tmp_path.iterdir()
    for look in (describe, read):
        with pytest.raises(InputError, match="could not be read"):
            look(path)
    assert read(npy(tmp_path / "a", STACK)).shape == STACK[0].shape


def test_a_file_that_takes_too_long_is_given_up_and_remembered(tmp_path, monkeypatch):
    large = np.ones((32, 512, 512), np.complex64)
    path = write_h5(tmp_path / "a.h5", options={"chunks": (1, 1, 64, 64)}, kspace=large[None])
    warm()
    monkeypatch.setattr(isolated, "SECONDS", 0.02)
    with pytest.raises(InputError, match="takes longer to read"):
        read(path)
    monkeypatch.undo()
    with monkeypatch.context() as shut:
        shut.setattr(isolated, "_current", None)  # no process is asked
        with pytest.raises(InputError, match="takes longer to read"):
            describe(path)
    os.utime(path, (1, 1))  # another file now, as far as anyone can tell
    assert describe(path).coils == 32


@linux
def test_a_reader_ends_with_its_file(tmp_path):
    read(npy(tmp_path / "a", STACK))
    pid = isolated._nursery.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children")
    end = time.monotonic() + 20
    while children.read_text() and time.monotonic() < end:
        time.sleep(0.05)
    assert children.read_text() == ""


def test_the_clean_process_is_started_again_when_it_died(tmp_path):
    path = npy(tmp_path / "a", STACK)
    read(path)
    isolated._nursery.process.kill()
    isolated._nursery.process.wait()
    np.testing.assert_array_equal(read(path, slice=0), STACK[0])


def dying(monkeypatch) -> None:
    """The clean process dies right after it was found alive."""
    process = isolated._nursery.process
    process.kill()
    process.wait()
    monkeypatch.setattr(process, "poll", lambda: None)


def test_a_file_is_read_although_the_clean_process_dies_as_it_is_asked(tmp_path, monkeypatch):
    path = npy(tmp_path / "a", STACK)
    read(path)
    dying(monkeypatch)
    np.testing.assert_array_equal(read(path, slice=0), STACK[0])


def test_a_clean_process_that_keeps_dying_is_no_damaged_file(tmp_path, monkeypatch):
    path = npy(tmp_path / "a", STACK)
    read(path)
    dying(monkeypatch)
    dead = isolated._nursery
    monkeypatch.setattr(isolated, "_current", lambda: dead)
    with pytest.raises(isolated.NotStartedError):
        read(path)


def test_many_threads_read_their_own_file(tmp_path):
    stack = [npy(tmp_path / f"{n}", STACK[n % 5, 0] * (n + 1)) for n in range(24)]
    got: dict[int, np.ndarray] = {}
    threads = [
        threading.Thread(target=lambda n=n: got.update({n: read(stack[n])})) for n in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n in range(24):
        np.testing.assert_array_equal(got[n], STACK[n % 5, 0] * (n + 1))


@linux
def test_a_fork_of_this_process_has_readers_of_its_own(tmp_path):
    path = npy(tmp_path / "a", STACK)
    read(path)
    pid = os.fork()
    if pid == 0:
        os._exit(0 if read(path).shape == STACK[0].shape else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert read(path).shape == STACK[0].shape


def test_a_script_without_a_main_guard_can_read(tmp_path):
    path = npy(tmp_path / "a", STACK)
    script = tmp_path / "script.py"
    script.write_text(f"from recon.readers import read\nprint(read({str(path)!r}).shape)\n")
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == str(STACK[0].shape), done.stderr


def test_files_share_the_process_that_imports(tmp_path):
    """Opening one is a fork of it, never a new interpreter."""
    path = npy(tmp_path / "a", STACK)
    read(path)
    first = isolated._nursery.process.pid
    for _ in range(7):
        read(path)
    assert isolated._nursery.process.pid == first


def _answered(content: bytes) -> wire.Message:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(content)
        theirs.shutdown(socket.SHUT_WR)
        return wire.receive(ours, 5)


def _announced(arrays: object, words: object = None) -> bytes:
    text = json.dumps({"words": {} if words is None else words, "arrays": arrays}).encode()
    return struct.pack("<I", len(text)) + text


def test_messages_arrive_as_they_were_sent():
    ours, theirs = socket.socketpair()
    arrays = [STACK[0].T, np.zeros((0, 3)), np.arange(5) > 2, np.float32([1, np.nan])]
    with ours, theirs:
        thread = threading.Thread(target=wire.send, args=(theirs, {"a": [1, None]}, arrays))
        thread.start()
        words, got = wire.receive(ours, 5)
        thread.join()
    assert words == {"a": [1, None]}
    for one, other in zip(arrays, got, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xff\xff\xff",
        struct.pack("<I", MIB + 1),
        struct.pack("<I", 4) + b"\x80\x04]\x94",
        struct.pack("<I", 2) + b"[]",
        _announced([["|O", [1]]]) + bytes(8),
        _announced([["O8", [1]]]) + bytes(8),
        _announced([["<f8", [2**30]]]),
        _announced([["<f8", [-1]]]),
        _announced([["<f8", [2**62, 4]]]),
        _announced([["<f8", [1.5]]]),
        _announced([["<f8", [1] * 64]]) + bytes(8),
        _announced([["<f8", [4]]]) + bytes(31),
        _announced([["V8", [1]]]) + bytes(8),
        _announced([["<M8", [1]]]) + bytes(8),
        _announced(7),
        _announced([], words=[]),
        struct.pack("<I", 50_000) + b"[" * 50_000,
    ],
)
def test_a_message_that_is_none_is_no_message(content):
    with pytest.raises((EOFError, ValueError, TypeError, KeyError, RecursionError)):
        _answered(content)


def test_a_message_that_drips_is_not_waited_for():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        stop = threading.Event()

        def drip() -> None:
            while not stop.wait(0.02):
                theirs.send(b"\0")

        thread = threading.Thread(target=drip)
        thread.start()
        with pytest.raises((TimeoutError, ValueError)):
            wire.receive(ours, 0.2)
        stop.set()
        thread.join()


class _Lying(isolated._Reader):
    """A reader that a file has taken over."""

    def __init__(self, words: dict, arrays: tuple = ()) -> None:
        self.path, self.left = Path("a.h5"), 5.0
        self.identity, self.question, self.shape, self.picture = (), {}, (2, 16, 16), False
        self.socket, theirs = socket.socketpair()
        wire.send(theirs, words, arrays)
        self.theirs = theirs


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"fields": 3},
        {"fields": {"take": "x"}, "arrays": []},
        {"fields": {"format": "a", "shape": [1, 2], "dtype": "O"}, "arrays": []},
        {"fields": {"format": "a", "shape": "ab", "dtype": "<c8"}, "arrays": []},
        {"fields": {"format": "a", "shape": [1, -2], "dtype": "<c8"}, "arrays": []},
        {"fields": {"format": "a", "shape": [1, 2], "dtype": "<c8"}, "arrays": ["mask"]},
        {"refused": 3},
        {"damaged": True},
    ],
)
def test_a_reader_that_lies_is_one_damaged_file(words):
    with pytest.raises(InputError, match="could not be read"):
        isolated._stored(_Lying(words))


def test_a_reader_cannot_hand_out_more_than_was_asked_for():
    with pytest.raises(InputError, match="could not be read"):
        _Lying({}, (np.ones((2, 64, 64)),)).take((slice(None),) * 3)


def test_what_a_reader_says_is_short_and_printable():
    with pytest.raises(InputError) as caught:
        isolated._stored(_Lying({"refused": "a\n\x1b[31m" + "b" * 10_000}))
    assert len(str(caught.value)) <= isolated.MAX_SENTENCE
    assert str(caught.value).isprintable()
