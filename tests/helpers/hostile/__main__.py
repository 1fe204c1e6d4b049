"""Reads attack files, or damaged ones, and reports its own memory.

Run as ``python -m tests.helpers.hostile probe|fuzz|leak FOLDER [COUNT]``; prints JSON.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.helpers import files
from tests.helpers.hostile import chunks
from tests.helpers.hostile.zeros import MIB


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


def outcome(path: Path) -> str:
    """The sentence a file is refused with, "read", or "ESCAPED: ..." for another exception."""
    from recon.kspace import InputError
    from recon.readers import describe, read

    try:
        describe(path)
        read(path)
    except InputError as error:
        return str(error)
    except BaseException as error:
        return f"ESCAPED: {error!r}"
    return "read"


def probe(folder: Path) -> dict:
    """Read every attack; report sentences and how far memory rose above reading valid files."""
    for path in files.one_of_each(folder.parent / "valid"):
        assert outcome(path) == "read", path
    idle = peak()
    found = {}
    for path in sorted(folder.iterdir()):
        sentence = outcome(path)
        found[path.name] = {"sentence": sentence, "rise": peak() - idle}
    control = np.ones(300 * MIB // 8)  # shows that the gauge moves
    found["control"] = {"sentence": f"{control.size}.", "rise": peak() - idle}
    return found


def fuzz(folder: Path, count: int, seed: int = 0) -> dict:
    """Read damaged copies of valid files; report how each kind ended."""
    rng = np.random.default_rng(seed)
    idle = peak()
    found: dict[str, dict] = {}
    for path in files.one_of_each(folder / "valid"):
        content = path.read_bytes()
        ends = {"read": 0, "refused": 0}
        for number in range(count):
            damaged = bytearray(content)
            # Headers are where damage is interesting; half of it goes there.
            reach = len(damaged) if number % 2 else min(len(damaged), 1024)
            for _ in range(rng.integers(1, 6)):
                damaged[rng.integers(reach)] = rng.choice([0, 1, 0x7F, 0xFF, rng.integers(256)])
            if number % 4 == 3:
                del damaged[rng.integers(len(damaged)) :]
            copy = folder / f"damaged{path.suffix}"
            copy.write_bytes(damaged)
            end = outcome(copy)
            if end.startswith("ESCAPED"):
                ends[end] = ends.get(end, 0) + 1
            else:
                ends["read" if end == "read" else "refused"] += 1
        found[path.name] = {**ends, "rise": peak() - idle}
    return found


MARKER = b"MARKERED"  # of eight bytes: as a complex number it is finite and would be shown


def _spread_marker() -> None:
    """Fill memory of all sizes with the marker, and free it again for whoever comes next."""
    for size in (64, 512, 4096, 8192, 16_384, 65_536, 262_144, MIB):
        blocks = [bytearray(MARKER * (size // 8)) for _ in range(2 * MIB // size)]
        del blocks


def leak(folder: Path) -> dict:
    """Read chunks that lie about their length; tell which answers hold what is not theirs."""
    from recon import readers

    answers: list[bytes] = []
    settle = readers.settle

    def spy(values: np.ndarray, *rest: Any) -> Any:
        answers.append(values.tobytes())
        return settle(values, *rest)

    readers.settle = spy  # type: ignore[assignment]
    found: dict[str, Any] = {"files": 0, "read": 0, "leaks": [], "escaped": []}
    for path in chunks.files(folder):
        _spread_marker()
        end = outcome(path)
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
