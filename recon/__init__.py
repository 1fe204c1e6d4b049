"""Reconstruction of undersampled MRI: masks, physics, networks and the page that shows them.

>>> import recon
>>> from recon import phantom
>>> kspace = phantom.kspace((128, 128))  # of a file: recon.read("scan.h5", slice=12)
>>> result = recon.reconstruct(kspace, acceleration=4, seed=0)
>>> result.metrics["ssim"] > result.zero_filled_metrics["ssim"]
True
>>> result.image.shape, result.mask.shape, int(result.line_mask.sum())
((128, 128), (128, 128), 30)
"""

from recon.errors import InputError
from recon.kspace import KSpace, Source
from recon.methods import methods
from recon.pipeline import Reconstruction, reconstruct
from recon.readers import describe, read
from recon.volume import VolumeScores, reconstruct_volume
from recon.weights import WeightsError, from_pretrained

__all__ = [
    "InputError",
    "KSpace",
    "Reconstruction",
    "Source",
    "VolumeScores",
    "WeightsError",
    "describe",
    "from_pretrained",
    "methods",
    "read",
    "reconstruct",
    "reconstruct_volume",
]
