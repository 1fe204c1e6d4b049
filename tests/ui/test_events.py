"""Short work goes first."""

import threading

import pytest

from recon.errors import InputError
from recon.ui.events import MISTAKE, careful
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


@pytest.mark.parametrize(("error", "said"), [(InputError("No."), "No."), (KeyError("x"), MISTAKE)])
def test_what_ends_early_looks_ended(error, said):
    @careful("message", {"progress": ""})
    def work():
        yield {"progress": "1 of 2"}
        raise error

    *_, end = work()
    assert said in end.pop("message")
    assert end == {"progress": ""}
