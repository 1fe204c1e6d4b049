"""The research view below the pictures: phase, coils, all slices, a figure for a paper."""

from recon.ui.research import coils, figure, phase, slices

EXPERIMENTS = (phase.EXPERIMENT, coils.EXPERIMENT, slices.EXPERIMENT, figure.EXPERIMENT)
