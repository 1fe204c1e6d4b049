"""A result as HTML: the pictures side by side, what stands under them, the sentence above.

Names of files come from outside, so every text passes through `html.escape`.
"""

from __future__ import annotations

from html import escape

import numpy as np
from matplotlib.colors import to_hex

from recon import figures
from recon.pipeline import Reconstruction
from recon.ui.viewer import Panel, viewer

_STOPS = ", ".join(to_hex(figures.ERROR_COLORS(t)) for t in np.linspace(0, 1, 9))


def message(text: str) -> str:
    """One sentence beside the control it is about; nothing for an empty text."""
    return f'<p class="message" role="alert">{escape(text)}</p>' if text else ""


def verdict(result: Reconstruction, notice: str = "") -> str:
    """The result in one sentence, a badge where k-space is simulated, and what to know of it.

    Parameters
    ----------
    notice
        A sentence about something that is missing, such as the network's weights.
    """
    source = result.source
    lines = f"{result.sampling.measured_lines} of {result.line_mask.size} lines measured"
    achieved = f"{result.achieved_acceleration:.2f}x"
    if result.reference is None:
        sentence = (
            f"Measured with its own mask: {lines}, {achieved}. "
            "There is no fully sampled reference, so there is nothing to score."
        )
    else:
        sentence = f"Nominal {result.acceleration:g}x, achieved {achieved}: {lines}."
        sentence += " " + _gain(result)
    badge = '<span class="badge">simulated k-space</span> ' if source.simulated else ""
    where = source.name
    if source.slices > 1:  # counted from 0, as on the command line and in Python
        where += f", slice {source.slice} (0 to {source.slices - 1})"
    details = "".join(f"<li>{escape(note)}</li>" for note in source.notes)
    where = f"{escape(where)} · {escape(source.format)}"
    return (
        f'<div class="verdict"><p class="where">{badge}{where}</p>'
        f"<p>{sentence}</p>{message(notice)}<ul>{details}</ul></div>"
    )


def _gain(result: Reconstruction) -> str:
    assert result.metrics is not None
    assert result.zero_filled_metrics is not None
    assert result.closed_share is not None
    before, after = result.zero_filled_metrics["ssim"], result.metrics["ssim"]
    if result.method == "zero-filled":
        return f"Zero-filled SSIM <b>{before:.3f}</b>."
    share, gap = result.closed_share, "of the gap to a perfect score"
    did = f"made this slice worse, by {-share:.0%}" if share < 0 else f"closed {share:.0%}"
    label = escape(result.label)
    return f"SSIM <b>{before:.3f} → {after:.3f}</b>: the {label} {did} {gap}."


def panels(result: Reconstruction, pending: str = "") -> str:
    """Mask, zero-filled, reconstruction, reference; below them k-space, errors, their scale.

    Parameters
    ----------
    pending
        Name of a method that is still at work: `result` then stands in its place.
    """
    label = f"{pending}, at work" if pending else result.label
    height, width = result.zero_filled.shape
    size = f"{height} by {width} pixels"
    lines = f"{result.sampling.measured_lines} of {result.line_mask.size} lines"
    shown = [
        Panel(
            "mask",
            "Mask",
            f"{lines}, {result.achieved_acceleration:.2f}x",
            f"Sampling mask: {lines} measured",
            "mask",
            figures.gray(result.mask, 1),
        ),
        Panel(
            "zero_filled",
            "Zero-filled",
            figures.score_line(result.zero_filled_metrics),
            f"Zero-filled image, {size}",
            "image",
            result.zero_filled,
        ),
        Panel(
            "reconstruction",
            label,
            "" if pending else figures.score_line(result.metrics),
            f"{label} reconstruction, {size}",
            "image",
            result.image,
        ),
    ]
    kspace = Panel(
        "kspace",
        "Measured k-space",
        f"log magnitude, {figures.KSPACE_DECIBELS} dB",
        "Masked k-space, logarithm of the magnitude",
        "decibels",
        figures.log_kspace(result.kspace_magnitude),
    )
    if result.reference is None:
        return viewer([*shown, kspace], figures.window(result), None)
    shown.append(
        Panel(
            "reference",
            "Fully sampled",
            "reference",
            f"Fully sampled reference image, {size}",
            "image",
            result.reference,
        )
    )
    errors = [
        Panel(
            f"{of}_error",
            f"Error, {title}",
            _largest_error(image, result.reference),
            f"Error map of the {words}",
            "error",
            of=of,
            against="reference",
        )
        for of, title, words, image in (
            ("zero_filled", "zero-filled", "zero-filled image", result.zero_filled),
            ("reconstruction", label, f"{label} reconstruction", result.image),
        )
    ]
    return viewer(
        [*shown, kspace, *errors], figures.window(result), result.data_range, _error_scale(result)
    )


def _largest_error(image: np.ndarray, reference: np.ndarray) -> str:
    error = float(np.abs(image - reference).max() / reference.max())
    return f"largest {error:.0%} of the maximum"


def _error_scale(result: Reconstruction) -> str:
    limit = figures.ERROR_LIMIT
    ticks = "".join(f"<span>{limit * t:.0%}</span>" for t in (1, 0.75, 0.5, 0.25, 0))
    return (
        '<figure class="scale"><div class="frame"><div class="bar" role="img" '
        f'aria-label="Colour scale of the error maps, 0 to {limit:.0%}" '
        f'style="background: linear-gradient(to top, {_STOPS})"></div>'
        f'<div class="ticks">{ticks}</div></div>'
        "<figcaption><b>Error scale</b><span>|error| / maximum of the reference</span>"
        f"<span>SSIM and PSNR: data range is the {result.data_range_from}</span>"
        "</figcaption></figure>"
    )
