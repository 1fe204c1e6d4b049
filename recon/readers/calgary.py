"""Calgary-Campinas raw data (Souza et al. 2018, doi 10.1016/j.neuroimage.2017.08.021).

A dataset ``kspace`` of real numbers, (x, ky, kz, 2 C): real and imaginary part of one coil after
another along the last axis. The readout was transformed already, so x counts slices. K-space has
its zero frequency in the middle, but the image belongs to a transform that begins in the corner.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from recon.readers import detect
from recon.readers.bounded_reading import Index
from recon.readers.stored_array import MIN_SIDE

NOTE = (
    "Real and imaginary parts alternate along the last axis and the readout was transformed "
    "already, as in Calgary-Campinas data; slices run along the readout."
)


def recognised(name: str, shape: tuple[int, ...], dtype: np.dtype) -> bool:
    """Whether a dataset is laid out so."""
    if name != "kspace" or dtype.kind != "f" or len(shape) != 4:
        return False
    pairs_first = shape[0] == 2  # real and imaginary part, of coils or slices
    coils = shape[-1] % 2 == 0 and 2 < shape[-1] <= 128
    return coils and not pairs_first and min(shape[1:3]) >= MIN_SIDE


def stored(shape: tuple[int, ...], take: Callable[[Index], np.ndarray]) -> dict[str, Any]:
    """What `recon.readers.stored_array.Stored` has to know of it.

    Parameters
    ----------
    shape, take
        Of the dataset.
    """
    x, height, width, pairs = shape

    def complex_slice(index: Index) -> np.ndarray:
        values = np.ascontiguousarray(take(index), np.float32).view(np.complex64)
        return detect.to_middle(values.transpose(2, 0, 1)).transpose(1, 2, 0)

    return {
        "format": "Calgary-Campinas HDF5",
        "shape": (x, height, width, pairs // 2),
        "dtype": np.dtype(np.complex64),
        "take": complex_slice,
        "letters": "SHWC",
        "certain": True,
    }
