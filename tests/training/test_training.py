"""Training: short real runs of ``train.py``, and what survives a pause."""

import contextlib
import csv
import errno
import io
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import train
from recon import datasets, models, weights
from recon.errors import InputError
from recon.training.devices import Workers
from recon.training.learner import Learner
from recon.training.recipes import RECIPES, Run
from recon.training.record import flat, with_earlier
from tests.helpers import data

ROOT = Path(__file__).parents[2]
SMALL = {
    "cnn": Run("cnn", None, batch=1, patch=64, snapshots=3),
    "gan": Run("gan", None, batch=1, patch=64, adversarial_weight=0.01),
    "resnet-dc": replace(RECIPES["resnet-dc"], patch=16),
    "resnet-dc-denoised": replace(RECIPES["resnet-dc-denoised"], patch=16),
    "resnet-dc-small": replace(RECIPES["resnet-dc-small"], patch=16),
    "varnet": replace(RECIPES["varnet"], patch=32),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return data.open_images(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("model", sorted(SMALL))
def test_a_learner_goes_on_exactly_where_it_was(model):
    torch.manual_seed(1)
    slices = [data.blobs(np.random.default_rng(i), (80, 72)).astype(np.float32) for i in range(3)]
    run = replace(SMALL[model], steps=4)
    before = models.build(run.before, steps=1, features=8, coarse=8) if run.before else None

    def weights_after(pause: bool) -> dict[str, torch.Tensor]:
        learner = Learner(run, torch.device("cpu"), Workers(), before)
        for step in range(4):
            if pause and step == 2:
                state = learner.state_dict()
                learner = Learner(run, torch.device("cpu"), Workers(), before)
                torch.rand(7)  # whatever else happens to the global state
                learner.load_state_dict(state)
            learner.step(step, slices)
        return learner.published.state_dict()

    straight, paused = weights_after(False), weights_after(True)
    assert all(torch.equal(straight[key], paused[key]) for key in straight)


def test_a_killed_run_resumes_to_the_same_bytes(folder, tmp_path, monkeypatch):
    run = replace(SMALL["cnn"], steps=6, validate_every=4, validation_slices=2)
    train.train(run, folder, tmp_path / "straight")

    monkeypatch.setattr(train, "SAVE_EVERY", 0)
    step = Learner.step

    def killed(self, number, slices):
        if number == 3:
            raise KeyboardInterrupt
        return step(self, number, slices)

    monkeypatch.setattr(Learner, "step", killed)
    with pytest.raises(KeyboardInterrupt):
        train.train(run, folder, tmp_path / "killed")
    assert not (tmp_path / "killed/cnn/record.json").exists()
    monkeypatch.setattr(Learner, "step", step)
    with pytest.raises(InputError, match="other settings \\(seed\\)"):
        train.train(replace(run, seed=1), folder, tmp_path / "killed", resume=True)
    train.train(run, folder, tmp_path / "killed", resume=True)

    one, two = (tmp_path / out / "cnn" for out in ("straight", "killed"))
    for name in (
        "model.safetensors",
        "loss.csv",
        *(f"snapshots/{s:06}.safetensors" for s in (0, 6)),
    ):
        assert (one / name).read_bytes() == (two / name).read_bytes(), name
    assert not (two / "state.pt").exists()
    rows = list(csv.DictReader((one / "loss.csv").open()))
    assert [row["step"] for row in rows] == ["4", "6"]
    assert (one / "loss.png").stat().st_size > 1000
    assert (one / "validation.png").stat().st_size > 1000
    assert weights.Store(tmp_path / "straight").snapshots("cnn") == [0, 2, 6]
    last = weights.Store(tmp_path / "straight").load_snapshot("cnn", 6)
    assert torch.isfinite(last(torch.rand(1, 1, 32, 32))).all()


def test_nothing_to_resume_is_one_sentence(folder, tmp_path):
    with pytest.raises(InputError, match="no unfinished run"):
        train.train(replace(SMALL["cnn"], steps=2), folder, tmp_path, resume=True)
    assert not list(tmp_path.iterdir())


def test_an_unfinished_run_is_neither_overwritten_nor_hidden(folder, tmp_path, monkeypatch):
    step, ends = Learner.step, [3]

    def killed(self, number, slices):
        if number in ends:
            raise KeyboardInterrupt
        return step(self, number, slices)

    monkeypatch.setattr(Learner, "step", killed)
    arguments = ["cnn", "--steps", "4", "--batch", "1"]
    early = run_training(arguments, folder, tmp_path)
    said = early.stderr.splitlines()[-1]
    assert (early.returncode, said) == (130, "train.py: Interrupted before a state was saved.")
    monkeypatch.setattr(train, "SAVE_EVERY", 0)
    late = run_training(arguments, folder, tmp_path)
    said = late.stderr.splitlines()[-1]
    assert (late.returncode, said) == (130, "train.py: Interrupted; --resume goes on.")
    state = (tmp_path / "cnn/state.pt").read_bytes()

    refused = run_training(arguments, folder, tmp_path)
    assert refused.returncode == 1
    (said,) = refused.stderr.splitlines()
    assert "unfinished run of cnn; --resume" in said
    assert (tmp_path / "cnn/state.pt").read_bytes() == state

    ends[:] = [0]
    assert run_training([*arguments, "--restart"], folder, tmp_path).returncode == 130
    assert not (tmp_path / "cnn/state.pt").exists()  # so that nothing goes on from it


def test_what_is_missing_is_said_before_the_first_step(folder, tmp_path, monkeypatch):
    """Of the test split as of others; and no folder is left behind."""
    shutil.copytree(folder, tmp_path / "data")
    shutil.rmtree(tmp_path / "data/open_ms_data/longitudinal/raw/patient19")
    monkeypatch.setattr(Learner, "step", lambda *_: pytest.fail("a step was made"))
    monkeypatch.setattr(weights.Store, "names", lambda _: [])
    for arguments, words, data_folder in (
        (["cnn"], "nothing of the test split", tmp_path / "data"),
        (["resnet-dc-second"], "make them first", folder),
        (["varnet-coils"], "make them first", folder),
    ):
        refused = run_training(arguments, data_folder, tmp_path / "out")
        assert refused.returncode == 1
        assert words in refused.stderr.splitlines()[-1]
        assert not list((tmp_path / "out").glob("*"))


def test_infinite_loss_stops_the_run_and_keeps_the_best_weights(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(Learner, "step", lambda *_: float("nan"))
    with pytest.raises(RuntimeError, match="not finite at step 0") as raised:
        train.train(replace(SMALL["cnn"], steps=3), folder, tmp_path)
    assert not isinstance(raised.value, InputError)  # nothing was wrong with what was given
    failed = run_training(["cnn", "--steps", "3"], folder, tmp_path)
    assert failed.returncode == 1
    assert "not finite at step 0" in failed.stderr.splitlines()[-1]


def test_full_disk_is_one_sentence_and_keeps_what_was_saved(folder, tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(weights.checkpoint, "_write", full)
    arguments = ["cnn", "--steps", "1", "--batch", "1", "--data", str(folder)]
    assert train.main([*arguments, "--out", str(tmp_path)]) == 1
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("train.py: No space left on device.")
    assert str(tmp_path) not in message


def run_training(
    arguments: list[str], folder: Path, out: Path, launcher: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """The command, in this process unless something launches it."""
    arguments = [*arguments, "--data", str(folder), "--out", str(out)]
    if launcher:
        command = [sys.executable, *launcher, "train.py", *arguments]
        return subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
        )
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            status = train.main(arguments)
        except SystemExit as error:  # argparse's
            status = int(error.code or 0)
    return subprocess.CompletedProcess(arguments, status, "", said.getvalue())


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("resnet", "resnet-4x"),
        ("resnet-dc-first", "resnet-dc-first"),
        ("resnet-dc-denoised", "resnet-dc-denoised"),
    ],
)
def test_a_short_run_writes_a_checkpoint_and_repeats_bit_for_bit(folder, tmp_path, model, name):
    for out in ("one", "two"):
        result = run_training([model, "--steps", "2"], folder, tmp_path / out)
        assert result.returncode == 0, result.stderr
    one, two = (tmp_path / out / name / "model.safetensors" for out in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    text = (tmp_path / "one" / name / "record.json").read_text()
    record = json.loads(text)
    assert [h["step"] for h in record["history"]] == [2]
    assert {row["subject"] for row in record["test"]} == {"open_ms_19"}
    splits = {"train": ["open_ms_01", "sag-anon"]}  # only who is in the folder
    splits |= {"validation": ["open_ms_09"], "test": ["open_ms_19"]}
    assert record["data"]["splits"] == splits
    assert weights.Store(tmp_path / "one").load(name) is not None
    card = (tmp_path / "one" / name / "README.md").read_text()
    assert record["command"] in card
    for written in (text, card):
        assert str(tmp_path) not in written


def test_a_share_of_the_slices_is_trained_on_and_written_down(folder, tmp_path):
    arguments = ["cnn", "--protocol", "original", "--every", "2", "--steps", "1"]
    assert run_training(arguments, folder, tmp_path).returncode == 0
    made = tmp_path / "cnn-original"
    record = json.loads((made / "record.json").read_text())
    whole = datasets.load(folder, "train", "open")
    assert record["data"]["training_slices"] == {
        f"{volume.subject}/{volume.name}": -(-len(volume.slices) // 2) for volume in whole
    }
    assert " --every 2 " in record["command"]
    assert ", one in 2, " in (made / "README.md").read_text()


def test_weights_are_scored_again_without_training(folder, tmp_path):
    assert run_training(["cnn", "--steps", "1"], folder, tmp_path).returncode == 0
    made = tmp_path / "cnn"
    before = (made / "model.safetensors").read_bytes()
    written = json.loads((made / "record.json").read_text())
    false = written | {"test": [row | {"slices": 0} for row in written["test"]]}
    (made / "record.json").write_text(json.dumps(false))
    assert run_training(["cnn", "--score"], folder, tmp_path).returncode == 0
    again = json.loads((made / "record.json").read_text())
    assert again.pop("test_revision") in (made / "README.md").read_text()
    assert again == written
    assert (made / "model.safetensors").read_bytes() == before
    missing = run_training(["unet", "--score"], folder, tmp_path)
    assert missing.returncode == 1
    assert "There are no weights of unet to score." in missing.stderr


@pytest.mark.parametrize("coils", [0, 2])
@pytest.mark.parametrize("arguments", [["cnn", "--protocol", "original"], ["resnet-dc-first"]])
def test_a_persons_own_fastmri(tmp_path, coils, arguments):
    data.fastmri(tmp_path / "data", coils)
    dataset = "fastmri-multicoil" if coils else "fastmri"
    arguments = [*arguments, "--dataset", dataset, "--steps", "2"]
    result = run_training(arguments, tmp_path / "data", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    (folder,) = (tmp_path / "out").iterdir()
    assert folder.name.endswith(dataset)
    record = json.loads((folder / "record.json").read_text())
    assert record["data"]["training_slices"] == {
        "filetrain1/filetrain1": 4, "filetrain2/filetrain2": 4,
    }  # fmt: skip
    assert {row["subject"] for row in record["test"]} == {"fileval0"}
    assert record["data"]["splits"] == {
        "train": ["filetrain1", "filetrain2"], "validation": ["filetrain0"], "test": ["fileval0"],
    }  # fmt: skip
    card = (folder / "README.md").read_text()
    assert "fastMRI" in card
    assert "simulated" not in card


def test_two_processes_are_one_with_twice_the_batch(folder, tmp_path):
    # On a machine without GPUs --multi_gpu means several processes on the processor.
    launcher = ("-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2")
    launcher = (*launcher, "--num_machines", "1", "--mixed_precision", "no")
    launcher = (*launcher, "--dynamo_backend", "no", "--num_cpu_threads_per_process", "1")
    arguments = ["unet", "--steps", "3"]
    both = run_training([*arguments, "--batch", "1"], folder, tmp_path / "both", launcher)
    assert both.returncode == 0, both.stderr
    alone = run_training([*arguments, "--batch", "2"], folder, tmp_path / "alone")
    assert alone.returncode == 0, alone.stderr
    losses = [
        [float(row["loss"]) for row in csv.DictReader((tmp_path / out / "unet/loss.csv").open())]
        for out in ("both", "alone")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    cards = [(tmp_path / out / "unet/README.md").read_text() for out in ("both", "alone")]
    assert all("3 steps of 2 patches" in card for card in cards)
    assert ["2 processes of 1\n" in card for card in cards] == [True, False]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["resnet"], "nothing of the train split"),
        (["resnet", "--acceleration", "0.5"], "--acceleration is at least 1"),
        (["resnet-dc", "--batch", "0"], "--batch is at least 1"),
        (["resnet-dc", "--seed", "-1"], "--seed is not negative"),
        (["resnet-dc", "--dataset", "fastmri"], "singlecoil_train"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(tmp_path, arguments, sentence):
    result = run_training(arguments, tmp_path, tmp_path / "out")
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    assert sentence in result.stderr.splitlines()[-1]


def test_a_second_stage_goes_on_from_the_first(folder, tmp_path):
    small = {"patch": 16, "steps": 1, "validation_slices": 2}
    second = replace(RECIPES["resnet-dc-second"], **small, warmup=10**9)  # hardly any rate
    with pytest.raises(InputError, match="goes on from the weights of resnet-dc-first"):
        train.train(second, folder, tmp_path)
    train.train(replace(RECIPES["resnet-dc-first"], **small), folder, tmp_path)
    train.train(second, folder, tmp_path)
    one, two = (
        weights.Store(tmp_path).load(name) for name in ("resnet-dc-first", "resnet-dc-second")
    )
    for before, after in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(before, after, rtol=0, atol=1e-3)
    record = json.loads((tmp_path / "resnet-dc-second/record.json").read_text())
    assert record["start"]["name"] == "resnet-dc-first"
    assert record["earlier"][record["start"]["sha256"]]["run"]["steps"] == 1
    card = (tmp_path / "resnet-dc-second/README.md").read_text()
    assert "weights of `resnet-dc-first`" in card


def test_a_record_holds_every_earlier_run_once():
    def origin(name: str, record: dict) -> dict:
        return {"name": name, "sha256": f"sha of {name}", "record": record}

    first = origin("first", {"seconds": 1})
    second = origin("second", with_earlier({"seconds": 2}, {"start": first}))
    third = with_earlier({"seconds": 3}, {"start": second, "blend": first})
    assert third["seconds"] == 3
    assert third["start"] == {"name": "second", "sha256": "sha of second"}
    assert third["blend"] == {"name": "first", "sha256": "sha of first"}
    assert third["earlier"] == {
        "sha of first": {"seconds": 1},
        "sha of second": {"seconds": 2, "start": {"name": "first", "sha256": "sha of first"}},
    }
    inside = {"seconds": 2, "start": first}  # as they once were
    again = {"seconds": 3, "start": origin("second", inside), "blend": first}
    assert flat(again) == third
    assert flat(third) is third


def test_a_stage_may_begin_with_the_mean_of_two(tmp_path):
    store, run = weights.Store(tmp_path), replace(SMALL["cnn"], start="one", blend="two")
    for seed, name in enumerate(("one", "two")):
        torch.manual_seed(seed)
        store.save(name, models.build("cnn"), weights.Config("cnn", None))
        (tmp_path / name / "record.json").write_text("{}")
    learner = Learner(replace(run, average=0.9), torch.device("cpu"), Workers())
    written = train.begin(learner, tmp_path)
    assert {kind: of["name"] for kind, of in written.items()} == {"start": "one", "blend": "two"}
    one, two = (store.load(name).state_dict() for name in ("one", "two"))
    assert learner.average is not None
    for network in (learner.network, learner.average.module):
        for key, value in network.state_dict().items():
            torch.testing.assert_close(value, ((one[key] + two[key]) / 2).to(value.dtype))


@pytest.mark.slow
def test_every_documented_training_runs(tmp_path, monkeypatch):
    """For a step each, judged by one slice; what would be downloaded is there already."""
    text = "".join((ROOT / name).read_text("utf-8") for name in ("docs/training.md", "README.md"))
    commands = re.findall(r" train\.py ([\w-]+ [^`#\n]*--data FOLDER[^`#\n]*)", text)
    commands = list(dict.fromkeys(" ".join(line.split()) for line in commands))
    assert {line.split()[0] for line in commands} == set(RECIPES)
    small = {"patch": 16, "validation_slices": 2, "snapshots": 0}
    monkeypatch.setattr(train, "RECIPES", {k: replace(r, **small) for k, r in RECIPES.items()})
    whole = train.evaluate

    def on_one(network, scans, before):
        return whole(network, [next(iter(scans))], before)

    monkeypatch.setattr(train, "evaluate", on_one)
    fetched = []
    monkeypatch.setattr(train.open_images, "fetch", fetched.append)
    folders = {
        kind: make(tmp_path / kind)
        for kind, make in (("open", data.open_images), ("fastmri", data.fastmri))
    }
    for line in commands:
        folder = folders["fastmri" if "fastmri" in line else "open"]
        words = [*line.replace("FOLDER", str(folder)).split(), "--steps", "1", "--batch", "1"]
        assert train.main([*words, "--out", str(tmp_path / "out")]) == 0, line
    assert fetched == [folders["open"]]


@pytest.mark.parametrize("keep", ["best", "last"])
def test_the_best_or_the_last_weights_are_kept(folder, tmp_path, monkeypatch, keep):
    falling = iter((0.9, 0.8, 0.7, *[0.5] * 20))
    monkeypatch.setattr(train, "evaluate", lambda *_: {"network": {"ssim": next(falling)}})
    monkeypatch.setattr(train.cards, "card", lambda *_: "")
    run = replace(SMALL["cnn"], steps=3, validate_every=1, validation_slices=2, keep=keep)
    train.train(run, folder, tmp_path)
    kept = weights.Store(tmp_path).load("cnn").state_dict()
    last = weights.Store(tmp_path).load_snapshot("cnn", 3).state_dict()
    same = all(torch.allclose(kept[key], last[key], rtol=1e-3, atol=1e-6) for key in kept)
    assert same == (keep == "last")


def test_a_scan_of_several_coils_teaches_through_its_maps():
    """Coils are simulated, maps estimated, and the gradient reaches the ridges."""
    slices = [data.blobs(np.random.default_rng(i), (80, 72)).astype(np.float32) for i in range(3)]
    run = replace(SMALL["resnet-dc"], acceleration=3.0, steps=8, coils=4, several=1.0)
    learner = Learner(run, torch.device("cpu"), Workers())
    before = learner.network.ridge.detach().clone()
    assert all(np.isfinite(learner.step(step, slices)) for step in range(8))
    assert (learner.network.ridge != before).all()
