"""What a network is asked to do in a step of training: one task for each kind of input.

A task draws a scan as that kind of network needs it, and pairs what the network makes of it with
what it should be.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recon import datasets, masks
from recon.coils.espirit import sensitivities
from recon.coils.joint import Joint
from recon.coils.noise import noise_level
from recon.coils.simulate import narrowed
from recon.errors import InputError
from recon.fourier import center_crop, ifft2c
from recon.measurement import CROP, Measurement
from recon.training.devices import autocast
from recon.training.recipes import MOST_APART, NARROWEST, Run

Pair = tuple[Tensor, Tensor]  # what a network made, and what it should be: (N, 1, h, w)


class Task(ABC):
    """Draws samples and compares.

    Parameters
    ----------
    run
        Settings.
    device
        Where the network computes.
    before
        The network whose reconstruction this one goes on from, where the recipe names one.
    """

    def __init__(self, run: Run, device: torch.device, before: nn.Module | None = None) -> None:
        self.run, self.device, self.before = run, device, before

    @abstractmethod
    def sample(
        self, slices: Sequence[datasets.Slice], rng: np.random.Generator, index: int | None
    ) -> Any:
        """One sample: of the slice with that index, of a random one where it is None."""

    @abstractmethod
    def pairs(self, network: nn.Module, samples: Sequence[Any]) -> Iterator[Pair]:
        """What the network makes of samples, and their references."""

    def draw(
        self,
        slices: Sequence[datasets.Slice],
        rng: np.random.Generator,
        index: int | None,
        coils: int = 1,
        noise: float | None = None,
        smallest: int = 1,
    ) -> np.ndarray:
        """Fully sampled k-space as the recipe wants it; with so much noise, where that is said."""
        run = self.run
        most = run.noise if noise is None else noise
        return datasets.draw(
            slices, rng, most, run.augment, index, run.coarsest, run.tilt, coils, smallest
        )

    def mask(self, width: int, rng: np.random.Generator) -> tuple[float, np.ndarray]:
        """An acceleration and a mask of it: of any family, or random."""
        acceleration = self.run.acceleration or self.acceleration(rng)
        if self.run.families:
            return acceleration, datasets.any_mask(width, acceleration, rng)
        return acceleration, masks.random_cartesian(width, acceleration, seed=rng)

    def acceleration(self, rng: np.random.Generator) -> float:
        """One of the range that the recipe names, up to 10x."""
        if self.run.even:
            return float(rng.uniform(self.run.gentlest, 10))
        return float(np.exp(rng.uniform(*np.log((self.run.gentlest, 10)))))

    def compared(self, image: Tensor, reference: np.ndarray) -> Pair:
        """A magnitude image (H, W) cut as pictures are, beside its reference."""
        target = torch.from_numpy(reference)[None, None].to(self.device)
        return center_crop(image, CROP)[None, None], target


class ImageTask(Task):
    """Repair zero-filled pictures, patches of the same size at once."""

    def sample(
        self, slices: Sequence[datasets.Slice], rng: np.random.Generator, index: int | None
    ) -> np.ndarray:
        kspace = self.draw(slices, rng, index, smallest=self.run.patch)
        acceleration, mask = self.mask(kspace.shape[-1], rng)
        sample = datasets.undersample(kspace, acceleration, rng, mask)
        if self.run.patch:
            return datasets.patch(sample, self.run.patch, rng)
        return np.stack([sample[0].zero_filled, sample[1]])  # (2, h, w)

    def pairs(self, network: nn.Module, samples: Sequence[np.ndarray]) -> Iterator[Pair]:
        if len({pair.shape for pair in samples}) > 1:
            raise InputError("Whole pictures of different sizes need a batch size of 1.")
        batch = torch.from_numpy(np.stack(samples)[:, :, None].astype(np.float32))
        zero_filled, reference = batch.to(self.device).unbind(1)  # (N, 1, h, w) each
        with autocast(self.device):
            image = network(zero_filled.contiguous(memory_format=torch.channels_last)).float()
        yield image, reference


class KSpaceTask(Task):
    """Fill in the lines that were not measured, for one coil or several."""

    def sample(
        self, slices: Sequence[datasets.Slice], rng: np.random.Generator, index: int | None
    ) -> tuple[datasets.Sample, Tensor | None]:
        """A measurement with its reference, and the maps of several coils."""
        run, coils, rows = self.run, 1, slice(None)
        if run.coils > 1 and rng.random() < run.several:
            coils = int(rng.integers(2, run.coils + 1))
        elif run.apart and rng.random() < run.apart:
            coils = int(rng.integers(2, MOST_APART + 1))
        kspace = self.draw(slices, rng, index, coils)
        if kspace.ndim == 3 and run.coils == 1:  # coils are reconstructed one by one
            kspace = kspace[rng.integers(len(kspace))]
        if run.narrow and kspace.ndim == 2 and rng.random() < run.narrow:
            width = kspace.shape[-1]
            kspace = narrowed(kspace, round(width * rng.uniform(NARROWEST, 1)))
        if run.patch:
            rows = datasets.band(kspace, run.patch, rng)
        acceleration, mask = self.mask(kspace.shape[-1], rng)
        maps = None
        if kspace.ndim == 3:
            known = torch.from_numpy(mask)
            maps = sensitivities(torch.from_numpy(kspace) * known, known, rows)
            if maps is None:
                kspace = kspace[rng.integers(len(kspace))]
        if run.patch:
            kspace = datasets.strip(kspace, rows)
        return datasets.undersample(kspace, acceleration, rng, mask), maps

    def pairs(
        self, network: nn.Module, samples: Sequence[tuple[datasets.Sample, Tensor | None]]
    ) -> Iterator[Pair]:
        for (measurement, reference), maps in samples:  # one by one: scans have different sizes
            kspace, mask = given(measurement, self.device)
            with autocast(self.device):
                if maps is None:
                    image = network(kspace[None], mask[None])[0].abs()  # (H, W)
                else:
                    joint = Joint(kspace, mask, maps.to(self.device))
                    coils = joint.coil_images(network(*joint.inputs)[0])
                    # The root of nothing has no gradient.
                    image = (torch.view_as_real(coils).square().sum((0, -1)) + 1e-10).sqrt()
            yield self.compared(image, reference)


class DenoisingTask(Task):
    """Take the noise out of what another network made of a noisy scan of one coil.

    Raises
    ------
    InputError
        If the scans are measured: nobody knows them without their noise.
    """

    def __init__(self, run: Run, device: torch.device, before: nn.Module | None = None) -> None:
        super().__init__(run, device, before)
        if run.dataset != "open":
            raise InputError(
                f"{run.model} learns from scans whose noise was added; measured scans have their "
                f"own."
            )

    def sample(
        self, slices: Sequence[datasets.Slice], rng: np.random.Generator, index: int | None
    ) -> tuple[datasets.Sample, float]:
        """A measurement, its reference without noise, and the level found before it was cut."""
        clean = self.draw(slices, deepcopy(rng), index, noise=0)  # the same slice and phase
        kspace = self.draw(slices, rng, index)
        acceleration, mask = self.mask(kspace.shape[-1], rng)
        level = float(noise_level(torch.from_numpy(kspace), torch.from_numpy(mask)))
        if self.run.patch:
            rows = datasets.band(clean, self.run.patch, rng)
            clean, kspace = (datasets.strip(one, rows) for one in (clean, kspace))
        sample = datasets.undersample(kspace, acceleration, rng, mask, clean)
        scale = np.abs(kspace[:, mask]).max() / np.abs(sample[0].kspace).max()
        return sample, level / float(scale)

    def pairs(
        self, network: nn.Module, samples: Sequence[tuple[datasets.Sample, float]]
    ) -> Iterator[Pair]:
        assert self.before is not None
        for (measurement, reference), level in samples:
            kspace, mask = given(measurement, self.device)
            with autocast(self.device):
                with torch.no_grad():
                    image = self.before(kspace[None], mask[None])
                share = mask.float().mean()[None]
                level_ = torch.full_like(share, level)
                image = network(image, ifft2c(kspace[None]), level_, share)[0].abs()
            yield self.compared(image, reference)


def given(measurement: Measurement, device: torch.device) -> tuple[Tensor, Tensor]:
    """K-space (H, W) or (C, H, W) and mask (W,) on a device."""
    return (
        torch.from_numpy(measurement.kspace).to(device),
        torch.from_numpy(measurement.mask).to(device),
    )


TASKS: Mapping[str, type[Task]] = {
    "image": ImageTask,
    "k-space": KSpaceTask,
    "reconstruction": DenoisingTask,
}
