"""Compressed sensing as others do it: BART, where that is installed.

The Berkeley Advanced Reconstruction Toolbox (Uecker et al. 2015, Proc. ISMRM 23:2486,
doi 10.5281/zenodo.592960) is a program of its own, which reads and writes files. Only the
benchmark needs it.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch

from recon.coils.espirit import centre_block
from recon.fourier import center_crop, fft2c, ifft2c, rss
from recon.measurement import CROP, Measurement

REGULARIZERS = {
    "wavelet": ("-l1", "-r", "{:g}"),  # FISTA on l1-wavelet, random cycle spinning
    # ADMM on total variation over both axes of the image. With its default penalty of 0.5 it is
    # far from done after 100 iterations.
    "tv": ("-R", "T:3:0:{:g}", "-u", "0.01"),
}
ITERATIONS = 100


def version() -> str | None:
    """Such as ``"v0.8.00"``; None where there is no BART."""
    if shutil.which("bart") is None:
        return None
    return subprocess.run(["bart", "version"], capture_output=True, text=True).stdout.strip()


def pics(
    measurement: Measurement,
    regularizer: str,
    regularization: float,
    iterations: int = ITERATIONS,
) -> tuple[np.ndarray, float]:
    """Run ``bart pics`` with a flat sensitivity on every coil, root-sum-of-squares combined.

    Parameters
    ----------
    measurement
        Of any scale: BART divides by its own estimate of the maximum, and multiplies again.
    regularizer
        A key of `REGULARIZERS`.
    regularization
        In units of an image whose maximum is about 1.
    iterations
        Of FISTA or ADMM.

    Returns
    -------
    image, seconds
        Magnitude on the measurement's own scale, float32, shape (h, w); and BART's own time
        without starting up and files, NaN where it does not tell.

    Raises
    ------
    RuntimeError
        If there is no BART, or it fails.
    """
    options = [word.format(regularization) for word in REGULARIZERS[regularizer]]
    height, width = measurement.kspace.shape[-2:]
    # pics puts the origin of an odd side between two pixels. Another line, never measured, at
    # the front makes the side even and leaves the zero frequency in the middle.
    front = [(height % 2, 0), (width % 2, 0)]
    pattern = np.pad(np.broadcast_to(measurement.mask, (height, width)), front)
    images, seconds = [], 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_cfl(folder / "pattern", pattern)
        write_cfl(folder / "sensitivity", np.ones(pattern.shape))
        for coil in measurement.kspace.reshape(-1, height, width):
            write_cfl(folder / "kspace", np.pad(coil, front))
            words = ["bart", "pics", "-S", "-i", str(iterations), *options, "-p", "pattern"]
            seconds += _run([*words, "kspace", "sensitivity", "image"], folder)
            kspace = fft2c(read_cfl(folder / "image"))
            images.append(ifft2c(kspace[height % 2 :, width % 2 :]))
    return center_crop(rss(np.stack(images)), CROP).astype(np.float32), seconds


def ecalib(kspace: np.ndarray, lines: int, *options: str) -> np.ndarray:
    """One set of maps by ``bart ecalib`` from so many lines of the middle.

    Parameters
    ----------
    kspace
        Complex, shape (C, H, W), both sides even.
    lines
        At most 24 are looked at.
    options
        More words of the command line.

    Returns
    -------
    complex64, shape (C, H, W).
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_cfl(folder / "kspace", np.moveaxis(kspace, 0, -1)[:, :, None])
        words = ["bart", "ecalib", "-m1", "-r", f"24:{min(lines, 24)}:1", *options]
        _run([*words, "kspace", "maps"], folder)
        return np.moveaxis(read_cfl(folder / "maps")[:, :, 0], -1, 0)


def sense(
    measurement: Measurement, regularization: float, iterations: int = ITERATIONS
) -> np.ndarray:
    """Run ``bart ecalib`` and ``bart pics`` with l1-wavelets on all coils.

    Parameters
    ----------
    measurement
        Of several coils, its sides even.
    regularization, iterations
        See `pics`.

    Returns
    -------
    Root-sum-of-squares of the coil images, float32, shape (h, w).
    """
    lines = centre_block(torch.from_numpy(measurement.mask))
    middle = measurement.mask.size // 2
    count = 2 * min(middle - lines.start, lines.stop - middle)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Its usual windows of six lines have hardly a place in a block of eight.
        window = min(6, max(2, count // 2))
        maps = ecalib(measurement.kspace, max(count, 6), "-k", str(window))
        pattern = np.broadcast_to(measurement.mask, maps.shape[1:])
        write_cfl(folder / "pattern", pattern)
        write_cfl(folder / "maps", np.moveaxis(maps, 0, -1)[:, :, None])
        write_cfl(folder / "kspace", np.moveaxis(measurement.kspace, 0, -1)[:, :, None])
        words = ["bart", "pics", "-S", "-i", str(iterations), "-l1", "-r", f"{regularization:g}"]
        _run([*words, "-p", "pattern", "kspace", "maps", "image"], folder)
        image = read_cfl(folder / "image")
    picture = center_crop(rss(np.asarray(maps * image)), CROP)
    return picture.astype(np.float32)


def nlinv(measurement: Measurement, steps: int) -> np.ndarray:
    """Run ``bart nlinv``: image and sensitivities together (Uecker et al. 2008).

    Regularised nonlinear inversion, doi 10.1002/mrm.21691.

    Parameters
    ----------
    measurement
        Of several coils, its sides even.
    steps
        Of Newton's method; the fewer, the stronger the regularisation.

    Returns
    -------
    What the coils see together, as `sense`.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_cfl(folder / "kspace", np.moveaxis(measurement.kspace, 0, -1)[:, :, None])
        _run(["bart", "nlinv", "-S", "-i", str(steps), "kspace", "image"], folder)
        image = read_cfl(folder / "image")
    picture = center_crop(np.asarray(np.abs(image)), CROP)
    return picture.astype(np.float32)


def _run(words: list[str], folder: Path) -> float:
    # As many threads as the other methods have.
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    try:
        result = subprocess.run(
            words, cwd=folder, env=environment, capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        raise RuntimeError("BART is not installed: there is no program 'bart'.") from None
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"BART failed: {error.stderr.strip()}") from None
    told = re.search(r"Total Time: ([\d.]+)", result.stdout)
    return float(told[1]) if told else math.nan


def write_cfl(path: Path, array: np.ndarray) -> None:
    """Write ``path.cfl`` and ``path.hdr``: complex64, first axis fastest."""
    path.with_suffix(".hdr").write_text(f"# Dimensions\n{' '.join(map(str, array.shape))}\n")
    np.asarray(array, np.complex64).ravel(order="F").tofile(path.with_suffix(".cfl"))


def read_cfl(path: Path) -> np.ndarray:
    """Read ``path.cfl`` and ``path.hdr``: complex64, axes of length 1 at the end left out."""
    text = path.with_suffix(".hdr").read_text()
    shape = [int(word) for word in text.splitlines()[1].split()]
    while len(shape) > 2 and shape[-1] == 1:
        shape.pop()
    return np.fromfile(path.with_suffix(".cfl"), np.complex64).reshape(shape, order="F")
