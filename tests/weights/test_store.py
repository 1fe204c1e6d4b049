"""Checkpoints: written whole, read whole, refused when damaged."""

import json

import pytest
import safetensors.torch
import torch

from recon import models
from recon.weights import Config, Store, WeightsError, checkpoint


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    for rate in (4, 8):
        torch.manual_seed(rate)
        network = models.build("resnet", features=4, blocks=(2,))
        config = Config("resnet", rate, options={"features": 4, "blocks": [2]})
        store.save(f"resnet-{rate}x", network, config)
    return store


def test_round_trip(store):
    torch.manual_seed(4)
    written = models.build("resnet", features=4, blocks=(2,)).eval()
    read = store.load("resnet-4x")
    assert not read.training
    image = torch.rand(1, 1, 20, 20)
    assert torch.equal(read(image), written(image))


def test_half_precision_halves_the_file_and_little_else(store):
    torch.manual_seed(4)
    network = models.build("resnet", features=4, blocks=(2,)).eval()
    config = Config("resnet", 4, options={"features": 4, "blocks": [2]})
    store.save("half", network, config, half=True)
    read = store.load("half")
    assert next(read.parameters()).dtype == torch.float32
    image = torch.rand(1, 1, 20, 20)
    torch.testing.assert_close(read(image), network(image), rtol=0, atol=5e-3)
    sizes = [
        (store.folder / name / "model.safetensors").stat().st_size for name in ("half", "resnet-4x")
    ]
    assert sizes[0] < 0.8 * sizes[1]


def test_weights_for_every_acceleration_are_nearest_to_all(store):
    config = Config("resnet", None, options={"features": 4, "blocks": [2]})
    store.save("any", models.build("resnet", features=4, blocks=(2,)), config)
    assert {store.nearest("resnet", rate) for rate in (2, 5, 8.5)} == {"any"}


def test_files_are_the_same_every_time(store):
    first = (store.folder / "resnet-4x/model.safetensors").read_bytes()
    torch.manual_seed(4)
    network = models.build("resnet", features=4, blocks=(2,))
    store.save("again", network, Config("resnet", 4))
    assert (store.folder / "again/model.safetensors").read_bytes() == first


@pytest.mark.parametrize(
    ("acceleration", "name"), [(2, "4x"), (4, "4x"), (5.5, "4x"), (6, "8x"), (8, "8x"), (16, "8x")]
)
def test_nearest_is_nearest_as_a_ratio(store, acceleration, name):
    assert store.nearest("resnet", acceleration) == f"resnet-{name}"


def test_weights_for_several_coils_serve_several_first(store):
    network = models.build("resnet", features=4, blocks=(2,))
    options = {"features": 4, "blocks": [2]}
    store.save("together", network, Config("resnet", None, several=True, options=options))
    assert store.nearest("resnet", 4) == "resnet-4x"
    assert store.nearest("resnet", 8, several=True) == "together"
    assert Config.read(store.folder / "together").several
    for name in ("resnet-4x", "resnet-8x"):
        (store.folder / name / "config.json").unlink()
    assert store.nearest("resnet", 4) == "together"  # better than none


def test_weights_of_the_original_protocol_serve_who_asks_for_them(store, tmp_path):
    network = models.build("resnet", features=4, blocks=(2,))
    config = Config("resnet", 6, options={"features": 4, "blocks": [2]}, protocol="original")
    store.save("resnet-6x-original", network, config)
    assert Config.read(store.folder / "resnet-6x-original").protocol == "original"
    assert store.nearest("resnet", 6) == "resnet-8x"
    assert store.nearest("resnet", 6, protocol="original") == "resnet-6x-original"
    named = Store(store.folder, (("resnet-6x-original", store.folder / "resnet-6x-original"),))
    assert named.nearest("resnet", 6) == "resnet-6x-original"


def test_missing(tmp_path):
    store = Store(tmp_path / "not yet")
    assert store.names() == []
    assert store.architectures() == set()
    for ask in (store.load, store.config, store.record):
        with pytest.raises(WeightsError, match="missing"):
            ask("resnet-4x")
    with pytest.raises(WeightsError, match="missing"):
        store.nearest("resnet", 4)


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "other network"])
def test_damaged(store, damage):
    path = store.folder / "resnet-4x/model.safetensors"
    data = path.read_bytes()
    if damage == "other network":
        config = json.loads((store.folder / "resnet-4x/config.json").read_text())
        config["features"] = 5
        (store.folder / "resnet-4x/config.json").write_text(json.dumps(config))
    else:
        changed = {"flip": data[:-3] + b"\x55" + data[-2:], "truncate": data[:100], "empty": b""}
        path.write_bytes(changed[damage])
    with pytest.raises(WeightsError, match="damaged") as caught:
        store.load("resnet-4x")
    assert str(store) not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"acceleration": 0},
        {"acceleration": -4},
        {"acceleration": "4"},
        {"acceleration": [4]},
        {"acceleration": True},
        {"acceleration": float("nan")},
        {"acceleration": float("inf")},
        {"architecture": "transformer"},
        {"architecture": None},
        {"architecture": ["resnet"]},
        {"several": "yes"},
        {"sha256": 5},
        {"sha256": "../../etc"},
        {"options": [1]},
        {"features": 10**9},
        {"blocks": [2] * 1000},
        {"blocks": [10**7]},
        "{not json",
        "[]",
        "null",
        b"\xff\xfe",
    ],
    ids=str,
)
def test_damaged_configuration_counts_as_missing(store, change):
    path = store.folder / "resnet-4x/config.json"
    if isinstance(change, dict):
        change = json.dumps(json.loads(path.read_text()) | change)
    path.write_bytes(change if isinstance(change, bytes) else change.encode())
    assert store.names() == ["resnet-8x"]
    assert store.nearest("resnet", 4) == "resnet-8x"
    with pytest.raises(WeightsError, match="missing"):
        store.load("resnet-4x")


@pytest.mark.parametrize("change", [{"depth": 3}, {"features": "4"}, {"blocks": 2}, {"blocks": []}])
def test_configuration_that_builds_another_network_is_damaged(store, change):
    path = store.folder / "resnet-4x/config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(WeightsError, match="damaged"):
        store.load("resnet-4x")


def test_configuration_has_the_networks_arguments_beside_the_rest(store):
    written = json.loads((store.folder / "resnet-4x/config.json").read_text())
    assert {key: written[key] for key in ("architecture", "features", "blocks")} == {
        "architecture": "resnet",
        "features": 4,
        "blocks": [2],
    }
    earlier = {k: v for k, v in written.items() if k not in ("features", "blocks")}
    earlier["options"] = {"features": 4, "blocks": [2]}  # as they were written until now
    (store.folder / "resnet-4x/config.json").write_text(json.dumps(earlier))
    assert store.config("resnet-4x").options == {"features": 4, "blocks": [2]}
    store.load("resnet-4x")


def test_new_weights_of_an_old_name_are_read_anew(store):
    before = store.load("resnet-4x").head.weight
    assert store.load("resnet-4x") is store.load("resnet-4x")
    torch.manual_seed(5)
    options = {"features": 4, "blocks": [2]}
    config = Config("resnet", 4, options=options)
    store.save("resnet-4x", models.build("resnet", **options), config)
    assert not torch.equal(store.load("resnet-4x").head.weight, before)


def test_loading_moves_no_random_numbers(store):
    state = torch.get_rng_state()
    store.load("resnet-8x")
    assert torch.equal(torch.get_rng_state(), state)


def test_published_weights_are_what_their_record_says():
    published = Store()
    assert {"resnet-4x", "resnet-8x"} <= set(published.names())
    for name in published.names():
        network = published.load(name)
        record = published.record(name)
        kept = published.folder / name
        numbers = [safetensors.torch.load_file(path) for path in kept.glob("model*.safetensors")]
        parameters = dict(network.named_parameters())
        trained = {key for part in numbers for key in part if key in parameters}
        assert record["parameters"] == sum(
            part[key].numel() for part in numbers for key in part if key in trained
        )
        assert record["run"]["acceleration"] == published.config(name).acceleration
        assert "dirty" not in record["code_revision"]
        for path in (published.folder / name).rglob("*.safetensors"):
            assert path.stat().st_size < 10e6
        for row in record["test"]:
            assert row["subject"] not in record["data"]["splits"]["train"]
            if record["run"]["model"] != "cnn":  # too plain for one of the volumes at 4x
                assert row["network"]["ssim"] > row["zero_filled"]["ssim"]


def test_large_weights_are_divided(store, monkeypatch):
    monkeypatch.setattr(checkpoint, "LARGEST", 700)
    torch.manual_seed(4)
    network = models.build("resnet", features=4, blocks=(2,)).eval()
    options = {"features": 4, "blocks": [2]}
    store.save("parts", network, Config("resnet", 4, options=options))
    parts = sorted((store.folder / "parts").glob("*.safetensors"))
    assert [path.name for path in parts] == [f"model-{n}.safetensors" for n in (1, 2, 3, 4)]
    image = torch.rand(1, 1, 20, 20)
    assert torch.equal(store.load("parts")(image), network(image))
    assert "parts" in store.names()

    monkeypatch.undo()
    store.save("parts", network, Config("resnet", 4, options=options))
    assert [p.name for p in (store.folder / "parts").glob("*.safetensors")] == ["model.safetensors"]
    monkeypatch.setattr(checkpoint, "LARGEST", 700)
    store.save("parts", network, Config("resnet", 4, options=options))
    assert len(list((store.folder / "parts").glob("*.safetensors"))) == 4

    checkpoint.load.cache_clear()
    parts[1].unlink()
    with pytest.raises(WeightsError, match="damaged"):
        store.load("parts")


def test_snapshots(store):
    torch.manual_seed(4)
    network = models.build("resnet", features=4, blocks=(2,)).eval()
    for step in (0, 12, 3):
        store.save_snapshot("resnet-4x", step, network)
    assert store.snapshots("resnet-4x") == [0, 3, 12]
    assert store.snapshots("resnet-8x") == []
    image = torch.rand(1, 1, 20, 20)
    kept = store.load_snapshot("resnet-4x", 3)
    torch.testing.assert_close(kept(image), network(image), rtol=0, atol=5e-3)
    (store.folder / "resnet-4x/snapshots/000012.safetensors").write_bytes(b"\x08" * 50)
    for step in (7, 12):
        with pytest.raises(WeightsError, match=f"step {step}"):
            store.load_snapshot("resnet-4x", step)
