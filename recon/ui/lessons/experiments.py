"""The experiments behind the lessons: computed on the slice that is open, when asked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from recon import figures, masks
from recon.fourier import center_crop, combined, ifft2c
from recon.measurement import Measurement, picture
from recon.methods import METHODS
from recon.methods.simple import CompressedSensing
from recon.metrics import closed_share, foreground
from recon.probes.handdrawn import random_masks
from recon.probes.lesion import Lesion, insert
from recon.probes.nullspace import residual
from recon.probes.psf import decibels, sidelobe_level
from recon.probes.survival import sweep
from recon.scan import Scan
from recon.ui import plots
from recon.ui.viewer import Panel, reference_panel

RATES = (2, 3, 4, 6, 8, 10, 12, 16)
STRENGTHS = (0.001, 0.008, 0.06)
ENOUGH = 0.02  # share of a gap that makes a difference
FLAT = 0.01  # of the maximum: a step to the next pixel that nobody sees


@dataclass(frozen=True)
class Answer:
    """What an experiment shows: a sentence, panels, and HTML of a plot or table.

    `white` is the magnitude shown as white; that of the fully sampled image where it is None.
    """

    sentence: str
    panels: list[Panel] = field(default_factory=list)
    extra: str = ""
    white: float | None = None
    columns: int = 4


def one_point(scan: Scan, seed: int) -> Answer:
    """Single points of k-space, and the waves they stand for."""
    height, width = scan.kspace.shape[-2:]
    panels = []
    for number, (down, right) in enumerate(((0, 4), (5, 2), (12, 16)), 1):
        down, right = min(down, height // 4), min(right, width // 4)  # of a small array
        point = np.zeros((height, width), complex)
        point[height // 2 + down, width // 2 + right] = 1
        below, beside = scan.turned(down, right)  # in the picture
        panels += [
            Panel(f"point{number}", f"One point, {beside} right and {below} down", "k-space",
                  "K-space with a single point", "mask", (_dot(point) * 255).astype(np.uint8)),
            Panel(f"wave{number}", "Its wave", "real part", "Image of one point of k-space",
                  "image", _unit(center_crop(ifft2c(point).real, scan.crop))),
        ]  # fmt: skip
    return Answer(
        "Stripes: the farther the point is from the middle, the finer they are, and they run "
        "across the direction in which it lies. What you see is the real part of the wave, since "
        "its magnitude is the same everywhere; an image is the sum of all waves.",
        panels,
        white=1.0,
    )


def centre_and_edge(scan: Scan, seed: int) -> Answer:
    """The image of the middle of k-space alone, and of the rest."""
    height, width = scan.kspace.shape[-2:]
    y, x = np.mgrid[:height, :width]
    inside = np.hypot((y - height // 2) / height, (x - width // 2) / width) < 0.06
    parts = (("Centre only", scan.kspace * inside, 1), ("Edge only", scan.kspace * ~inside, 4))
    energy = np.linalg.norm(parts[0][1]) ** 2 / np.linalg.norm(scan.kspace) ** 2
    panels = []
    for number, (title, kspace, gain) in enumerate(parts):
        image = picture(kspace, scan.crop)
        caption = f"SSIM {scan.ssim(image):.3f}"
        caption += f" · shown {gain} times brighter" if gain > 1 else ""
        panels += [
            Panel(f"kspace{number}", title, "k-space", f"{title}, k-space", "decibels",
                  figures.log_kspace(combined(np.asarray(kspace)))),
            Panel(f"image{number}", title, caption, f"{title}, image", "image", gain * image),
        ]  # fmt: skip
    much = "" if energy > 0.5 else ", not even half of it"
    return Answer(
        f"The centre, {inside.mean():.1%} of all points, holds {energy:.1%} of the energy{much}. "
        "Look for brightness and shape in its image, and for outlines in the other one.",
        panels,
    )


def every_second_line(scan: Scan, seed: int) -> Answer:
    """Regular skipping: two copies, and four."""
    panels = []
    width = scan.kspace.shape[-1]
    for step, title in ((2, "Every second line"), (4, "Every fourth line")):
        mask = np.zeros(width, bool)
        mask[width // 2 % step :: step] = True
        panels += _measured(f"{step}", title, scan, scan.measure(mask))
    said = "or by a quarter, the image stays the same"
    if width % 4:
        said = (
            f"or by a quarter, the image stays nearly the same, as 4 does not divide {width} lines"
        )
    return Answer(
        "Two copies with every second line, four with every fourth: shifted by half the field of "
        f"view, {said}.",
        panels,
    )


def _budgets(scan: Scan, seed: int, center_fraction: float) -> dict[str, np.ndarray]:
    """An equispaced mask, and a random one of as many lines with the same centre block."""
    width = scan.width
    regular = masks.FAMILIES["equispaced"](width, 4, center_fraction, seed)
    (random,) = random_masks(width, int(regular.sum()), 1, seed, center_fraction)
    return {"Equispaced": regular, "Random": random}


def point_spread_of_two_masks(scan: Scan, seed: int) -> Answer:
    """Two masks of one budget: their point spreads, and what these do to the slice."""
    chosen = _budgets(scan, seed, 0.08)
    panels, curves = [], []
    for number, (title, mask) in enumerate(chosen.items()):
        panels += _measured(f"{number}", title, scan, scan.measure(mask))
        curves.append(plots.Series(title, np.arange(scan.width) - scan.width // 2, decibels(mask)))
    levels = [sidelobe_level(mask) for mask in chosen.values()]
    count = int(chosen["Random"].sum())
    return Answer(
        f"Both measure {count} lines with the same block in the middle. The largest sidelobe is "
        f"{levels[0]:.0%} of the peak with nearly equal distances and {levels[1]:.0%} with random "
        "ones.",
        panels,
        plots.curves(curves, "pixels", "dB below the peak", "Two point spread functions",
                     y_range=(-60, 0)),
    )  # fmt: skip


def random_or_regular(scan: Scan, seed: int) -> Answer:
    """What a method that expects few edges can take away of ghosts, and of haze."""
    panels: list[Panel] = []
    before, after = {}, {}
    for title, mask in _budgets(scan, seed, 0.04).items():
        measurement = scan.measure(mask, 4)
        image = METHODS["cs"](measurement)
        before[title], after[title] = scan.ssim(measurement.zero_filled), scan.ssim(image)
        panels += [
            *_measured(title, title, scan, measurement),
            _image(f"cs{title}", f"{title}, compressed sensing", scan, image),
        ]
    closed = {title: closed_share(after[title], before[title]) for title in before}
    gap = closed["Random"] - closed["Equispaced"]
    if max(closed.values()) < ENOUGH:
        said = "on this slice it can take away neither ghosts nor haze"
    elif gap > ENOUGH:
        said = "of the haze it can take away more than of the ghosts"
    elif gap < -ENOUGH:
        said = "on this slice it did better with the ghosts"
    else:
        said = "on this slice it makes no difference to it"
    numbers = "; ".join(
        f"{t.lower()} {before[t]:.3f} → {after[t]:.3f}, {closed[t]:.0%}" for t in before
    )
    return Answer(
        "The same number of lines, and compressed sensing, which knows nothing but that images "
        f"have few edges: {said} (SSIM and share of the gap to 1 that was closed: {numbers}).",
        panels,
        columns=3,
    )


def score_over_acceleration(scan: Scan, seed: int) -> Answer:
    """SSIM of the zero-filled image over the acceleration."""
    scored = [scan.ssim(_random(scan, seed, rate).zero_filled) for rate in RATES]
    steps = [RATES.index(rate) for rate in (2, 4, 8, 16)]
    falls, words = [], []
    for a, b in pairwise(steps):
        falls.append((scored[a] - scored[b]) / (RATES[b] - RATES[a]))
        words.append(f"{falls[-1]:.3f} from {RATES[a]}x to {RATES[b]}x")
    slower = falls[0] > falls[1] > falls[2] >= 0
    said = "fast at first, then ever slower" if slower else "on this slice it goes otherwise"
    return Answer(
        f"For every 1x more SSIM falls by {', '.join(words)}: {said}.",
        [
            panel
            for rate in (2, 8)
            for panel in _measured(f"{rate}", f"{rate}x", scan, _random(scan, seed, rate))
        ],
        plots.curves([plots.Series("", RATES, scored, points=True)], "acceleration",
                     "zero-filled SSIM", "SSIM of the zero-filled image over acceleration"),
    )  # fmt: skip


def compressed_sensing_strengths(scan: Scan, seed: int) -> Answer:
    """Weak, medium and strong regularisation of compressed sensing."""
    measurement = _random(scan, seed, 4)
    panels = [_image("zero", "Zero-filled", scan, measurement.zero_filled)]
    inside = foreground(scan.truth)
    scored, flat = {}, {}
    for number, (strength, title) in enumerate(
        zip(STRENGTHS, ("Weak", "Medium", "Strong"), strict=True)
    ):
        # The compromise itself: measured lines that are put back bring their noise and aliasing.
        image = CompressedSensing(strength, consistent=False)(measurement)
        word = title.lower()
        scored[word] = scan.ssim(image)
        flat[word] = _flat(image, inside)
        panel = _image(f"cs{number}", title, scan, image)
        panels.append(replace(panel, caption=f"{panel.caption} · regularisation {strength:g}"))
    best = max(scored, key=lambda word: scored[word])
    numbers = ", ".join(f"{word} {value:.3f}" for word, value in scored.items())
    weak, strong = flat["weak"], flat["strong"]
    grow = "the flat patches grow" if strong > weak else "on this slice no flat patches grow"
    return Answer(
        f"From weak to strong {grow}: pixels of the object that differ by less than {FLAT:.0%} "
        f"from the next are {weak:.0%} and then {strong:.0%} of it. Here the {best} one is best "
        f"(SSIM {numbers}). Zoom in: look for stripes that are left over, and "
        "for fine detail that has gone flat.",
        [*panels, _reference(scan)],
        columns=5,
    )


def network(scan: Scan, seed: int) -> Answer:
    """A network that sees nothing but the zero-filled picture."""
    return _methods(scan, seed, ("zero-filled", "resnet"))


def data_consistency(scan: Scan, seed: int) -> Answer:
    """The same with measured lines put back after every step."""
    return _methods(scan, seed, ("resnet", "resnet-dc"))


def small_spot(scan: Scan, seed: int) -> Answer:
    """A spot of two pixels: what is left of it, and what SSIM has to say about that."""
    height, width = scan.truth.shape
    lesion = Lesion(height * 0.45, width * 0.55, size=2, contrast=-0.8)
    methods = [METHODS[name] for name in ("zero-filled", "cs", "resnet", "resnet-dc")]
    sampling = scan.draw(8, seed)
    found = list(sweep(scan, sampling, [lesion], methods))
    spotted = insert(scan, lesion)[0]
    mark = ((lesion.row, lesion.column, lesion.radius + 4),)
    panels = [Panel("reference", "Fully sampled", "with the spot", "Fully sampled image with the "
                    "spot", "image", spotted.truth, marks=mark)]  # fmt: skip
    scored = {one.method.label: spotted.ssim(one.image) for one in found}
    panels += [
        Panel(f"method{n}", one.method.label,
              f"SSIM {scored[one.method.label]:.3f} · contrast left {one.retained:.0%}",
              f"{one.method.label} of the image with the spot", "image", one.image, marks=mark)
        for n, one in enumerate(found)
    ]  # fmt: skip
    row, column = scan.turned(lesion.row, lesion.column)
    best = max(found, key=lambda one: scored[one.method.label])
    # The same method on the same lines of the object without the spot: a picture that lacks it.
    missed = best.method(scan.measure(sampling.mask, sampling.acceleration))
    score, without = scored[best.method.label], spotted.ssim(missed)
    gain = round(score, 4) - round(without, 4)
    tells = "so little that SSIM does not tell whether it is there"
    if gain >= 0.005:
        tells = "which is much here, where a spot covers a large part of the image"
    worth = f"the whole spot is worth {gain:.4f}, {tells}"
    if gain < 0:
        worth = f"without the spot, SSIM is {-gain:.4f} higher"
    left = f"{best.retained:.0%}" if np.isfinite(best.retained) else "nothing that can be measured"
    return Answer(
        f"The best SSIM, {score:.4f}, is that of {best.method.label}, with {left} of the spot's "
        f"contrast left. Its picture without any spot would score {without:.4f}: {worth}. "
        f"The circle is at row {row:.0f}, column {column:.0f}.",
        panels,
        columns=5,
    )


def _methods(scan: Scan, seed: int, names: tuple[str, ...]) -> Answer:
    measurement = _random(scan, seed, 4)
    before = scan.ssim(measurement.zero_filled)
    panels, words = [], []
    for name in names:
        image = METHODS[name](measurement)
        images = METHODS[name].coil_images(measurement)
        away = residual(images, measurement.kspace, measurement.mask)
        score = scan.ssim(image)
        panels.append(_image(name, METHODS[name].label, scan, image))
        keeps = "keeps the measured lines"
        if images.ndim == 3:
            keeps = "keeps the measured lines in every coil"
        said = keeps if away < 1e-4 else f"leaves them by {away:.1%}"
        share = closed_share(score, before)
        closed = (
            f", closes {share:.0%} of the gap to 1" if share >= 0 else ", worse than zero-filled"
        )
        closed = "" if name == "zero-filled" else closed
        words.append(f"{METHODS[name].label}: SSIM {score:.3f}{closed}, {said}")
    errors = [
        Panel(f"{name}_error", f"Error, {label}", "", f"Error map of {label}",
              "error", of=name, against="reference")
        for name, label in ((name, METHODS[name].label) for name in names)
    ]  # fmt: skip
    return Answer(
        "; ".join(words) + ".",
        [*panels, _reference(scan), *errors],
        columns=len(names) + 1,  # every error below its picture
    )


def _random(scan: Scan, seed: int, acceleration: float) -> Measurement:
    """What is measured with a random mask."""
    return scan.measure(scan.draw(acceleration, seed).mask, acceleration)


def _measured(name: str, title: str, scan: Scan, measurement: Measurement) -> list[Panel]:
    """Mask and zero-filled image."""
    lines = measurement.mask
    shape = measurement.kspace.shape[-2:]
    return [
        Panel(f"mask{name}", title, f"{lines.sum()} of {lines.size} lines", f"{title}, mask",
              "mask", np.broadcast_to(np.uint8(255) * lines, shape).astype(np.uint8)),
        _image(f"image{name}", title, scan, measurement.zero_filled),
    ]  # fmt: skip


def _image(name: str, title: str, scan: Scan, image: np.ndarray) -> Panel:
    return Panel(name, title, f"SSIM {scan.ssim(image):.3f}", f"{title}, image",
                 "image", image)  # fmt: skip


def _reference(scan: Scan) -> Panel:
    return reference_panel(scan.truth)


def _flat(image: np.ndarray, inside: np.ndarray) -> float:
    """Share of the object where the next pixel to the right differs by less than `FLAT`."""
    small = np.abs(np.diff(image, axis=1)) < FLAT * image.max()
    return float(small[inside[:, 1:]].mean())


def _dot(point: np.ndarray) -> np.ndarray:
    """A single point, made large enough to be seen."""
    row, column = np.unravel_index(int(np.abs(point).argmax()), point.shape)
    y, x = np.mgrid[: point.shape[0], : point.shape[1]]
    return np.hypot(y - row, x - column) <= max(1.5, 0.008 * point.shape[1])


def _unit(wave: np.ndarray) -> np.ndarray:
    """A wave from 0 to 1: float32."""
    return ((wave - wave.min()) / (np.ptp(wave) or 1)).astype(np.float32)
