"""Coils placed around the phantom: how many, how near, on which side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import numpy as np

from recon.coils.simulate import Loops
from recon.errors import InputError
from recon.probes.coils import cost, placed, unfold
from recon.ui.coils.common import acceleration, g_panel, magnitude, unsolved
from recon.ui.experiment import Action, Answer, Experiment
from recon.ui.session import Choice
from recon.ui.viewer import viewer


def put(choice: Choice, coils: float, radius: float, arc: float, rate: float) -> Iterator[Answer]:
    """The phantom inside of coils that somebody placed."""
    if not (2 <= coils <= 32 and 1 < radius <= 4 and 0 < arc <= 360):
        raise InputError("2 to 32 coils, outside of the head, on an arc of up to 360 degrees.")
    distance = int(rate)
    loops, seen = placed(int(coils), float(radius), float(arc))
    seen = seen.even(distance)
    found = cost(seen.maps, distance)
    image = unfold(seen, distance)
    solved = (found.g > 0) & np.isfinite(found.g)
    error = float(np.std((image - seen.combined)[solved].real)) if solved.any() else np.inf
    shown = [
        g_panel(None, found),
        magnitude(None, "unfolded", f"SENSE at {distance}x", f"error {error:.3f}", image),
        magnitude(None, "reference", "All lines", "reference", seen.combined),
    ]
    words = unsolved(found)
    if found.unsolved < 1:
        words += (
            f"<p>{int(coils)} coils at {distance}x: g is {found.mean:.2f} on average and above "
            f"{found.worst:.2f} in one pixel of twenty. SENSE differs from all lines by "
            f"{error:.3f} (standard deviation; noise in a coil is 0.010).</p>"
        )
    yield Answer(words, viewer(shown), _drawing(loops))


def _drawing(loops: Loops) -> str:
    """The head and the loops around it from above, as SVG; lines are measured along y."""
    reach = loops.radius + loops.size + 0.1
    wires = []
    for angle in loops.angles:
        x, y = loops.radius * np.cos(angle), -loops.radius * np.sin(angle)
        dx, dy = loops.size * np.sin(angle), loops.size * np.cos(angle)
        wires.append(
            f'<line x1="{x - dx:.3f}" y1="{y - dy:.3f}" x2="{x + dx:.3f}" y2="{y + dy:.3f}" '
            f'stroke="#d55e00" stroke-width="0.05" stroke-linecap="round"/>'
        )
    return (
        f'<svg class="coil-drawing" viewBox="{-reach:.2f} {-reach:.2f} {2 * reach:.2f} '
        f'{2 * reach:.2f}" role="img" aria-label="{len(loops.angles)} loops around the head" '
        f'style="max-width: 320px"><ellipse cx="0" cy="0" rx="0.69" ry="0.92" fill="none" '
        f'stroke="currentColor" stroke-width="0.03"/>{"".join(wires)}</svg>'
        "<p>The loops from above, edge on. Pixels fold from left to right: coils on both sides "
        "part them, one at the front and one at the back hardly do.</p>"
    )


def _controls() -> dict[str, Any]:
    return {
        "coils": gr.Slider(2, 16, 8, step=1, label="Coils", elem_id="place-coils"),
        "radius": gr.Slider(
            1.05, 2, 1.2, step=0.05, label="Distance from the middle", elem_id="place-radius",
            info="In halves of the field of view",
        ),
        "arc": gr.Slider(
            60, 360, 360, step=30, label="Arc covered (degrees)", elem_id="place-arc",
            info="360: all around; less: from the front",
        ),
        "rate": acceleration("place", 3),
    }  # fmt: skip


EXPERIMENT = Experiment(
    "place",
    "Place coils",
    "Loops of wire around the phantom, their fields by the law of Biot and Savart, so that maps "
    "and g-factor are known exactly. What the coils see together is scaled to 1 on average, "
    "wherever they are, so compare g and not the noise of two arrangements. Where would you put "
    "them?",
    (Action("Place them", "look", put, live=("coils", "radius", "arc", "rate")),),
    _controls,
    asks="coils",
)
