"""Which weights a measurement gets."""

import numpy as np
import pytest
import torch

import recon
from recon import masks, models, weights
from recon.fourier import rss
from recon.measurement import measure
from recon.methods.networks import TOO_FEW, method_of, published
from tests.helpers.coils import seen

OPTIONS = {"steps": 2, "features": 8, "coarse": 8, "memory": 4}


@pytest.fixture
def store(tmp_path):
    store = weights.Store(tmp_path)
    for seed, name in enumerate(("one", "several")):
        torch.manual_seed(seed)
        network = models.build("resnet-dc", **OPTIONS)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
        config = weights.Config("resnet-dc", None, several=name == "several", options=OPTIONS)
        store.save(name, network, config)
    return store


def asked(store, monkeypatch, kspace, mask):
    names = []
    load = weights.Store.load
    monkeypatch.setattr(weights.Store, "load", lambda s, n: names.append(n) or load(s, n))
    image = published("resnet-dc", "ResNet-DC", store)(measure(kspace, mask, 4))
    assert np.isfinite(image).all()
    return names


def test_a_picture_and_its_coil_images_come_of_one_pass():
    passes = []
    network = models.build("resnet", features=4, blocks=(2,)).eval()
    network.register_forward_hook(lambda *_: passes.append(1))
    measurement = measure(seen(3, (24, 20)), masks.random_cartesian(20, 2, 0.3), 2)
    method = method_of(network)
    picture, images = method.with_coil_images(measurement)
    assert len(passes) == 1
    assert images.shape == measurement.kspace.shape
    np.testing.assert_allclose(rss(images), picture, atol=1e-6)
    np.testing.assert_array_equal(method(measurement), picture)


def test_coils_together_have_weights_of_their_own(store, monkeypatch):
    kspace = seen(4, (64, 64))
    calibrated = masks.random_cartesian(64, 2, 0.3)
    assert asked(store, monkeypatch, kspace, calibrated) == ["several"]
    assert asked(store, monkeypatch, kspace[0], calibrated) == ["one"]
    assert asked(store, monkeypatch, kspace[:1], calibrated) == ["one"]


def test_coils_without_a_middle_of_kspace_are_scans_of_one_coil(store, monkeypatch):
    kspace = seen(4, (64, 64))
    assert asked(store, monkeypatch, kspace, np.arange(64) % 4 == 1) == ["one"]


def test_a_result_says_why_coils_were_reconstructed_one_by_one():
    kspace = seen(4, (64, 64))
    few = np.arange(64) % 4 == 1
    assert TOO_FEW in recon.reconstruct(kspace, mask=few).record()["notes"]
    assert TOO_FEW in recon.reconstruct(kspace, mask=few, method="resnet-dc-denoised").source.notes
    for result in (
        recon.reconstruct(kspace),
        recon.reconstruct(kspace, mask=few, method="cs"),
        recon.reconstruct(kspace[0], mask=few),
    ):
        assert TOO_FEW not in result.source.notes
