"""Which class a person is in, and what they send to it."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from recon.errors import InputError
from recon.ui import serving
from recon.ui.classes import Classes

CLASSES = Classes()
LESSONS, OPTIONS = 64, 8  # more than there are: bounds of what is counted


@dataclass(frozen=True)
class Room:
    """Which class a person is in: its code, empty where there is none."""

    code: gr.State


def me() -> str:
    """Key of the person whose event this is; see `recon.ui.serving.visitor`."""
    return serving.visitor().key


def guessed(code: str, lesson: int, option: int | None) -> None:
    """Count a guess in a lesson, for one who is in a class; nothing happens otherwise."""
    known = lesson in range(LESSONS) and option in range(OPTIONS)
    if code and known and option is not None:
        try:
            CLASSES.guess(code, me(), lesson, option)
        except InputError:  # who began the class watches, and a class may have ended
            return


def answered(code: str, lesson: int) -> None:
    """Let a guess stand once the answer was shown."""
    if code:
        try:
            CLASSES.seal(code, me(), lesson)
        except InputError:
            return


def entered(code: str, question: str, ssim: float, lines: int) -> str:
    """Put a score on the class's leaderboard: the place, in words.

    Raises
    ------
    InputError
        If the person is in no class.
    """
    if not code:
        raise InputError("You are in no class; the tab Class has a place to join one.")
    place = CLASSES.enter(code, me(), question, ssim, lines)
    return f"<p>Sent: SSIM {ssim:.4f} with {lines} lines. Your best mask is number {place}.</p>"
