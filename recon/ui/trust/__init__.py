"""Can I trust it? Experiments on the slice that is open, one module each."""

from __future__ import annotations

from recon.ui.trust import conventions, crimes, ensemble, lesion, nullspace, shift

EXPERIMENTS = (
    lesion.EXPERIMENT,
    nullspace.EXPERIMENT,
    ensemble.EXPERIMENT,
    shift.EXPERIMENT,
    crimes.EXPERIMENT,
    conventions.EXPERIMENT,
)
