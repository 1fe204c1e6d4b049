"""Arrays to pictures: one window for all images of a result, one fixed scale for all errors."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import matplotlib
import matplotlib.ticker
import numpy as np
from PIL import Image

from recon.errors import InputError
from recon.pipeline import Reconstruction
from recon.version import VERSION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ERROR_LIMIT = 0.2  # |error| / maximum of the reference at the top of the error scale
KSPACE_DECIBELS = 80  # dynamic range of the k-space picture, below its maximum
ERROR_COLORS = matplotlib.colormaps["inferno"]


def window(result: Reconstruction) -> float:
    """Upper end of the one display window [0, window] of a result's pictures: its `white`."""
    return white(result.zero_filled if result.reference is None else result.reference)


def white(image: np.ndarray) -> float:
    """The value to show as white, in the units of an image of any shape: the 99.9th percentile.

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


def color_table(name: str) -> np.ndarray:
    """The 256 colours of one of matplotlib's colour maps: uint8, shape (256, 3)."""
    return matplotlib.colormaps[name](np.linspace(0, 1, 256), bytes=True)[:, :3]


def log_kspace(kspace_magnitude: np.ndarray) -> np.ndarray:
    """Decibels below the maximum, the lowest of `KSPACE_DECIBELS` black: uint8, (H, W)."""
    level = kspace_magnitude / (kspace_magnitude.max() or 1)
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


def saved(figure: Figure, kind: str, dpi: int = 200) -> bytes:
    """A figure as a ``png``, ``svg`` or ``pdf`` file; the same bytes for the same figure.

    Letters of an SVG are outlines, so no name of a file can be anything but a drawing.
    """
    buffer = io.BytesIO()
    date = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[kind]
    with matplotlib.rc_context({"svg.hashsalt": "recon", "svg.fonttype": "path"}):
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=date)
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
    words = (
        f"{result.source.name}, slice {result.source.slice}: nominal {result.acceleration:g}x, "
        f"achieved {result.achieved_acceleration:.2f}x"
        + (" (simulated k-space)" if result.source.simulated else "")
    )
    figure.suptitle(_plain(words), parse_math=False)
    return figure


def plate(
    result: Reconstruction,
    names: Sequence[str],
    *,
    colors: str = "gray",
    limit: float = ERROR_LIMIT,
    signed: bool = False,
    say: Callable[[str], str] = str,
) -> Figure:
    """Chosen panels of a result for a page of print, and a `caption` below them.

    Parameters
    ----------
    result
        What was reconstructed.
    names
        Of `pictures`, in the order to show them; errors are left out without a reference.
    colors
        matplotlib's colour map of the images.
    limit, signed
        Top of the scale of errors, as a share of the reference's maximum, and whether they are
        shown with their sign.
    say
        Puts a title, or a sentence of the caption, into another language.

    Raises
    ------
    InputError
        If nothing is left to show.
    """
    from matplotlib.figure import Figure

    upper = window(result)
    images = {"zero_filled": result.zero_filled, "reconstruction": result.image}
    if result.reference is not None:
        images["reference"] = result.reference
    titles = {
        "mask": ("Mask", f"{result.sampling.measured_lines} of {result.line_mask.size} lines"),
        "kspace": ("Measured k-space", f"log magnitude, {KSPACE_DECIBELS} dB"),
        "zero_filled": ("Zero-filled", score_line(result.zero_filled_metrics)),
        "reconstruction": (result.label, score_line(result.metrics)),
        "reference": ("Fully sampled", ""),
        "zero_filled_error": ("Error, zero-filled", ""),
        "reconstruction_error": (f"Error, {result.label}", ""),
    }
    there = {"mask", "kspace", *images} | (
        {name for name in titles if name.endswith("_error")} if "reference" in images else set()
    )
    names = [name for name in names if name in there]
    if not names:
        raise InputError("None of these panels exists without a fully sampled reference.")
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    # One column of text stays readable below a single panel.
    figure = Figure(figsize=(max(4.2, 2.6 * columns), 2.7 * rows + 0.75), layout="constrained")
    grid = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axis in grid:
        axis.axis("off")
    for axis, name in zip(grid, names, strict=False):
        title, words = titles[name]
        axis.set_title(
            _plain(f"{say(title)}\n{say(words)}" if words else say(title)),
            fontsize=8,
            parse_math=False,
        )
        if name.endswith("_error"):
            assert result.reference is not None
            error = (
                images[name.removesuffix("_error")] - result.reference
            ) / result.reference.max()
            shown = axis.imshow(
                error if signed else np.abs(error),
                cmap="RdBu_r" if signed else ERROR_COLORS,
                vmin=-limit if signed else 0,
                vmax=limit,
            )
            bar = figure.colorbar(
                shown, ax=axis, shrink=0.8, pad=0.02, format=matplotlib.ticker.PercentFormatter(1)
            )
            bar.ax.tick_params(labelsize=6)
        elif name in images:
            axis.imshow(images[name], cmap=colors, vmin=0, vmax=upper)
        else:
            pixels = log_kspace(result.kspace_magnitude) if name == "kspace" else result.mask
            axis.imshow(pixels, cmap="gray", vmin=0)
    width = int(figure.get_figwidth() * 17)
    lines = "\n".join(textwrap.wrap(_plain(caption(result, say)), width))
    figure.supxlabel(lines, fontsize=7, parse_math=False)
    return figure


def caption(result: Reconstruction, say: Callable[[str], str] = str) -> str:
    """What somebody needs to make a result again, in a few sentences.

    `say` puts each into another language.
    """
    source, sampling = result.source, result.sampling
    where = source.name + (f", slice {source.slice}" if source.slices > 1 else "")
    lines = f"{sampling.measured_lines} of {result.line_mask.size} lines measured"
    mask = f"Mask of the data: {lines}, {result.achieved_acceleration:.2f}x."
    if sampling.seed is not None:
        mask = (
            f"Mask: {sampling.family}, nominal {result.acceleration:g}x, achieved "
            f"{result.achieved_acceleration:.2f}x ({lines}), centre fraction "
            f"{sampling.center_fraction:g}, seed {sampling.seed}, lines are {result.phase_encode}."
        )
    sentences = [mask, f"Method: {result.label}."]
    if result.metrics is not None:
        before, after = map(score_line, (result.zero_filled_metrics, result.metrics))
        sentences += [
            f"{after} (zero-filled: {before}); data range: {result.data_range_from}.",
            "Errors are shares of the maximum of the fully sampled image.",
        ]
    if source.simulated:
        sentences.append("Simulated k-space, so scores are optimistic.")
    return " ".join([f"{say(where)}.", *map(say, sentences), f"mri-recon {VERSION}."])


def _plain(text: str) -> str:
    """Text that the figure's font can draw: what it has no sign for becomes a question mark."""
    from matplotlib import font_manager

    known = font_manager.get_font(font_manager.findfont("DejaVu Sans")).get_char_index
    return "".join(sign if sign == "\n" or known(ord(sign)) else "?" for sign in text)
