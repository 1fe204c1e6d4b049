"""One step of training: draw scans, reconstruct them, compare, improve."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from recon import datasets, models
from recon.models.discriminator import PatchDiscriminator
from recon.training.devices import Workers, precision
from recon.training.losses import adversarial_loss, discriminator_loss, ssim_loss
from recon.training.muon import Muon
from recon.training.recipes import Run
from recon.training.tasks import TASKS


class Learner:
    """A network that learns, with everything that has to survive a pause.

    Parameters
    ----------
    run
        Settings.
    device, workers
        Where, and with whom.
    before
        The network whose reconstruction this one goes on from, where the recipe names one.
    """

    def __init__(
        self,
        run: Run,
        device: torch.device,
        workers: Workers,
        before: nn.Module | None = None,
    ) -> None:
        torch.manual_seed(run.seed)
        self.run, self.device, self.workers = run, device, workers
        network = models.build(run.model).to(device)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.task = TASKS[network.needs](run, device, before)
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
        samples = [
            self.task.sample(slices, rng, self._index(number * count + i, slices))
            for i in range(count)
        ]
        pairs = list(
            self.task.pairs(self.network, samples[self.workers.rank :: self.workers.count])
        )
        loss = sum((self._loss(*pair) for pair in pairs), torch.zeros((), device=self.device))
        loss = loss / len(pairs)
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

    def _index(self, position: int, slices: Sequence[datasets.Slice]) -> int | None:
        """Which slice comes at a position, where a run goes through all of them in epochs."""
        if not self.run.epochs:
            return None
        epoch, place = divmod(position, len(slices))
        shuffled = np.random.default_rng((self.run.seed, epoch)).permutation(len(slices))
        return int(shuffled[place])

    def _loss(self, image: Tensor, reference: Tensor) -> Tensor:
        loss = nn.functional.l1_loss(image, reference)
        if self.run.ssim_weight:
            loss = loss + self.run.ssim_weight * ssim_loss(image, reference)
        if self.discriminator is not None:
            verdict = discriminator_loss(self.discriminator, image, reference)
            self.judge.zero_grad(set_to_none=True)
            verdict.backward()
            self.workers.mean([p.grad for p in self.discriminator.parameters()])  # type: ignore[misc]
            self.judge.step()
            loss = loss + self.run.adversarial_weight * adversarial_loss(self.discriminator, image)
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Everything the next step depends on."""
        parts = {name: part.state_dict() for name, part in self._parts().items()}
        return {**parts, "random": torch.get_rng_state()}  # of dropout; the rest is seeded

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict` of the same run."""
        for name, part in self._parts().items():
            part.load_state_dict(deepcopy(state[name]))
        torch.set_rng_state(state["random"].cpu())  # loaded with all else, onto any device

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
