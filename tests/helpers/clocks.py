"""Time that passes when a test says so, and turns that say when somebody waits."""

from __future__ import annotations

import threading

from recon.ui.events import Turns


class Clock:
    """Seconds that go on when they are told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def goes_on(self, seconds: float) -> None:
        self.now += seconds


def watched_turns() -> tuple[Turns, threading.Event]:
    """Turns, and whether anybody has begun to wait for one."""
    turns, waits = Turns(), threading.Event()

    class Changed(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            waits.set()
            return super().wait(timeout)

    turns._changed = Changed()
    return turns, waits
