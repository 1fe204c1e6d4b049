"""Published weights: find them, check them, load them, write them.

>>> store = Store()  # of the checkpoints that ship
>>> network = store.load(store.nearest("resnet-dc", 4))
>>> type(network).__name__
'ResNetDC'
"""

from __future__ import annotations

import os

from torch import nn

from recon.weights.checkpoint import Config, WeightsError
from recon.weights.store import SHIPPED, Store

__all__ = [
    "SHIPPED",
    "VARIABLE",
    "Config",
    "Store",
    "WeightsError",
    "default",
    "default_or_shipped",
    "from_pretrained",
    "use",
]

VARIABLE = "RECON_WEIGHTS"  # environment variable: a folder or ORG/NAME@REVISION

_chosen: Store | WeightsError | None = None  # what was said last, until `use` says otherwise


def default() -> Store:
    """The store that methods take their networks from, unless they are given another.

    The checkpoints that ship, and before them those that `use` or the environment variable
    ``RECON_WEIGHTS`` names; see `Store.of`.

    Raises
    ------
    WeightsError
        If those are not to be had. Other weights than a person asked for are never taken.
    """
    global _chosen
    if _chosen is None:
        words = os.environ.get(VARIABLE)
        try:
            _chosen = Store.of(words) if words else Store()
        except WeightsError as error:
            _chosen = error
    if isinstance(_chosen, WeightsError):
        raise _chosen
    return _chosen


def use(store: Store | None) -> None:
    """Make a store the `default` of this process; None asks the environment again."""
    global _chosen
    _chosen = store


def default_or_shipped() -> tuple[Store, str]:
    """The `default`, or else the checkpoints that ship, and a sentence why."""
    try:
        return default(), ""
    except WeightsError as error:
        return Store(), str(error)


def from_pretrained(name: str, revision: str | None = None) -> nn.Module:
    """A network with its weights, ready for inference.

    Parameters
    ----------
    name
        Of a checkpoint that ships, such as ``"resnet-dc"``; a folder; or ``"ORG/NAME"``: a
        repository on the Hub, which is looked for in the Hub's cache first.
    revision
        Branch, tag or, best, full commit of a repository on the Hub; what `main` points at now
        where None.

    Raises
    ------
    WeightsError
        If the weights are missing, cannot be had, do not match the SHA-256 that belongs to
        them, or do not fit the network.

    Examples
    --------
    >>> import torch
    >>> network = from_pretrained("resnet-8x")
    >>> with torch.inference_mode():
    ...     network(torch.rand(1, 1, 32, 30)).shape
    torch.Size([1, 1, 32, 30])
    """
    shipped = Store()
    if name in shipped.names():
        return shipped.load(name)
    store = Store.of(name if revision is None else f"{name}@{revision}")
    if len(store.named) > 1:
        raise WeightsError(f"'{name}' holds several checkpoints; name the folder of one.")
    return store.load(store.named[0][0])
