"""Linked panels of a result: zoomed, panned and windowed together in the browser.

The server sends numbers, not pictures: magnitudes as 16 bit of one common scale, so the browser
can window them, read them out and score a region. ``viewer.js`` does the rest.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any, Literal

import numpy as np

from recon import figures
from recon.scan import Scan

SCRIPT = (Path(__file__).parent / "viewer.js").read_text("utf-8")
HELP = (
    "Wheel zooms, drag pans, right or Shift drag sets the window, double click resets. Hold a "
    "number to see that panel's picture under the pointer. Keys: + - arrows [ ] { } 0."
)


@dataclass(frozen=True)
class Panel:
    """One picture with its words.

    Attributes
    ----------
    name, title, caption, alt
        Caption parts are separated by a middle dot.
    kind
        ``image``: magnitudes, float, windowed; ``error``: |of - against| of two image panels;
        ``decibels``: uint8, black at `figures.KSPACE_DECIBELS` below the maximum; ``mask``:
        uint8, 0 or 255; ``share``: float, a share of the maximum, coloured up to `limit`.
    pixels
        Shape (h, w); None for errors, which the browser computes.
    of, against
        Names of the image panels whose difference an error is.
    limit
        Share at the top of the colour scale, for shares and errors.
    """

    name: str
    title: str
    caption: str
    alt: str
    kind: Literal["image", "error", "decibels", "mask", "share"]
    pixels: np.ndarray | None = None
    of: str = ""
    against: str = ""
    limit: float = figures.ERROR_LIMIT

    def upright(self, scan: Scan) -> Panel:
        """The same with its pixels the way round the person's array has them."""
        if self.pixels is None:
            return self
        return replace(self, pixels=scan.upright(self.pixels))


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
    panels: list[Panel],
    window: float | None = None,
    data_range: float | None = None,
    tail: str = "",
    columns: int = 4,
) -> str:
    """HTML of linked panels.

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
    tail
        HTML of a last cell, such as a colour scale.
    columns
        Panels in a row, where the screen is wide enough.
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
        "colors": _text(figures.ERROR_COLORS(np.arange(256), bytes=True)[:, :3]),
    }
    text = json.dumps(content)
    cells = "".join(_figure(number, panel) for number, panel in enumerate(panels, 1))
    return (
        f'<div class="viewer" data-key="{zlib.crc32(text.encode())}">'
        f'<div hidden class="viewer-data">{escape(text)}</div>'
        '<div class="viewer-bar">'
        '<button type="button" class="viewer-reset" title="Back to the whole picture">Reset'
        "</button>"
        '<button type="button" class="viewer-region" aria-pressed="false" title="Draw a '
        'rectangle: it is magnified and scored in every panel">Region</button>'
        '<span class="viewer-status" role="status"></span>'
        f'<details class="viewer-help"><summary>How to look</summary>{escape(HELP)}</details>'
        f'</div><div class="panels" style="--columns: {columns}">{cells}{tail}</div></div>'
    )


def _content(
    panel: Panel, shape: tuple[int, ...], scale: float, panels: list[Panel]
) -> dict[str, Any]:
    height, width = shape if panel.pixels is None else panel.pixels.shape
    content: dict[str, Any] = {
        "name": panel.name,
        "kind": panel.kind,
        "domain": "kspace" if panel.kind in ("decibels", "mask") else "image",
        "height": height,
        "width": width,
        "limit": panel.limit,
    }
    if panel.kind == "error":
        return content | {"of": panel.of, "against": panel.against}
    assert panel.pixels is not None
    if panel.kind == "image":
        twin = next(other for other in panels if _equal(other, panel))
        if twin is not panel:  # sent once
            return content | {"same": twin.name}
        pixels = np.clip(panel.pixels / scale, 0, 1) * 65535
        return content | {"data": _text(zlib.compress(pixels.round().astype("<u2").tobytes(), 1))}
    levels = panel.pixels
    if panel.kind == "share":
        levels = (np.clip(levels / panel.limit, 0, 1) * 255).round()
    data = _text(zlib.compress(np.ascontiguousarray(levels, np.uint8).tobytes(), 1))
    return content | {"data": data, "span": figures.KSPACE_DECIBELS}


def _equal(one: Panel, other: Panel) -> bool:
    return one.kind == other.kind and np.array_equal(one.pixels, other.pixels)  # type: ignore[arg-type]


def _text(data: bytes | np.ndarray) -> str:
    return base64.b64encode(data if isinstance(data, bytes) else data.tobytes()).decode()


def _figure(number: int, panel: Panel) -> str:
    parts = "".join(f"<span>{escape(part)}</span>" for part in panel.caption.split(" · ") if part)
    title = escape(panel.title)
    key = f'<kbd aria-hidden="true">{number}</kbd>' if number < 10 else ""  # one key each
    return (
        f'<figure><div class="frame"><canvas data-panel="{escape(panel.name)}" role="img" '
        f'tabindex="0" aria-label="{escape(panel.alt)}"></canvas>'
        f'<button type="button" class="viewer-enlarge" aria-label="Enlarge: {title}">⤢</button>'
        f"</div><figcaption><b>{title}{key}</b>{parts}"
        '<output class="readout"></output></figcaption></figure>'
    )
