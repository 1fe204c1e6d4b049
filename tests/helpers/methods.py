"""Methods made from functions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from recon.measurement import Measurement
from recon.methods import Method
from recon.phase import with_phase


class FunctionMethod(Method):
    """A function from a measurement to its picture, as a method."""

    def __init__(
        self, function: Callable[[Measurement], np.ndarray], name: str = "function"
    ) -> None:
        self.function, self.name, self.label = function, name, name

    def __call__(self, measurement: Measurement) -> np.ndarray:
        return self.function(measurement)

    def coil_images(self, measurement: Measurement) -> np.ndarray:
        return with_phase(self(measurement), measurement.kspace)
