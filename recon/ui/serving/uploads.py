"""What visitors uploaded and what was made for them: whose it is, how long it stays.

Every upload lies in a folder of its own with a name nobody can guess. That name is no permission:
a file is opened only for the visitor whose it is. Whatever the folder holds goes after `AGE`, also
what a killed server left behind.
"""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from recon.errors import InputError

AGE = 3600  # seconds a file stays; longer than any wait in the queue
UNUSED = 600  # seconds an upload stays that nothing was done with
RESERVE = 2**28  # bytes of the disk that are left to others


class FullError(InputError):
    """There is no room for another file."""

    def __init__(self) -> None:
        super().__init__("The server has no room for files just now; please try again in an hour.")


@dataclass(frozen=True)
class Visitor:
    """Who asks.

    Attributes
    ----------
    key
        The secret in the cookie, or the one that this answer hands out.
    returned
        Whether the request came with it. Command lines and client libraries often keep no
        cookies.
    """

    key: str
    returned: bool


@dataclass
class Entry:
    """A file of the folder."""

    owner: Visitor
    made: float
    session: str | None = None  # the first that named it, where the owner keeps no cookies
    used: bool = False
    upload: bool = True


@dataclass
class Store:
    """The folder, and whose files they are.

    Attributes
    ----------
    folder
        Made when it is first needed.
    quota
        Most bytes of all files together, unfinished ones included.
    forgotten
        Called with the paths of files that were deleted.
    """

    folder: Path
    quota: int
    forgotten: list[Callable[[set[str]], None]] = field(default_factory=list)
    _entries: dict[str, Entry] = field(default_factory=dict)
    _places: dict[str, int] = field(default_factory=dict)  # bytes in each, by its name
    _unfinished: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def nowhere(self) -> str:
        """A path where nothing ever lies: what a path that is not allowed is replaced by."""
        return str(self.folder / "nothing.npy")

    def begin(self) -> Path:
        """A new place for files, to be closed by `finish` or `discard`.

        Raises
        ------
        FullError
            If not even a folder can be made.
        """
        place = self.folder / secrets.token_hex(16)
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            place.mkdir(mode=0o700)
        except OSError:
            raise FullError from None
        with self._lock:
            self._places[place.name] = 0
            self._unfinished.add(place.name)
        return place

    def grow(self, place: Path, size: int) -> None:
        """Say that another `size` bytes are about to be written in a place.

        Raises
        ------
        FullError
            If that is more than there is room for.
        """
        with self._lock:
            if sum(self._places.values()) + size > self.quota:
                raise FullError
            if shutil.disk_usage(self.folder).free < size + RESERVE:
                raise FullError
            self._places[place.name] += size

    def finish(self, place: Path, files: list[Path], owner: Visitor, upload: bool = True) -> None:
        """What was written is complete, and belongs to `owner`."""
        with self._lock:
            self._places[place.name] = sum(path.stat().st_size for path in files)
            self._unfinished.discard(place.name)
            for path in files:
                self._entries[str(path)] = Entry(owner, time.time(), upload=upload)

    def discard(self, place: Path) -> None:
        """Delete a place and everything in it, and forget it."""
        with self._lock:
            shutil.rmtree(place, ignore_errors=True)
            self._places.pop(place.name, None)
            self._unfinished.discard(place.name)
            gone = {path for path in self._entries if Path(path).is_relative_to(place)}
            for path in gone:
                del self._entries[path]
        if gone:
            for forget in self.forgotten:
                forget(gone)

    def produce(self, name: str, data: bytes, owner: Visitor) -> str:
        """Write a file for one visitor alone: its path.

        Raises
        ------
        FullError
            If there is no room.
        """
        place = self.begin()
        try:
            self.grow(place, len(data))
            path = place / name
            path.write_bytes(data)
        except (OSError, FullError):
            self.discard(place)
            raise FullError from None
        self.finish(place, [path], owner, upload=False)
        return str(path)

    def opens(self, path: object, visitor: Visitor, session: str | None) -> bool:
        """Whether a visitor may have an upload read.

        An upload of a visitor who keeps cookies is theirs alone. One of a visitor who does not
        belongs to the first session that names it.
        """
        with self._lock:
            entry = self._entries.get(path) if isinstance(path, str) else None
            if entry is None or not entry.upload or not self._owns(entry, visitor):
                return False
            if visitor.returned:
                entry.owner = visitor  # who turns out to keep cookies is told by them from now on
            elif entry.used and (session is None or entry.session != session):
                return False
            else:
                entry.session = session
            entry.used = True
            return True

    def serves(self, path: str, visitor: Visitor) -> bool:
        """Whether the file route may give a file of the folder to a visitor.

        Who keeps no cookies gets what was made for them, whose name is known to them alone, and
        no uploads.
        """
        with self._lock:
            entry = self._entries.get(path)
            if entry is None or not self._owns(entry, visitor):
                return False
            return visitor.returned or not entry.upload

    @staticmethod
    def _owns(entry: Entry, visitor: Visitor) -> bool:
        if visitor.returned:
            return secrets.compare_digest(entry.owner.key, visitor.key)
        return not entry.owner.returned

    def known(self, path: str) -> bool:
        """Whether a path is that of an upload."""
        with self._lock:
            entry = self._entries.get(path)
            return entry is not None and entry.upload

    def sweep(self, now: float | None = None) -> None:
        """Delete what is older than `AGE`, known or not, and uploads that nobody used."""
        now = time.time() if now is None else now
        with self._lock:
            old = {
                Path(path).relative_to(self.folder).parts[0]
                for path, entry in self._entries.items()
                if now - entry.made > (AGE if entry.used or not entry.upload else UNUSED)
            }
            known = {Path(path).relative_to(self.folder).parts[0] for path in self._entries}
            known |= self._unfinished
        try:
            found = list(os.scandir(self.folder))
        except FileNotFoundError:
            found = []
        for item in found:
            try:
                stale = item.name not in known and now - item.stat().st_mtime > AGE
            except OSError:
                continue
            if item.name in old or stale:
                if item.is_dir(follow_symlinks=False):
                    self.discard(Path(item.path))
                else:
                    Path(item.path).unlink(missing_ok=True)

    def close(self) -> None:
        """Delete everything that came in through this store."""
        with self._lock:
            places = list(self._places)
        for name in places:
            self.discard(self.folder / name)
