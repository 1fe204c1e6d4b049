"""Reads attack files, or damaged ones, and reports its own memory.

Run as ``python -m tests.helpers.hostile probe|leak FOLDER`` or ``... fuzz FOLDER COUNT [SEED]``;
prints JSON. A long run is ``nice -n 19 python -m tests.helpers.hostile fuzz FOLDER 5000``: COUNT
damaged copies of a file of every format, half of them behind their checksums, each described or
read. Copies that took long, killed their reader or made it fail in another way than refusing are
kept in FOLDER.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.helpers import files
from tests.helpers.hostile import chunks
from tests.helpers.hostile.behind import behind
from tests.helpers.hostile.zeros import MIB

LIMIT = 10.0  # seconds that one file may take


def peak() -> float:
    """Largest resident memory of this process so far, in MiB.

    Not ``ru_maxrss`` where there is a choice: on Linux a child starts with its parent's, which
    hides everything below that.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def outcome(path: Path, described: bool = True) -> str:
    """The sentence a file is refused with, "read", or "ESCAPED: ..." for another exception."""
    from recon.errors import InputError
    from recon.readers import describe, read

    try:
        if described:
            describe(path)
        read(path)
    except InputError as error:
        return str(error)
    except BaseException as error:
        return f"ESCAPED: {error!r}"
    return "read"


def probe(folder: Path) -> dict:
    """Read every attack; report sentences, seconds, and how far memory rose above valid files."""
    for path in files.one_of_each(folder.parent / "valid"):
        assert outcome(path) == "read", path
    idle = peak()
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.iterdir()):
        start = time.monotonic()
        sentence = outcome(path)
        found[path.name] = {"sentence": sentence, "rise": peak() - idle}
        found[path.name]["seconds"] = time.monotonic() - start
    control = np.ones(300 * MIB // 8)  # shows that the gauge moves
    found["control"] = {"sentence": f"{control.size}.", "rise": peak() - idle}
    return found


def damaged(content: bytes, rng: np.random.Generator, number: int) -> bytes:
    """A copy with a few bytes changed, most often in its headers, or a piece moved or missing."""
    copy = bytearray(content)
    if not copy:
        return content
    # Headers are where damage is interesting; half of it goes there.
    reach = len(copy) if number % 2 else min(len(copy), 1024)
    for _ in range(1 if number % 8 < 2 else rng.integers(1, 6)):
        copy[rng.integers(reach)] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.integers(256)])
    if number % 8 == 3:
        del copy[rng.integers(len(copy)) :]
    if number % 8 == 5:
        at, to, size = rng.integers(len(copy), size=3)
        copy[to : to + size % 64] = copy[at : at + size % 64]
    if number % 8 == 7:
        at = rng.integers(max(len(copy) - 8, 1))
        copy[at : at + 8] = int(rng.integers(0, 2**63)).to_bytes(8, "little")
    return bytes(copy)


def _damaged_file(content: bytes, rng: np.random.Generator, number: int) -> bytes:
    """A damaged copy of a file, half of them behind its checksums where it has any."""
    if number % 16 < 8:
        return damaged(content, rng, number)
    copy = behind(content, lambda part: damaged(part, rng, number), rng)
    return damaged(content, rng, number) if copy is None else copy


def fuzz(folder: Path, count: int, seed: int = 0) -> dict:
    """Read damaged copies of valid files; report how each kind ended, and the slowest.

    A reader that dies is one file refused, and counted.
    """
    from recon.readers import isolated

    rng = np.random.default_rng(seed)
    sources = files.one_of_each(folder / "valid") + files.indexes(folder / "valid-indexes")
    for path in sources:
        assert outcome(path) == "read", path
    found: dict[str, dict[str, Any]] = {
        path.name: {"read": 0, "refused": 0, "died": 0, "seconds": 0.0} for path in sources
    }
    idle, receive = peak(), isolated.wire.receive
    ends: dict[str, Any] = {}

    def counted(*arguments: Any) -> Any:
        try:
            return receive(*arguments)
        except EOFError:
            ends["died"] += 1
            raise

    isolated.wire.receive = counted
    for number in range(count):
        for path in sources:
            ends = found[path.name]
            copy = folder / f"damaged{path.suffix}"
            copy.unlink(missing_ok=True)
            copy.write_bytes(_damaged_file(path.read_bytes(), rng, number))
            start, deaths = time.monotonic(), ends["died"]
            end = outcome(copy, described=number % 8 == 0)
            seconds = time.monotonic() - start
            kind = end if end.startswith("ESCAPED") else "read" if end == "read" else "refused"
            ends[kind] = ends.get(kind, 0) + 1
            ends["seconds"] = max(ends["seconds"], seconds)
            ends["rise"] = peak() - idle
            if kind == end != "read" or seconds > LIMIT or ends["died"] > deaths:
                copy.rename(folder / f"kept-{seed}-{number}-{path.name}")
        if number % 10 == 9:
            print(json.dumps({"rounds": number + 1, **found}), file=sys.stderr, flush=True)
    return found


MARKER = b"MARKERED"  # of eight bytes: as a complex number it is finite and would be shown


def _spread_marker() -> None:
    """Fill memory of all sizes with the marker, and free it again for whoever comes next."""
    for size in (64, 512, 4096, 8192, 16_384, 65_536, 262_144, MIB):
        blocks = [bytearray(MARKER * (size // 8)) for _ in range(max(2, MIB // 4 // size))]
        del blocks


def leak(folder: Path) -> dict:
    """Read chunks that lie about their length; tell which answers hold what is not theirs."""
    from recon import readers

    answers: list[bytes] = []
    as_kspace = readers.as_kspace

    def spy(values: np.ndarray, *rest: Any) -> Any:
        answers.append(values.tobytes())
        return as_kspace(values, *rest)

    readers.as_kspace = spy
    found: dict[str, Any] = {"files": 0, "read": 0, "leaks": [], "escaped": []}
    for path in chunks.files(folder):
        _spread_marker()
        end = outcome(path, described=False)
        found["files"] += 1
        found["read"] += end == "read"
        if end.startswith("ESCAPED"):
            found["escaped"].append([path.name, end])
        answers.append(end.encode())
        if any(MARKER in answer for answer in answers):
            found["leaks"].append(path.name)
        answers.clear()
    return found


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    if sys.argv[1] == "probe":
        print(json.dumps(probe(folder)))
    elif sys.argv[1] == "leak":
        print(json.dumps(leak(folder)))
    else:
        seed = int(sys.argv[4]) if len(sys.argv) > 4 else 0
        print(json.dumps(fuzz(folder, int(sys.argv[3]), seed)))
