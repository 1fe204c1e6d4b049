"""A stranger who learned the path of an upload: refused everywhere, as if nothing were there."""

import json
import os
from pathlib import Path
from urllib.parse import quote

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file

from recon import phantom
from tests.helpers.server import api, call, event, upload

GONE = "please upload the file again"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("mine") / "k.npy"
    np.save(path, phantom.kspace((48, 40)))
    return path


@pytest.fixture
def owner(url):
    with httpx.Client(base_url=url, timeout=60) as visitor:
        visitor.get("/")  # which hands out the cookie
        yield visitor


@pytest.fixture
def stranger(url):
    with httpx.Client(base_url=url, timeout=60) as visitor:
        visitor.get("/")
        yield visitor


def named(path) -> dict:
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


def arguments(path) -> list:
    return [named(path), 4, 0, "zero-filled", -1]


def test_the_owner_may_and_a_stranger_may_not(owner, stranger, file, url):
    path = upload(owner, file)
    assert '"ssim"' in call(owner, arguments(path))
    for visitor in (stranger, httpx.Client(base_url=url)):
        answer = call(visitor, arguments(path))
        assert "event: error" in answer
        assert GONE in answer
        assert visitor.get(api(f"file={path}")).status_code == 403
    assert '"ssim"' in call(owner, arguments(path))
    assert owner.get(api(f"file={path}")).content == file.read_bytes()


def test_the_folder_of_an_upload_tells_nothing_of_its_content(owner, stranger, file):
    one, other = upload(owner, file), upload(stranger, file)
    assert Path(one).parent != Path(other).parent
    assert len(Path(one).parent.name) == 32


@pytest.mark.parametrize("spelling", ["meta", "plain", "nested", "url", "listed", "dots"])
def test_other_spellings_of_a_strangers_path(owner, stranger, file, spelling):
    path = upload(owner, file)
    folder = Path(path).parent
    wanted = {
        "meta": named(path),
        "plain": {"path": path},
        "nested": {"file": {"path": path}},
        "url": {"path": path, "url": f"file://{path}"},
        "listed": [{"path": path}],
        "dots": {"path": f"{folder}/../{folder.name}/k.npy"},
    }[spelling]
    answer = call(stranger, [wanted, 4, 0, "zero-filled", -1])
    assert "event: error" in answer
    assert "ssim" not in answer


@pytest.mark.parametrize("meta", [True, False])
def test_paths_of_the_server_say_the_same_whether_they_exist(owner, file, tmp_path, meta):
    answers = set()
    for path in (
        file,
        tmp_path / "nothing.npy",
        "/etc/passwd",
        os.path.relpath(file),
        "http://x/a",
    ):
        wanted: dict = {"path": str(path)}
        if meta:
            wanted["meta"] = {"_type": "gradio.FileData"}
        answers.add(call(owner, [wanted, 4, 0, "zero-filled", -1]))
    assert len(answers) == 1
    assert GONE in answers.pop()


def test_names_in_the_folder_are_no_permission(owner):
    planted = Path(os.environ["GRADIO_TEMP_DIR"]) / "planted" / "k.npy"
    planted.parent.mkdir(parents=True, exist_ok=True)
    np.save(planted, phantom.kspace((32, 32)))
    assert GONE in call(owner, arguments(planted))
    for name in (str(planted), quote(str(planted)), f"{planted.parent}/./k.npy"):
        assert owner.get(api(f"file={name}")).status_code == 403


def test_page_events_refuse_a_strangers_upload(owner, stranger, file):
    path = upload(owner, file)
    values = {"upload": {**named(path), "orig_name": "k.npy"}}
    mine, theirs = (event(one, "upload", values) for one in (owner, stranger))
    assert "k.npy" in json.dumps(mine)
    assert "k.npy" not in json.dumps(theirs)
    assert GONE in json.dumps(theirs)


def test_a_session_of_somebody_else_is_closed(owner, stranger, file):
    path = upload(owner, file)
    event(owner, "upload", {"upload": named(path)}, session="mine1")
    body = {"session_hash": "mine1", "fn_index": 0, "data": []}
    assert stranger.post(api("queue/join"), json=body).status_code == 403
    for way in ("queue/data?session_hash=mine1", "heartbeat/mine1"):
        assert stranger.get(api(way)).status_code == 403


def test_a_client_without_cookies_keeps_its_upload_to_its_session(url, file):
    def ask(session: str, acceleration: int) -> str:
        with httpx.Client(base_url=url, timeout=60) as visitor:
            visitor.event_hooks = {"response": [lambda _: visitor.cookies.clear()]}
            values = [file_data, acceleration, 0, "zero-filled", -1]
            return json.dumps(event(visitor, "reconstruct", values, session))

    with httpx.Client(base_url=url) as visitor:
        file_data = named(upload(visitor, file))
    assert '"ssim"' in ask("without-cookies", 4)
    assert '"ssim"' in ask("without-cookies", 8)
    assert GONE in ask("another", 4)
    assert httpx.get(f"{url}gradio_api/file={file_data['path']}").status_code == 403


def test_the_client_library_works_as_it_is(url, file):
    for client in (Client(url, verbose=False), Client(url, verbose=False)):
        for seed in (0, 1):
            answer = client.predict(
                handle_file(file), 4, seed, "zero-filled", -1, api_name="/reconstruct"
            )
            assert answer["file"] == "k.npy"


def test_without_cookie_and_session_an_upload_is_good_for_one_call(url, file):
    with httpx.Client(base_url=url, timeout=60) as one:
        path = upload(one, file)
    assert '"ssim"' in call(httpx.Client(base_url=url), arguments(path))
    assert GONE in call(httpx.Client(base_url=url), arguments(path))


def test_what_was_made_for_one_visitor_is_not_served_to_another(owner, stranger, file):
    path = upload(owner, file)
    event(owner, "upload", {"upload": named(path)}, session="pack1")
    answer = json.dumps(event(owner, "pack", {}, session="pack1"))
    made = json.loads(answer[answer.index('{"path"') : answer.index(', "url"')] + "}")["path"]
    assert owner.get(api(f"file={made}")).content[:2] == b"PK"
    assert stranger.get(api(f"file={made}")).status_code == 403
    assert httpx.get(str(owner.base_url) + api(f"file={made}")[1:]).status_code == 403
