"""What may go wrong while people are served: each scene says what became of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import httpx
from gradio_client import Client

from recon.loadtest.server import Server
from recon.loadtest.visitors import Answers, Question, connected, together

CALL = "/gradio_api/call/reconstruct"


def _arguments(seed: int, method: str) -> dict[str, Any]:
    """Of the interface, by position: the built-in head, so that nothing is uploaded."""
    return {"data": [None, 4, seed, method, -1, "random", 0, "rss", "columns", "head"]}


def leavers(url: str, count: int) -> dict[str, Any]:
    """People who close the page while they are being served; then somebody who stays."""

    def leave(number: int) -> None:
        with httpx.Client(base_url=url, timeout=120) as visitor:
            event = visitor.post(CALL, json=_arguments(1000 + number, "resnet-dc")).json()[
                "event_id"
            ]
            with visitor.stream("GET", f"{CALL}/{event}"):
                pass  # and gone

    together([lambda n=n: leave(n) for n in range(count)])  # type: ignore[misc]
    answers = Answers()
    answers.ask(connected(url), Question(example="head"))
    answers.judge()
    return {"left": count, **answers.report()}


def full_queue(url: str, count: int) -> dict[str, Any]:
    """More people at once than may wait: who is sent away is told when to come back."""
    answers: Counter[int] = Counter()
    told: list[tuple[str, str]] = []

    def come(number: int) -> None:
        with httpx.Client(base_url=url, timeout=120) as visitor:
            answer = visitor.post(CALL, json=_arguments(2000 + number, "resnet"))
            answers[answer.status_code] += 1
            if answer.status_code != 200:
                told.append((str(answer.json()["detail"]), answer.headers.get("retry-after", "")))

    together([lambda n=n: come(n) for n in range(count)])  # type: ignore[misc]
    after = Answers()
    after.ask(connected(url), Question(example="phantom", method="zero-filled"))
    after.judge()
    return {
        "came": count,
        "taken": answers[200],
        "sent_away": count - answers[200],
        "told": sorted(set(told))[:3],
        "afterwards": after.report(),
    }


def weights(server: Server) -> dict[str, Any]:
    """Weights are removed and damaged under a running server, and put back."""
    client = connected(server.url)
    found: dict[str, Any] = {}
    checkpoints = server.home / "checkpoints"
    removed = {path: path.read_bytes() for path in (checkpoints / "unet").glob("*.safetensors")}
    # One that nobody asked for yet: of others the server may remember the network itself.
    damaged = checkpoints / "gan-8x" / "model.safetensors"
    whole = damaged.read_bytes()
    for path in removed:
        path.unlink()
    middle = len(whole) // 2
    damaged.write_bytes(whole[:middle] + bytes(64) + whole[middle + 64 :])
    gone = Question(example="phantom", method="unet")
    broken = Question(example="phantom", method="gan", acceleration=8)
    for name, question in (
        ("removed", gone), ("damaged", broken), ("others", Question(example="phantom")),
    ):  # fmt: skip
        found[name] = _asked(client, question)
    for path, content in removed.items():
        path.write_bytes(content)
    damaged.write_bytes(whole)
    found["put_back"] = [_asked(client, question) for question in (gone, broken)]
    return found


def full_disk(server: Server, file: str) -> dict[str, Any]:
    """Not one byte can be written: uploads are refused, what needs none goes on."""
    client = connected(server.url)
    upload = Question(file=file, method="zero-filled")
    example = Question(example="phantom", method="zero-filled", seed=7)
    server.fill_the_disk(True)
    try:
        found = {"upload": _asked(client, upload), "example": _asked(client, example)}
    finally:
        server.fill_the_disk(False)
    return {**found, "afterwards": _asked(client, upload)}


def uploads(url: str, files: list[str], count: int) -> dict[str, Any]:
    """One upload after another."""
    answers = Answers()
    client = connected(url)
    for number in range(count):
        file = files[number % len(files)]
        answers.ask(client, Question(file=file, method="zero-filled", seed=number))
    answers.judge()
    return answers.report()


def _asked(client: Client, question: Question) -> str:
    """In a word or a sentence, what became of one question."""
    answers = Answers()
    answers.ask(client, question)
    answers.judge()
    return (["right"] * answers.right + answers.wrong + answers.refused + answers.failed)[0]


def sentence(words: str) -> bool:
    """Whether this is what a person can be told: a sentence, without a path or a traceback."""
    return words.endswith(".") and "Traceback" not in words and "/" not in words
