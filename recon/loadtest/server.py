"""The app as a process of its own, and what it takes of the machine."""

from __future__ import annotations

import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from recon.errors import InputError

ROOT = Path(__file__).parents[2]
PARTS = ("app.py", "recon", "checkpoints")  # of the repository, which the app runs from
LOCAL = {"127.0.0.1", "localhost", "::1"}
START = 600.0  # seconds to start in, on a machine that does other things


def local(url: str) -> str:
    """An address, if it is this machine's.

    Raises
    ------
    InputError
        If it is any other: a load test is an attack on whoever did not ask for it.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in LOCAL:
        raise InputError(
            "A load test is sent to this machine alone: http://127.0.0.1, http://localhost or "
            "http://[::1] with a port."
        )
    return url


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def below(folder: Path) -> list[Path]:
    """All files and folders below a folder, while others may be deleting some of them."""
    return sorted(
        Path(place, name)
        for place, folders, files in os.walk(folder)  # which passes over what is gone
        for name in (*folders, *files)
    )


class Server:
    """The app, started from a copy in a folder of its own; use it as a context.

    Parameters
    ----------
    folder
        For the copy, its temporary files and what it says.
    """

    def __init__(self, folder: Path) -> None:
        self.home, self.files, self.log = folder / "app", folder / "files", folder / "server.log"
        self.files.mkdir(parents=True)
        port = free_port()
        self.url = local(f"http://127.0.0.1:{port}")
        self.environment = {
            **os.environ,
            "GRADIO_TEMP_DIR": str(self.files),
            "GRADIO_SERVER_NAME": "127.0.0.1",
            "GRADIO_SERVER_PORT": str(port),
            "RECON_ANSWERS": "",
        }

    def started(self) -> subprocess.Popen[bytes]:
        """The process.

        Raises
        ------
        InputError
            If the app is not where this was started.
        """
        if not (ROOT / "app.py").is_file():
            raise InputError("The load test starts the app of the repository; run it there.")
        self.home.mkdir()
        for name in PARTS:
            part = ROOT / name
            copy: Any = shutil.copytree if part.is_dir() else shutil.copy
            copy(part, self.home / name)
        with self.log.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "app.py"],
                cwd=self.home, env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip

    def __enter__(self) -> Self:
        self.process = self.started()
        end = time.monotonic() + START
        while time.monotonic() < end and self.process.poll() is None:
            try:
                httpx.get(f"{self.url}/config", timeout=START).raise_for_status()
                return self
            except httpx.TransportError:
                time.sleep(0.2)
        self.__exit__()
        raise InputError("The app did not start.")

    def __exit__(self, *_: Any) -> None:
        if self.process.poll() is None:
            self.process.terminate()  # what it is started by may have it ignore the keyboard
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def memory(self) -> float | None:
        """Resident memory in MiB; None where the system does not say."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text("utf-8")
        except OSError:
            return None
        found = re.search(r"VmRSS:\s+(\d+)", status)
        return int(found[1]) / 1024 if found else None

    def fill_the_disk(self, full: bool) -> None:
        """From now on the server cannot write a byte to any file; or it can again."""
        hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (0 if full else hard, hard))

    def left(self) -> int:
        """Uploads and results in the folder of temporary files."""
        return sum(path.is_file() for path in below(self.files / "recon"))

    def tracebacks(self) -> int:
        """Errors that nobody caught, in what the server said."""
        return self.log.read_text("utf-8", "replace").count("Traceback")
