"""The experiments behind the lessons on coils."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recon.fourier import rss
from recon.probes.coils import Cost, Views, cost, fold, unfold, views
from recon.scan import Scan
from recon.ui.coils.common import g_panel, magnitude
from recon.ui.lessons.experiments import Answer
from recon.ui.viewer import Panel


def many_coils(scan: Scan, seed: int) -> Answer:
    """Every second line: the copies, what coils see of them, and SENSE."""
    seen = views(scan).even(2)
    aliased, found, full = fold(seen.images, 2), unfold(seen, 2), seen.combined
    away = [_distance(image, full) for image in (rss(aliased), np.abs(found))]
    first, second = _unlike(seen)
    parted = "" if away[1] < away[0] / 2 else " The coils of these data hardly part them."
    return Answer(
        f"All coils together show two copies, {away[0]:.0%} away from the image of all "
        f"lines; solved for with {len(seen.images)} coils they are {away[1]:.1%} away.{parted}",
        [
            magnitude(None, "folded", "Every second line", "root-sum-of-squares", rss(aliased)),
            magnitude(None, "one", f"Coil {first}", "the same lines", aliased[first]),
            magnitude(None, "other", f"Coil {second}", "other weights", aliased[second]),
            magnitude(None, "unfolded", "Solved (SENSE)", f"{away[1]:.1%} away", found),
            magnitude(None, "reference", "All lines", "reference", full),
        ],
        columns=5,
        white=float(np.percentile(np.abs(full), 99.9)),
    )


def cost_of_coils(scan: Scan, seed: int) -> Answer:
    """Noise at 2x and 4x: the g-factor and the image."""
    every = views(scan)
    panels, words = [], []
    for distance in (2, 4):
        seen = every.even(distance)
        price = cost(seen.maps, distance)
        noise = np.sqrt(distance) * price.mean
        words.append(
            f"at {distance}x noise is {noise:.2f} times that of all lines, √{distance} = "
            f"{np.sqrt(distance):.2f} times g = {price.mean:.2f}"
        )
        told = "black: no solution" if price.unsolved else f"noise {noise:.2f} times"
        panels += [
            magnitude(None, f"unfolded{distance}", f"SENSE at {distance}x", told,
                   _padded(unfold(seen, distance), every)),
            _extra(distance, price, every),
        ]  # fmt: skip
    full = every.combined
    panels.append(magnitude(None, "reference", "All lines", "reference", full))
    said = f"{words[0]}. At 4x {price.sentence}"
    if not price.unsolved:
        middle, around = middle_and_rim(price)
        said = (
            f"{words[0]}; {words[1]}. At 4x g is {middle:.2f} on average in the middle of it, and "
            f"{around:.2f} around that."
        )
    return Answer(
        f"On average over the object, {said}",
        panels,
        columns=5,
        white=float(np.percentile(np.abs(full), 99.9)),
    )


def middle_and_rim(price: Cost) -> tuple[float, float]:
    """Mean g-factor of the inner half of the object's pixels, and of the outer half."""
    rows, columns = np.nonzero(price.g > 0)
    away = np.hypot(rows - rows.mean(), columns - columns.mean())
    inner = away <= np.median(away)
    values = price.g[rows, columns]
    return float(values[inner].mean()), float(values[~inner].mean())


def _distance(image: np.ndarray, full: np.ndarray) -> float:
    return float(np.linalg.norm(np.abs(image) - np.abs(full)) / np.linalg.norm(full))


def _unlike(seen: Views) -> tuple[int, int]:
    """The two coils whose maps overlap least."""
    flat = np.abs(seen.maps).reshape(len(seen.maps), -1)
    shared = flat @ flat.T / np.maximum(np.outer(*(2 * [np.linalg.norm(flat, axis=1)])), 1e-30)
    first, second = np.unravel_index(int(np.argmin(shared)), shared.shape)
    return int(first), int(second)


def _padded(image: np.ndarray, whole: Views) -> np.ndarray:
    """Back to the width before it was cut to a multiple of R."""
    missing = whole.images.shape[-1] - image.shape[-1]
    return np.pad(image, ((0, 0), (missing // 2, missing - missing // 2)))


def _extra(distance: int, price: Cost, whole: Views) -> Panel:
    panel = g_panel(None, price, f"g{distance}")
    assert panel.pixels is not None
    return replace(
        panel,
        title=f"Extra noise at {distance}x, g - 1",
        alt=f"g-factor map at {distance}x",
        pixels=_padded(panel.pixels, whole),
    )
