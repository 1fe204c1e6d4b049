"""Scans that are several files: packed into one for the time of reading.

A process that reads is given one open file and can open no other. So a Bruker folder, or a BART
pair of which one half is named, becomes a zip archive, as it would be uploaded.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from recon.errors import InputError
from recon.readers.bruker import DATA

BRUKER = ("acqp", "method")
BART = (".cfl", ".hdr")


def parts(path: Path) -> list[Path]:
    """The files that belong to a scan; none where it is one file alone."""
    if path.is_dir():
        found = [path / name for name in (*DATA, *BRUKER) if (path / name).is_file()]
        return found if len(found) > len(BRUKER) else []
    if path.suffix in BART:
        pair = [path.with_suffix(suffix) for suffix in BART]
        return pair if all(one.is_file() for one in pair) else []
    return []


def is_scan(folder: Path) -> bool:
    """Whether a folder is one scan, and no folder of scans."""
    return folder.is_dir() and bool(parts(folder))


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """One file with all that belongs to a scan: `path` itself where that is all."""
    found = parts(path)
    if not found:
        yield path
        return
    with ExitStack() as stack:
        try:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            packed = folder / "scan.zip"
            with zipfile.ZipFile(packed, "w") as archive:  # stored: read in place, at once
                for one in found:
                    archive.write(one, f"scan/{one.name}")
        except OSError as error:
            raise InputError(
                f"The files of this scan could not be copied into one ({error.strerror}); a zip of "
                f"them is accepted."
            ) from None
        yield packed
