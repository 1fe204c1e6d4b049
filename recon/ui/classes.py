"""Classes: what those with one code share for a day, in memory and nowhere else.

A class holds a leaderboard of masks and the guesses in the lessons. Nobody is in one who did not
join; a member is a browser and a nickname. All of it is bounded, and gone after a day or with the
server.
"""

from __future__ import annotations

import secrets
import threading
import time
import unicodedata
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from recon.errors import InputError

DAY = 86_400  # seconds that a class lasts
CLASSES = 200
MEMBERS = 300  # of a class
QUESTIONS = 30  # of a leaderboard
NAME = 24  # characters of a nickname
LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none of them looks like another


@dataclass(frozen=True)
class Entry:
    """A mask on the leaderboard: who, how good, and with how many lines."""

    name: str
    ssim: float
    lines: int


@dataclass
class Class:
    """What its members share; `Hashable` keys of members are never shown."""

    made: float
    owner: Hashable
    names: dict[Hashable, str] = field(default_factory=dict)
    boards: dict[str, dict[Hashable, Entry]] = field(default_factory=dict)
    guesses: dict[int, dict[Hashable, int]] = field(default_factory=dict)
    sealed: set[tuple[int, Hashable]] = field(default_factory=set)


class Classes:
    """All classes of a server.

    Parameters
    ----------
    clock
        Seconds, ever growing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._classes: dict[str, Class] = {}
        self._lock = threading.RLock()

    def start(self, owner: Hashable) -> str:
        """Begin a class: its code. One that the same person had begun ends.

        Raises
        ------
        InputError
            If there are as many as the server keeps.
        """
        with self._lock:
            self._forget()
            for code in [c for c, one in self._classes.items() if one.owner == owner]:
                del self._classes[code]
            if len(self._classes) >= CLASSES:
                empty = [code for code, one in self._classes.items() if not one.names]
                if not empty:
                    raise InputError("The server has no room for another class today.")
                del self._classes[empty[0]]  # the oldest that nobody has joined
            code = "".join(secrets.choice(LETTERS) for _ in range(6))
            self._classes[code] = Class(self._clock(), owner)
            return code

    def join(self, code: object, member: Hashable, name: object) -> str:
        """Become a member under a nickname: the code as the class has it.

        Raises
        ------
        InputError
            If there is no such class, it is full, or the nickname is empty, too long or taken.
        """
        with self._lock:
            code = code.strip().upper() if isinstance(code, str) else ""
            one, name = self._find(code), nickname(name)
            others = {known.casefold() for who, known in one.names.items() if who != member}
            if name.casefold() in others:
                raise InputError("Somebody in this class has that nickname; take another one.")
            if member not in one.names and len(one.names) >= MEMBERS:
                raise InputError(f"This class is full: it has {MEMBERS} members.")
            one.names[member] = name
            for board in one.boards.values():  # who changes the name keeps the place
                if member in board:
                    board[member] = Entry(name, board[member].ssim, board[member].lines)
            return code

    def leave(self, code: str, member: Hashable) -> None:
        """Take a member out, with all that came from there."""
        with self._lock:
            one = self._classes.get(code)
            if one is None:
                return
            one.names.pop(member, None)
            for board in one.boards.values():
                board.pop(member, None)
            for guesses in one.guesses.values():
                guesses.pop(member, None)
            one.sealed = {pair for pair in one.sealed if pair[1] != member}

    def enter(self, code: str, member: Hashable, question: str, ssim: float, lines: int) -> int:
        """Put a score on the leaderboard; a member's best one stays. The place, from 1.

        Raises
        ------
        InputError
            If the member is not in that class, or the board has too many questions.
        """
        with self._lock:
            one = self._member(code, member)
            if question not in one.boards and len(one.boards) >= QUESTIONS:
                raise InputError(f"A class compares masks on {QUESTIONS} questions at most.")
            board = one.boards.setdefault(question, {})
            if member not in board or ssim > board[member].ssim:
                board[member] = Entry(one.names[member], ssim, lines)
            return 1 + sum(other.ssim > board[member].ssim for other in board.values())

    def guess(self, code: str, member: Hashable, lesson: int, option: int) -> None:
        """Note a guess; it may be changed until it is sealed.

        Raises
        ------
        InputError
            If the member is not in that class.
        """
        with self._lock:
            one = self._member(code, member)
            if (lesson, member) not in one.sealed:
                one.guesses.setdefault(lesson, {})[member] = option

    def seal(self, code: str, member: Hashable, lesson: int) -> None:
        """Let a guess stand, now that the member knows the answer."""
        with self._lock:
            one = self._classes.get(code)
            if one is not None and member in one.names:
                one.sealed.add((lesson, member))

    def boards(self, code: str) -> dict[str, list[Entry]]:
        """Leaderboards by question, the best first.

        Raises
        ------
        InputError
            If there is no such class.
        """
        with self._lock:
            boards = self._find(code).boards
            return {
                question: sorted(board.values(), key=lambda entry: -entry.ssim)
                for question, board in boards.items()
            }

    def counts(self, code: str, lesson: int, options: int) -> list[int]:
        """How many chose each option of a lesson.

        Raises
        ------
        InputError
            If there is no such class.
        """
        with self._lock:
            given = list(self._find(code).guesses.get(lesson, {}).values())
            return [given.count(option) for option in range(options)]

    def size(self, code: str) -> int:
        """Number of members.

        Raises
        ------
        InputError
            If there is no such class.
        """
        with self._lock:
            return len(self._find(code).names)

    def _find(self, code: str) -> Class:
        self._forget()
        if code not in self._classes:
            raise InputError("There is no class with this code; a class ends after a day.")
        return self._classes[code]

    def _member(self, code: str, member: Hashable) -> Class:
        one = self._find(code)
        if member not in one.names:
            raise InputError("You are not in this class; join it first.")
        return one

    def _forget(self) -> None:
        now = self._clock()
        for code in [c for c, one in self._classes.items() if now - one.made > DAY]:
            del self._classes[code]


def nickname(text: object) -> str:
    """A stranger's word as a name: one line of visible characters.

    Raises
    ------
    InputError
        If nothing is left of it, or it is too long.
    """
    text = text if isinstance(text, str) else ""
    # Neither what breaks a line nor what turns the writing round, nor what cannot be seen.
    visible = "".join(c if unicodedata.category(c)[0] not in "CZ" else " " for c in text[:1000])
    name = " ".join(visible.split())
    marks = sum(unicodedata.category(c)[0] == "M" for c in name)
    if not 0 < len(name) <= NAME or marks > len(name) // 2:
        raise InputError(f"A nickname has 1 to {NAME} characters.")
    return name
