"""One pair, many SSIMs: the same two images under every definition in use."""

from __future__ import annotations

from collections.abc import Iterator

from recon.errors import InputError
from recon.probes.conventions import conventions
from recon.ui.experiment import Action, Answer, Experiment
from recon.ui.html import table
from recon.ui.session import Choice, attempt


def score(choice: Choice) -> Iterator[Answer]:
    """All SSIMs of the reconstruction on the page."""
    result, _ = attempt(choice)
    if result.reference is None:
        raise InputError("The file that is open has no reference to compare with.")
    found = conventions(result.reference, result.image, result.data_range)
    rows = [[one.label, f"{one.value:.3f}", one.why] for one in found]
    values = [one.value for one in found]
    words = (
        f"<p>{result.label}: the same two images, and SSIM from <b>{min(values):.3f}</b> to "
        f"<b>{max(values):.3f}</b>.</p>"
    )
    yield Answer(words + table(["definition", "SSIM", ""], rows))


EXPERIMENT = Experiment(
    "conventions",
    "One pair, many SSIMs",
    "A score without its definition says little. These are all SSIMs of the reconstruction "
    "on the first tab against its reference: the same two images every time.",
    (Action("Score them all", "look", score),),
    asks="all",
)
