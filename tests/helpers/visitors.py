"""Visitors come and go, uploads break off, the disk fills up: what the server keeps of it.

``python -m tests.helpers.visitors [VISITORS [BROKEN [SECONDS [SEED]]]]`` serves the page in a
process of its own, on Linux, with files that live for SECONDS instead of an hour, and prints JSON:
memory after a few visitors and after all of them, what the folder holds at the end, and what the
examples said while not one byte could be written. 500 visitors and 200 broken-off uploads unless
told otherwise.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import httpx
import numpy as np

from recon.loadtest.server import ROOT, below
from recon.loadtest.server import Server as App
from tests.helpers.server import api, call, event, upload

FIRST = 30  # visitors after which the caches are full, and memory is first read
AT_ONCE = 4
EXAMPLES = ("head", "phantom", "phantom-coils")
METHODS = ("resnet-dc", "zero-filled", "pocs", "zero-filled", "cs")


def serve(seconds: float) -> None:
    """The page, as `app.py` serves it, whose files live for some seconds."""
    from recon.ui.serving import server, sessions, uploads

    uploads.AGE = uploads.UNUSED = sessions.AGE = seconds
    server.SWEEP = max(1, int(seconds / 10))
    import app

    app.serve(quiet=True)


class Server(App):
    """The page in a process of its own, whose files live for some seconds."""

    def __init__(self, folder: Path, seconds: float) -> None:
        super().__init__(folder)
        del self.environment["RECON_ANSWERS"]  # what is done in advance takes memory, too
        self.seconds = seconds

    def started(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.helpers.visitors", "serve", str(self.seconds)]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=sys.stderr)

    def __enter__(self) -> Self:
        super().__enter__()
        self.config: dict[str, Any] = httpx.get(f"{self.url}/config", timeout=20).json()
        self.own = set(below(self.files))
        return self

    def readers(self) -> int:
        """Processes that the server has started and that live."""
        return len(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
                   .read_text().split())  # fmt: skip

    def left_over(self) -> list[str]:
        """What lies in Gradio's folder and was not there at the start."""
        new = set(below(self.files)) - self.own - {self.files / "recon"}
        return sorted(str(path.relative_to(self.files)) for path in new)


def visit(server: Server, seed: int) -> str:
    """Somebody who looks around, uploads a slice of their own, takes the result, and leaves."""
    rng = np.random.default_rng(seed)
    session = uuid.uuid4().hex
    with httpx.Client(base_url=server.url, timeout=120) as visitor:
        visitor.get("/").raise_for_status()

        def act(name: str, values: dict[str, Any]) -> str:
            return json.dumps(event(visitor, name, values, session, server.config))

        with visitor.stream("GET", api(f"heartbeat/{session}")):  # the page is open
            act("restore", {})
            act("choose_example", {"example": EXAMPLES[seed % len(EXAMPLES)]})
            with tempfile.TemporaryDirectory() as mine:
                file = Path(mine) / f"slice {seed}.npy"
                shape = tuple(rng.integers(48, 112, 2))
                np.save(file, (rng.standard_normal((*shape, 2)) @ [1, 1j]).astype(np.complex64))
                path = upload(visitor, file)
            named = {"path": path, "meta": {"_type": "gradio.FileData"}, "orig_name": file.name}
            answer = act("upload", {"upload": named, "method": METHODS[seed % len(METHODS)]})
            if file.name not in answer:
                return answer[:500]
            act("show", {"method": "zero-filled", "seed": seed + 1})
            if seed % 5 == 0:
                act("pack", {})
                call(visitor, [named, 4, seed, "zero-filled", -1])
    return ""


def break_off(server: Server, seed: int) -> None:
    """An upload whose connection is lost in the middle."""
    where = httpx.URL(server.url)
    with socket.create_connection((where.host, where.port), 20) as connection:
        head = (
            f"POST /gradio_api/upload HTTP/1.1\r\nHost: {where.host}\r\n"
            "Content-Type: multipart/form-data; boundary=xyz\r\nContent-Length: 100000000\r\n\r\n"
            '--xyz\r\nContent-Disposition: form-data; name="files"; filename="k.npy"\r\n\r\n'
        )
        connection.sendall(head.encode() + os.urandom(1000 + seed * 7919 % 2_000_000))


def full_disk(server: Server) -> dict[str, Any]:
    """What an upload and the examples say while nothing can be written."""
    server.fill_the_disk(True)
    try:
        with httpx.Client(base_url=server.url, timeout=120) as visitor:
            visitor.get("/")
            sent = visitor.post(api("upload"), files={"files": ("k.npy", b"x" * 2_000_000)})
            shown = {
                key: "Nominal 4x" in json.dumps(event(visitor, "choose_example", {"example": key}))
                for key in EXAMPLES
            }
            packed = json.dumps(event(visitor, "pack", {}))
            return {
                "upload": [sent.status_code, sent.text],
                "examples shown": shown,
                "download": "no room" in packed,
            }
    finally:
        server.fill_the_disk(False)


def run(visitors: int, broken: int, seconds: float, seed: int) -> dict[str, Any]:
    """All of it: see the module."""
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder).resolve(), seconds) as server:
        report: dict[str, Any] = {"idle": server.memory(), "problems": []}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            start = time.monotonic()
            first = min(FIRST, visitors)
            report["problems"] += filter(
                None, pool.map(lambda n: visit(server, seed + n), range(first))
            )
            report["start"] = server.memory()
            report["course"] = []
            breaker = threading.Thread(
                target=lambda: [break_off(server, seed + n) for n in range(broken)]
            )
            breaker.start()
            for done in range(first, visitors, 50):
                some = range(done, min(done + 50, visitors))
                report["problems"] += filter(
                    None, pool.map(lambda n: visit(server, seed + n), some)
                )
                report["course"].append(server.memory())
                print(json.dumps(report), file=sys.stderr, flush=True)
            breaker.join()
        report["seconds"] = time.monotonic() - start
        report["full disk"] = full_disk(server)
        report["files before their age"] = len(server.left_over())
        end = time.monotonic() + seconds + 60
        while server.left_over() and time.monotonic() < end:
            time.sleep(0.5)
        report["files after their age"] = server.left_over()
        report["end"], report["readers"] = server.memory(), server.readers()
        report["growth"] = report["end"] / report["start"] - 1
        return report


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(float(sys.argv[2]))
    else:
        given = [int(one) for one in sys.argv[1:]]
        print(json.dumps(run(*given, *(500, 200, 120, 0)[len(given) :]), indent=1))
