"""Coil images of a result, and the sensitivities that the network has of them."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import numpy as np

from recon.fourier import center_crop, rss
from recon.methods import find
from recon.probes.complex_images import complex_images
from recon.ui import session
from recon.ui.coils.common import strip
from recon.ui.experiment import Action, Answer, Experiment
from recon.ui.session import Choice

MOST = 16  # coils that are drawn


def look(choice: Choice) -> Iterator[Answer]:
    """Every coil: measured, reconstructed, fully sampled, and how sensitive it is."""
    scan, method = session.scan(choice), find(choice.method)
    if scan.kspace.ndim == 2:
        if session.has_several(session.scan(session.all_coils(choice))):
            words = (
                f"<p>Coil {choice.coils} alone was chosen under <b>Advanced</b>: its complex image "
                "is under <b>Phase</b>.</p>"
            )
        else:
            words = (
                "<p>The slice that is open has one coil: its complex image is under <b>Phase</b>. "
                "Open the example <b>Phantom seen by 8 coils</b> or a file of your own.</p>"
            )
        yield Answer(words, {}, "")
        return
    found = complex_images(scan, session.sampling(choice, scan), method)
    assert found.maps is not None
    rows = {"Zero-filled": found.zero_filled, method.label: found.reconstruction}
    if found.reference is not None:
        rows["Fully sampled"] = found.reference
    last = center_crop(rss(list(rows.values())[-1]), scan.crop)
    white = 0.7 * float(np.percentile(last, 99.5))
    rows["Sensitivities, from the measured middle of k-space"] = found.maps
    parts = []
    for title, images in rows.items():
        names = [f"Coil {n}" for n in range(min(len(images), MOST))]
        shown = center_crop(images, scan.crop)
        bright = 0.9 if images is found.maps else white
        parts.append(f"<h4>{escape(title)}</h4>")
        parts.append(strip(scan, list(zip(names, shown, strict=False)), bright))
    count = len(found.maps)
    words = f"{count} coils. Brightness is the magnitude, colour the phase."
    words += f" The first {MOST} are drawn." if count > MOST else ""
    yield Answer(f"<p>{words}</p>", {}, "".join(parts))


EXPERIMENT = Experiment(
    "research-coils",
    "Coils",
    "What every coil measured, what the method makes of it, and the sensitivity maps that the "
    "network estimates from the measured lines alone.",
    (Action("Look", "look", look),),
    asks="all",
)
