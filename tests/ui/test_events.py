"""Short work goes first."""

import threading

from recon.ui.events import Turns


def test_long_work_gives_way_to_short_work():
    turns, order = Turns(), []
    waits = threading.Event()

    class Changed(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            waits.set()
            return super().wait(timeout)

    turns._changed = Changed()

    def long() -> None:
        turns.give_way()
        order.append("long")

    thread = threading.Thread(target=long)
    with turns.short():
        thread.start()
        assert waits.wait(20)
        order.append("short")
    thread.join()
    assert order == ["short", "long"]
