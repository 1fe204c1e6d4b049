"""A result as HTML: the pictures side by side, what stands under them, the sentence above.

Names of files come from outside, so every text passes through `html.escape`.
"""

from __future__ import annotations

import base64
from html import escape

import numpy as np
from matplotlib.colors import to_hex

from recon import figures
from recon.methods import LABELS
from recon.pipeline import Reconstruction

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
    lines = f"{result.lines_measured} of {result.lines.size} lines measured"
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
    label = escape(LABELS[result.method])
    return f"SSIM <b>{before:.3f} → {after:.3f}</b>: the {label} {did} {gap}."


def panels(result: Reconstruction) -> str:
    """Mask, zero-filled, reconstruction, reference; below them k-space, errors, their scale."""
    pictures = figures.pictures(result)
    label = LABELS[result.method]
    height, width = result.zero_filled.shape
    size = f"{height} by {width} pixels"
    described = {
        "mask": (
            "Mask",
            f"{result.lines_measured} of {result.lines.size} lines, "
            f"{result.achieved_acceleration:.2f}x",
            f"Sampling mask: {result.lines_measured} of {result.lines.size} lines measured",
        ),
        "zero_filled": (
            "Zero-filled",
            figures.score_line(result.zero_filled_metrics),
            f"Zero-filled image, {size}",
        ),
        "reconstruction": (
            label,
            figures.score_line(result.metrics),
            f"{label} reconstruction, {size}",
        ),
        "reference": ("Fully sampled", "reference", f"Fully sampled reference image, {size}"),
        "kspace": (
            "Measured k-space",
            f"log magnitude, {figures.KSPACE_DECIBELS} dB",
            "Masked k-space, logarithm of the magnitude",
        ),
    }
    if result.reference is not None:
        described["zero_filled_error"] = (
            "Error, zero-filled",
            _largest_error(result.zero_filled, result.reference),
            "Error map of the zero-filled image",
        )
        described["reconstruction_error"] = (
            f"Error, {label}",
            _largest_error(result.image, result.reference),
            f"Error map of the {label} reconstruction",
        )
    cells = [
        _figure(pictures[name], *words) for name, words in described.items() if name in pictures
    ]
    if result.reference is not None:
        cells.append(_error_scale(result))
    return f'<div class="panels">{"".join(cells)}</div>'


def _largest_error(image: np.ndarray, reference: np.ndarray) -> str:
    error = float(np.abs(image - reference).max() / reference.max())
    return f"largest {error:.0%} of the maximum"


def _figure(picture: np.ndarray, title: str, caption: str, alt: str) -> str:
    data = base64.b64encode(figures.png(picture)).decode()
    parts = "".join(f"<span>{escape(part)}</span>" for part in caption.split(" · ") if part)
    return (
        f'<figure><button type="button" class="frame" aria-label="Enlarge: {escape(title)}">'
        f'<img alt="{escape(alt)}" src="data:image/png;base64,{data}"></button>'
        f"<figcaption><b>{escape(title)}</b>{parts}</figcaption></figure>"
    )


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
