"""A full queue: who gets no place is told so in a sentence, and when to come back."""

import asyncio
from types import SimpleNamespace

import httpx
from starlette.responses import JSONResponse

from recon.ui.serving import guard
from recon.ui.serving.costs import Costs
from recon.ui.serving.uploads import Store
from tests.helpers.server import api, call


def test_who_gets_no_place_is_told_when_to_come_back(url, monkeypatch):
    import app

    monkeypatch.setattr(guard, "PATIENCE", 0.1)
    with httpx.Client(base_url=url, timeout=60) as visitor:
        call(visitor, [4], "mask")  # how long work takes is known from what was done
        with monkeypatch.context() as full:
            full.setattr(app.demo._queue, "max_size", 0)
            answer = visitor.post(api("call/methods"), json={"data": []})
        assert answer.status_code == 429
        seconds = int(answer.headers["retry-after"])
        assert 10 <= seconds <= 600
        assert f"please come back in {seconds} seconds." in answer.json()["detail"]
        assert "resnet-dc" in call(visitor, [], "methods")


class Queue(list):
    max_size = 3

    def __init__(self):
        super().__init__()
        self.event_queue_per_concurrency_id = {}


def test_no_more_pass_at_once_than_there_are_places(tmp_path, monkeypatch):
    """Between a look at the queue and a place in it others look, too."""
    monkeypatch.setattr(guard, "PATIENCE", 0)
    queue, passed = Queue(), []
    event = SimpleNamespace(inputs=[], collects_event_data=False)
    blocks = SimpleNamespace(fns={0: event}, _queue=queue)
    everybody = asyncio.Event()

    async def gradio(scope, receive, send):
        passed.append(scope["path"])
        await everybody.wait()  # none of them has joined the queue yet
        queue.append(scope["path"])
        await JSONResponse({})(scope, receive, send)

    guarded = guard.Guard(gradio, Store(tmp_path / "files", 2**20), Costs())

    async def served(scope, receive, send):
        await guarded({**scope, "app": SimpleNamespace(get_blocks=lambda: blocks)}, receive, send)

    async def crowd():
        transport = httpx.ASGITransport(served)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as visitors:
            body = {"fn_index": 0, "data": []}
            asked = [
                asyncio.create_task(visitors.post(api("queue/join"), json=body)) for _ in range(9)
            ]
            while sum(task.done() for task in asked) < 6:
                await asyncio.sleep(0)
            everybody.set()
            answers = [(await task).status_code for task in asked]
            queue.clear()
            return answers, (await visitors.post(api("queue/join"), json=body)).status_code

    answers, after = asyncio.run(asyncio.wait_for(crowd(), 30))
    assert sorted(answers) == [200] * 3 + [429] * 6
    assert after == 200  # places are given back
