"""What the experiments with coils share: a scan that has some, and how a g-factor looks."""

from __future__ import annotations

import base64
from html import escape
from weakref import WeakKeyDictionary

import gradio as gr
import numpy as np
from matplotlib.colors import hsv_to_rgb

from recon import figures
from recon.probes import coils as probe
from recon.probes.coils import Cost, Views
from recon.scan import Scan
from recon.ui import session
from recon.ui.session import Choice
from recon.ui.viewer import Panel

HIGHEST = 2.0  # g - 1 at the top of the colour scale


def subject(choice: Choice) -> tuple[Scan, str]:
    """The scan that is open, and nothing; else the phantom, and why: one coil, or undersampled."""
    shown, why = session.with_coils(choice)
    return session.scan(shown), f'<p class="where">{why} Shown on: {shown.name}.</p>' if why else ""


# Maps take a moment, and several experiments look at the same ones. They go with their scan.
_views: WeakKeyDictionary[Scan, Views] = WeakKeyDictionary()


def views(scan: Scan) -> Views:
    """Coil images and maps; see `recon.probes.coils.views`."""
    if scan not in _views:
        _views[scan] = probe.views(scan)
    return _views[scan]


def acceleration(key: str, value: int = 2) -> gr.Slider:
    """How many times fewer lines."""
    return gr.Slider(2, 6, value, step=1, label="Every R-th line, R", elem_id=f"{key}-rate")


def g_panel(scan: Scan | None, found: Cost, name: str = "g") -> Panel:
    """The g-factor map in colours."""
    extra = np.where(found.g > 0, found.g - 1, 0)
    panel = Panel(
        name,
        "Extra noise, g - 1",
        f"mean g {found.mean:.2f} · one pixel in 20 above {found.worst:.2f} · "
        f"brightest: {HIGHEST:.0%}",
        "g-factor map",
        "share",
        extra.astype(np.float32),
        limit=HIGHEST,
    )
    return panel if scan is None else panel.upright(scan)


def unsolved(found: Cost) -> str:
    """What to say of pixels without a solution; nothing where there are none."""
    rest = "" if found.unsolved == 1 else " The numbers are of the rest."
    return f"<p>{found.sentence}{rest}</p>" if found.sentence else ""


def magnitude(scan: Scan | None, name: str, title: str, caption: str, image: np.ndarray) -> Panel:
    """A complex image as its magnitude."""
    panel = Panel(name, title, caption, title, "image", np.abs(image).astype(np.float32))
    return panel if scan is None else panel.upright(scan)


def strip(scan: Scan, pictures: list[tuple[str, np.ndarray]], white: float) -> str:
    """Complex pictures side by side: brightness is the magnitude, colour the phase."""
    cells = []
    for title, image in pictures:
        data = base64.b64encode(figures.png(_coloured(scan.upright(image), white))).decode()
        cells.append(
            f'<figure><img src="data:image/png;base64,{data}" alt="{escape(title)}">'
            f"<figcaption>{escape(title)}</figcaption></figure>"
        )
    return f'<div class="strip">{"".join(cells)}</div>'


def _coloured(image: np.ndarray, white: float) -> np.ndarray:
    """uint8, (h, w, 3), at most 160 pixels high."""
    step = -(-image.shape[0] // 160)
    image = image[::step, ::step]
    hue = np.angle(image) / (2 * np.pi) % 1
    value = np.clip(np.abs(image) / white, 0, 1)
    colours = hsv_to_rgb(np.stack([hue, np.full_like(hue, 0.75), value], -1))
    return (colours * 255 + 0.5).astype(np.uint8)
