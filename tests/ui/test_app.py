"""The served app without a browser: its interface, its start, what it refuses."""

import os
import re
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

import recon
from recon import phantom, weights
from recon.loadtest.server import Server
from recon.methods import METHODS
from recon.methods.networks import published
from recon.ui import events, html, session
from recon.ui.session import Choice, Origin

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def client(url):
    return Client(url, verbose=False)


def test_interface_answers_as_the_library_does(client, tmp_path):
    kspace = phantom.kspace((96, 80), seed=2)
    np.save(tmp_path / "k.npy", kspace)
    answer = client.predict(
        handle_file(tmp_path / "k.npy"), 8, 3, "zero-filled", -1, api_name="/reconstruct"
    )
    expected = recon.reconstruct(kspace, 8, 3, "zero-filled").record()
    for name in ("ssim", "psnr", "nmse", "achieved_acceleration", "lines_measured"):
        assert answer[name] == pytest.approx(expected[name], rel=1e-6)
    assert answer["file"] == "k.npy"


def test_wrong_upload_is_one_sentence(client, tmp_path):
    (tmp_path / "text.npy").write_text("hello")
    with pytest.raises(AppError) as caught:
        client.predict(handle_file(tmp_path / "text.npy"), api_name="/reconstruct")
    assert str(tmp_path) not in str(caught.value)
    assert "Traceback" not in str(caught.value)


def call(url: str, arguments: list) -> str:
    """Call the interface as a stranger would, without the client's own checks."""
    address = f"{url.rstrip('/')}/gradio_api/call/reconstruct"
    event = httpx.post(address, json={"data": arguments}).json()["event_id"]
    return httpx.get(f"{address}/{event}", timeout=60).text


@pytest.mark.parametrize("how", ["absolute", "relative"])
def test_files_of_the_server_cannot_be_named(url, tmp_path, how):
    path = tmp_path / "k.npy"
    np.save(path, phantom.kspace((32, 32)))  # a good file, but never uploaded
    named = str(path) if how == "absolute" else os.path.relpath(path)
    file = {"path": named, "meta": {"_type": "gradio.FileData"}}
    answer = call(url, [file, 4, 0, "zero-filled", -1])
    assert "event: error" in answer
    assert "ssim" not in answer


@pytest.mark.parametrize(
    "arguments",
    [
        [None, 4, 0, "zero-filled", -1],
        ["text", 4, 0, "zero-filled", -1],
        [{"path": "x", "meta": {"_type": "gradio.FileData"}}, "4", {}, [], "a"],
        [],
    ],
)
def test_nonsense_calls_leak_nothing(url, arguments):
    answer = call(url, arguments)
    assert "event: error" in answer
    for leak in ("Traceback", str(ROOT), "site-packages", ".py"):
        assert leak not in answer


def test_missing_weights_leave_the_zero_filled_image_and_a_sentence(monkeypatch, tmp_path):
    nothing = published("resnet-dc", "ResNet-DC", weights.Store(tmp_path))
    monkeypatch.setitem(METHODS, "resnet-dc", nothing)
    result, notice = session.attempt(Choice(Origin(example="phantom"), seed=77))
    assert "missing" in notice
    assert "train.py" in notice
    np.testing.assert_array_equal(result.image, result.zero_filled)
    assert "missing from the checkpoints folder" in html.verdict(result, notice)


def test_an_upload_that_has_expired_is_asked_for_again(tmp_path):
    with pytest.raises(recon.InputError, match="upload the file again"):
        session.run(Choice(Origin(upload=str(tmp_path / "gone.npy"))))


def test_mistakes_of_ours_keep_the_page(caplog):
    import gradio as gr

    place = gr.HTML()

    @events.careful(place)
    def event():
        raise KeyError("secret detail")

    answer = event()
    assert list(answer) == [place]
    assert "secret" not in answer[place]
    assert "secret detail" in caplog.text


def test_names_of_files_are_escaped():
    source = recon.Source(name="<img src=x onerror=alert(1)>.npy", notes=("<b>note</b>",))
    kspace = recon.KSpace(phantom.kspace((32, 32)), source)
    result = recon.reconstruct(kspace, 4, method="zero-filled")
    for text in (html.verdict(result), html.message(source.name)):
        assert "<img src=x" not in text
        assert "<b>note" not in text


def test_results_are_remembered_without_their_kspace():
    choice = Choice(Origin(example="phantom"), method="zero-filled", seed=3)
    result = session.run(choice)
    assert session.run(choice) is result
    size = sum(getattr(v, "nbytes", 0) for v in vars(result).values())
    assert size < 5 * 4 * 320 * 320


def test_start_and_memory(tmp_path):
    """1.2 GiB must hold; 8 s on an idle machine is printed, for that depends on the machine."""
    np.save(tmp_path / "k.npy", phantom.kspace((320, 320)))
    start = time.perf_counter()
    with Server(tmp_path) as server:
        seconds = time.perf_counter() - start
        client = Client(server.url, verbose=False)
        for seed in range(3):
            client.predict(handle_file(tmp_path / "k.npy"), 4, seed, api_name="/reconstruct")
        status = Path(f"/proc/{server.process.pid}/status")
        words = status.read_text() if status.exists() else ""
    if not words:
        pytest.skip("memory is read from /proc")
    peak = int(re.search(r"VmHWM:\s+(\d+)", words)[1]) / 2**20
    print(f"first page after {seconds:.1f} s, peak memory {peak:.2f} GiB")
    assert peak < 1.2
