"""Coils: why many of them make a scan faster, and what that costs."""

from __future__ import annotations

from recon.ui.coils import cost, grappa, many, maps, place, unfold
from recon.ui.experiment import Experiment

EXPERIMENTS: tuple[Experiment, ...] = (
    maps.EXPERIMENT,
    unfold.EXPERIMENT,
    cost.EXPERIMENT,
    place.EXPERIMENT,
    grappa.EXPERIMENT,
    many.EXPERIMENT,
)
