"""The experiments behind the lessons: computed on the slice that is open, when asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from recon import figures, masks
from recon.classical import compressed_sensing
from recon.fourier import center_crop, combined, ifft2c
from recon.measurement import CROP, Measurement, measure, picture
from recon.methods import LABELS, METHODS, complex_images
from recon.metrics import closed_share, ssim
from recon.probes.lesion import Lesion, insert
from recon.probes.nullspace import residual, with_phase
from recon.probes.psf import point_spread, sidelobe_level
from recon.probes.survival import sweep
from recon.ui import plots
from recon.ui.viewer import Panel, reference_panel

RATES = (2, 3, 4, 6, 8, 10, 12, 16)
STRENGTHS = (0.001, 0.008, 0.06)


@dataclass(frozen=True)
class Scan:
    """The slice that is open: fully sampled k-space, and the seed of its masks."""

    kspace: np.ndarray
    seed: int

    @cached_property
    def reference(self) -> np.ndarray:
        """The fully sampled image."""
        return picture(self.kspace)

    def through(self, mask: np.ndarray) -> Measurement:
        """What is measured with a mask."""
        return measure(self.kspace, mask, masks.achieved_acceleration(mask))

    def random(self, acceleration: float) -> Measurement:
        """What is measured with a random mask."""
        width = self.kspace.shape[-1]
        mask = masks.random_cartesian(width, acceleration, seed=self.seed)
        return measure(self.kspace, mask, acceleration)


@dataclass(frozen=True)
class Answer:
    """What an experiment shows: a sentence, panels, and HTML of a plot or table.

    `white` is the magnitude shown as white; that of the fully sampled image where it is None.
    """

    sentence: str
    panels: list[Panel] = field(default_factory=list)
    extra: str = ""
    white: float | None = None


def one_point(scan: Scan) -> Answer:
    height, width = scan.kspace.shape[-2:]
    panels = []
    for number, (down, right) in enumerate(((0, 4), (5, 2), (12, 16)), 1):
        point = np.zeros((height, width), complex)
        point[height // 2 + down, width // 2 + right] = 1
        panels += [
            Panel(f"point{number}", f"One point, {right} right and {down} down", "k-space",
                  "K-space with a single point", "mask", (_dot(point) * 255).astype(np.uint8)),
            Panel(f"wave{number}", "Its wave", "real part", "Image of one point of k-space",
                  "image", _unit(center_crop(ifft2c(point).real, CROP))),
        ]  # fmt: skip
    return Answer(
        "Stripes: the farther the point is from the middle, the finer they are, and they run "
        "across the direction in which it lies.",
        panels,
        white=1.0,
    )


def centre_and_edge(scan: Scan) -> Answer:
    height, width = scan.kspace.shape[-2:]
    y, x = np.mgrid[:height, :width]
    inside = np.hypot((y - height // 2) / height, (x - width // 2) / width) < 0.06
    parts = (("Centre only", scan.kspace * inside, 1), ("Edge only", scan.kspace * ~inside, 4))
    energy = np.linalg.norm(parts[0][1]) ** 2 / np.linalg.norm(scan.kspace) ** 2
    panels = []
    for number, (title, kspace, gain) in enumerate(parts):
        image = picture(kspace)
        caption = f"SSIM {ssim(scan.reference, image):.3f}"
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


def every_second_line(scan: Scan) -> Answer:
    panels = []
    for step in (2, 4):
        mask = np.zeros(scan.kspace.shape[-1], bool)
        mask[mask.size // 2 % step :: step] = True
        panels += _measured(f"{step}", f"Every {'second' if step == 2 else 'fourth'} line",
                            scan, scan.through(mask))  # fmt: skip
    return Answer("Two copies with every second line, four with every fourth.", panels)


def point_spread_of_two_masks(scan: Scan) -> Answer:
    width = scan.kspace.shape[-1]
    chosen = {"Equispaced": masks.FAMILIES["equispaced"](width, 4, 0.04, scan.seed)}
    chosen["Random"] = scan.random(4).mask
    panels, curves = [], []
    for number, (title, mask) in enumerate(chosen.items()):
        panels += _measured(f"{number}", title, scan, scan.through(mask))
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


def random_or_regular(scan: Scan) -> Answer:
    width, panels = scan.kspace.shape[-1], []
    for family in ("equispaced", "random", "low-pass"):
        mask = masks.FAMILIES[family](width, 4, None, scan.seed)
        panels += _measured(family, family.capitalize(), scan, scan.through(mask))
    return Answer(
        "The same budget three times. Hold the number of one image over another to flicker "
        "between them: ghosts keep their shape, haze has none, blur hides both.",
        panels,
    )


def score_over_acceleration(scan: Scan) -> Answer:
    scored = [ssim(scan.reference, scan.random(rate).zero_filled) for rate in RATES]
    middle = len(RATES) // 2
    return Answer(
        f"SSIM falls by {scored[0] - scored[middle]:.3f} from {RATES[0]}x to {RATES[middle]}x, and "
        f"by {scored[middle] - scored[-1]:.3f} from there to {RATES[-1]}x.",
        [p for rate in (2, 8) for p in _measured(f"{rate}", f"{rate}x", scan, scan.random(rate))],
        plots.curves([plots.Series("", RATES, scored, points=True)], "acceleration",
                     "zero-filled SSIM", "SSIM of the zero-filled image over acceleration"),
    )  # fmt: skip


def compressed_sensing_strengths(scan: Scan) -> Answer:
    measurement = scan.random(4)
    panels = [_image("zero", "Zero-filled", scan, measurement.zero_filled)]
    for number, (strength, word) in enumerate(zip(STRENGTHS, ("Weak", "Good", "Strong"),
                                                  strict=True)):  # fmt: skip
        image = compressed_sensing(measurement, strength)
        panels.append(_image(f"cs{number}", f"{word} ({strength:g})", scan, image))
    return Answer(
        "Zoom in: aliasing stays with the weak regularisation, texture goes with the strong one.",
        [*panels, _reference(scan)],
    )


def network(scan: Scan) -> Answer:
    return _methods(scan, ("zero-filled", "resnet"))


def data_consistency(scan: Scan) -> Answer:
    return _methods(scan, ("resnet", "resnet-dc"))


def small_spot(scan: Scan) -> Answer:
    height, width = scan.reference.shape
    lesion = Lesion(height * 0.45, width * 0.55, size=2, contrast=-0.8)
    measurement = scan.random(8)
    names = ("zero-filled", "cs", "resnet", "resnet-dc")
    methods = {LABELS[name]: METHODS[name] for name in names}
    found = list(sweep(scan.kspace, measurement.mask, 8, [lesion], methods))
    with_spot = picture(insert(scan.kspace, lesion)[0])
    panels = [Panel("reference", "Fully sampled", "with the spot", "Fully sampled image with the "
                    "spot", "image", with_spot)]  # fmt: skip
    panels += [
        Panel(f"method{n}", one.method,
              f"SSIM {ssim(with_spot, one.image):.3f} · contrast left {one.retained:.0%}",
              f"{one.method} of the image with the spot", "image", one.image)
        for n, one in enumerate(found)
    ]  # fmt: skip
    left = ", ".join(f"{one.method} {one.retained:.0%}" for one in found)
    return Answer(
        f"Contrast that is left of the spot at row {lesion.row:.0f}, column {lesion.column:.0f}: "
        f"{left}.",
        panels,
    )


def _methods(scan: Scan, names: tuple[str, ...]) -> Answer:
    measurement = scan.random(4)
    before = ssim(scan.reference, measurement.zero_filled)
    panels, words = [], []
    for name in names:
        image = METHODS[name](measurement)
        images = complex_images(name, measurement)
        if images is None:
            images = with_phase(image, measurement.kspace)
        away = residual(images, measurement.kspace, measurement.mask)
        score = ssim(scan.reference, image)
        panels.append(_image(name, LABELS[name], scan, image))
        said = "keeps the measured lines" if away < 1e-4 else f"leaves them by {away:.1%}"
        closed = "" if name == "zero-filled" else f", closes {closed_share(score, before):.0%}"
        words.append(f"{LABELS[name]}: SSIM {score:.3f}{closed}, {said}")
    errors = [
        Panel(f"{name}_error", f"Error, {LABELS[name]}", "", f"Error map of {LABELS[name]}",
              "error", of=name, against="reference")
        for name in names
    ]  # fmt: skip
    return Answer("; ".join(words) + ".", [*panels, _reference(scan), *errors])


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
    return Panel(name, title, f"SSIM {ssim(scan.reference, image):.3f}", f"{title}, image",
                 "image", image)  # fmt: skip


def _reference(scan: Scan) -> Panel:
    return reference_panel(scan.reference)  # fmt: skip


def _dot(point: np.ndarray) -> np.ndarray:
    """A single point, made large enough to be seen."""
    row, column = np.unravel_index(int(np.abs(point).argmax()), point.shape)
    y, x = np.mgrid[: point.shape[0], : point.shape[1]]
    return np.hypot(y - row, x - column) <= max(1.5, 0.008 * point.shape[1])


def _unit(wave: np.ndarray) -> np.ndarray:
    """A wave from 0 to 1: float32."""
    return ((wave - wave.min()) / (np.ptp(wave) or 1)).astype(np.float32)
