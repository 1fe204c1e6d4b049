"""A lesson on paper: question, pictures, what was found, room for notes, and the settings."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from recon import figures
from recon.ui.lessons.course import Lesson
from recon.ui.lessons.experiments import Answer
from recon.ui.viewer import Panel
from recon.ui.words import Language, speaker
from recon.version import VERSION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE = (8.27, 11.69)  # inches: A4
LEFT, WIDTH = 0.08, 0.84  # of the page
COLUMNS = 4  # pictures side by side
PICTURES = 0.4  # of the height of the page, at most


def pdf(
    lesson: Lesson,
    number: int,
    answer: Answer,
    white: float,
    where: str,
    language: Language = "en",
) -> bytes:
    """One lesson with its result as a PDF file of one page.

    Parameters
    ----------
    number
        Of the lesson, from 0.
    white
        Magnitude shown as white.
    where
        Slice and settings, in words; from outside, so never read as markup.
    language
        Of everything that is written.
    """
    from matplotlib.backends.backend_pdf import PdfPages  # slow, and the page does not need it
    from matplotlib.figure import Figure

    say, title = speaker(language), speaker(language)(lesson.title)
    buffer = io.BytesIO()
    named = {panel.name: panel for panel in answer.panels}
    with PdfPages(buffer, metadata={"Title": title, "CreationDate": None}) as pages:
        page = Figure(figsize=PAGE)
        y = _write(page, 0.955, f"{number + 1}. {title}", size=17, weight="bold")
        y = _write(page, y - 0.008, say(lesson.question.text), size=11)
        for option in lesson.question.options:
            y = _write(page, y - 0.003, f"\N{BALLOT BOX}  {say(option)}", size=10.5)
        y = _pictures(page, y - 0.02, answer, named, white, say)
        right = lesson.question.options[lesson.question.right]
        y = _write(page, y - 0.02, say(right), size=11, weight="bold")
        y = _write(page, y - 0.003, say(answer.sentence), size=10.5)
        y = _write(page, y - 0.01, say(lesson.explanation), size=10.5)
        y = _write(page, y - 0.008, f"{lesson.source}, {lesson.link}", size=8.5, color="0.35")
        _lines(page, y - 0.02, say("Notes"))
        _foot(page, say(where), say("not a medical device"))
        pages.savefig(page)
    return buffer.getvalue()


def _write(page: Figure, y: float, text: str, size: float, **options: Any) -> float:
    """Text from a height downwards: where it ends."""
    # About half the size is the width of a letter, in points; 72 points are an inch.
    across = int(WIDTH * PAGE[0] * 72 / (0.52 * size))
    lines = textwrap.wrap(text, across) or [""]
    page.text(
        LEFT, y, "\n".join(lines), size=size, va="top", linespacing=1.3, parse_math=False, **options
    )
    return y - len(lines) * 1.38 * size / 72 / PAGE[1]


def _pictures(
    page: Figure,
    top: float,
    answer: Answer,
    named: dict[str, Panel],
    white: float,
    say: Callable[[str], str],
) -> float:
    columns = min(COLUMNS, answer.columns, len(answer.panels))
    side = WIDTH / columns  # of the page's width
    height = side * PAGE[0] / PAGE[1] + 0.035  # a square and its caption
    rows = -(-len(answer.panels) // columns)
    height = min(height, PICTURES / rows)  # the rest of the page is for words
    for at, panel in enumerate(answer.panels):
        row, column = divmod(at, columns)
        box = (LEFT + column * side, top - (row + 1) * height, side * 0.96, height - 0.035)
        axis = page.add_axes(box)
        axis.axis("off")
        axis.imshow(_shades(panel, named, white), cmap="gray", vmin=0, vmax=255)
        for y, x, radius in panel.marks:
            axis.plot(x, y, "o", mfc="none", mec="#e69f00", ms=max(8, radius), mew=1)
        caption = " · ".join(map(say, panel.caption.split(" · ")))
        caption = "\n".join(textwrap.wrap(caption, int(34 * side / 0.28)))
        axis.set_title(say(panel.title), size=8, weight="bold", pad=3, parse_math=False)
        axis.text(
            0.5, -0.02, caption, transform=axis.transAxes, size=7, ha="center", va="top",
            parse_math=False,
        )  # fmt: skip
    return top - rows * height


def _shades(panel: Panel, named: dict[str, Panel], white: float) -> np.ndarray:
    if panel.kind == "error":
        one, other = named[panel.of].pixels, named[panel.against].pixels
        assert one is not None
        assert other is not None
        return figures.error_map(one, other)
    assert panel.pixels is not None
    if panel.kind == "image":
        return figures.gray(panel.pixels, white)
    if panel.kind == "share":
        return figures.ERROR_COLORS(np.clip(panel.pixels / panel.limit, 0, 1), bytes=True)[..., :3]
    return panel.pixels


def _lines(page: Figure, top: float, words: str) -> None:
    """Room for what a person writes."""
    from matplotlib.lines import Line2D

    page.text(LEFT, top, words, size=10, va="top", color="0.35")
    for y in np.arange(top - 0.04, 0.06, -0.027):
        page.add_artist(Line2D([LEFT, LEFT + WIDTH], [y, y], color="0.75", linewidth=0.6))


def _foot(page: Figure, where: str, warning: str) -> None:
    text = textwrap.shorten(where, 150, placeholder="…")
    page.text(
        LEFT, 0.03, f"{text} · recon {VERSION} · {warning}", size=7.5, color="0.35",
        parse_math=False,
    )  # fmt: skip
