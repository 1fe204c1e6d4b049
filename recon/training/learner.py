"""One step of training: draw scans, reconstruct them, compare, improve."""

from __future__ import annotations

import os
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from recon import datasets, masks, models
from recon.coils.espirit import sensitivities
from recon.coils.joint import Joint
from recon.errors import InputError
from recon.fourier import center_crop
from recon.measurement import CROP
from recon.models.discriminator import PatchDiscriminator
from recon.training.losses import adversarial_loss, discriminator_loss, ssim_loss
from recon.training.muon import Muon
from recon.training.recipes import Run


class Workers:
    """The processes that train together, each on its share of a batch: one if launched alone.

    ``accelerate launch`` and ``torchrun`` say in the environment how many there are.
    """

    def __init__(self) -> None:
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        if self.count > 1 and not torch.distributed.is_initialized():
            torch.distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")

    def mean(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors by their mean over all processes."""
        if self.count > 1:
            flat = torch.cat([tensor.flatten() for tensor in tensors])
            torch.distributed.all_reduce(flat)
            parts = (flat / self.count).split([tensor.numel() for tensor in tensors])
            for tensor, part in zip(tensors, parts, strict=True):
                tensor.copy_(part.view_as(tensor))


def choose_device() -> torch.device:
    """A CUDA device (one for each process of a machine), Apple's GPU, or the processor."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def precision(device: torch.device) -> torch.dtype:
    """bfloat16 where the processor computes in it, otherwise float32."""
    fast = device.type == "cuda" or (
        device.type == "cpu" and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    )
    return torch.bfloat16 if fast else torch.float32


def autocast(device: torch.device) -> torch.autocast:
    """Convolutions in the device's `precision`."""
    fast = precision(device) == torch.bfloat16
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=fast)


class Learner:
    """A network that learns, with everything that has to survive a pause.

    Parameters
    ----------
    run
        Settings.
    device, workers
        Where, and with whom.
    """

    def __init__(self, run: Run, device: torch.device, workers: Workers) -> None:
        torch.manual_seed(run.seed)
        self.run, self.device, self.workers = run, device, workers
        network = models.build(run.model).to(device)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = None
        if run.average:
            ema = get_ema_multi_avg_fn(run.average)
            self.average = AveragedModel(self.network, multi_avg_fn=ema)
        kernels = inner_kernels(self.network) if run.optimizer == "muon" else []
        ours = {id(kernel) for kernel in kernels}
        others = [p for p in self.network.parameters() if id(p) not in ours]
        self.optimizers: list[torch.optim.Optimizer] = [torch.optim.Adam(others)]
        if kernels:
            self.optimizers.append(Muon(kernels, precision=precision(device)))
        self.discriminator: nn.Module | None = None
        if run.adversarial_weight:
            self.discriminator = PatchDiscriminator().to(device)
            self.judge = torch.optim.Adam(
                self.discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999)
            )

    @property
    def published(self) -> nn.Module:
        """The network to publish: the averaged one where there is one."""
        return self.network if self.average is None else self.average.module

    def step(self, number: int, slices: Sequence[datasets.Slice]) -> float:
        """One step on scans that are drawn for it; the mean loss over all processes.

        A generator of its own for every step: a run can go on from any of them.
        """
        rng = np.random.default_rng((self.run.seed, number))
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.run.learning_rate_at(number)
        count = self.run.batch * self.workers.count
        # Every process draws the whole batch and keeps its share, so the share of one process
        # does not depend on how many there are.
        samples = [self._sample(number * count + i, slices, rng) for i in range(count)]
        samples = samples[self.workers.rank :: self.workers.count]

        loss = self._kspace_loss(samples) if self.network.takes_kspace else self._loss(samples)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for parameter in self.network.parameters():
            if parameter.grad is None:  # the ridges of a scan with one coil
                parameter.grad = torch.zeros_like(parameter)
        self.workers.mean([p.grad for p in self.network.parameters() if p.grad is not None])
        for optimizer in self.optimizers:
            optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.network)
        total = loss.detach()
        self.workers.mean([total])
        return total.item()

    def _sample(
        self, position: int, slices: Sequence[datasets.Slice], rng: np.random.Generator
    ) -> tuple[datasets.Sample, Any]:
        """A measurement with its reference.

        And, for networks that repair images, their patch; for the others the maps of several
        coils, None of one.
        """
        run = self.run
        index = None
        if run.epochs:
            epoch, place = divmod(position, len(slices))
            index = np.random.default_rng((run.seed, epoch)).permutation(len(slices))[place]
        coils = 1
        if run.coils > 1 and rng.random() < run.several:
            coils = int(rng.integers(2, run.coils + 1))
        kspace = datasets.draw(
            slices, rng, run.noise, run.augment, index, run.coarsest, run.tilt, coils
        )
        rows = slice(None)
        if self.network.takes_kspace:
            if kspace.ndim == 3 and run.coils == 1:  # coils are reconstructed one by one
                kspace = kspace[rng.integers(len(kspace))]
            if run.patch:
                rows = datasets.band(kspace, run.patch, rng)
        limits = np.log((run.gentlest, 10))
        acceleration = run.acceleration or float(np.exp(rng.uniform(*limits)))
        mask = None
        if run.families:
            mask = datasets.any_mask(kspace.shape[-1], acceleration, rng)
        if self.network.takes_kspace:
            maps = None
            if kspace.ndim == 3:
                if mask is None:
                    mask = masks.random_cartesian(kspace.shape[-1], acceleration, seed=rng)
                known = torch.from_numpy(mask)
                maps = sensitivities(torch.from_numpy(kspace) * known, known, rows)
                if maps is None:
                    kspace = kspace[rng.integers(len(kspace))]
            if run.patch:
                kspace = datasets.strip(kspace, rows)
            sample = datasets.undersample(kspace, acceleration, rng, mask)
            return sample, maps
        sample = datasets.undersample(kspace, acceleration, rng, mask)
        if run.patch:
            return sample, datasets.patch(sample, run.patch, rng)
        return sample, np.stack([sample[0].zero_filled, sample[1]])

    def _loss(self, samples: Sequence[tuple[datasets.Sample, np.ndarray | None]]) -> Tensor:
        pairs = [pair for _, pair in samples if pair is not None]
        if len({pair.shape for pair in pairs}) > 1:
            raise InputError("Whole pictures of different sizes need a batch size of 1.")
        batch = torch.from_numpy(np.stack(pairs)[:, :, None].astype(np.float32))
        zero_filled, reference = batch.to(self.device).unbind(1)  # (N, 1, h, w) each
        with autocast(self.device):
            image = self.network(zero_filled.contiguous(memory_format=torch.channels_last)).float()
        loss = self._distance(image, reference)
        if self.discriminator is not None:
            verdict = discriminator_loss(self.discriminator, image, reference)
            self.judge.zero_grad(set_to_none=True)
            verdict.backward()
            self.workers.mean([p.grad for p in self.discriminator.parameters()])  # type: ignore[misc]
            self.judge.step()
            loss = loss + self.run.adversarial_weight * adversarial_loss(self.discriminator, image)
        return loss

    def _kspace_loss(self, samples: Sequence[tuple[datasets.Sample, Any]]) -> Tensor:
        total = torch.zeros((), device=self.device)
        for (measurement, reference), maps in samples:  # one by one: scans have different sizes
            kspace = torch.from_numpy(measurement.kspace).to(self.device)  # (H, W), (C, H, W)
            mask = torch.from_numpy(measurement.mask).to(self.device)  # (W,)
            with autocast(self.device):
                if maps is None:
                    image = self.network(kspace[None], mask[None])[0].abs()  # (H, W)
                else:
                    maps = maps.to(self.device)
                    joint = Joint(kspace, mask, maps)
                    coils = joint.coil_images(self.network(*joint.inputs)[0])
                    # The root of nothing has no gradient.
                    image = (torch.view_as_real(coils).square().sum((0, -1)) + 1e-10).sqrt()
            image = center_crop(image, CROP)[None, None]  # (1, 1, h, w)
            target = torch.from_numpy(reference)[None, None].to(self.device)
            total = total + self._distance(image, target)
        return total / len(samples)

    def _distance(self, image: Tensor, reference: Tensor) -> Tensor:
        loss = nn.functional.l1_loss(image, reference)
        if self.run.ssim_weight:
            loss = loss + self.run.ssim_weight * ssim_loss(image, reference)
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Everything the next step depends on."""
        parts = {name: part.state_dict() for name, part in self._parts().items()}
        return {**parts, "random": torch.get_rng_state()}  # of dropout; the rest is seeded

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict` of the same run."""
        for name, part in self._parts().items():
            part.load_state_dict(deepcopy(state[name]))
        torch.set_rng_state(state["random"])

    def _parts(self) -> dict[str, Any]:
        parts: dict[str, Any] = {"network": self.network}
        parts |= {f"optimizer{i}": optimizer for i, optimizer in enumerate(self.optimizers)}
        if self.average is not None:
            parts["average"] = self.average
        if self.discriminator is not None:
            parts |= {"discriminator": self.discriminator, "judge": self.judge}
        return parts


def inner_kernels(network: nn.Module) -> list[nn.Parameter]:
    """The kernels between feature maps: not those of a network's heads and tails."""
    return [
        parameter
        for name, parameter in network.named_parameters()
        if parameter.ndim == 4 and not {"head", "tail"} & set(name.split("."))
    ]
