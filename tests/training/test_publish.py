"""Publishing a checkpoint to a Hub on this machine, and what its card says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard, constants

import recon
from recon import models, phantom, weights
from recon.methods import METHODS
from recon.training import cards, publish
from recon.training.hub_card import benchmark_rows, hub_card
from recon.weights import Config, Store
from tests.helpers.hub import TOKEN, connect, serve

ROOT = Path(recon.__file__).parents[1]
REPO = "org/resnet-small"
OPTIONS = {"features": 4, "blocks": [2]}

# The client's own way to upload, of which its HTTP library disapproves.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.fixture
def server(tmp_path, monkeypatch):
    with serve() as running:
        connect(running.url, tmp_path, monkeypatch)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield running


@pytest.fixture
def folder(tmp_path):
    """A checkpoint in several files, with a record."""
    place = tmp_path / "checkpoints"
    torch.manual_seed(0)
    network = models.build("resnet", **OPTIONS)
    for tensor in network.parameters():
        torch.nn.init.normal_(tensor, std=0.05)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recon.weights.checkpoint.LARGEST", 700)
        Store(place).save("small", network, Config("resnet", 4.0, options=OPTIONS))
    record = Store().record("resnet-4x")
    (place / "small/record.json").write_text(json.dumps(record))
    return place


def run(capsys, *words) -> tuple[int, str, str]:
    status = publish.main([str(word) for word in words])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_nothing_is_sent_without_yes(server, folder, capsys):
    status, out, err = run(capsys, "small", "--repo-id", REPO, "--out", folder)
    assert (status, err, server.requests) == (0, "", [])
    for words in ("model.safetensors", "model-index", "Nothing was sent"):
        assert words in out


@pytest.mark.parametrize("private", [[], ["--private"]])
def test_what_is_published_comes_back(server, folder, capsys, monkeypatch, private):
    status, out, _ = run(capsys, "small", "--repo-id", REPO, "--out", folder, "--yes", *private)
    assert status == 0
    commit = re.search(f"{REPO}@([0-9a-f]{{40}})", out)[1]
    repository = server.repositories[REPO]
    assert repository.private == bool(private)
    assert set(repository.commits[commit]) == {
        "README.md", "config.json", "model.safetensors", "record.json",
    }  # fmt: skip
    read, written = recon.from_pretrained(REPO, commit), Store(folder).load("small")
    for one, other in zip(read.parameters(), written.parameters(), strict=True):
        assert torch.equal(one, other)
    assert Store.of(REPO).config(f"{REPO}@{commit}").acceleration == 4
    network = models.ResNet.from_pretrained(REPO)
    assert torch.equal(network.head.weight, written.head.weight)
    (collection,) = server.collections.values()
    assert [item["id"] for item in collection["items"]] == [REPO]
    assert len(collection["description"]) <= 150
    if private:
        connect(server.url, folder, monkeypatch)  # somebody else, elsewhere
        with pytest.raises(recon.WeightsError, match="private"):
            Store.of(f"{REPO}@main")


def test_publishing_again_adds_a_commit_and_no_second_entry(server, folder, capsys):
    words = ("small", "--repo-id", REPO, "--out", folder, "--yes")
    first = run(capsys, *words)[1]
    (folder / "small/loss.csv").write_text("step,loss,ssim\n")
    second = run(capsys, *words)[1]
    assert first != second
    (collection,) = server.collections.values()
    assert len(collection["items"]) == 1


def test_what_is_to_be_private_is_never_added_to_something_public(server, folder, capsys):
    words = ("small", "--repo-id", REPO, "--out", folder, "--yes")
    run(capsys, *words)
    commits = len(server.repositories[REPO].commits)
    status, _, err = run(capsys, *words, "--private")
    assert status == 1
    assert "is public" in err
    assert len(server.repositories[REPO].commits) == commits


@pytest.mark.parametrize(
    ("pattern", "code", "sentence"),
    [
        ("repos/create", 401, "does not let you write"),
        ("repos/create", 403, "does not let you write"),
        ("/commit/", 500, "cannot answer"),
        ("PUT /lfs", 503, "cannot answer"),
        ("preupload", 429, "too often"),
        ("/api/collections", 403, "does not let you write"),
    ],
)
def test_each_failure_is_one_sentence(server, folder, capsys, pattern, code, sentence):
    server.fail(pattern, code)
    status, _, err = run(capsys, "small", "--repo-id", REPO, "--out", folder, "--yes")
    assert status == 1
    assert sentence in err.splitlines()[-1]
    assert "Traceback" not in err


def test_no_token_and_no_line(server, folder, capsys, monkeypatch):
    words = ("small", "--repo-id", REPO, "--out", folder, "--yes")
    monkeypatch.delenv("HF_TOKEN")
    assert "does not let you write" in run(capsys, *words)[2]
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "cannot be reached" in run(capsys, *words)[2]


def test_what_cannot_be_published(folder, capsys):
    assert "missing" in run(capsys, "none", "--repo-id", REPO, "--out", folder)[2]
    with pytest.raises(SystemExit):
        publish.main(["small", "--repo-id", "no slash"])
    record = (folder / "small/record.json").read_text()
    (folder / "small/record.json").unlink()
    assert "record" in run(capsys, "small", "--repo-id", REPO, "--out", folder)[2]
    (folder / "small/record.json").write_text(record)
    path = folder / "small/model-1.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert "damaged" in run(capsys, "small", "--repo-id", REPO, "--out", folder)[2]


def test_a_network_that_is_no_method_is_not_published(capsys):
    assert "no method" in run(capsys, "resnet-dc-small", "--repo-id", REPO)[2]


METHODS_THAT_SHIP = [n for n in Store().names() if Store().config(n).architecture in METHODS]


@pytest.mark.parametrize("name", METHODS_THAT_SHIP)
def test_cards_of_all_that_ships(name):
    """Metadata the Hub accepts, numbers from record and benchmark, no gaps."""
    store = Store()
    config, record = store.config(name), store.record(name)
    rows = benchmark_rows(store.folder / "benchmark.csv")
    card = ModelCard(str(hub_card(f"org/{name}", config, record, rows)))
    data = card.data.to_dict()
    assert data["license"] == "mit"
    assert data["pipeline_tag"] == "image-to-image"
    assert data["datasets"]
    results = card.data.eval_results  # type: ignore[attr-defined]
    rates = (4, 8) if config.acceleration is None else (config.acceleration,)
    told = {
        r.dataset_type: r.metric_value
        for r in results
        if (r.metric_type, r.dataset_config) == ("ssim", f"{rates[0]:g}x")
    }
    if config.several:  # nearly all scans of the benchmark have one coil
        tests = [row for row in record["test"] if row["acceleration"] == rates[0]]
        slices = [row["slices"] for row in tests]
        own = np.average([row["network"]["ssim"] for row in tests], weights=slices)
        assert told == {"open_ms": pytest.approx(own, abs=1e-4)}
    else:
        assert len(results) == 3 * 3 * len(rates)  # sets, scores, accelerations
        method = name.partition("-4x")[0].partition("-8x")[0]
        method += "-original" if "original" in name else ""
        ours = [
            float(row["ssim"])
            for row in rows
            if (row["set"], row["condition"], row["method"], float(row["acceleration"]))
            == ("low-field", "random", method, rates[0])
        ]
        assert told["low-field"] == pytest.approx(np.mean(ours), abs=1e-4)
    assert ("QMRITools" in data["datasets"]) == ("legs" in record["data"]["splits"]["train"])
    assert config.sha256 in card.text
    assert record["command"] in card.text
    gentlest = record["run"].get("gentlest", 3.0)
    trained = f"{rates[0]:g}x" if config.acceleration else f"{gentlest:g}x to 10x"
    assert f"**Accelerations in training**: {trained}\n" in card.text
    assert "Not for diagnosis" in card.text
    assert "{" not in card.text


@pytest.mark.parametrize(
    "path", sorted(Store().folder.glob("*/record.json")), ids=lambda p: p.parent.name
)
def test_the_card_in_a_folder_is_what_its_record_says(path):
    record = json.loads(path.read_text("utf-8"))
    shipped = path.with_name("README.md").read_text("utf-8")
    assert shipped == cards.card(path.parent.name, record)


def test_without_a_benchmark_the_runs_own_test_speaks():
    store = Store()
    card = hub_card("org/x", store.config("resnet-dc"), store.record("resnet-dc"))
    results = card.data.eval_results  # type: ignore[attr-defined]
    means = {(r.dataset_config, r.metric_type): r.metric_value for r in results}
    folder = (store.folder / "resnet-dc/README.md").read_text("utf-8")
    for rate in ("4x", "8x"):
        (row,) = re.findall(rf"\| all \| {rate} \|.*", folder)
        assert f"| {means[rate, 'ssim']:.4f} |" in row


def test_the_cards_example_runs(server, folder, capsys, tmp_path, monkeypatch):
    """The code of the card, as somebody copies it, and the command below it."""
    run(capsys, "small", "--repo-id", REPO, "--out", folder, "--yes")
    text = (
        server.repositories[REPO]
        .commits[server.repositories[REPO].branches["main"]]["README.md"]
        .decode()
    )
    code = re.search(r"```python\n(.*?)```", text, re.S)[1]
    np.save(tmp_path / "scan.npy", phantom.kspace((48, 40)))
    monkeypatch.chdir(tmp_path)
    try:
        exec(compile(code, "card", "exec"), {})
        assert "ssim" in capsys.readouterr().out
    finally:
        weights.use(None)
    command = re.search(r"`python -m (recon scan.npy [^`]*)`", text)[1]
    environment = {
        **os.environ,
        "HF_ENDPOINT": server.url,
        "HF_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-m", *command.split()], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "resnet" in done.stdout


def test_train_py_leads_there(folder):
    done = subprocess.run(
        [sys.executable, "train.py", "publish", "small", "--repo-id", REPO, "--out", folder],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Nothing was sent" in done.stdout
