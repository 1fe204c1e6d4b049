"""All coils reconstructed together: one image, seen through the sensitivities of every coil."""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional

from recon.coils.compression import virtual_coils
from recon.coils.espirit import Calibration, calibrate
from recon.coils.noise import noise_level
from recon.coils.sense import combine, misfit_expected, seen_by_coils, tv_sense
from recon.fourier import center_crop, ifft2c
from recon.measurement import CROP, Measurement

ENERGY = 0.99  # share of the centre's energy that virtual coils keep for the network
MOST = 12  # virtual coils
# How the network's image is brought into accord with the coils, see `Joint.in_accord`.
SPARSITY, PULL, ITERATIONS = 18.0, 350.0, 6
DARK = 0.25  # share of the image's 99th percentile below which there is no object, about
NEIGHBOURS = 9  # pixels: side of the square over which brightness is averaged

_calibrations: WeakKeyDictionary[Measurement, Calibration | None] = WeakKeyDictionary()


@torch.inference_mode()
def calibration(measurement: Measurement) -> Calibration | None:
    """What the middle of k-space tells of coils, where enough of it was measured; found once."""
    if measurement.kspace.ndim < 3:
        return None
    if measurement not in _calibrations:
        kspace, mask = map(torch.from_numpy, (measurement.kspace, measurement.mask))
        _calibrations[measurement] = calibrate(kspace, mask)
    return _calibrations[measurement]


def maps_of(measurement: Measurement) -> Tensor | None:
    """Sensitivities (C, H, W) with which several coils are reconstructed together.

    None where they are not, because too little of the middle of k-space was measured or no
    single image explains all coils.
    """
    return found.maps() if (found := _trusted(measurement)) is not None else None


def together(measurement: Measurement) -> bool:
    """Whether there are `maps_of` a measurement."""
    return _trusted(measurement) is not None


def _trusted(measurement: Measurement) -> Calibration | None:
    found = calibration(measurement)
    several = len(measurement.kspace) > 1
    return found if found is not None and several and found.one_image else None


def coil_images(
    network: nn.Module,
    kspace: Tensor,
    mask: Tensor,
    maps: Tensor | None = None,
    denoiser: nn.Module | None = None,
) -> Tensor:
    """What a network makes of every coil: together where there are maps, else one by one.

    Parameters
    ----------
    network
        One that takes k-space.
    kspace
        Zero where nothing was measured: complex64, shape (C, H, W).
    mask
        Measured lines, boolean, shape (W,).
    maps
        Sensitivities, of unit length over the coils or zero, shape (C, H, W), of coils that are
        reconstructed together.
    denoiser
        Takes the noise out in the end; measured lines are then no longer what they were. See
        `recon.models.denoiser`.

    Returns
    -------
    complex64, shape (C, H, W).
    """
    if maps is not None:
        joint = Joint(kspace, mask, maps)
        image = joint.in_accord(network(*joint.inputs)[0])
        if denoiser is None:
            return joint.coil_images(image)
        few, _, seen = (one[0] for one in joint.inputs)
        return maps * joint.scale * without_noise(denoiser, image, few, mask, seen)
    images = []
    for k, m, scale in _coils(kspace, mask):
        image = network(k, m)[0]
        if denoiser is not None:
            image = without_noise(denoiser, image, k, mask)
        images.append(image * scale)
    return torch.stack(images)


def without_noise(
    denoiser: nn.Module, image: Tensor, kspace: Tensor, mask: Tensor, maps: Tensor | None = None
) -> Tensor:
    """One image (H, W) of what was measured, (C, H, W), its noise taken out; all of one scale."""
    zero_filled = ifft2c(kspace)
    zero_filled = zero_filled[0] if maps is None else combine(zero_filled, maps)
    level, share = noise_level(kspace, mask)[None], mask.float().mean()[None]
    cleaned: Tensor = denoiser(image[None], zero_filled[None], level, share)[0]
    return cleaned


def steps(
    network: nn.Module, kspace: Tensor, mask: Tensor, maps: Tensor | None = None
) -> Iterator[Tensor]:
    """The same after each of the network's steps and of what follows; the last is the result."""
    if maps is not None:
        joint = Joint(kspace, mask, maps)
        for image in network.iterates(*joint.inputs):  # type: ignore[operator]
            yield joint.coil_images(image[0])
        yield joint.coil_images(joint.in_accord(image[0]))
        return
    coils = [
        [image[0] * scale for image in network.iterates(k, m)]  # type: ignore[operator]
        for k, m, scale in _coils(kspace, mask)
    ]
    yield from map(torch.stack, zip(*coils, strict=True))


def _coils(kspace: Tensor, mask: Tensor) -> Iterator[tuple[Tensor, Tensor, float]]:
    """Each coil alone, scaled to a zero-filled maximum of 1, its mask, and the scale."""
    for coil in kspace:
        scale = float(center_crop(ifft2c(coil), CROP).abs().max()) or 1.0
        yield coil[None] / scale, mask[None], scale


class Joint:
    """All coils as a network sees them in one pass, and the way back.

    Parameters
    ----------
    kspace
        Zero where nothing was measured: complex64, shape (C, H, W), C at least 2.
    mask
        Measured lines, boolean, shape (W,).
    maps
        Sensitivities, of unit length over the coils or zero, shape (C, H, W).

    Attributes
    ----------
    inputs
        K-space of a few virtual coils, scaled, the mask, and the virtual coils' maps.
    """

    def __init__(self, kspace: Tensor, mask: Tensor, maps: Tensor) -> None:
        self.kspace, self.mask, self.maps = kspace, mask, maps
        self.scale = float(ifft2c(kspace).abs().square().sum(0).sqrt().max()) or 1.0
        rotation = virtual_coils(kspace, ENERGY, MOST)
        signal = torch.einsum("cv,chw->vhw", rotation.conj(), kspace / self.scale)
        seen = torch.einsum("cv,chw->vhw", rotation.conj(), maps)
        self.inputs = signal[None], mask[None], seen[None]

    def in_accord(self, image: Tensor) -> Tensor:
        """A network's image (H, W), corrected by what the coils know better.

        The network learned from simulated coils, and at low accelerations the coils alone decide
        nearly every pixel. So, in the object, this is the image of small total variation that
        fits all coils and is near to the network's; see `recon.coils.sense.tv_sense`. The less
        noise the coils have, the more they count: what fits them is weighted by one over the
        noise's variance, as in a most probable image. Where there is no object, coils know noise
        alone, and the network's image stays.
        """
        kspace, mask, maps = (one[0] for one in self.inputs)
        variance = misfit_expected(kspace, mask, maps)
        fitting = tv_sense(
            kspace, mask, maps, SPARSITY * variance, ITERATIONS, near=image, pull=PULL * variance
        )
        bright = functional.avg_pool2d(
            image.abs()[None], NEIGHBOURS, 1, NEIGHBOURS // 2, count_include_pad=False
        )[0]
        brightest = image.abs().flatten().kthvalue(max(1, round(0.99 * image.numel())))[0]
        dark = DARK * brightest.clamp(min=1e-6)
        object_ = 1 / (1 + (dark / bright.clamp(min=1e-6)) ** 4)
        return image + object_ * (fitting - image)

    def coil_images(self, image: Tensor) -> Tensor:
        """What every coil sees of an image (H, W), its measured lines in their place: (C, H, W)."""
        return seen_by_coils(image * self.scale, self.maps, self.kspace, self.mask)
