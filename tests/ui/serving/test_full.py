"""A full queue: who gets no place is told so in a sentence, and when to come back."""

import httpx

from recon.ui.serving import guard
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
