"""Work for one person ends in time, and takes no more memory than it may."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from recon import limits, masks, models, phantom
from recon.errors import InputError
from recon.fourier import fft2c
from recon.limits import LimitError, limited
from recon.methods import METHODS, methods
from recon.scan import Scan
from tests.helpers.clocks import Clock


def measurement(shape=(96, 96)):
    kspace = phantom.kspace(shape)
    return Scan.of(kspace).measure(masks.random_cartesian(shape[-1], 4), 4)


@pytest.mark.parametrize("method", sorted(methods()))
def test_every_method_stops_when_the_time_is_over(method):
    if method in ("grappa", "sense", "cs-sense"):
        stack = np.stack([np.asarray(phantom.kspace((96, 96), seed=s)) for s in range(3)])
        one = Scan.of(stack).measure(masks.FAMILIES["calibrated"](96, 2, None, 0), 2)
    else:
        one = measurement()
    whole = METHODS[method](one)
    if method == "zero-filled":
        return  # it was there before
    with pytest.raises(LimitError, match="longer than the"), limited(0):
        METHODS[method](one)
    with limited(60):
        np.testing.assert_array_equal(METHODS[method](one), whole)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=clock))
    return clock


def test_the_time_is_that_of_the_whole_where_a_piece_is_the_last():
    with (
        pytest.raises(LimitError, match=f"longer than the {limits.SECONDS:g} seconds"),
        limited(-1),
    ):
        limits.check()
    with pytest.raises(LimitError, match="longer than the 300 seconds"), limited(-1, 300):
        limits.check()


def test_a_network_stops_between_two_layers(clock, monkeypatch):
    """Half a network takes half the time: it is not waited for."""
    done = []
    real = torch.conv2d

    def slow(*args, **kwargs):
        done.append(1)
        clock.goes_on(0.05)
        return real(*args, **kwargs)

    network = models.build("resnet")
    monkeypatch.setattr(torch.nn.functional, "conv2d", slow)
    with torch.inference_mode(), pytest.raises(LimitError), limited(0.32):
        network(torch.zeros(1, 1, 16, 16))
    assert len(done) == 7


def test_what_is_not_limited_goes_on():
    limits.check()
    limits.afford(2**50)
    with limited(0):
        pass
    limits.check()


def test_transforms_ask_for_the_time():
    with pytest.raises(InputError), limited(0):
        fft2c(np.zeros((4, 4), np.complex64))


def test_a_wait_for_others_takes_nothing_from_the_time(clock):
    with limited(0.2):
        with limits.waiting():
            clock.goes_on(0.3)
        limits.check()
        clock.goes_on(0.25)
        with pytest.raises(LimitError):
            limits.check()


def test_some_time_is_left_for_what_is_done_instead():
    with limited(1):
        with pytest.raises(LimitError), limits.spared(2):
            limits.check()
        limits.check()


def test_limits_are_of_one_thread():
    import threading

    reached = []
    with limited(0):
        other = threading.Thread(target=lambda: reached.append(limits.check()))
        other.start()
        other.join()
    assert reached == [None]


@pytest.mark.parametrize("transposed", [False, True])
def test_a_layer_that_is_too_large_is_refused_before_it_runs(transposed, monkeypatch):
    kind = torch.nn.ConvTranspose2d if transposed else torch.nn.Conv2d
    layer = kind(8, 16, 2, stride=2)
    x = torch.zeros(1, 8, 64, 64)
    out = 16 * 128 * 128 if transposed else 16 * 32 * 32
    needed = 3.2 * 4 * (x.numel() + out)
    for memory, fits in ((needed + 1, True), (needed - 1, False)):
        monkeypatch.setattr(limits, "MEMORY", memory)
        with limited(60), torch.inference_mode():
            if fits:
                layer(x)
            else:
                with pytest.raises(LimitError, match="too large"):
                    layer(x)


def test_a_legal_slice_that_would_take_gigabytes_is_refused_at_once(monkeypatch):
    one = measurement((320, 8192))
    layers = []
    real = torch.nn.Conv2d.forward
    monkeypatch.setattr(
        torch.nn.Conv2d, "forward", lambda self, x: layers.append(x.shape) or real(self, x)
    )
    with pytest.raises(LimitError, match="too large"), limited(600):
        METHODS["resnet-dc"](one)
    assert len(layers) == 1  # the one that would take it
