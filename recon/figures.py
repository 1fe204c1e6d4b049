"""Arrays to pictures: one window for all images of a result, one fixed scale for all errors."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from PIL import Image

from recon.pipeline import Reconstruction

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ERROR_LIMIT = 0.2  # |error| / maximum of the reference at the top of the error scale
KSPACE_DECIBELS = 80  # dynamic range of the k-space picture, below its maximum
ERROR_COLORS = matplotlib.colormaps["inferno"]


def window(result: Reconstruction) -> float:
    """Upper end of the one display window [0, window] of a result's pictures: its `white`."""
    return white(result.zero_filled if result.reference is None else result.reference)


def white(image: np.ndarray) -> float:
    """The value to show as white, in image units: the 99.9th percentile.

    With the maximum a few bright vessels would darken everything else.
    """
    return float(np.percentile(image, 99.9)) or 1.0


def gray(image: np.ndarray, upper: float) -> np.ndarray:
    """Image values 0 to `upper` as gray values: uint8, shape (h, w)."""
    return (np.clip(image / upper, 0, 1) * 255 + 0.5).astype(np.uint8)


def error_map(image: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """|image - reference| / max(reference), 0 to `ERROR_LIMIT`, in colour: uint8, (h, w, 3)."""
    error = np.abs(image - reference) / reference.max()
    colored: np.ndarray = ERROR_COLORS(np.clip(error / ERROR_LIMIT, 0, 1), bytes=True)[..., :3]
    return colored


def log_kspace(kspace_magnitude: np.ndarray) -> np.ndarray:
    """Decibels below the maximum, the lowest of `KSPACE_DECIBELS` black: uint8, (H, W)."""
    level = kspace_magnitude / kspace_magnitude.max()
    decibels = 20 * np.log10(np.maximum(level, 10 ** (-KSPACE_DECIBELS / 20)))
    return gray(decibels + KSPACE_DECIBELS, KSPACE_DECIBELS)


def pictures(result: Reconstruction) -> dict[str, np.ndarray]:
    """Every panel of a result by name, as uint8 arrays.

    ``mask``, ``kspace``, ``zero_filled``, ``reconstruction`` and, if there is a reference,
    ``reference``, ``zero_filled_error`` and ``reconstruction_error``.
    """
    upper = window(result)
    panels = {
        "mask": gray(result.mask, 1),
        "kspace": log_kspace(result.kspace_magnitude),
        "zero_filled": gray(result.zero_filled, upper),
        "reconstruction": gray(result.image, upper),
    }
    if result.reference is not None:
        panels["reference"] = gray(result.reference, upper)
        panels["zero_filled_error"] = error_map(result.zero_filled, result.reference)
        panels["reconstruction_error"] = error_map(result.image, result.reference)
    return panels


def png(picture: np.ndarray) -> bytes:
    """A uint8 picture, gray (h, w) or colour (h, w, 3), as a PNG file."""
    buffer = io.BytesIO()
    # Level 1: half the time of the default for files a tenth larger.
    Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def score_line(metrics: dict[str, float] | None) -> str:
    """Scores as they stand under an image; empty where there are none."""
    if metrics is None:
        return ""
    return "SSIM {ssim:.3f} · PSNR {psnr:.1f} dB · NMSE {nmse:.4f}".format(**metrics)


def sheet(result: Reconstruction) -> Figure:
    """All panels of a result on one page, with titles and scores."""
    from matplotlib.figure import Figure  # slow to import, and the page does not need it

    label = result.label
    titles = {
        "mask": f"Mask: {result.sampling.measured_lines} of {result.line_mask.size} lines",
        "zero_filled": "Zero-filled\n" + score_line(result.zero_filled_metrics),
        "reconstruction": f"{label}\n" + score_line(result.metrics),
        "reference": "Fully sampled reference",
        "kspace": f"Measured k-space (log, {KSPACE_DECIBELS} dB)",
        "zero_filled_error": "Zero-filled: error",
        "reconstruction_error": f"{label}: error",
    }
    figure = Figure(figsize=(14, 7.6), layout="constrained")
    axes = figure.subplots(2, 4)
    for axis in axes.flat:
        axis.axis("off")
    panels = pictures(result)
    for axis, name in zip(axes.flat, titles, strict=False):
        if name in panels:
            axis.imshow(panels[name], cmap="gray", vmin=0, vmax=255)
            axis.set_title(titles[name], fontsize=10)
    if result.reference is not None:
        scale = matplotlib.cm.ScalarMappable(
            matplotlib.colors.Normalize(0, ERROR_LIMIT), ERROR_COLORS
        )
        beside = axes[1, 3].inset_axes((0.15, 0.05, 0.1, 0.9))
        figure.colorbar(scale, cax=beside, label="|error| / maximum of the reference")
    figure.suptitle(
        f"{result.source.name}, slice {result.source.slice}: nominal {result.acceleration:g}x, "
        f"achieved {result.achieved_acceleration:.2f}x"
        + (" (simulated k-space)" if result.source.simulated else "")
    )
    return figure
