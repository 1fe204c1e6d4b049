"""How long people are told to stay away: by what waits, and not by what was done."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue as Queued
from types import SimpleNamespace

import gradio as gr
import httpx
import numpy as np
import pytest

from recon import phantom
from recon.ui import session
from recon.ui.serving import guard
from recon.ui.serving.costs import KINDS, Asked, Costs
from recon.ui.session import Choice, Origin
from tests.helpers.server import call

HEAD, COILS = Origin(example="head"), Origin(upload="coils.h5")
SIZES = {HEAD: 256 * 256, COILS: 8 * 256 * 256}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Queue:
    """As Gradio's: lines of events of one function each, and what visits have open."""

    def __init__(self, **lines: list) -> None:
        self.event_queue_per_concurrency_id = {
            name: SimpleNamespace(queue=events, concurrency_limit=1)
            for name, events in lines.items()
        }
        visits = {"visit": SimpleNamespace(state_data={7: COILS})}
        self.server_app = SimpleNamespace(state_holder=SimpleNamespace(session_data=visits))


def event(*data, line="reconstruct", number=1, inputs=(), session_hash="", alive=True):
    inputs = inputs or [SimpleNamespace()] * len(data)
    return SimpleNamespace(
        concurrency_id=line,
        fn=SimpleNamespace(_id=number, inputs=inputs),
        data=SimpleNamespace(data=list(data)),
        session_hash=session_hash,
        alive=alive,
    )


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def costs(clock):
    return Costs(clock, SIZES.get)


def finish(work) -> None:
    """Not in this thread, where another test may have left a browser's loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


def done(costs, clock, queue, seconds, *events):
    """Let events be answered, each in so many seconds."""

    async def answer(events, *arguments):
        assert arguments == (False, "begin")
        clock.now += seconds

    for one in events:
        finish(costs.timed(queue, answer, [one], False, "begin"))


def test_dear_work_that_waits_counts_as_dear(costs, clock):
    """Many clicks were cheap; sixty-four that wait are not."""
    queue = Queue(reconstruct=[event("head", "resnet") for _ in range(64)])
    done(costs, clock, queue, 0.125, *[event("head", "zero-filled")] * 200)
    done(costs, clock, queue, 2.5, event("head", "resnet"))
    assert costs.waiting(queue) == pytest.approx(64 * 2.5)
    queue = Queue(reconstruct=[event("head", "zero-filled") for _ in range(64)])
    assert costs.waiting(queue) == pytest.approx(64 * 0.125)


def test_more_coils_take_longer_where_they_are_known(costs, clock):
    page = event(None, "unet", inputs=[state(), SimpleNamespace()], session_hash="visit")
    queue = Queue(reconstruct=[page] * 3)
    first = event(HEAD, "unet", inputs=[SimpleNamespace(), SimpleNamespace()])
    done(costs, clock, queue, 0.5, first)
    assert costs.waiting(queue) == pytest.approx(3 * 0.5 * 8)
    upload = event({"path": "coils.h5"}, "unet")
    assert costs.waiting(Queue(reconstruct=[upload])) == pytest.approx(0.5 * 8)
    unknown = event({"path": "other.h5"}, "unet")
    assert costs.waiting(Queue(reconstruct=[unknown])) == pytest.approx(0.5)


def state() -> gr.State:
    found = gr.State(HEAD, render=False)
    found._id = 7
    return found


def test_what_was_never_asked_is_as_dear_as_the_dearest_that_is_alike(costs, clock):
    queue = Queue(reconstruct=[event("head", "gan")])
    assert costs.waiting(queue) == 0
    done(costs, clock, queue, 90, event("head", "gan", line="experiment", number=5))
    assert costs.waiting(queue) == 0  # of another line
    done(costs, clock, queue, 3, event("head", number=2))
    assert costs.waiting(queue) == 3  # of another event
    done(costs, clock, queue, 0.5, event("head", "cs"))
    done(costs, clock, queue, 2, event("head", "sense"))
    assert costs.waiting(queue) == 2  # by another method


def test_what_is_being_done_takes_at_least_as_long_as_so_far(costs, clock):
    """Nothing like it was ever done before, and it takes long already."""
    queue = Queue(reconstruct=[event("head", "resnet") for _ in range(10)])
    told = []

    async def slow(events, *arguments):
        for _ in range(3):
            clock.now += 4
            told.append(costs.waiting(queue))

    done(costs, clock, queue, 0.5, event("head", "cs"))
    finish(costs.timed(queue, slow, [event("head", "resnet")]))
    assert told == [40, 80, 120]
    assert costs.waiting(queue) == 120


def test_what_is_left_of_the_one_that_is_being_done_counts(costs, clock):
    queue = Queue(reconstruct=[event("head", "resnet")])
    done(costs, clock, queue, 10, event("head", "resnet"))

    async def half(events, *arguments):
        clock.now += 4
        assert costs.waiting(queue) == pytest.approx(10 + 6)

    finish(costs.timed(queue, half, [event("head", "resnet")]))


def test_lines_move_side_by_side(costs, clock):
    dear = [event("head", "resnet", line="experiment") for _ in range(2)]
    cheap = [event("head", "cs") for _ in range(4)]
    queue = Queue(reconstruct=cheap, experiment=dear)
    done(costs, clock, queue, 30, dear[0])
    done(costs, clock, queue, 1, cheap[0])
    assert costs.waiting(queue) == pytest.approx(60)


def test_who_left_did_not_make_it_cheaper_and_errors_are_counted(costs, clock):
    queue = Queue(reconstruct=[event("head", "resnet")])
    done(costs, clock, queue, 8, event("head", "resnet"))
    done(costs, clock, queue, 0, *[event("head", "resnet", alive=False)] * 50)
    assert costs.waiting(queue) == pytest.approx(8)

    async def fails(events, *arguments):
        clock.now += 12
        raise RuntimeError

    with pytest.raises(RuntimeError):
        finish(costs.timed(queue, fails, [event("head", "resnet")]))
    assert costs.waiting(queue) == pytest.approx(10)
    assert costs._running == {}


def test_a_server_that_became_quicker_is_believed(costs):
    asked = Asked(("reconstruct", 1, ("resnet",)), HEAD)
    for seconds in [100] * 500 + [1] * 200:
        costs.note(asked, seconds)
    assert costs.expected(asked) < 2


def test_little_is_remembered(costs):
    for number in range(3 * KINDS):
        costs.note(Asked(("reconstruct", number, ())), 1)
    assert len(costs._past) == KINDS


@pytest.mark.parametrize(("seconds", "told"), [(0, 10), (14, 20), (150, 150), (1e6, 600)])
def test_people_are_told_ten_seconds_to_ten_minutes(seconds, told):
    refused = guard._full(64, seconds)
    assert (refused.status, refused.after) == (429, told)
    assert refused.words.startswith("64 people")
    assert f" {told} seconds." in refused.words


def test_events_of_the_served_page_are_timed(url, monkeypatch):
    noted: Queued[tuple[Asked, int | None]] = Queued()
    original = Costs.note

    def note(self, asked, seconds):
        if asked.kind[2] == ("unet",):
            noted.put((asked, self._size(asked)))
        original(self, asked, seconds)

    monkeypatch.setattr(Costs, "note", note)
    with httpx.Client(base_url=url, timeout=60) as visitor:
        arguments = [None, 4, 77, "unet", -1, "random", 0, "rss", "columns", "phantom"]
        assert '"unet"' in call(visitor, arguments)
    asked, samples = noted.get(timeout=60)  # which happens after the answer was sent
    assert asked.kind[0] == "reconstruct"
    assert asked.origin == Origin(example="phantom")
    assert samples == phantom.kspace().size


def test_sizes_are_forgotten_with_the_file(tmp_path):
    np.save(tmp_path / "a.npy", phantom.kspace((48, 40)))
    origin = Origin(upload=str(tmp_path / "a.npy"))
    assert session.samples(origin) is None
    session.read(Choice(origin))
    assert session.samples(origin) == 48 * 40
    session.forget({origin.upload})
    assert session.samples(origin) is None
