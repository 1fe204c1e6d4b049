"""Hostile files are read in a process that may die of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def in_own_process(*arguments: object, walls: bool = True) -> dict:
    """What ``python -m tests.helpers.hostile`` prints, with the readers' walls or without."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.helpers.hostile", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "RECON_READ_IN_PROCESS": "0" if walls else "1"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, f"exit status {done.returncode}: {done.stderr[-2000:]}"
    return json.loads(done.stdout)
