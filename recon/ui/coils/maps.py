"""Coil images and their sensitivity maps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recon.fourier import rss
from recon.ui.coils.common import magnitude, strip, subject, views
from recon.ui.experiment import Action, Answer, Experiment
from recon.ui.session import Choice
from recon.ui.viewer import viewer

MOST = 16  # coils that are drawn
SHOWN = 7  # of them in linked panels


def look(choice: Choice) -> Iterator[Answer]:
    """Every coil's view and sensitivity."""
    scan, where = subject(choice)
    seen = views(scan)
    count = len(seen.images)
    white = float(np.percentile(rss(seen.images), 99.5))
    panels = [magnitude(scan, "reference", "All coils", "root-sum-of-squares", rss(seen.images))]
    panels += [
        magnitude(scan, f"coil{n}", f"Coil {n}", "magnitude", image)
        for n, image in enumerate(seen.images[:SHOWN])
    ]
    names = [f"Coil {n}" for n in range(min(count, MOST))]
    left = "" if count <= MOST else f" The first {MOST} are drawn."
    share = np.abs(seen.maps).max((-2, -1))
    chart = (
        "<h4>Coil images: brightness is the magnitude, colour the phase</h4>"
        + strip(scan, list(zip(names, seen.images, strict=False)), 0.7 * white)
        + "<h4>Their sensitivity maps, estimated from the middle of k-space (ESPIRiT)</h4>"
        + strip(scan, list(zip(names, seen.maps, strict=False)), 0.9)
    )
    words = (
        f"<p>{count} coils. Each sees best what is near to it: where it is strongest, a coil has "
        f"{share.min():.0%} to {share.max():.0%} of the brightness of all together. A map is a "
        f"coil image divided by that (the root-sum-of-squares): smooth, and nearly the same for "
        f"every object in these coils.{left}</p>"
    )
    yield Answer(where + words, viewer(panels), chart)


EXPERIMENT = Experiment(
    "coil-maps",
    "Coils and maps",
    "Coils lie around the object, and each sees best what is near to it. How strongly, and with "
    "which phase, is its <b>sensitivity map</b>. It is what makes lines that were not measured "
    "needless.",
    (Action("Look", "look", look),),
    asks="coils",
)
