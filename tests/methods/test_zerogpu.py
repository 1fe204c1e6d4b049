"""ZeroGPU, played by a module of its name."""

import importlib
import sys
import types

import numpy as np
import pytest

from recon import masks, phantom, weights
from recon.measurement import measure
from recon.methods import find, networks, zerogpu


@pytest.fixture
def borrowed(monkeypatch):
    """How often a GPU was asked for, where `spaces` is present."""
    asked = []

    def gpu(duration):
        def decorate(function):
            return lambda *inputs: asked.append(duration) or function(*inputs)

        return decorate

    fake = types.ModuleType("spaces")
    fake.GPU = gpu  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "spaces", fake)
    importlib.reload(zerogpu)
    yield asked
    monkeypatch.delitem(sys.modules, "spaces")
    importlib.reload(zerogpu)


def images():
    measurement = measure(phantom.kspace((64, 48)), masks.random_cartesian(48, 4), 4)
    return [find(name)(measurement) for name in ("resnet-dc", "unet")]


def test_nothing_changes_where_it_is_absent():
    network = weights.Store().load("resnet-dc")
    assert zerogpu.spaces is None
    assert zerogpu.lent(network) is network


@pytest.mark.parametrize("device", ["cpu", "a GPU that nobody has"])
def test_every_network_asks_for_a_gpu_and_does_without(borrowed, monkeypatch, device):
    monkeypatch.setattr(networks, "lent", lambda network: network)
    expected = images()
    monkeypatch.setattr(networks, "lent", zerogpu.lent)
    monkeypatch.setattr(zerogpu, "DEVICE", device)
    for found, alone in zip(images(), expected, strict=True):
        np.testing.assert_array_equal(found, alone)
    assert borrowed == [zerogpu.SECONDS] * 2
