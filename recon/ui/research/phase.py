"""Phase: what a magnitude picture does not show."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recon.methods import find
from recon.probes.complex_images import SIGNAL, complex_images
from recon.ui import session
from recon.ui.experiment import Action, Answer, Experiment
from recon.ui.session import Choice
from recon.ui.viewer import Panel, viewer

LARGEST = 45  # degrees at the top of the scale of phase errors


def look(choice: Choice) -> Iterator[Answer]:
    """Phase of every picture, and by how much it is off."""
    scan, method = session.scan(choice), find(choice.method)
    found = complex_images(scan, session.sampling(choice, scan), method)
    images = {"Zero-filled": found.zero_filled, method.label: found.reconstruction}
    magnitude = np.abs(found.one(found.reconstruction)).astype(np.float32)
    shown = [
        Panel(f"phase{n}", f"Phase, {title}", "", f"Phase of the {title} image", "phase", phase)
        for n, (title, phase) in enumerate(
            (title, found.phase(image)) for title, image in images.items()
        )
    ]
    words = (
        f"Colour is the phase, from -180° to 180° around a circle; black is below {SIGNAL:.0%} of "
        "the maximum, where a phase says nothing."
    )
    if method.needs == "image":
        words += (
            f" {method.label} repairs magnitudes and knows no phase: what is shown is that of the "
            "zero-filled image."
        )
    if found.reference is not None:
        reference = found.reference
        shown.append(
            Panel(
                "phase2",
                "Phase, fully sampled",
                "reference",
                "Phase of the fully sampled image",
                "phase",
                found.phase(reference),
            )
        )
        for n, (title, image) in enumerate(images.items()):
            error = found.phase_error(image, reference)
            typical = float(np.degrees(np.sqrt(np.nanmean(error**2))))
            shown.append(
                Panel(
                    f"error{n}",
                    f"Phase error, {title}",
                    f"RMS {typical:.1f}° · brightest: {LARGEST}°",
                    f"Phase error of the {title} image",
                    "share",
                    np.nan_to_num(np.abs(np.degrees(error))) / 100,
                    limit=LARGEST / 100,
                    unit="°",
                )
            )
            words += f" {title} is off by {typical:.1f}° (root mean square)."
    title = f"Magnitude, {method.label}"
    shown.append(Panel("magnitude", title, "", title, "image", magnitude))
    yield Answer(f"<p>{words}</p>", viewer([panel.upright(scan) for panel in shown], columns=3))


EXPERIMENT = Experiment(
    "research-phase",
    "Phase",
    "Pictures show magnitudes; what was measured has a phase too, and a network that works on "
    "complex numbers reconstructs it. Coils are combined with their sensitivities.",
    (Action("Look", "look", look),),
    asks="all",
)
