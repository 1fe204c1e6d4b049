"""The research view below the pictures: phase, coils, a figure for a paper."""

from recon.ui.research import coils, figure, phase

EXPERIMENTS = (phase.EXPERIMENT, coils.EXPERIMENT, figure.EXPERIMENT)
