"""``python3 .ci/interpreter.py 3.13``: where Python of that version is, which may be installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path


def find(wanted: str) -> str:
    """Python of a version such as "3.13": on the path, pyenv's, uv's, or Debian's.

    Raises
    ------
    SystemExit
        With a sentence, if there is none and none can be installed.
    """
    name = f"python{wanted}"
    candidates = [shutil.which(name)]
    candidates += map(str, sorted(Path.home().glob(f".pyenv/versions/{wanted}.*/bin/{name}")))
    if shutil.which("uv"):
        subprocess.run(["uv", "python", "install", wanted], capture_output=True)
        found = subprocess.run(["uv", "python", "find", wanted], capture_output=True, text=True)
        candidates.append(found.stdout.strip())
    for python in filter(None, candidates):
        if version(python).startswith(f"Python {wanted}."):
            return python
    subprocess.run(["apt-get", "install", "-y", "-qq", f"{name}-venv"], capture_output=True)
    if shutil.which(name) and version(name).startswith(f"Python {wanted}."):
        return name
    raise SystemExit(f"There is no Python {wanted} here, and none could be installed.")


def version(python: str) -> str:
    """What ``python --version`` prints; empty where that does not run."""
    try:
        return subprocess.run([python, "--version"], capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


if __name__ == "__main__":
    print(find(sys.argv[1]))
