"""What a data set is made of: volumes of slices, each slice a way to get its k-space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recon.coils.simulate import coil_kspace, random_sensitivities
from recon.errors import InputError
from recon.kspace import KSpace, Source
from recon.readers import read
from recon.simulate import kspace_from_magnitude, smooth_phase


@dataclass(frozen=True)
class Measured:
    """A slice of a file of measured k-space, read when it is needed."""

    path: Path
    index: int

    def kspace(self) -> KSpace:
        """With its source, which knows the volume's maximum where the file does.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        try:
            return read(self.path, slice=self.index)
        except InputError as error:
            name = f"Slice {self.index} of {self.path.name}"
            raise InputError(f"{name} cannot be read: {error}") from None


Slice = np.ndarray | Measured  # a magnitude image of shape (H, W), or measured k-space


@dataclass(frozen=True)
class Volume:
    """One scan: whose it is, its name, and its slices."""

    subject: str
    name: str
    slices: Sequence[Slice] | np.ndarray


def fully_sampled(
    slice_: Slice, rng: np.random.Generator, noise: float, tilt: float = 1.0, coils: int = 1
) -> KSpace:
    """K-space of a slice; simulated, with a phase and noise of its own, from a magnitude image.

    See `recon.simulate` for `tilt`, and `recon.coils.simulate` for more coils than one.

    Returns
    -------
    Of shape (H, W), or (C, H, W) of a multi-coil measurement.
    """
    if isinstance(slice_, Measured):
        return slice_.kspace()
    if coils == 1:
        kspace = kspace_from_magnitude(slice_, rng, noise, tilt=tilt)
    else:
        image = slice_ * np.exp(1j * smooth_phase(slice_.shape, rng, tilt=tilt))
        kspace = coil_kspace(image, random_sensitivities(coils, slice_.shape, rng), rng, noise)
    return KSpace(kspace, Source(simulated=True))
