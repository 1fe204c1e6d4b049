"""What a reconstruction method is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Literal

import numpy as np

from recon.measurement import Measurement


class Method(ABC):
    """A way to fill in what was not measured.

    A method is called with a `Measurement` and gives the picture that is shown and scored:
    float32, not negative, shape (h, w), on the measurement's own scale.

    Attributes
    ----------
    name
        Usable as ``method=`` and on the command line.
    label
        What people read.
    needs
        ``"k-space"``, or ``"image"`` of a method that repairs the zero-filled picture and
        never sees what was measured.
    coils
        ``"several"`` of a method that cannot do anything with one coil.
    """

    name: str
    label: str
    needs: Literal["k-space", "image"] = "k-space"
    coils: Literal["any", "several"] = "any"

    @abstractmethod
    def coil_images(self, measurement: Measurement) -> np.ndarray:
        """Every coil's image before magnitudes are taken: complex64, the shape of the k-space.

        Raises
        ------
        InputError
            If the method cannot work with what was measured, in one sentence.
        """

    def picture(self, images: np.ndarray, measurement: Measurement) -> np.ndarray:
        """The picture of the `coil_images` that this method made of a measurement."""
        return measurement.picture_of(images).astype(np.float32)

    def notes(self, measurement: Measurement) -> tuple[str, ...]:
        """What to know of its result on a measurement, in sentences."""
        return ()

    def __call__(self, measurement: Measurement) -> np.ndarray:
        return self.with_coil_images(measurement)[0]

    def with_coil_images(self, measurement: Measurement) -> tuple[np.ndarray, np.ndarray]:
        """The picture and the `coil_images`, at the cost of one of them."""
        images = self.coil_images(measurement)
        return self.picture(images, measurement), images


class IterativeMethod(Method):
    """A method whose way to the result can be looked at."""

    @abstractmethod
    def steps(self, measurement: Measurement) -> Iterator[np.ndarray]:
        """The picture after each step, the last one being the result."""
