"""Short work goes first."""

import threading

from tests.helpers.clocks import watched_turns


def test_long_work_gives_way_to_short_work():
    (turns, waits), order = watched_turns(), []

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
