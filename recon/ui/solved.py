"""What methods made of measurements: two views of the same thing show the same, computed once.

The main view, side by side, the first row of an experiment and the rivals of a mask often ask
for one and the same picture.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recon import weights
from recon.measurement import Measurement
from recon.methods import Method

MOST = 96  # pictures, of at most 400 kB where they are cropped to 320x320


@dataclass(frozen=True)
class _Picture:
    image: np.ndarray
    seconds: float
    upload: str | None
    notes: tuple[str, ...]


_pictures: OrderedDict[Any, _Picture] = OrderedDict()
_lock = threading.Lock()


class Solved(Method):
    """A method that remembers, for everybody, what it made of each measurement.

    Parameters
    ----------
    method
        Who reconstructs.
    upload
        Path of the file that measurements come from; what was made of them goes with it.

    Attributes
    ----------
    seconds
        Wall time that the last picture took when it was computed.
    """

    def __init__(self, method: Method, upload: str | None) -> None:
        self.method, self._upload = method, upload
        self.name, self.label = method.name, method.label
        self.needs, self.coils = method.needs, method.coils
        self.seconds = 0.0

    def coil_images(self, measurement: Measurement) -> np.ndarray:
        return self.method.coil_images(measurement)

    def picture(self, images: np.ndarray, measurement: Measurement) -> np.ndarray:
        return self.method.picture(images, measurement)

    def notes(self, measurement: Measurement) -> tuple[str, ...]:
        return self._solved(measurement).notes

    def __call__(self, measurement: Measurement) -> np.ndarray:
        return self._solved(measurement).image

    def _solved(self, measurement: Measurement) -> _Picture:
        key = _question(self.method, measurement)
        with _lock:
            known = _pictures.get(key)
            if known is not None:
                _pictures.move_to_end(key)
        if known is None:
            start = time.perf_counter()
            image = self.method(measurement)
            seconds = time.perf_counter() - start
            known = _Picture(image, seconds, self._upload, self.method.notes(measurement))
            if image is not measurement.zero_filled:
                image.flags.writeable = False  # it is everybody's
                with _lock:
                    _pictures[key] = known
                    while len(_pictures) > MOST:
                        _pictures.popitem(last=False)
                if self._upload is not None and not Path(self._upload).is_file():
                    forget({self._upload})  # deleted while it was computed
        self.seconds = known.seconds
        return known


def forget(files: set[str]) -> None:
    """Drop what was made of uploads, which have been deleted."""
    with _lock:
        for key in [key for key, one in _pictures.items() if one.upload in files]:
            del _pictures[key]


def _question(method: Method, measurement: Measurement) -> Any:
    digest = hashlib.blake2b(digest_size=20)
    for array in (measurement.kspace, measurement.mask, measurement.sensitivities):
        if array is not None:
            digest.update(f"{array.shape}{array.dtype}".encode())
            digest.update(np.ascontiguousarray(array).data)
    # Weights are chosen by the acceleration. Methods are equal only to themselves.
    store = weights.default_or_shipped()[0]
    return digest.digest(), method, measurement.acceleration, measurement.crop, store
