"""A magnitude and a phase image that belong together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

MAGNITUDE = re.compile(r"(?<![a-z])(mag|magnitude|m)(?![a-z])")
PHASE = re.compile(r"(?<![a-z])(ph|pha|phase|p)(?![a-z])")


def pair(names: Sequence[str]) -> tuple[str, str] | None:
    """Which of two files is the magnitude and which the phase, by their names."""
    stems = {name: PurePosixPath(name).name.lower() for name in names}
    phase = [name for name in names if PHASE.search(stems[name])]
    if len(names) != 2 or len(phase) != 1:
        return None
    (other,) = (name for name in names if name != phase[0])
    return (other, phase[0]) if MAGNITUDE.search(stems[other]) else None


def joined(magnitude: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Complex image of a magnitude and a phase, whatever unit the phase is in.

    Scanners write radians, thousandths of them (Philips, GE: within 3142), or whole numbers of
    which 4096 (Siemens: -4096 to 4094) or 2048 (0 to 4095) are half a turn.

    Parameters
    ----------
    magnitude, phase
        Real, of one shape.
    """
    return (magnitude * np.exp(1j * radians(phase))).astype(np.complex64)


def radians(phase: np.ndarray) -> np.ndarray:
    """Phase in radians; see `joined`."""
    phase = phase.astype(np.float64)
    lowest, highest = float(phase.min()), float(phase.max())
    largest = max(-lowest, highest)
    if largest <= 6.2833:  # 2 pi
        return phase
    if lowest >= 0 and largest <= 4095:
        return phase * (2 * np.pi / 4096) - np.pi
    if largest <= 3142:
        return phase / 1000
    return phase * (np.pi / max(4096.0, largest))
