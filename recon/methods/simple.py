"""The methods that have learned nothing and look at one coil at a time."""

from __future__ import annotations

import numpy as np
import torch

from recon.classical import REGULARIZATION, complete, compromise
from recon.fourier import ifft2c
from recon.measurement import Measurement
from recon.methods.base import Method
from recon.pocs import pocs


class ZeroFilled(Method):
    """The inverse Fourier transform, unmeasured lines taken as zero."""

    name, label = "zero-filled", "Zero-filled"

    def coil_images(self, measurement: Measurement) -> np.ndarray:
        return ifft2c(measurement.kspace).astype(np.complex64)

    def __call__(self, measurement: Measurement) -> np.ndarray:
        return measurement.zero_filled


class CompressedSensing(Method):
    """Of all images that keep the measured lines, one with small total variation.

    Parameters
    ----------
    regularization
        See `recon.classical.complete`.
    consistent
        Whether measured lines are put back; else this is the compromise itself, which takes out
        their noise, too.
    """

    name, label = "cs", "Compressed sensing"

    def __init__(self, regularization: float = REGULARIZATION, consistent: bool = True) -> None:
        self.regularization = regularization
        self.solve = complete if consistent else compromise

    def coil_images(self, measurement: Measurement) -> np.ndarray:
        kspace, mask = map(torch.from_numpy, (measurement.kspace, measurement.mask))
        return self.solve(kspace, mask, self.regularization).numpy()


class PartialFourier(Method):
    """Conjugate symmetry: what lies opposite to measured lines, with the phase of the middle."""

    name, label = "pocs", "Symmetry (POCS)"

    def coil_images(self, measurement: Measurement) -> np.ndarray:
        return pocs(measurement.kspace, measurement.mask)
