"""Noise that a picture of all coils lacks, because it was not measured."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from recon.coils import joint
from recon.coils.espirit import centre_block
from recon.coils.noise import noise_level
from recon.coils.sense import misfit
from recon.fourier import ifft2c
from recon.measurement import Measurement

DARKEST = 0.02  # share of the pixels
CLEARED = 0.02  # share of the noise's power below which a picture's darkest pixels hold none
ABSENT = 0.6  # share of the missing lines' noise that is not in what a network makes of them

_absent: WeakKeyDictionary[Measurement, float] = WeakKeyDictionary()


@torch.inference_mode()
def absent_noise(measurement: Measurement) -> float:
    """`missing_noise` where coils are reconstructed together, else 0; found once."""
    if measurement not in _absent:
        maps = joint.maps_of(measurement)
        kspace, mask = map(torch.from_numpy, (measurement.kspace, measurement.mask))
        _absent[measurement] = 0.0 if maps is None else missing_noise(kspace, mask, maps)
    return _absent[measurement]


def missing_noise(kspace: Tensor, mask: Tensor, maps: Tensor) -> float:
    """Power that a picture of all coils lacks because some of its noise was not measured.

    A root-sum-of-squares shows the noise of all lines and coils, whose power adds to that of the
    signal (Constantinides et al. 1997, doi 10.1002/mrm.1910380524). One image of all coils has
    little of it in the lines that it fills in, so beside a fully sampled scan it would be too
    dark wherever there is little signal. How much is missing was found on one measured head and
    on simulated slices of the subject that training watched.

    Parameters
    ----------
    kspace
        Zero where nothing was measured: complex64, shape (C, H, W).
    mask
        Measured lines, boolean, shape (W,).
    maps
        Sensitivities, of unit length over the coils or zero, shape (C, H, W).
    """
    power = sum(2 * float(noise_level(coil, mask)) ** 2 for coil in kspace)
    power = max(power, 2 * len(kspace) * misfit(kspace, mask, maps))
    if darkest(kspace, mask) < CLEARED * power:  # somebody has cut the object out
        return 0.0
    padded = (kspace == 0).all(0).all(-1).float().mean()  # rows without any noise
    missing = (1 - mask.float().mean()) * (1 - padded)
    return ABSENT * float(missing) * power


def darkest(kspace: Tensor, mask: Tensor) -> float:
    """Power of all coils in the darkest pixels of the image that the middle of k-space shows.

    Noise is white, so it is as strong there as in the whole; see `missing_noise`.
    """
    lines = centre_block(mask)
    block = kspace[..., lines]
    window = torch.outer(*(torch.hann_window(n + 2)[1:-1] for n in block.shape[-2:]))
    power = ifft2c(block * window).abs().square().sum(0) / window.square().mean()
    return float(power.flatten().quantile(DARKEST))
