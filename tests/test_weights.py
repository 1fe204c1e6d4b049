"""Checkpoints: written whole, read whole, refused when damaged."""

import json

import pytest
import torch

from recon import models, weights
from recon.weights import Config, WeightsError


@pytest.fixture
def folder(tmp_path):
    for rate in (4, 8):
        torch.manual_seed(rate)
        network = models.build("resnet", features=4, blocks=(2,))
        config = Config("resnet", rate, options={"features": 4, "blocks": [2]})
        weights.save(tmp_path / f"resnet-{rate}x", network, config)
    return tmp_path


def test_round_trip(folder):
    torch.manual_seed(4)
    written = models.build("resnet", features=4, blocks=(2,)).eval()
    read = weights.load("resnet-4x", folder)
    assert not read.training
    image = torch.rand(1, 1, 20, 20)
    assert torch.equal(read(image), written(image))


def test_half_precision_halves_the_file_and_little_else(folder):
    torch.manual_seed(4)
    network = models.build("resnet", features=4, blocks=(2,)).eval()
    config = Config("resnet", 4, options={"features": 4, "blocks": [2]})
    weights.save(folder / "half", network, config, half=True)
    read = weights.load("half", folder)
    assert next(read.parameters()).dtype == torch.float32
    image = torch.rand(1, 1, 20, 20)
    torch.testing.assert_close(read(image), network(image), rtol=0, atol=5e-3)
    sizes = [(folder / name / "model.safetensors").stat().st_size for name in ("half", "resnet-4x")]
    assert sizes[0] < 0.8 * sizes[1]


def test_weights_for_every_acceleration_are_nearest_to_all(folder):
    config = Config("resnet", None, options={"features": 4, "blocks": [2]})
    weights.save(folder / "any", models.build("resnet", features=4, blocks=(2,)), config)
    assert {weights.nearest("resnet", rate, folder) for rate in (2, 5, 8.5)} == {"any"}


def test_files_are_the_same_every_time(folder):
    first = (folder / "resnet-4x/model.safetensors").read_bytes()
    torch.manual_seed(4)
    network = models.build("resnet", features=4, blocks=(2,))
    weights.save(folder / "again", network, Config("resnet", 4))
    assert (folder / "again/model.safetensors").read_bytes() == first


@pytest.mark.parametrize(
    ("acceleration", "name"), [(2, "4x"), (4, "4x"), (5.5, "4x"), (6, "8x"), (8, "8x"), (16, "8x")]
)
def test_nearest_is_nearest_as_a_ratio(folder, acceleration, name):
    assert weights.nearest("resnet", acceleration, folder) == f"resnet-{name}"


def test_missing(tmp_path):
    assert weights.checkpoints(tmp_path) == {}
    with pytest.raises(WeightsError, match="missing"):
        weights.nearest("resnet", 4, tmp_path)
    with pytest.raises(WeightsError, match="missing"):
        weights.load("resnet-4x", tmp_path)


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "other network"])
def test_damaged(folder, damage):
    path = folder / "resnet-4x/model.safetensors"
    data = path.read_bytes()
    if damage == "other network":
        config = json.loads((folder / "resnet-4x/config.json").read_text())
        config["options"]["features"] = 5
        (folder / "resnet-4x/config.json").write_text(json.dumps(config))
    else:
        changed = {"flip": data[:-3] + b"\x55" + data[-2:], "truncate": data[:100], "empty": b""}
        path.write_bytes(changed[damage])
    with pytest.raises(WeightsError, match="damaged") as caught:
        weights.load("resnet-4x", folder)
    assert str(folder) not in str(caught.value)


def test_damaged_configuration_counts_as_missing(folder):
    (folder / "resnet-4x/config.json").write_text("{not json")
    assert list(weights.checkpoints(folder)) == ["resnet-8x"]


def test_published_weights_are_what_their_record_says():
    published = weights.checkpoints()
    assert {"resnet-4x", "resnet-8x"} <= published.keys()
    for name in published:
        network = weights.load(name)
        record = json.loads((weights.FOLDER / name / "record.json").read_text())
        assert record["parameters"] == sum(p.numel() for p in network.parameters())
        assert record["run"]["acceleration"] == published[name].acceleration
        assert "dirty" not in record["code_revision"]
        for path in (weights.FOLDER / name).rglob("*.safetensors"):
            assert path.stat().st_size < 10e6
        for row in record["test"]:
            assert row["subject"] not in record["data"]["splits"]["train"]
            if record["run"]["model"] != "cnn":  # too plain for one of the volumes at 4x
                assert row["network"]["ssim"] > row["zero_filled"]["ssim"]


def test_large_weights_are_divided(folder, monkeypatch):
    monkeypatch.setattr(weights, "LARGEST", 700)
    torch.manual_seed(4)
    network = models.build("resnet", features=4, blocks=(2,)).eval()
    options = {"features": 4, "blocks": [2]}
    weights.save(folder / "parts", network, Config("resnet", 4, options=options))
    parts = sorted((folder / "parts").glob("*.safetensors"))
    assert [path.name for path in parts] == [f"model-{n}.safetensors" for n in (1, 2, 3, 4)]
    image = torch.rand(1, 1, 20, 20)
    assert torch.equal(weights.load("parts", folder)(image), network(image))
    assert "parts" in weights.checkpoints(folder)

    monkeypatch.undo()
    weights.save(folder / "parts", network, Config("resnet", 4, options=options))
    assert [p.name for p in (folder / "parts").glob("*.safetensors")] == ["model.safetensors"]
    monkeypatch.setattr(weights, "LARGEST", 700)
    weights.save(folder / "parts", network, Config("resnet", 4, options=options))
    assert len(list((folder / "parts").glob("*.safetensors"))) == 4

    weights.load.cache_clear()
    parts[1].unlink()
    with pytest.raises(WeightsError, match="damaged"):
        weights.load("parts", folder)


def test_snapshots(folder):
    torch.manual_seed(4)
    network = models.build("resnet", features=4, blocks=(2,)).eval()
    for step in (0, 12, 3):
        weights.snapshot(folder / "resnet-4x", step, network)
    assert weights.snapshots("resnet-4x", folder) == [0, 3, 12]
    assert weights.snapshots("resnet-8x", folder) == []
    image = torch.rand(1, 1, 20, 20)
    kept = weights.load_snapshot("resnet-4x", 3, folder)
    torch.testing.assert_close(kept(image), network(image), rtol=0, atol=5e-3)
    (folder / "resnet-4x/snapshots/000012.safetensors").write_bytes(b"\x08" * 50)
    for step in (7, 12):
        with pytest.raises(WeightsError, match=f"step {step}"):
            weights.load_snapshot("resnet-4x", step, folder)
