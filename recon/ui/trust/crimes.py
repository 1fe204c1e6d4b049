"""Data crime: the same slice as raw k-space, interpolated, and from a JPEG. Which looks best?"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from recon.errors import InputError
from recon.methods import Method
from recon.probes.crimes import Score, commit
from recon.probes.processing import inspect
from recon.ui import session
from recon.ui.components import method_boxes
from recon.ui.experiment import Action, Answer, Experiment, each
from recon.ui.html import remark, table
from recon.ui.session import Choice

VERSIONS = {
    "raw": "k-space as it is",
    "magnitude": "made from the magnitude image",
    "zero-padded": "made from an interpolated image",
    "jpeg": "made from a JPEG",
}


def compare(choice: Choice, methods: list[str]) -> Iterator[Answer]:
    """The same slice raw and processed, scored as if each were the truth."""
    scan, _ = session.subject(choice)
    chosen = session.methods(choice, methods)
    total = len(VERSIONS) * len(chosen)
    clues = "".join(f"<li>{escape(clue.sentence)}</li>" for clue in inspect(scan).values())
    told = f"<p>What this file's k-space says about itself:</p><ul>{clues}</ul>"
    note = (
        "<p>Every row is judged by its own fully sampled image, on the part of the object that "
        "all of them show.</p>"
    )
    several = session.has_several(scan)
    if several:
        note += (
            "<p>This scan has several coils, which methods may use in the first row; all other "
            "rows begin with one combined image. So what changes is not the crime alone.</p>"
        )
    found: list[Score] = []
    refused = ""

    def scores(method: Method) -> Iterator[Score]:
        return commit(
            scan,
            [method],
            choice.acceleration,
            center_fraction=choice.center_fraction,
            seed=choice.seed,
        )

    yield Answer(told, of=total, done=0)
    for method, score, done in each(chosen, len(VERSIONS), scores):
        if isinstance(score, InputError):
            chosen = [one for one in chosen if one is not method]
            refused += remark(method.label, str(score))
        else:
            found.append(score)
        yield Answer(_scores(found, chosen, several) + refused + note + told, done=done, of=total)


def _scores(found: list[Score], methods: list[Method], several: bool) -> str:
    rows = []
    for version, title in VERSIONS.items():
        cells = {
            one.method: f"{one.scores['ssim']:.3f} ({one.gain:+.3f})"
            for one in found
            if one.version == version
        }
        if cells:
            rows.append([title, *(cells.get(method, "") for method in methods)])
    gain = "SSIM (change)" if several else "SSIM (illusory gain)"
    return table([gain, *(method.label for method in methods)], rows)


def _controls() -> dict[str, Any]:
    return {"methods": method_boxes("crimes", "zero-filled", "cs", "resnet-dc")}


EXPERIMENT = Experiment(
    "crimes",
    "Data crime",
    "Images on the internet were processed: coils combined, interpolated, compressed. Make "
    "k-space from them and nearly every method looks better than it is, because the hard part is "
    "gone: an <i>implicit data crime</i> (<a href='https://doi.org/10.1073/pnas.2117203119' "
    "target='_blank' rel='noopener'>Shimron et al. 2022</a>). Open a measured example on the "
    "first tab to see the real difference.",
    (Action("Commit the crime", "look", compare),),
    _controls,
    opens="stored",
)
