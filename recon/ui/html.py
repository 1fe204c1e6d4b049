"""What is shown as HTML: a result and the sentence above it, one beside a control, a table.

Names of files come from outside, so every text passes through `html.escape`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from recon import figures
from recon.pipeline import Reconstruction
from recon.ui.viewer import Panel, viewer

if TYPE_CHECKING:
    from recon.ui.session import Choice


def message(text: str) -> str:
    """One sentence beside the control it is about; nothing for an empty text."""
    return f'<p class="message" role="alert">{escape(text)}</p>' if text else ""


def remark(label: str, sentence: str) -> str:
    """What to know of a method's result, or why it has none."""
    return f"<p><b>{escape(label)}:</b> {escape(sentence)}</p>"


def remarks(found: Iterable[tuple[str, str]]) -> str:
    """The same of several methods, given as label and sentence: what some share is said once."""
    labels: dict[str, list[str]] = {}
    for label, sentence in dict.fromkeys(found):
        labels.setdefault(sentence, []).append(label)
    parts = []
    for sentence, names in labels.items():
        if len(names) == 1:
            parts.append(remark(names[0], sentence))
            continue
        # Names in elements of their own: the page is translated text by text.
        several = ", ".join(f"<b>{escape(one)}</b>" for one in names)
        parts.append(f"<p>{several}: <span>{escape(sentence)}</span></p>")
    return "".join(parts)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """An HTML table; the first column names the row."""
    top = "".join(f'<th scope="col">{escape(cell)}</th>' if cell else "<td></td>" for cell in head)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table class="scores">'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def verdict(result: Reconstruction, notice: str = "", code: str = "") -> str:
    """The result in one sentence, a badge where k-space is simulated, and what to know of it.

    Parameters
    ----------
    notice
        A sentence about something that is missing, such as the network's weights.
    code
        HTML: how to get the same without the page.
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
    simulated = "Simulated k-space, so scores flatter every method. " if source.simulated else ""
    where = source.name
    if source.slices > 1:  # counted from 0, as on the command line and in Python
        where += f", slice {source.slice} (0 to {source.slices - 1})"
    details = "".join(f"<li>{escape(note)}</li>" for note in source.notes)
    if details:
        details = f"<details><summary>About these data</summary><ul>{details}</ul></details>"
    where = f"{escape(where)} · {escape(source.format)}"
    return (
        f'<div class="verdict" role="status"><p>{sentence}</p>'
        f'<div class="where">{simulated}{where}{details}{code}</div>{message(notice)}</div>'
    )


def _gain(result: Reconstruction) -> str:
    assert result.metrics is not None
    assert result.zero_filled_metrics is not None
    assert result.closed_share is not None
    before, after = result.zero_filled_metrics["ssim"], result.metrics["ssim"]
    if result.method == "zero-filled":
        return f"Zero-filled SSIM <b>{before:.3f}</b>."
    share, gap = result.closed_share, "of the gap to a perfect score"
    loss = "less than 1%" if share > -0.005 else f"{-share:.0%}"
    did = f"made this slice worse, by {loss}" if share < 0 else f"closed {share:.0%}"
    label = escape(result.label)
    return f"SSIM <b>{before:.3f} → {after:.3f}</b>: {label} {did} {gap}."


def panels(result: Reconstruction) -> dict[str, Any]:
    """Mask, zero-filled, reconstruction, reference; below them k-space, errors, their scale."""
    label = result.label
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
            figures.score_line(result.metrics),
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
        return viewer([*shown, kspace], figures.window(result), slices=result.source.slices)
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
            alt,
            "error",
            of=of,
            against="reference",
        )
        for of, title, alt, image in (
            (
                "zero_filled",
                "zero-filled",
                "Error map of the zero-filled image",
                result.zero_filled,
            ),
            ("reconstruction", label, f"Error map of the {label} reconstruction", result.image),
        )
    ]
    legend = (
        "|error| / maximum of the reference",
        f"SSIM and PSNR: data range is the {result.data_range_from}",
    )
    window = figures.window(result)
    return viewer(
        [*shown, kspace, *errors],
        window,
        result.data_range,
        legend,
        slices=result.source.slices,
    )


def _largest_error(image: np.ndarray, reference: np.ndarray) -> str:
    error = float(np.abs(image - reference).max() / reference.max())
    return f"largest {error:.0%} of the maximum"


def bar(choice: Choice, result: Reconstruction) -> dict[str, Any]:
    """What is open, for the bar above every tab.

    Parameters
    ----------
    choice
        As the controls have it: it decides which results of experiments are still about this.
    """
    source = result.source
    parts = [("open", source.name)]
    if source.slices > 1:
        parts.append(("slice", f"{source.slice} of 0 to {source.slices - 1}"))
    sampling = result.sampling
    lines = f"{sampling.measured_lines} of {result.line_mask.size} lines"
    parts.append(("mask", f"{lines}, {result.achieved_acceleration:.2f}x"))
    parts.append(("method", result.label))
    if result.metrics is not None and result.zero_filled_metrics is not None:
        before, after = result.zero_filled_metrics["ssim"], result.metrics["ssim"]
        parts.append(("SSIM", f"{before:.3f} → {after:.3f}"))
    return {
        "questions": choice.questions,
        "parts": parts,
        "simulated": source.simulated,
    }
