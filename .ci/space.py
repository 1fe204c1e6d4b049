"""``make space``: what would be pushed as a Space, started as a Space starts it, and driven.

The committed files alone, ``requirements.txt`` in a new environment of Python 3.12, a read-only
file system with only the temporary and the cache folder writable, no network but the loopback,
two cores, and once 16 GiB and once 2 GiB of memory, enforced by a control group. Needs Linux and
root, for the isolation. Exits with 1 if anything does not hold.

Memory is what the processes hold, not the page cache of the libraries they read, which the kernel
takes back when it is short. It is looked at twenty times a second.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import interpreter
from space_files import committed

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "out" / "space"  # ignored by git
GIB = 2**30
LIMITS = (16, 2)  # GiB
SLOWEST_START, MOST_MEMORY = 20.0, 1.5  # seconds, GiB
CORES = 2
PORT = 7860  # where a Space listens


def main() -> int:
    """Build, install, run once for each limit."""
    if sys.argv[1:2] == ["inside"]:
        return inside(float(sys.argv[2]))
    if os.geteuid() or not shutil.which("unshare"):
        print("make space needs Linux and root: it takes network and file system away.")
        return 1
    python = install(os.environ.get("SPACE_PYTHON") or interpreter.find("3.12"))
    app = BUILD / "app"
    committed(app)
    size = sum(path.stat().st_size for path in app.rglob("*") if path.is_file())
    print(f"{size / 1e6:.0f} MB would be pushed; {interpreter.version(python)}")
    inside_words = [python, Path(__file__), "inside"]
    return max(
        subprocess.run(["unshare", "--net", "--mount", *inside_words, str(limit)]).returncode
        for limit in LIMITS
    )


def install(python: str) -> str:
    """A new environment with requirements.txt alone; kept until that changes."""
    wanted = (ROOT / "requirements.txt").read_bytes() + interpreter.version(python).encode()
    place = BUILD / f"env-{hashlib.sha256(wanted).hexdigest()[:12]}"
    inner = place / "bin/python"
    if not (place / "done").exists():
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([python, "-m", "venv", place], check=True)
        words = [inner, "-m", "pip", "install", "-q", "-r", ROOT / "requirements.txt"]
        subprocess.run(words, check=True)
        (place / "done").touch()
    return str(inner)


def inside(limit: float) -> int:
    """In name spaces of our own: shut everything, start the app, drive it, report."""
    for words in (
        ["ip", "link", "set", "lo", "up"],
        ["mount", "--make-rprivate", "/"],
        ["mount", "-t", "tmpfs", "tmpfs", "/tmp"],
        ["mount", "-o", "remount,bind,ro", str(mount_of(BUILD))],
        ["mount", "-o", "remount,bind,ro", "/"],
    ):
        subprocess.run(words, check=True)
    group = memory_group(limit)
    for name in ("cache", "gradio"):
        Path("/tmp", name).mkdir()
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": str(BUILD), "LANG": "C.UTF-8",
        "GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_SERVER_PORT": str(PORT),
        "GRADIO_TEMP_DIR": "/tmp/gradio", "XDG_CACHE_HOME": "/tmp/cache",
        "HF_HOME": "/tmp/cache/huggingface", "MPLCONFIGDIR": "/tmp/cache/matplotlib",
        "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    busy = os.getloadavg()[0] > CORES  # then a clock tells about others
    memory = PeakMemory(group)
    memory.start()
    start = time.monotonic()
    with Path("/tmp/log").open("w") as log:
        app = subprocess.Popen(
            ["taskset", "-c", "0,1", sys.executable, "app.py"], cwd=BUILD / "app", env=environment,
            stdout=log, stderr=log, preexec_fn=lambda: join(group),
        )  # fmt: skip
    seconds, problems = float("nan"), []
    try:
        seconds = first_page(app, start)
        worked = processor_seconds(group)
        print(
            f"first page after {seconds:.1f} s, of which {worked:.1f} s of processor time; "
            f"load average {os.getloadavg()[0]:.1f}"
        )
        drive()
        if (worked if busy else seconds) >= SLOWEST_START:
            problems.append(f"cold start took more than {SLOWEST_START:g} s")
    except Exception as error:
        problems.append(f"{type(error).__name__}: {error}")
    peak = memory.stop()
    end(group)
    app.wait(20)
    text = Path("/tmp/log").read_text()
    problems += [] if 0 < peak < MOST_MEMORY * GIB else [f"{peak / GIB:.2f} GiB of memory"]
    problems += [f"the log holds a traceback:\n{text}"] if "Traceback" in text else []
    lookups = unroutable()
    problems += [f"{lookups} attempts to reach another machine"] if lookups else []
    print(
        f"limit {limit:g} GiB: first page after {seconds:.1f} s, peak memory {peak / GIB:.2f} GiB, "
        f"{lookups} outgoing look-ups; " + ("; ".join(problems) or "all holds")
    )
    if problems:
        print(text[-2000:])
    return int(bool(problems))


def mount_of(path: Path) -> Path:
    """The mount point a path is on."""
    while not path.is_mount():
        path = path.parent
    return path


def memory_group(limit: float) -> Path:
    """A control group that kills what needs more memory; of either version."""
    top = Path("/sys/fs/cgroup")
    if (top / "cgroup.controllers").exists():
        subprocess.run(["mount", "-o", "remount,bind,rw", str(top)], capture_output=True)
        group, name = top / f"recon-space-{os.getpid()}", "memory.max"
    else:
        group, name = top / f"memory/recon-space-{os.getpid()}", "memory.limit_in_bytes"
    group.mkdir()
    (group / name).write_text(str(int(limit * GIB)))
    return group


def join(group: Path) -> None:
    (group / "cgroup.procs").write_text(str(os.getpid()))


def end(group: Path) -> None:
    """End every process of the group, and take the group away."""
    for _ in range(50):
        processes = (group / "cgroup.procs").read_text().split()
        if not processes:
            group.rmdir()
            return
        for process in processes:
            os.kill(int(process), signal.SIGKILL)
        time.sleep(0.1)


def own_memory(statistics: str) -> int:
    """Bytes that the processes of a control group hold, of either version.

    Anonymous memory, files in /tmp, which is memory too, and in version 2 what the kernel keeps
    for them; the page cache of files on a disk is left out.

    Parameters
    ----------
    statistics
        The text of its ``memory.stat``.
    """
    fields = {name: int(value) for name, value in map(str.split, statistics.splitlines())}
    if "anon" in fields:
        names = ("anon", "shmem", "kernel_stack", "pagetables", "slab_unreclaimable")
    else:
        names = ("total_rss", "total_shmem")
    return sum(fields[name] for name in names)


class PeakMemory(threading.Thread):
    """Watches the memory of a control group until it is stopped."""

    def __init__(self, group: Path) -> None:
        super().__init__(daemon=True)
        self.statistics = group / "memory.stat"
        self.peak = 0
        self.stopped = threading.Event()

    def look(self) -> None:
        self.peak = max(self.peak, own_memory(self.statistics.read_text()))

    def run(self) -> None:
        while not self.stopped.wait(0.05):
            self.look()

    def stop(self) -> int:
        """The most bytes seen."""
        self.stopped.set()
        self.join()
        return self.peak


def processor_seconds(group: Path) -> float:
    """Of all processes of the app together, so far."""
    ticks = 0
    for process in (group / "cgroup.procs").read_text().split():
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))  # its own and its children's, user and system
    return ticks / os.sysconf("SC_CLK_TCK")


def unroutable() -> int:
    """Packets of this name space that found no way out: look-ups of other machines."""
    lines = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines()]
    names, values = (line for line in lines if line[0] == "Ip:")
    six = re.search(r"Ip6OutNoRoutes\s+(\d+)", Path("/proc/net/snmp6").read_text())
    return int(values[names.index("OutNoRoutes")]) + int(six[1] if six else 0)


def first_page(app: subprocess.Popen, start: float) -> float:
    """Seconds until the page answers."""
    from urllib.request import urlopen

    while time.monotonic() - start < 120:
        if app.poll() is not None:
            raise RuntimeError("the app ended")
        try:
            with urlopen(f"http://127.0.0.1:{PORT}/", timeout=30) as page:
                if b"gradio" in page.read():
                    return time.monotonic() - start
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("no page within two minutes")


def drive() -> None:
    """An example and a file, by every kind of method."""
    # The client would tell its makers that it was used, and be taken for the app.
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    import numpy as np
    from gradio_client import Client, handle_file

    client = Client(f"http://127.0.0.1:{PORT}", verbose=False, download_files="/tmp/answers")
    rng = np.random.default_rng(0)
    np.save("/tmp/scan.npy", rng.normal(size=(4, 320, 320)) + 1j * rng.normal(size=(4, 320, 320)))
    for wish in ({"example": "head"}, {"file": handle_file("/tmp/scan.npy"), "coils": "rss"}):
        for method in ("resnet-dc", "unet", "cs"):
            answer = client.predict(**wish, method=method, files=True, api_name="/reconstruct")
            assert 0 < answer["ssim"] < 1, answer
    head = client.predict(example="head", api_name="/reconstruct")
    assert head["ssim"] > head["zero_filled_ssim"] + 0.1, head


if __name__ == "__main__":
    sys.exit(main())
