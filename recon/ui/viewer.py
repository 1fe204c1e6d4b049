"""Linked panels of a result: zoomed, panned and windowed together in the browser.

The server sends numbers, not pictures: magnitudes as 16 bit of one common scale, so the browser
can window them, read them out and score a region. ``web/viewer.mjs`` does the rest.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from recon import figures
from recon.scan import Scan

# Colours to choose from beside gray, and a round one for phases.
MAPS = ("viridis", "magma", "twilight")


@dataclass(frozen=True)
class Panel:
    """One picture with its words.

    Attributes
    ----------
    name, title, caption, alt
        Caption parts are separated by a middle dot.
    kind
        ``image``: magnitudes, float, windowed; ``error``: |of - against| of two image panels;
        ``phase``: float, radians, NaN where there is no signal;
        ``decibels``: uint8, black at `figures.KSPACE_DECIBELS` below the maximum; ``mask``:
        uint8, 0 or 255; ``share``: float, a share of the maximum, coloured up to `limit`.
    pixels
        Shape (h, w); None for errors, which the browser computes.
    of, against
        Names of the image panels whose difference an error is.
    limit, unit
        Share at the top of the colour scale, for shares and errors; what a hundredth of a share
        is called.
    marks
        Circles to look at: row, column and radius in pixels.
    """

    name: str
    title: str
    caption: str
    alt: str
    kind: Literal["image", "error", "phase", "decibels", "mask", "share"]
    pixels: np.ndarray | None = None
    of: str = ""
    against: str = ""
    limit: float = figures.ERROR_LIMIT
    unit: str = "%"
    marks: tuple[tuple[float, float, float], ...] = ()

    def upright(self, scan: Scan) -> Panel:
        """The same with its pixels the way round the person's array has them."""
        if self.pixels is None:
            return self
        marks = tuple((*scan.turned(row, column), size) for row, column, size in self.marks)
        return replace(self, pixels=scan.upright(self.pixels), marks=marks)


def reference_panel(reference: np.ndarray) -> Panel:
    """The fully sampled image, under the name that errors and regional scores refer to."""
    return Panel(
        "reference",
        "Fully sampled",
        "reference",
        "Fully sampled reference",
        "image",
        reference,
    )


def viewer(
    panels: Sequence[Panel],
    window: float | None = None,
    data_range: float | None = None,
    legend: Sequence[str] = (),
    columns: int = 4,
    slices: int = 1,
) -> dict[str, Any]:
    """Linked panels, as the browser's viewer takes them.

    Parameters
    ----------
    panels
        Image panels share one shape; errors and k-space follow their own zoom only where their
        domain differs.
    window
        Magnitude shown as white until somebody changes it; `figures.white` of the reference
        where None.
    data_range
        L of the SSIM of a region; the largest reference value where None.
    legend
        Lines of words beside a colour scale of the errors; no scale where there are none.
    columns
        Panels in a row, where the screen is wide enough.
    slices
        Number of slices of what is open, where another one can be asked for from here.
    """
    images = [
        panel.pixels for panel in panels if panel.kind == "image" and panel.pixels is not None
    ]
    scale = max((float(image.max()) for image in images), default=1.0) or 1.0
    named = {panel.name: panel.pixels for panel in panels}
    reference = named.get("reference")
    largest = float(reference.max()) if reference is not None else scale
    if window is None:
        window = figures.white(images[0] if reference is None else reference)
    content = {
        "panels": [_content(panel, images[0].shape, scale, panels) for panel in panels],
        "scale": scale,
        "window": window,
        "largest": largest,
        "range": data_range or largest,
        "colors": packed(figures.color_table(figures.ERROR_COLORS.name)),
        "maps": {name: packed(figures.color_table(name)) for name in MAPS},
        "slices": slices if slices > 1 else 0,
        "legend": list(legend),
        "columns": columns,
    }
    return content | {"key": f"{zlib.crc32(json.dumps(content).encode()):08x}"}


def packed(array: np.ndarray) -> str:
    """An array's bytes, compressed, as text: `inflate` in the browser."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(array).tobytes(), 1)).decode()


def _content(
    panel: Panel, shape: tuple[int, ...], scale: float, panels: Sequence[Panel]
) -> dict[str, Any]:
    height, width = shape if panel.pixels is None else panel.pixels.shape
    content: dict[str, Any] = {
        "name": panel.name,
        "title": panel.title,
        "caption": panel.caption,
        "alt": panel.alt,
        "marks": [
            {"row": row, "column": column, "radius": size} for row, column, size in panel.marks
        ],
        "kind": panel.kind,
        "domain": "kspace" if panel.kind in ("decibels", "mask") else "image",
        "height": height,
        "width": width,
        "limit": panel.limit,
        "unit": panel.unit,
    }
    if panel.kind == "error":
        return content | {"of": panel.of, "against": panel.against}
    assert panel.pixels is not None
    if panel.kind == "image":
        twin = next(other for other in panels if _equal(other, panel))
        if twin is not panel:  # sent once
            return content | {"same": twin.name}
        pixels = np.clip(panel.pixels / scale, 0, 1) * 65535
        return content | {"data": packed(pixels.round().astype("<u2"))}
    levels = panel.pixels
    if panel.kind == "share":
        levels = (np.clip(levels / panel.limit, 0, 1) * 255).round()
    elif panel.kind == "phase":  # 1 to 255 over a full turn, 0 for none
        levels = np.nan_to_num(1 + ((levels + np.pi) / (2 * np.pi) * 254).round())
    data = packed(levels.astype(np.uint8))
    return content | {"data": data, "span": figures.KSPACE_DECIBELS}


def _equal(one: Panel, other: Panel) -> bool:
    return one.kind == other.kind and np.array_equal(one.pixels, other.pixels)  # type: ignore[arg-type]
