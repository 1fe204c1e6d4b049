"""Who takes part in the benchmark, and what each of them costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from recon import masks, models, phantom, weights
from recon.benchmark import bart
from recon.measurement import Measurement, measure
from recon.methods import Method, table
from recon.methods.networks import DenoisedNetwork, ImageNetwork, nearest

SIDE = 320  # of the slice that costs are stated for

# Half decades. BART divides by the image's maximum, so no data need values outside of these.
REGULARIZATIONS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)


@dataclass(frozen=True)
class Contender:
    """A method of the benchmark.

    Attributes
    ----------
    name, label
        For tables and files, and for people.
    reconstruct
        A measurement and a setting in, a magnitude image out.
    settings
        Values to choose the best of; empty where there is nothing to choose.
    networks
        Those that serve 4x, of trained methods; one after another.
    """

    name: str
    label: str
    reconstruct: Callable[[Measurement, float], np.ndarray]
    settings: tuple[float, ...] = ()
    networks: tuple[nn.Module, ...] = ()


def contenders(folder: Path | None = None) -> list[Contender]:
    """All methods there are on this machine: zero-filled first, then untrained, then networks.

    Parameters
    ----------
    folder
        Of the checkpoints; the repository's own where None.
    """
    store = weights.Store(folder) if folder else weights.Store()
    ways = table(store)
    found = [_contender(ways[name]) for name in ("zero-filled", "cs")]
    if bart.version():
        for regularizer, label in (("wavelet", "BART l1-wavelet"), ("tv", "BART TV")):
            name = f"bart-{regularizer}"
            found.append(Contender(name, label, _bart(regularizer), REGULARIZATIONS))
    for name in models.ARCHITECTURES:
        if name in ways and name in store.architectures():
            found.append(_contender(ways[name], *_networks(ways[name], store)))
    return found + [_contender(*one) for one in _original(store)]


def _networks(method: Method, store: weights.Store) -> Iterator[nn.Module]:
    if isinstance(method, DenoisedNetwork):
        yield from _networks(method.before, store)
    yield store.load(store.nearest(method.name, 4))


def _original(store: weights.Store) -> Iterator[tuple[Method, nn.Module]]:
    """The ResNet as the student work trained it, where there are weights; its label says of which
    acceleration, where there is one alone."""
    configs = [store.config(name) for name in store.names()]
    rates = {one.acceleration for one in configs if one.protocol == "original"}
    if rates:
        which = "" if len(rates) > 1 else f", {rates.pop():g}x"
        network = store.load(store.nearest("resnet", 4, protocol="original"))
        label, load = f"ResNet (original protocol{which})", nearest("resnet", store, "original")
        yield ImageNetwork(load, "resnet-original", label), network


def _contender(method: Method, *networks: nn.Module) -> Contender:
    return Contender(method.name, method.label, lambda m, _: method(m), networks=networks)


def _bart(regularizer: str) -> Callable[[Measurement, float], np.ndarray]:
    return lambda measurement, setting: bart.pics(measurement, regularizer, setting)[0]


@dataclass(frozen=True)
class Cost:
    """What a slice of 320x320 costs.

    Attributes
    ----------
    seconds
        Median wall time on this machine, all that belongs to the method included.
    own_seconds
        For BART, what it reports itself: without starting up and files. Else NaN.
    parameters, multiply_adds
        Of networks: numbers learned, and half the floating-point operations of convolutions and
        matrix products as PyTorch counts them; Fourier transforms are left out. Else 0.
    """

    seconds: float
    own_seconds: float = float("nan")
    parameters: int = 0
    multiply_adds: int = 0


def costs(found: Sequence[Contender], repeats: int) -> dict[str, Cost]:
    """Cost of each method by name, measured in turns so that a busy machine hurts all alike."""
    measurement = measure(phantom.kspace((SIDE, SIDE)), masks.random_cartesian(SIDE, 4), 4)
    wall: dict[str, list[float]] = {one.name: [] for one in found}
    for repeat in range(repeats + 1):
        for one in found:
            start = time.perf_counter()
            one.reconstruct(measurement, 0.01)
            if repeat:  # the first time loads and warms up
                wall[one.name].append(time.perf_counter() - start)
    own = {
        one.name: bart.pics(measurement, one.name.removeprefix("bart-"), 0.01)[1]
        for one in found
        if one.settings
    }
    return {
        one.name: Cost(
            float(np.median(wall[one.name])),
            own.get(one.name, float("nan")),
            sum(p.numel() for network in one.networks for p in network.parameters()),
            sum(map(multiply_adds, one.networks)),
        )
        for one in found
    }


@torch.no_grad()
def multiply_adds(network: nn.Module, side: int = SIDE) -> int:
    """Of one square slice; see `Cost`."""
    image = torch.ones(1, side, side, dtype=torch.complex64)
    inputs: dict[str, tuple[Tensor, ...]] = {
        "image": (image.real[:, None],),
        "k-space": (image, torch.ones(1, side) > 0),
        "reconstruction": (image, image, torch.ones(1), torch.ones(1)),
    }
    with FlopCounterMode(display=False) as counter:
        network(*inputs[str(network.needs)])
    operations: int = counter.get_total_flops()
    return operations // 2
