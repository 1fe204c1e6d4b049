"""One visitor's long work and another's click, on the served app."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from recon.methods import METHODS
from tests.helpers.server import event

LONGEST = 60  # seconds until a test that hangs is a test that fails


def started_by(config, elem_id: str) -> str:
    """Name of the event of a button."""
    (button,) = (p["id"] for p in config["components"] if p["props"].get("elem_id") == elem_id)
    (one,) = (d["api_name"] for d in config["dependencies"] if [button, "click"] in d["targets"])
    return one


@pytest.fixture
def held(monkeypatch):
    """Compressed sensing that begins, and goes on when it is let go."""
    begun, go = threading.Event(), threading.Event()
    original = type(METHODS["cs"]).__call__

    def wait(self, measurement):
        begun.set()
        assert go.wait(LONGEST)
        return original(self, measurement)

    monkeypatch.setattr(type(METHODS["cs"]), "__call__", wait)
    yield begun, go
    go.set()


@pytest.mark.parametrize("busy", [1, 3])
def test_a_click_is_answered_while_others_run_long_experiments(url, held, busy):
    begun, go = held
    order = []

    def experiment(number):
        with httpx.Client(base_url=url, timeout=LONGEST) as one:
            one.get("/")
            # A mask of its own, so that nothing is known of it yet.
            values = {"side-methods": ["cs"], "seed": 1000 + 10 * busy + number}
            event(one, started_by(config, "side-look"), values, config=config)
            order.append("experiment")

    with httpx.Client(base_url=url, timeout=LONGEST) as other, ThreadPoolExecutor(busy) as pool:
        other.get("/")
        config = other.get("/config").json()
        running = [pool.submit(experiment, number) for number in range(busy)]
        assert begun.wait(LONGEST)  # in the middle of a piece of work
        session = uuid.uuid4().hex
        for seed in (501, 502):
            values = {"seed": seed + 10 * busy}
            event(other, started_by(config, "new-mask"), values, session, config)
            order.append("click")
        go.set()
        for one in running:
            one.result(LONGEST)
    assert order == ["click", "click", *["experiment"] * busy]
