"""The served app: what it serves, how much at once, and what it leaves behind."""

import json
import os
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest

from recon import limits
from recon.loadtest.server import below
from recon.ui import events
from recon.ui.serving import server, sessions
from tests.helpers.clocks import Clock
from tests.helpers.server import api, call, event, upload


@pytest.fixture
def store(url):
    assert server._store is not None
    return server._store


def everything(store) -> list[Path]:
    """All that lies in Gradio's folder."""
    return [path for path in below(store.folder.parent) if path.is_file()]


def test_links_leave_no_state(visitor, file, store):
    event(visitor, "upload", {"upload": {"path": upload(visitor, file)}}, session="deep1")
    assert visitor.get(api("deep_link?session_hash=deep1")).status_code == 404
    assert not list(store.folder.parent.rglob("state.json"))


def test_an_event_leaves_nothing_on_the_disk(visitor, file, store):
    meta = {"_type": "gradio.FileData"}
    path = upload(visitor, file)
    before = everything(store)
    for _ in range(3):
        answer = event(visitor, "upload", {"upload": {"path": path, "meta": meta}})
        assert "k.npy" in json.dumps(answer)
    event(visitor, "show", {"seed": 1})
    assert everything(store) == before
    assert str(path) in map(str, before)


def raw(url: str, head: str, body: bytes) -> socket.socket:
    where = urlsplit(url)
    connection = socket.create_connection((where.hostname, where.port), 10)
    connection.sendall(head.format(host=where.netloc).encode() + body)
    return connection


FORM = (
    "POST /gradio_api/upload HTTP/1.1\r\nHost: {host}\r\n"
    "Content-Type: multipart/form-data; boundary=xyz\r\nContent-Length: 100000000\r\n\r\n"
    '--xyz\r\nContent-Disposition: form-data; name="files"; filename="k.npy"\r\n\r\n'
)


def test_what_is_broken_off_goes_at_once(url, store):
    before = everything(store)
    open_ones = [raw(url, FORM, b"x" * 300_000) for _ in range(5)]
    wait(lambda: len(everything(store)) == len(before) + 5)
    for one in open_ones:
        one.close()
    wait(lambda: everything(store) == before)
    wait(lambda: set(store._places) == {path.name for path in store.folder.iterdir()})


def wait(condition, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_full_folder_refuses_uploads_and_nothing_else(visitor, file, store, monkeypatch):
    monkeypatch.setattr(store, "quota", sum(store._places.values()) + 1000)
    sent = visitor.post(api("upload"), files={"files": ("big.npy", b"x" * 5000)})
    assert sent.status_code == 507
    assert "no room" in sent.text
    assert sent.text.startswith("The server has")
    assert len(store._places) == len(list(store.folder.iterdir()))
    verdict = json.dumps(event(visitor, "choose_example", {"example": "phantom"}))
    assert "Nominal 4x" in verdict


def test_a_full_disk_leaves_the_examples(visitor, store, monkeypatch):
    """As on a disk without a byte: nothing in the folder can be made."""
    real = os.open

    def full(path, flags, *rest, **named):
        if flags & os.O_CREAT and str(path).startswith(str(store.folder.parent)):
            raise OSError(28, "No space left on device")
        return real(path, flags, *rest, **named)

    monkeypatch.setattr(os, "open", full)
    monkeypatch.setattr(store, "quota", 0)
    assert visitor.post(api("upload"), files={"files": ("k.npy", b"xyz")}).status_code == 507
    for key in ("head", "phantom"):
        assert "Nominal 4x" in json.dumps(event(visitor, "choose_example", {"example": key}))
    answer = json.dumps(event(visitor, "pack", {}))
    assert "no room" in answer


@pytest.mark.parametrize(
    ("files", "data"),
    [
        ({}, {"files": "text, which would be kept in memory"}),
        ({"other": ("k.npy", b"x")}, {}),
        ([("files", ("a.npy", b"x")), ("files", ("b.npy", b"x"))], {}),
        ({"files": ("k.npy", b"x")}, {"more": "x"}),
    ],
    ids=["no file", "another name", "two files", "a field"],
)
def test_an_upload_is_one_file(visitor, store, files, data):
    before = everything(store)
    assert (
        visitor.post(api("upload"), files=files or {"x": (None, "y")}, data=data).status_code == 400
    )
    assert everything(store) == before


def test_names_of_uploads_stay_in_their_folder(visitor, store):
    for name in (
        "../../up.npy",
        "/etc/k.npy",
        "a/b.npy",
        "..",
        "x" * 300 + ".npy",
        "\u00e4\u00f6 k.npy",
    ):
        sent = visitor.post(api("upload"), files={"files": (name, b"x")})
        path = Path(sent.json()[0])
        assert path.parent.parent == store.folder
        assert path.resolve() == path
        assert path.read_bytes() == b"x"


@pytest.mark.parametrize(
    "asked", ["bytes=0-3", "bytes=2-", "bytes=0-1,2-3", "bytes=0-1" + ",0-1" * 2000, "bytes=a-b",
              "lines=1-2", "bytes=-", "bytes=5-2", "bytes=0-" + "9" * 30, "bytes=9999999-", ""]
)  # fmt: skip
def test_any_part_of_a_file_can_be_asked_for(visitor, file, asked):
    """A header that means nothing here is as good as none, and never an error of the server."""
    path, content = upload(visitor, file), file.read_bytes()
    answer = visitor.get(api(f"file={path}"), headers={"range": asked})
    assert answer.status_code in (200, 206, 416)
    assert answer.headers["cache-control"] == "private, no-store"
    if answer.status_code == 206:
        assert answer.content in content
    elif answer.status_code == 200:
        assert answer.content == content


def test_headers(visitor, file):
    page = visitor.get("/")
    policy = page.headers["content-security-policy"]
    for part in (
        "default-src 'self'",
        "object-src 'none'",
        "'wasm-unsafe-eval'",
        "worker-src 'self' blob:",
    ):
        assert part in policy
    path = upload(visitor, file)
    for answer in (
        page,
        visitor.get("/config"),
        visitor.get(api(f"file={path}")),
        visitor.get("/x"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert visitor.get(api(f"file={path}")).headers["cache-control"] == "private, no-store"


def test_the_cookie_is_out_of_reach_of_scripts_and_works_in_frames(url):
    plain = httpx.get(url).headers["set-cookie"]
    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    framed = httpx.get(url, headers={"x-forwarded-proto": "https"}).headers["set-cookie"]
    for part in ("HttpOnly", "Secure", "SameSite=None", "Partitioned"):
        assert part in framed
    assert plain.split(";")[0] != framed.split(";")[0]
    with httpx.Client(base_url=url) as one:
        one.get("/")
        assert "set-cookie" not in one.get("/").headers
        bad = {"cookie": "recon-visitor=short"}
        assert "set-cookie" in httpx.get(url, headers=bad).headers


def test_visits_are_small_and_forgotten(visitor, url):
    import app

    holder = app.demo.app.state_holder
    assert isinstance(holder, sessions.Sessions)
    event(visitor, "choose_example", {"example": "phantom"}, session="visit1")
    state = holder.session_data["visit1"]
    assert not state.config_values
    assert any(getattr(value, "example", None) == "phantom" for value in state.state_data.values())
    holder.time_last_used["visit1"] -= sessions.datetime.timedelta(seconds=sessions.AGE + 1)
    sessions.leave_behind(app.demo.app, server._store)
    assert "visit1" not in holder.session_data


def test_answers_that_nobody_fetches_do_not_pile_up(visitor, monkeypatch):
    """One visit that asks again and again, and never listens."""
    import app

    monkeypatch.setattr(sessions, "WAITING", 6)
    queue = app.demo._queue
    queue.pending_messages_per_session.clear()
    config = visitor.get("/config").json()
    number = next(one["id"] for one in config["dependencies"] if one["api_name"] == "mask")
    body = {"session_hash": "deaf", "fn_index": number, "data": [64, 4, 0, "random", 0]}
    for _ in range(12):
        visitor.post(api("queue/join"), json=body).raise_for_status()
    wait(lambda: len(queue) == 0 and not any(filter(None, queue.active_jobs)))
    assert 0 < queue.pending_messages_per_session["deaf"].qsize() <= 6
    assert "Nominal 4x" in json.dumps(event(visitor, "choose_example", {"example": "phantom"}))
    app.demo.app.state_holder.time_last_used["deaf"] = sessions.datetime.datetime.min
    sessions.leave_behind(app.demo.app, server._store)
    assert "deaf" not in queue.pending_messages_per_session


def test_an_answer_for_a_visit_that_was_forgotten_ends_nothing(visitor):
    """More visits than are remembered, while somebody waits: the queue must go on."""
    import app

    queue = app.demo._queue
    queue.send_message(SimpleNamespace(session_hash="gone", alive=True, _id="x"), object())
    assert "gone" not in queue.pending_messages_per_session
    assert "Nominal 4x" in json.dumps(event(visitor, "choose_example", {"example": "phantom"}))


def test_only_few_work_at_once(monkeypatch):
    turns = events.Turns()
    monkeypatch.setattr(events, "QUEUE", 0.2)
    inside, refused = [], []
    release = threading.Event()

    def work():
        try:
            with turns.piece():
                inside.append(1)
                release.wait(20)
        except events.InputError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for one in threads:
        one.start()
    wait(lambda: len(refused) == 6 - events.AT_ONCE)
    release.set()
    for one in threads:
        one.join()
    assert len(inside) == events.AT_ONCE
    assert len(refused) == 4
    assert "try again" in refused[0]


def test_too_slow_a_method_is_one_sentence_beside_the_zero_filled_image(visitor, file, monkeypatch):
    from recon.methods import METHODS

    clock = Clock()
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=clock))
    monkeypatch.setattr(limits, "SECONDS", 3.5)  # of which 3 are spared

    def slow(self, measurement):
        for _ in range(100):
            clock.goes_on(0.3)
            limits.check()

    monkeypatch.setattr(type(METHODS["cs"]), "__call__", slow)
    named = {"path": upload(visitor, file), "meta": {"_type": "gradio.FileData"}}
    answer = call(visitor, [named, 4, 61, "cs", -1])
    assert "longer than the 3.5 seconds" in answer
    shown = json.dumps(event(visitor, "show", {"method": "cs", "seed": 62}))
    assert "longer than the 3.5 seconds" in shown
    assert "zero-filled image stands in its place" in shown
