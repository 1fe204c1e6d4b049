"""Requests that the page never sends: what is closed, and what is refused in a sentence."""

import json
import uuid
from typing import Any

import pytest

from recon.ui.serving.guard import OPEN
from tests.helpers.server import api, call, upload

CLOSED = [
    "run/reconstruct", "run/upload", "run/show", "api/reconstruct", "api/upload", "call/upload",
    "call/pack", "call/restore", "call/v2/upload", "component_server", "process_recording",
    "vibe-code", "vibe-edit", "stream/x", "run-history/connect",
]  # fmt: skip


@pytest.mark.parametrize("path", CLOSED)
def test_nothing_goes_round_the_queue(visitor, path):
    session, dependencies = uuid.uuid4().hex, visitor.get("/config").json()["dependencies"]
    queued = next(one["id"] for one in dependencies if one["queue"])
    for more in ({}, {"fn_index": queued}, {"session_hash": session}):
        body = {"data": [], **more}
        assert visitor.post(api(path), json=body).status_code == 404


@pytest.mark.parametrize("depth", [100, 600, 100_000])
def test_values_that_lie_deep_in_each_other_are_refused_in_a_sentence(visitor, depth):
    lists = b"[" * depth + b"]" * depth
    body = b'{"data":%b,"fn_index":0,"session_hash":"deep%d"}' % (lists, depth)
    answer = visitor.post(api("queue/join"), content=body)
    assert answer.status_code < 500
    if depth > 100:
        assert answer.status_code == 400
        assert answer.json()["detail"].endswith(".")


@pytest.mark.parametrize(
    "path",
    ["deep_link?session_hash=x", "proxy=https://example.org", "file/etc/passwd", "stream/a/b/c/d",
     "dev/reload", "vibe-code", "custom_component/a/b/c/d", "runs", "profiling/traces"],
)  # fmt: skip
def test_what_the_page_does_not_need_is_closed(visitor, path):
    assert visitor.get(api(path)).status_code == 404


def test_every_open_address_is_one_of_gradio(url):
    import app

    known = {
        (method, route.path.removeprefix("/gradio_api/"))
        for route in _routes(app.demo.app.routes)
        for method in getattr(route, "methods", None) or ()
        if route.path.startswith("/gradio_api/")
    }
    assert len(known) > 30
    opened = {(method, path) for method, path in known if OPEN.fullmatch(f"{method} {path}")}
    assert ("POST", "upload") in opened
    assert ("GET", "file={path_or_url:path}") in opened
    assert 20 < len(opened) < len(known) - 20


def _routes(routes, prefix=""):
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from _routes(inner.routes)
        elif hasattr(route, "path"):
            yield route


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"[1, 2]", 400),
        (b'"text"', 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 200_000, 400),
        (b'{"data": "' + b"x" * 2**21 + b'"}', 413),
        (b'{"data": [], "session_hash": 5}', 400),
        (b'{"data": [], "session_hash": "' + b"x" * 200 + b'"}', 400),
    ],
)
def test_other_bodies_are_refused(visitor, content, status):
    kind = {"content-type": "application/json"}
    answer = visitor.post(api("queue/join"), content=content, headers=kind)
    assert answer.status_code == status
    assert answer.json()["detail"].endswith(".")


@pytest.mark.parametrize("told", [None, [], "de", 3])
def test_an_event_that_does_not_say_what_happened_is_refused(visitor, told, capfd):
    import app

    asked = {n: one for n, one in app.demo.fns.items() if one.collects_event_data}
    assert {bool(one.queue) for one in asked.values()} == {True, False}
    for number, function in asked.items():
        answer = visitor.post(
            api("queue/join" if function.queue else "run/predict"),
            json={
                "data": [None] * len(function.inputs),
                "fn_index": number,
                "session_hash": uuid.uuid4().hex,
                "event_data": told,
            },
        )
        assert answer.status_code == 400
    assert "Traceback" not in capfd.readouterr().err


ODD: list[dict[str, Any]] = [
    *({"fn_index": number, "data": []} for number in (-1, 10**9, "0", None, True, 0.5, [])),
    *({"fn_index": "SHOW", "data": data} for data in ([], [1], "x", {}, None, [0] * 500)),
    {},
]


@pytest.mark.parametrize("body", ODD, ids=str)
def test_events_that_the_page_does_not_have_are_refused(visitor, body, capfd):
    """Gradio answers them with an empty error, and a traceback in the log."""
    dependencies = visitor.get("/config").json()["dependencies"]
    show = next(one["id"] for one in dependencies if one["api_name"] == "show")
    number = show if body.get("fn_index") == "SHOW" else body.get("fn_index")
    answer = visitor.post(
        api("queue/join"), json={**body, "fn_index": number, "session_hash": uuid.uuid4().hex}
    )
    assert answer.status_code == 400
    assert answer.json()["detail"].endswith(".")
    assert "Traceback" not in capfd.readouterr().err


ARGUMENTS = [
    [None], [0], [5], ["text"], [[]], [{}], [{"path": None}], [{"path": 5}], [],
    ["FILE", None], ["FILE", "4"], ["FILE", 0], ["FILE", float("nan")], ["FILE", [4]],
    ["FILE", True],
    ["FILE", 4, None], ["FILE", 4, -1], ["FILE", 4, 0.5], ["FILE", 4, {}], ["FILE", 4, 2**70],
    ["FILE", 4, 0, None], ["FILE", 4, 0, []], ["FILE", 4, 0, "none"],
    ["FILE", 4, 0, {"path": "x"}],
    ["FILE", 4, 0, "cs", 0.5], ["FILE", 4, 0, "cs", None], ["FILE", 4, 0, "cs", float("inf")],
    ["FILE", 4, 0, "cs", -2], ["FILE", 4, 0, "cs", "1"],
]  # fmt: skip


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=lambda one: str(one)[:40])
def test_badly_typed_arguments_are_one_sentence(visitor, file, arguments, capfd):
    named = {"path": upload(visitor, file), "meta": {"_type": "gradio.FileData"}}
    answer = call(visitor, [named if one == "FILE" else one for one in arguments])
    assert "event: error" in answer
    words = json.loads(answer.split("data: ")[1])["error"]
    assert words is not None
    assert words[0].isalpha()
    assert words.endswith(".")
    for leak in ("Traceback", "site-packages", ".py", str(file.parent)):
        assert leak not in answer
    assert "Traceback" not in capfd.readouterr().err
