"""What a person can watch while a network learns: numbers, curves, a picture."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from torch import nn

from recon.methods.networks import method_of
from recon.scan import Sampling, Scan


class Log:
    """Loss and validation of a run, kept in a folder.

    ``loss.csv`` and ``loss.png`` hold the whole course, ``validation.png`` the middle validation
    slice as it comes out now; TensorBoard gets the same where it is installed.

    Parameters
    ----------
    folder
        Of the checkpoint.
    rows
        What is already known: ``step``, mean ``loss`` since the row before, and ``ssim`` of
        validation, or None.
    """

    def __init__(self, folder: Path, rows: Sequence[dict[str, Any]] = ()) -> None:
        self.folder = folder
        self.rows: list[dict[str, Any]] = list(rows)
        self.board = None
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return
        self.board = SummaryWriter(folder / "tensorboard")

    def add(self, step: int, loss: float, ssim: float | None) -> None:
        """One more row."""
        self.rows.append({"step": step, "loss": loss, "ssim": ssim})
        if self.board is not None:
            self.board.add_scalar("loss", loss, step)
            if ssim is not None:
                self.board.add_scalar("validation SSIM", ssim, step)

    def write(self) -> None:
        """``loss.csv`` and ``loss.png``."""
        with (self.folder / "loss.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, ("step", "loss", "ssim"), lineterminator="\n")
            writer.writeheader()
            writer.writerows(
                {key: f"{v:.6g}" if isinstance(v, float) else v for key, v in row.items()}
                for row in self.rows
            )
        figure = Figure(figsize=(8, 3), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.plot([r["step"] for r in self.rows], [r["loss"] for r in self.rows])
        left.set(xlabel="step", ylabel="training loss", yscale="log")
        scored = [row for row in self.rows if row["ssim"] is not None]
        right.plot([r["step"] for r in scored], [r["ssim"] for r in scored], marker=".")
        right.set(xlabel="step", ylabel="validation SSIM")
        figure.savefig(self.folder / "loss.png", dpi=100)

    def picture(
        self, network: nn.Module, scan: Scan, sampling: Sampling, first: nn.Module | None = None
    ) -> None:
        """``validation.png``: zero-filled, network and reference in one window.

        `first` is the network whose reconstruction it goes on from, if it does.
        """
        measurement = scan.measure(sampling.mask, sampling.acceleration)
        reference = scan.truth
        panels = {
            "zero-filled": measurement.zero_filled,
            "network": method_of(network, first)(measurement),
            "reference": reference,
        }
        figure = Figure(figsize=(9, 3.3), layout="constrained")
        for axes, (title, image) in zip(figure.subplots(1, 3), panels.items(), strict=True):
            axes.imshow(image, cmap="gray", vmin=0, vmax=np.percentile(reference, 99.5))
            axes.set_title(title)
            axes.axis("off")
        figure.savefig(self.folder / "validation.png", dpi=80)
