"""Weights from a Hub: the real client against a server of its protocol on this machine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import torch
from huggingface_hub import HfApi, constants

import recon
from recon import cli, examples, models, phantom, weights
from recon.weights import Config, Store, WeightsError, hub
from tests.helpers.hub import TOKEN, connect, serve

# The client's own way to upload, of which its HTTP library disapproves.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

REPO = "org/small"
OPTIONS = {"features": 4, "coarse": 4, "memory": 1, "steps": 1}


@pytest.fixture
def server(tmp_path, monkeypatch):
    """An empty Hub, an empty cache, and the client set to them, as HF_ENDPOINT would."""
    with serve() as running:
        connect(running.url, tmp_path, monkeypatch)
        monkeypatch.setattr(hub, "TIMEOUT", 2)
        yield running


def network(seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    made = models.build("resnet-dc", **OPTIONS)
    for tensor in made.parameters():
        torch.nn.init.normal_(tensor, std=0.05)
    return made.eval()


def push(server, tmp_path, seed: int = 0, private: bool = False) -> str:
    """Upload a small network, by the client; its commit."""
    folder = tmp_path / f"made-{seed}"
    Store(tmp_path).save(folder.name, network(seed), Config("resnet-dc", None, options=OPTIONS))
    (folder / "record.json").write_text("{}")
    api = HfApi(token=TOKEN)
    api.create_repo(REPO, private=private, exist_ok=True)
    operations = [
        huggingface_hub.CommitOperationAdd(path.name, path) for path in sorted(folder.iterdir())
    ]
    return api.create_commit(REPO, operations, commit_message="weights").oid


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)


def test_published_weights_come_back(server, tmp_path):
    commit = push(server, tmp_path)
    for words in (REPO, f"{REPO}@{commit}", f"{REPO}@main"):
        read = recon.from_pretrained(words)
        assert same(read, network(0))
        assert not read.training
    assert same(recon.from_pretrained(REPO, revision=commit), network(0))


def test_a_revision_is_that_revision_even_after_the_branch_moved(server, tmp_path):
    first = push(server, tmp_path, seed=1)
    assert same(recon.from_pretrained(REPO), network(1))
    second = push(server, tmp_path, seed=2)
    assert first != second
    assert same(recon.from_pretrained(REPO), network(2))
    assert same(recon.from_pretrained(REPO, first), network(1))
    assert Store.of(REPO).named[0][0] == f"{REPO}@{second}"


def test_a_pinned_revision_in_the_cache_asks_nobody(server, tmp_path):
    commit = push(server, tmp_path)
    Store.of(f"{REPO}@{commit}")
    asked = len(server.requests)
    assert same(recon.from_pretrained(REPO, commit), network(0))
    assert len(server.requests) == asked


def cut_off(server, monkeypatch, way: str) -> None:
    if way == "switched off":
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    elif way == "no line":
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        monkeypatch.setattr(constants, "ENDPOINT", url)
        template = url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    else:
        server.fail(".", 503)


WAYS = ["switched off", "no line", "server error"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("words", [REPO, f"{REPO}@main", "commit"])
def test_without_a_connection_the_cache_serves(server, tmp_path, monkeypatch, way, words):
    commit = push(server, tmp_path)
    Store.of(REPO)
    cut_off(server, monkeypatch, way)
    store = Store.of(f"{REPO}@{commit}" if words == "commit" else words)
    assert same(store.load(store.nearest("resnet-dc", 4)), network(0))


@pytest.mark.parametrize(
    ("way", "sentence"),
    [("switched off", "reached"), ("no line", "reached"), ("server error", "503")],
)
def test_without_connection_and_cache_there_is_a_sentence(
    server, tmp_path, monkeypatch, way, sentence
):
    commit = push(server, tmp_path)
    cut_off(server, monkeypatch, way)
    for words in (REPO, f"{REPO}@{commit}"):
        refused(words, sentence)


def refused(words: str, sentence: str) -> None:
    """One sentence, without address, path or line break."""
    with pytest.raises(WeightsError, match=sentence) as caught:
        Store.of(words)
    text = str(caught.value)
    assert text.endswith(".")
    assert not any(word in text for word in ("\n", "http:", "/tmp", "127.0.0.1", "Error"))


def test_a_file_that_breaks_off_is_refused_and_mends_itself(server, tmp_path):
    push(server, tmp_path)
    server.cut("model.safetensors", 1000)
    refused(REPO, "broke off")
    server.mend()
    assert same(recon.from_pretrained(REPO), network(0))


def test_weights_with_another_hash_are_refused_every_time(server, tmp_path):
    push(server, tmp_path)
    server.corrupt("model.safetensors")
    for _ in range(2):
        refused(REPO, "SHA-256")
    server.mend()
    assert same(recon.from_pretrained(REPO), network(0))


def test_a_damaged_cache_is_filled_again(server, tmp_path):
    commit = push(server, tmp_path)
    folder = Store.of(REPO).named[0][1]
    path = (folder / "model.safetensors").resolve()
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert same(recon.from_pretrained(REPO, commit), network(0))


def test_a_private_repository_needs_a_token(server, tmp_path, monkeypatch):
    push(server, tmp_path, private=True)
    refused(REPO, "private")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert same(recon.from_pretrained(REPO), network(0))


@pytest.mark.parametrize("path", ["/resolve/main/config.json", "/api/models/", "safetensors"])
def test_no_access(server, tmp_path, path):
    push(server, tmp_path)
    server.fail(path, 401)
    refused(REPO, "private")


def test_what_is_not_there(server, tmp_path):
    push(server, tmp_path)
    refused("org/none", "There is no org/none")
    refused(f"{REPO}@none", "no revision 'none'")
    refused(f"{REPO}@{'0' * 40}", "no revision")
    HfApi(token=TOKEN).create_repo("org/empty")
    refused("org/empty", "no checkpoint")
    for words in ("none", "a/b/c", "org/--x", "", "org/x@", "/nowhere", "org/..", "-/-"):
        with pytest.raises(WeightsError):
            Store.of(words)


def test_too_many_requests_are_repeated_after_the_pause(server, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(hub.time, "sleep", pauses.append)
    push(server, tmp_path)
    server.fail("GET /api/models", 429, times=2, Retry_After="7")
    assert same(recon.from_pretrained(REPO), network(0))
    assert [pause for pause in pauses if pause] == [7, 7]


def test_too_many_requests_for_long(server, tmp_path, monkeypatch):
    monkeypatch.setattr(hub.time, "sleep", lambda _: None)
    push(server, tmp_path)
    server.fail("GET /api/models", 429, Retry_After="3600")
    refused(REPO, "too often")
    server.mend()
    server.fail(".", 429)
    refused(REPO, "too often")


def test_a_server_that_fails_twice_is_asked_again(server, tmp_path, monkeypatch):
    monkeypatch.setattr(hub.time, "sleep", lambda _: None)
    push(server, tmp_path)
    server.fail("GET /api/models", 502, times=2)
    assert same(recon.from_pretrained(REPO), network(0))


def test_a_slow_line_shows_how_far_it_is(server, tmp_path, monkeypatch, capsys):
    push(server, tmp_path)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    server.delay("model.safetensors", 0.15)
    assert same(recon.from_pretrained(REPO), network(0))
    bar = capsys.readouterr().err
    assert "model.safetensors" in bar
    assert "100%" in bar


def test_a_checkpoint_that_is_too_large_is_not_downloaded(server, tmp_path, monkeypatch):
    push(server, tmp_path)
    monkeypatch.setattr(hub, "HEAVIEST", 1000)
    refused(REPO, "GB")
    assert not any("safetensors" in request for request in server.requests)


def test_a_persons_own_weights_come_before_those_that_ship(server, tmp_path):
    push(server, tmp_path)
    store = Store.of(REPO)
    assert store.nearest("resnet-dc", 4).startswith(REPO)
    assert store.nearest("resnet", 4) == "resnet-4x"
    assert same(store.load(store.nearest("resnet-dc", 4)), network(0))
    assert set(Store().names()) < set(store.names())


@pytest.mark.parametrize("alone", [True, False])
def test_a_folder_does_as_well(tmp_path, alone):
    Store(tmp_path).save("mine", network(3), Config("resnet-dc", None, options=OPTIONS))
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged/config.json").write_text("[]")
    words = str(tmp_path / "mine") if alone else str(tmp_path)
    store = Store.of(words)
    assert store.nearest("resnet-dc", 4) == "mine"
    assert same(recon.from_pretrained(words), network(3))
    assert Store.of(Path(words)) == store
    (tmp_path / "mine/model.safetensors").unlink()
    refused_folder = pytest.raises(WeightsError, match="no checkpoint")
    with refused_folder:
        Store.of(words)


@pytest.mark.parametrize("words", [None, "", 5, ["resnet-dc"]])
def test_what_names_nothing_is_a_sentence(words):
    with pytest.raises(WeightsError, match="names no weights"):
        recon.from_pretrained(words)


def test_the_environment_names_weights_and_none_take_their_place(tmp_path, monkeypatch):
    Store(tmp_path).save("mine", network(3), Config("resnet-dc", None, options=OPTIONS))
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path))
    weights.use(None)
    try:
        assert weights.default().nearest("resnet-dc", 4) == "mine"
        kspace = examples.load("phantom")
        ours = recon.reconstruct(kspace).image
        weights.use(Store())
        assert abs(ours - recon.reconstruct(kspace).image).max() > 1e-3
        monkeypatch.setenv(weights.VARIABLE, str(tmp_path / "nowhere"))
        weights.use(None)
        with pytest.raises(WeightsError, match="nowhere"):
            recon.reconstruct(kspace)
    finally:
        weights.use(None)


def test_a_networks_own_methods_go_there_and_back(server, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    network(5).push_to_hub(REPO)
    for read in (models.ResNetDC.from_pretrained(REPO), recon.from_pretrained(REPO)):
        assert same(read, network(5))
    network(6).save_pretrained(tmp_path / "mine")
    assert same(models.ResNetDC.from_pretrained(tmp_path / "mine"), network(6))
    assert same(recon.from_pretrained(str(tmp_path / "mine")), network(6))


def test_a_network_refuses_what_is_not_its_own(tmp_path):
    folder = tmp_path / "mine"
    network(6).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"memory": 2}))
    with pytest.raises(RuntimeError, match="size mismatch"):
        models.ResNetDC.from_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(config | {"sha256": "0" * 64}))
    with pytest.raises(ValueError, match="SHA-256"):
        models.ResNetDC.from_pretrained(folder)


def test_the_command_line_takes_weights_from_the_hub(server, tmp_path, capsys):
    commit = push(server, tmp_path)
    np.save(tmp_path / "scan.npy", phantom.kspace((48, 40)))
    words = ["--out", str(tmp_path / "out"), str(tmp_path / "scan.npy")]
    try:
        assert cli.main([*words, "--weights", f"{REPO}@{commit}"]) == 0
        ours = json.loads((tmp_path / "out/metrics.json").read_text())[0]["ssim"]
        weights.use(None)
        assert cli.main(words) == 0
        assert ours != json.loads((tmp_path / "out/metrics.json").read_text())[0]["ssim"]
        capsys.readouterr()
        assert cli.main([*words, "--weights", "org/none"]) == 1
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
        assert "There is no org/none" in said.err
    finally:
        weights.use(None)


def test_the_environment_is_read_by_a_new_process(server, tmp_path):
    """With no patch at all: endpoint, cache and weights chosen by environment variables."""
    commit = push(server, tmp_path)
    np.save(tmp_path / "scan.npy", phantom.kspace((48, 40)))
    words = [sys.executable, "-m", "recon", "scan.npy", "--out", "out"]
    settings = {
        "HF_ENDPOINT": server.url,
        "HF_HOME": str(tmp_path / "home"),
        "RECON_WEIGHTS": f"{REPO}@{commit}",
        "PYTHONPATH": str(Path(recon.__file__).parents[1]),
    }

    def run(**more: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **settings, **more}
        return subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
        )

    first = run()
    assert first.returncode == 0, first.stderr
    score = json.loads((tmp_path / "out/metrics.json").read_text())[0]["ssim"]
    asked = len(server.requests)
    again = run(HF_HUB_OFFLINE="1")
    assert again.returncode == 0, again.stderr
    assert json.loads((tmp_path / "out/metrics.json").read_text())[0]["ssim"] == score
    assert len(server.requests) == asked
    empty = run(HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path / "elsewhere"))
    assert empty.returncode == 1
    assert "cannot be reached" in empty.stderr
    assert "Traceback" not in empty.stderr
