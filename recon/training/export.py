"""``python train.py export NAME``: ResNet-DC as ONNX, without a Fourier transform.

A mask is whole columns, so keeping the measured lines of an image x multiplies every row by one
complex W x W matrix P: the transform along the phase-encode axis, the mask, and the way back.
Data consistency is then ``x - x P + zero_filled``, and what is left are convolutions, matrix
products and pixel shuffles, which every ONNX runtime has, those of browsers included.
"""

from __future__ import annotations

import argparse
import io
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recon.fourier import center_crop, fft1c, ifft1c, ifft2c
from recon.measurement import CROP
from recon.models.refinement import CELL
from recon.models.unrolled import ResNetDC
from recon.weights import SHIPPED, Store, WeightsError

INPUTS = ("zero_filled", "projection", "valid", "share")
MULTIPLE = 4  # sides are whole multiples of it


class Portable(nn.Module):
    """ResNet-DC for one coil, in real numbers only.

    Parameters
    ----------
    network
        Whose weights it shares.
    """

    unshuffle: Tensor

    def __init__(self, network: ResNetDC) -> None:
        super().__init__()
        self.steps, self.memory = network.steps, network.memory
        # Pixel-unshuffle as a convolution: one of 2x2 pixels for each of 4 channels.
        kernel = torch.eye(16).reshape(16, 4, 2, 2)
        self.register_buffer("unshuffle", kernel)

    def forward(
        self, zero_filled: Tensor, projection: Tensor, valid: Tensor, share: Tensor
    ) -> Tensor:
        """The reconstruction.

        Parameters
        ----------
        zero_filled
            Real and imaginary part, scaled to a maximum of 1, shape (1, 2, H, W); H and W are
            multiples of `MULTIPLE`, filled up with zeros.
        projection
            Real and imaginary part of P, filled up with zeros, shape (2, W, W).
        valid
            1 inside the picture and 0 where it was filled up, shape (1, 1, H, W).
        share
            Share of measured lines, shape (1, 1, 1, 1).

        Returns
        -------
        As `zero_filled`.
        """
        image, correction = zero_filled, torch.zeros_like(zero_filled)
        cells = functional.conv2d(torch.cat([image, correction], 1), self.unshuffle, stride=2)
        known = torch.zeros_like(cells[:, :1]) + share
        memory = torch.zeros_like(cells[:, : self.memory])
        for step in self.steps:
            parts = torch.cat([image, correction], 1)
            cells = functional.conv2d(parts, self.unshuffle, stride=2)
            out = step(torch.cat([cells, known, memory], 1))
            memory = memory + out[:, CELL:]
            proposed = (image + functional.pixel_shuffle(out[:, :CELL], 2)) * valid
            real, imaginary = proposed[:, :1], proposed[:, 1:]
            kept = [
                real @ projection[0] - imaginary @ projection[1],
                real @ projection[1] + imaginary @ projection[0],
            ]
            correction = zero_filled - torch.cat(kept, 1)
            image = proposed + correction
        return image


def projection(mask: np.ndarray) -> np.ndarray:
    """The matrix P: complex128, shape (W, W), ``row @ P`` keeps the measured lines of a row.

    Parameters
    ----------
    mask
        Measured lines, boolean, shape (W,).
    """
    identity = np.eye(mask.size)
    return ifft1c(fft1c(identity, -1) * mask, -1)


def inputs(kspace: np.ndarray, mask: np.ndarray) -> tuple[dict[str, np.ndarray], float]:
    """What the exported network takes, and the scale its result is multiplied with.

    Parameters
    ----------
    kspace
        Of one coil, zero where nothing was measured, shape (H, W).
    mask
        Measured lines, boolean, shape (W,).
    """
    image = ifft2c(kspace)
    height, width = image.shape
    scale = float(np.abs(center_crop(image, CROP)).max()) or 1.0
    fill = ((0, -height % MULTIPLE), (0, -width % MULTIPLE))
    parts = np.pad(image / scale, fill), np.pad(projection(mask), (fill[1], fill[1]))
    image, matrix = (np.stack([part.real, part.imag]).astype(np.float32) for part in parts)
    valid = np.pad(np.ones((height, width), np.float32), fill)
    share = np.full((1, 1, 1, 1), mask.mean(), np.float32)
    values = (image[None], matrix, valid[None, None], share)
    return dict(zip(INPUTS, values, strict=True)), scale


def onnx(network: nn.Module) -> bytes:
    """A ResNet-DC as the content of an ``.onnx`` file, for pictures of any size.

    Raises
    ------
    WeightsError
        If it is another network.
    """
    if not isinstance(network, ResNetDC):
        raise WeightsError("Only networks of the architecture 'resnet-dc' can be exported.")
    side = 4 * MULTIPLE
    shapes = (1, 2, side, 2 * side), (2, 2 * side, 2 * side), (1, 1, side, 2 * side), (1, 1, 1, 1)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that needs no further package is the older
        torch.onnx.export(
            Portable(network).eval(),
            tuple(torch.zeros(shape) for shape in shapes),
            buffer,  # type: ignore[arg-type]  # the older exporter takes it
            input_names=list(INPUTS),
            output_names=["image"],
            dynamic_axes={
                "zero_filled": {2: "H", 3: "W"},
                "projection": {1: "W", 2: "W"},
                "valid": {2: "H", 3: "W"},
                "image": {2: "H", 3: "W"},
            },
            opset_version=17,
            dynamo=False,
        )
    return buffer.getvalue()


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit status is 1 if there is nothing to export."""
    parser = argparse.ArgumentParser(prog="python train.py export", description=__doc__)
    parser.add_argument("name", help="of the checkpoint, such as resnet-dc")
    parser.add_argument("--out", type=Path, help="file to write (default: NAME.onnx)")
    parser.add_argument("--checkpoints", type=Path, default=SHIPPED, help="their folder")
    options = parser.parse_args(arguments)
    out = options.out or Path(f"{options.name}.onnx")
    try:
        out.write_bytes(onnx(Store(options.checkpoints).load(options.name)))
    except (WeightsError, OSError) as error:
        print(f"train.py export: {error}", file=sys.stderr)
        return 1
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")
    return 0
