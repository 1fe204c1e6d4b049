"""The reconstruction methods, by name: a measurement in, coil images and a picture out.

A new method is a module beside these and a line in `table`.
"""

from __future__ import annotations

from recon import models, weights
from recon.errors import InputError
from recon.methods.base import IterativeMethod, Method
from recon.methods.networks import denoised, published
from recon.methods.parallel import Grappa, Sense, SparseSense
from recon.methods.simple import CompressedSensing, PartialFourier, ZeroFilled

__all__ = ["DEFAULT", "METHODS", "IterativeMethod", "Method", "find", "methods", "table"]


def table(store: weights.Store | None = None) -> dict[str, Method]:
    """Every method by name, the networks with the weights of a store, or of the default one."""
    return {
        method.name: method
        for method in (
            published("resnet-dc", "ResNet-DC", store),
            denoised("resnet-dc-denoised", "ResNet-DC denoised", "resnet-dc", store),
            published("resnet", "ResNet", store),
            published("varnet", "VarNet", store),
            published("unet", "U-Net", store),
            published("cnn", "Plain CNN", store),
            published("gan", "GAN", store),
            SparseSense(),
            Sense(),
            Grappa(),
            CompressedSensing(),
            PartialFourier(),
            ZeroFilled(),
        )
    }


METHODS: dict[str, Method] = table()
DEFAULT = "resnet-dc"


def methods() -> list[str]:
    """Names usable as ``method=``: the default, then networks that have weights, then the rest.

    >>> methods()[0], methods()[-1]
    ('resnet-dc', 'zero-filled')
    """
    untrained = (
        models.ARCHITECTURES.keys() - weights.default_or_shipped()[0].architectures() - {DEFAULT}
    )
    return [name for name in METHODS if name not in untrained]


def find(name: str) -> Method:
    """A method by its name.

    Raises
    ------
    InputError
        If there is none.
    """
    if not isinstance(name, str) or name not in METHODS:
        raise InputError(f"There is no method '{name}'; choose from {', '.join(METHODS)}.")
    return METHODS[name]
