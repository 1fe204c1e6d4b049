"""Coil images behind a result, before magnitudes are taken: phases, coils, sensitivities."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recon.coils.espirit import FEWEST
from recon.coils.joint import calibration
from recon.errors import InputError
from recon.fourier import center_crop, combined, ifft2c
from recon.measurement import shown_rows
from recon.methods import Method
from recon.scan import Sampling, Scan

SIGNAL = 0.05  # of the largest magnitude: below it a phase says nothing


@dataclass(frozen=True, eq=False)
class ComplexImages:
    """What every coil shows of one slice.

    Attributes
    ----------
    zero_filled, reconstruction
        complex64, shape (H, W) or (C, H, W).
    reference
        Of the fully sampled k-space; None where it was never measured.
    maps
        Sensitivities from the measured middle of k-space, as the network has them: complex64,
        shape (C, H, W); None of one coil.
    crop
        Height and width of pictures, where they are smaller.
    """

    zero_filled: np.ndarray
    reconstruction: np.ndarray
    reference: np.ndarray | None
    maps: np.ndarray | None
    crop: tuple[int, int]

    def one(self, images: np.ndarray) -> np.ndarray:
        """Coil images, ([C,] H, W), as one complex image, coils weighted by their maps: (h, w)."""
        whole = images if self.maps is None else (self.maps.conj() * images).sum(0)
        return center_crop(whole, self.crop)

    def phase(self, images: np.ndarray) -> np.ndarray:
        """Radians, from -pi to pi, NaN where there is no signal: float32, (h, w)."""
        return np.where(self._signal(images), np.angle(self.one(images)), np.nan).astype(np.float32)

    def phase_error(self, images: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Phase of some coil images less that of others, as `phase` gives it."""
        turned = self.one(images) * self.one(reference).conj()
        signal = self._signal(images) & self._signal(reference)
        return np.where(signal, np.angle(turned), np.nan).astype(np.float32)

    def _signal(self, images: np.ndarray) -> np.ndarray:
        size = center_crop(combined(images), self.crop)
        signal: np.ndarray = size > SIGNAL * size.max()
        return signal


def complex_images(scan: Scan, sampling: Sampling, method: Method) -> ComplexImages:
    """Undersample and reconstruct a slice; nothing is combined.

    Virtual coils are taken as the real ones behind them.

    Raises
    ------
    InputError
        If the method cannot work with the measurement, or too few lines of the middle were
        measured to tell coils apart.
    """
    if scan.coils == "svd":
        scan = replace(scan, coils="rss")
    measurement = scan.measure(sampling.mask, sampling.acceleration)
    kspace = measurement.kspace
    maps = None
    if kspace.ndim == 3:
        found = calibration(measurement)
        if found is None:
            raise InputError(
                f"Sensitivities of the coils come from the middle of k-space; measure {FEWEST} "
                "neighbouring lines there at least."
            )
        maps = found.maps().numpy()
    reference = None
    if scan.source.mask is None:
        reference = ifft2c(shown_rows(scan.kspace, scan.crop))
    return ComplexImages(
        ifft2c(kspace), method.coil_images(measurement), reference, maps, scan.crop
    )
