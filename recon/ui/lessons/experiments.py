"""The experiments behind the lessons: computed on the slice that is open, when asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from recon import figures, masks
from recon.fourier import center_crop, combined, ifft2c
from recon.measurement import Measurement, picture
from recon.methods import METHODS
from recon.methods.simple import CompressedSensing
from recon.metrics import closed_share
from recon.probes.lesion import Lesion, insert
from recon.probes.nullspace import residual
from recon.probes.psf import point_spread, sidelobe_level
from recon.probes.survival import sweep
from recon.scan import Scan
from recon.ui import plots
from recon.ui.viewer import Panel, reference_panel

RATES = (2, 3, 4, 6, 8, 10, 12, 16)
STRENGTHS = (0.001, 0.008, 0.06)


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
    height, width = scan.kspace.shape[-2:]
    panels = []
    for number, (down, right) in enumerate(((0, 4), (5, 2), (12, 16)), 1):
        point = np.zeros((height, width), complex)
        point[height // 2 + down, width // 2 + right] = 1
        panels += [
            Panel(f"point{number}", f"One point, {right} right and {down} down", "k-space",
                  "K-space with a single point", "mask", (_dot(point) * 255).astype(np.uint8)),
            Panel(f"wave{number}", "Its wave", "real part", "Image of one point of k-space",
                  "image", _unit(center_crop(ifft2c(point).real, scan.crop))),
        ]  # fmt: skip
    return Answer(
        "Stripes: the farther the point is from the middle, the finer they are, and they run "
        "across the direction in which it lies.",
        panels,
        white=1.0,
    )


def centre_and_edge(scan: Scan, seed: int) -> Answer:
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
    return Answer(
        f"The centre, {inside.mean():.1%} of all points, holds {energy:.1%} of the energy; the "
        f"edge holds the outlines.",
        panels,
    )


def every_second_line(scan: Scan, seed: int) -> Answer:
    panels = []
    for step in (2, 4):
        mask = np.zeros(scan.kspace.shape[-1], bool)
        mask[mask.size // 2 % step :: step] = True
        panels += _measured(f"{step}", f"Every {'second' if step == 2 else 'fourth'} line",
                            scan, scan.measure(mask))  # fmt: skip
    return Answer("Two copies with every second line, four with every fourth.", panels)


def point_spread_of_two_masks(scan: Scan, seed: int) -> Answer:
    width = scan.kspace.shape[-1]
    chosen = {"Equispaced": masks.FAMILIES["equispaced"](width, 4, 0.04, seed)}
    chosen["Random"] = _random(scan, seed, 4).mask
    panels, curves = [], []
    for number, (title, mask) in enumerate(chosen.items()):
        panels += _measured(f"{number}", title, scan, scan.measure(mask))
        size = np.abs(point_spread(mask))
        decibels = 20 * np.log10(np.maximum(size / size.max(), 1e-3))
        curves.append(plots.Series(title, np.arange(width) - width // 2, decibels))
    levels = [sidelobe_level(mask) for mask in chosen.values()]
    return Answer(
        f"The largest sidelobe is {levels[0]:.0%} of the peak with equal distances and "
        f"{levels[1]:.0%} with random ones. Look for copies of the bright rim in the first image.",
        panels,
        plots.curves(curves, "pixels", "dB below the peak", "Two point spread functions",
                     y_range=(-60, 0)),
    )  # fmt: skip


def random_or_regular(scan: Scan, seed: int) -> Answer:
    width, panels = scan.kspace.shape[-1], []
    for family in ("equispaced", "random", "low-pass"):
        mask = masks.FAMILIES[family](width, 4, None, seed)
        panels += _measured(family, family.capitalize(), scan, scan.measure(mask))
    return Answer(
        "The same budget three times. Hold the number of one image over another to flicker "
        "between them: ghosts keep their shape, haze has none, blur hides both.",
        panels,
    )


def score_over_acceleration(scan: Scan, seed: int) -> Answer:
    scored = [scan.ssim(_random(scan, seed, rate).zero_filled) for rate in RATES]
    middle = len(RATES) // 2
    return Answer(
        f"SSIM falls by {scored[0] - scored[middle]:.3f} from {RATES[0]}x to {RATES[middle]}x, and "
        f"by {scored[middle] - scored[-1]:.3f} from there to {RATES[-1]}x.",
        [
            panel
            for rate in (2, 8)
            for panel in _measured(f"{rate}", f"{rate}x", scan, _random(scan, seed, rate))
        ],
        plots.curves([plots.Series("", RATES, scored, points=True)], "acceleration",
                     "zero-filled SSIM", "SSIM of the zero-filled image over acceleration"),
    )  # fmt: skip


def compressed_sensing_strengths(scan: Scan, seed: int) -> Answer:
    measurement = _random(scan, seed, 4)
    panels = [_image("zero", "Zero-filled", scan, measurement.zero_filled)]
    for number, (strength, word) in enumerate(zip(STRENGTHS, ("Weak", "Good", "Strong"),
                                                  strict=True)):  # fmt: skip
        image = CompressedSensing(strength)(measurement)
        panels.append(_image(f"cs{number}", f"{word} ({strength:g})", scan, image))
    return Answer(
        "Zoom in: aliasing stays with the weak regularisation, texture goes with the strong one.",
        [*panels, _reference(scan)],
    )


def network(scan: Scan, seed: int) -> Answer:
    return _methods(scan, seed, ("zero-filled", "resnet"))


def data_consistency(scan: Scan, seed: int) -> Answer:
    return _methods(scan, seed, ("resnet", "resnet-dc"))


def small_spot(scan: Scan, seed: int) -> Answer:
    height, width = scan.truth.shape
    lesion = Lesion(height * 0.45, width * 0.55, size=2, contrast=-0.8)
    methods = [METHODS[name] for name in ("zero-filled", "cs", "resnet", "resnet-dc")]
    found = list(sweep(scan, scan.draw(8, seed), [lesion], methods))
    spotted = insert(scan, lesion)[0]
    with_spot = spotted.truth
    panels = [Panel("reference", "Fully sampled", "with the spot", "Fully sampled image with the "
                    "spot", "image", with_spot)]  # fmt: skip
    panels += [
        Panel(f"method{n}", one.method.label,
              f"SSIM {spotted.ssim(one.image):.3f} · contrast left {one.retained:.0%}",
              f"{one.method.label} of the image with the spot", "image", one.image)
        for n, one in enumerate(found)
    ]  # fmt: skip
    left = ", ".join(f"{one.method.label} {one.retained:.0%}" for one in found)
    return Answer(
        f"Contrast that is left of the spot at row {lesion.row:.0f}, column {lesion.column:.0f}: "
        f"{left}.",
        panels,
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
        said = "keeps the measured lines" if away < 1e-4 else f"leaves them by {away:.1%}"
        closed = "" if name == "zero-filled" else f", closes {closed_share(score, before):.0%}"
        words.append(f"{METHODS[name].label}: SSIM {score:.3f}{closed}, {said}")
    errors = [
        Panel(f"{name}_error", f"Error, {label}", "", f"Error map of {label}",
              "error", of=name, against="reference")
        for name, label in ((name, METHODS[name].label) for name in names)
    ]  # fmt: skip
    return Answer("; ".join(words) + ".", [*panels, _reference(scan), *errors])


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


def _dot(point: np.ndarray) -> np.ndarray:
    """A single point, made large enough to be seen."""
    row, column = np.unravel_index(int(np.abs(point).argmax()), point.shape)
    y, x = np.mgrid[: point.shape[0], : point.shape[1]]
    return np.hypot(y - row, x - column) <= max(1.5, 0.008 * point.shape[1])


def _unit(wave: np.ndarray) -> np.ndarray:
    """A wave from 0 to 1: float32."""
    return ((wave - wave.min()) / (np.ptp(wave) or 1)).astype(np.float32)
