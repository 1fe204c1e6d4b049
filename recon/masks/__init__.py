"""Which lines of k-space are measured.

A mask is boolean, shape (W,): one value for each phase-encode line (a column of k-space).
The readout along a line costs no time, so a line is measured whole or not at all.
A new family of masks is a module beside these and a line in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recon.errors import InputError
from recon.masks.calibrated import CALIBRATION_LINES, calibrated
from recon.masks.common import (
    achieved_acceleration,
    apply,
    check,
    default_center_fraction,
    shortly,
)
from recon.masks.equispaced import equispaced
from recon.masks.given import as_text, checked, from_text, read
from recon.masks.low_pass import low_pass
from recon.masks.partial_fourier import partial_fourier
from recon.masks.random_cartesian import random_cartesian
from recon.masks.variable_density import variable_density

__all__ = [
    "FAMILIES",
    "Family",
    "achieved_acceleration",
    "apply",
    "as_text",
    "calibrated",
    "check_draw",
    "checked",
    "default_center_fraction",
    "equispaced",
    "from_text",
    "low_pass",
    "partial_fourier",
    "random_cartesian",
    "read",
    "shortly",
    "variable_density",
]


@dataclass(frozen=True)
class Family:
    """A kind of mask: its name, what people read, and who draws it.

    A family is called as ``family(width, acceleration, center_fraction=None, seed=0)`` and gives
    a mask; `center_fraction` tells what None stands for.
    """

    name: str
    title: str
    draw: Callable[..., np.ndarray]
    lines: int | None = None  # of the block, where that does not depend on the acceleration

    def __call__(self, *arguments: Any, **options: Any) -> np.ndarray:
        return self.draw(*arguments, **options)

    def center_fraction(self, width: int, acceleration: float) -> float:
        """Share of the lines in the block where nobody asks for another."""
        if self.lines is None:
            return default_center_fraction(acceleration)
        return min(self.lines, width) / width


FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        Family("random", "Random", random_cartesian),
        Family("equispaced", "Equispaced", equispaced),
        Family("calibrated", "Calibrated", calibrated, CALIBRATION_LINES),
        Family("variable-density", "Variable density", variable_density),
        Family("partial-fourier", "Partial Fourier", partial_fourier),
        Family("low-pass", "Low-pass block", low_pass),
    )
}
"""Every family by name."""


def check_draw(
    acceleration: float, seed: int, family: str, center_fraction: float | None = None
) -> None:
    """Refuse what no mask can be drawn with, whatever the width; see `recon.reconstruct`.

    Raises
    ------
    InputError
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError("The mask seed is a whole number from 0 upwards.")
    if not isinstance(family, str) or family not in FAMILIES:
        raise InputError(f"Masks are of the kinds {', '.join(FAMILIES)}; not '{family}'.")
    check(acceleration, center_fraction)
