"""What scanners do with several coils: SENSE, with or without sparsity, and GRAPPA."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch
from torch import Tensor

from recon.coils.compression import virtual_coils
from recon.coils.espirit import FEWEST, centre_block
from recon.coils.grappa import BEYOND, grappa, neighbours
from recon.coils.joint import calibration
from recon.coils.sense import (
    REGULARIZATION,
    RIDGE,
    cg_sense,
    combine,
    misfit_expected,
    seen_by_coils,
    tv_sense,
    unit_length,
)
from recon.errors import InputError
from recon.fourier import ifft2c
from recon.measurement import Measurement
from recon.methods.all_coils import AllCoils
from recon.methods.base import Method

WIDE = (
    "No single image explains what all coils saw. Either the object is wider than the field of "
    "view and lies on itself, or there is no object."
)
FAR = (
    f"Lines more than {BEYOND} beyond the last measured one stay empty, because GRAPPA cannot "
    f"foretell them."
)
ENERGY = 0.999  # share of the measured energy that virtual coils keep


class CoilMethod(Method):
    """A method that needs several coils.

    Raises
    ------
    InputError
        When called with a measurement of one coil, or one whose middle of k-space is missing.
    """

    coils = "several"

    @torch.inference_mode()
    def coil_images(self, measurement: Measurement) -> np.ndarray:
        if measurement.kspace.ndim < 3 or len(measurement.kspace) < 2:
            raise InputError(
                f"{self.label} uses the differences between coils, and this slice has one coil."
            )
        kspace, mask = map(torch.from_numpy, (measurement.kspace, measurement.mask))
        return self.images(kspace, mask, measurement).numpy()

    @abstractmethod
    def images(self, kspace: Tensor, mask: Tensor, measurement: Measurement) -> Tensor:
        """Every coil's image, (C, H, W)."""


class Sense(CoilMethod):
    """The image that fits all coils best, through maps of what they see.

    What it fills in is a weighted sum of what was measured, and so is its noise, which the weights
    make stronger (g-factor): none is absent that a full scan would show. The same holds of GRAPPA.

    Parameters
    ----------
    ridge
        See `recon.coils.sense.cg_sense`.
    """

    name, label = "sense", "SENSE"

    def __init__(self, ridge: float = RIDGE) -> None:
        self.ridge = ridge

    def images(self, kspace: Tensor, mask: Tensor, measurement: Measurement) -> Tensor:
        maps = self.maps(measurement)
        # Combinations of coils that hold nothing cost as much as those that hold all.
        rotation = virtual_coils(kspace[..., mask], ENERGY)
        few, seen = (torch.einsum("cv,chw->vhw", rotation.conj(), x) for x in (kspace, maps))
        return seen_by_coils(self.solve(few, mask, seen), maps, kspace, mask)

    def notes(self, measurement: Measurement) -> tuple[str, ...]:
        """Says so where one image cannot explain what all coils measured."""
        found = None if measurement.sensitivities is not None else calibration(measurement)
        wide = () if found is None or found.one_image else (WIDE,)
        return (*wide, *super().notes(measurement))

    def solve(self, kspace: Tensor, mask: Tensor, maps: Tensor) -> Tensor:
        """One image, (H, W)."""
        return cg_sense(kspace, mask, maps, self.ridge)

    def maps(self, measurement: Measurement) -> Tensor:
        """The measurement's own sensitivities, or such as ESPIRiT finds; of unit length."""
        if measurement.sensitivities is not None:
            return torch.from_numpy(unit_length(measurement.sensitivities))
        found = calibration(measurement)
        if found is None:
            lines = centre_block(torch.from_numpy(measurement.mask))
            raise InputError(
                f"{self.label} finds the coils' sensitivities in the middle of k-space, from "
                f"{FEWEST} lines side by side at least; this mask measures "
                f"{lines.stop - lines.start} there."
            )
        return found.maps()


class SparseSense(Sense, AllCoils):
    """SENSE that prefers images of small total variation, the more the noisier the scan is.

    Parameters
    ----------
    regularization
        See `recon.coils.sense.tv_sense`; here for noise of unit variance.
    """

    name, label = "cs-sense", "SENSE with TV"

    def __init__(self, regularization: float = REGULARIZATION) -> None:
        self.regularization = regularization

    def solve(self, kspace: Tensor, mask: Tensor, maps: Tensor) -> Tensor:
        scale = float(combine(ifft2c(kspace), maps).abs().max()) or 1.0
        weight = self.regularization * misfit_expected(kspace, mask, maps, scale)
        return tv_sense(kspace, mask, maps, weight, scale=scale)


class Grappa(CoilMethod):
    """Missing lines as weighted sums of their neighbours, the weights learned in the middle."""

    name, label = "grappa", "GRAPPA"

    def notes(self, measurement: Measurement) -> tuple[str, ...]:
        """Says so where lines are too far from all measured ones."""
        mask = torch.from_numpy(measurement.mask)
        reached = int(mask.sum()) + sum(map(len, neighbours(mask).values()))
        far = (FAR,) if reached < mask.numel() else ()
        return (*far, *super().notes(measurement))

    def images(self, kspace: Tensor, mask: Tensor, measurement: Measurement) -> Tensor:
        return ifft2c(grappa(kspace, mask))
