"""What programs may ask of a running page: named, documented, stable, and nothing else.

Gradio turns each function here into an endpoint of the HTTP interface and into a tool for
language models (MCP); docstrings are what their users read. Arguments come from strangers and
are believed only after a check; whatever is wrong with them comes back as one sentence.
docs/api.md shows how to call them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from typing import Any

import gradio as gr
import numpy as np

from recon import examples, figures, masks
from recon.errors import InputError
from recon.export import EXPORTS
from recon.methods import DEFAULT, METHODS, methods
from recon.probes import psf
from recon.scan import Coils
from recon.ui import downloads, serving, session
from recon.ui.events import SHORT, TURNS
from recon.ui.session import Choice, Origin
from recon.weights import WeightsError

VERSION = 1  # rises when an answer changes in a way that breaks a program
WIDEST = 4096  # lines of a mask that is only looked at
WIDTH = 320  # of one whose width nobody said


def build() -> None:
    """Publish the endpoints; within the page's ``gr.Blocks``."""
    light: dict[str, Any] = {"concurrency_limit": 4, "concurrency_id": "light"}
    gr.api(reconstruct, api_name="reconstruct", **SHORT)
    gr.api(describe, api_name="describe", **SHORT)
    gr.api(mask, api_name="mask", **light)
    gr.api(point_spread, api_name="psf", **light)
    gr.api(list_methods, api_name="methods", **light)
    gr.api(list_examples, api_name="examples", **light)


def answering(
    name: str, light: bool = False
) -> Callable[[Callable[..., dict]], Callable[..., dict]]:
    """Name a tool, put the version into its answer, and errors of a person into one sentence.

    What is not `light` waits for its turn, and gets a limited time.
    """

    def decorate(function: Callable[..., dict]) -> Callable[..., dict]:
        @functools.wraps(function)
        def answer(*values: Any, **named: Any) -> dict:
            try:
                with nullcontext() if light else _turn():
                    return {"version": VERSION, **function(*values, **named)}
            except (InputError, WeightsError) as error:
                raise gr.Error(str(error), print_exception=False) from None

        answer.__name__ = name
        return answer

    return decorate


@contextmanager
def _turn() -> Iterator[None]:
    with TURNS.short(), TURNS.piece():
        yield


@answering("reconstruct")
def reconstruct(
    file: gr.FileData = None,  # type: ignore[assignment]
    acceleration: float = 4,
    seed: int = 0,
    method: str = DEFAULT,
    slice: int = -1,
    family: str = "random",
    center_fraction: float = 0,
    coils: str = "rss",
    phase_encode: str = "columns",
    example: str = "",
    files: bool = False,
    axes: str = "auto",
    crop: bool = True,
    save: str = "",
) -> dict:
    """Undersample one slice of MRI k-space, reconstruct it, and score it against full sampling.

    For research and teaching; never for diagnosis. SSIM (0 to 1, 1 is identical), PSNR (dB) and
    NMSE (0 is identical) compare pictures with the fully sampled one; they do not say whether a
    finding survived. `zero_filled_...` are the scores without any method, `closed_share` the
    part of the SSIM gap between those and 1 that the method closed. Scores are null where the
    file was undersampled already, so that there is no reference. `simulated` marks k-space made
    from a picture, which makes every method look too good.

    Args:
        file: fully sampled k-space (fastMRI .h5, .npy, .npz, .mat; complex) or a picture, or empty if example is given
        acceleration: nominal, from 1 to 64; 4 measures about a quarter of the phase-encode lines
        seed: of the random mask, a whole number from 0
        method: one of the names that the methods endpoint lists
        slice: number from 0; -1 is the middle one
        family: kind of mask: random, equispaced, calibrated, variable-density, low-pass or partial-fourier
        center_fraction: share of lines measured in the middle, from 0 to 1; 0 is 0.32 / acceleration, for calibrated masks 24 lines
        coils: rss (root-sum-of-squares), svd (the few virtual coils that hold 99.5 % of the energy), or the number of one coil
        phase_encode: columns or rows of the array
        example: key of a built-in example that the examples endpoint lists, instead of a file
        files: whether to add pictures (PNG) and arrays (NumPy .npz: mask, zero_filled, reconstruction, reference)
        axes: auto, or a letter for each axis of an array, such as SCHW or HWC (slices, coils, height, width, T for time)
        crop: whether pictures are cut to the size that the file's header asks for
        save: kinds of files to save the reconstruction as, with blanks between: h5 (fastMRI), npy, nii (NIfTI), dicom

    Returns:
        settings and scores as a JSON object; with files, also links to pictures and arrays; with save, to saved files by their kind
    """  # noqa: E501 Gradio reads one line for an argument.
    kinds = [one_of("save", kind, list(EXPORTS)) for kind in word("save", save).split()]
    fraction = number("center fraction", center_fraction, 0, 1)
    with_files = yes_or_no("files", files)
    result = session.run(
        Choice(
            origin(file, example),
            slice_number(slice),
            number("acceleration", acceleration, 1, 64),
            whole("seed", seed, 0, 2**31 - 1),
            one_of("method", method, methods()),
            center_fraction=fraction or None,
            coils=coil(coils),
            phase_encode=one_of("phase_encode", phase_encode, ("columns", "rows")),  # type: ignore[arg-type]
            crop=yes_or_no("crop", crop),
            axes=word("axes", axes),
            family=one_of("family", family, list(masks.FAMILIES)),
        )
    )
    answer = result.record()
    if with_files:
        answer["pictures"] = {
            name: _served(f"{name}.png", figures.png(picture))
            for name, picture in figures.pictures(result).items()
        }
        answer["arrays"] = _served("arrays.npz", downloads.packed(result))
    if kinds:
        answer["saved"] = {kind: _served(*downloads.download(result, kind)) for kind in kinds}
    return answer


@answering("describe")
def describe(
    file: gr.FileData = None,  # type: ignore[assignment]
    example: str = "",
) -> dict:
    """Say what a file of MRI k-space holds, without reconstructing anything.

    Args:
        file: fastMRI .h5, .npy, .npz, .mat or a picture, or empty if example is given
        example: key of a built-in example that the examples endpoint lists, instead of a file

    Returns:
        format in words, numbers of slices and coils, height and width in samples, accelerations of undersampled variants, whether an axis may be slices or coils, and the letters by which the axes of an array were read
    """  # noqa: E501
    return asdict(session.describe(Choice(origin(file, example))))


@answering("mask", light=True)
def mask(
    width: int = WIDTH,
    acceleration: float = 4,
    seed: int = 0,
    family: str = "random",
    center_fraction: float = 0,
) -> dict:
    """Draw a sampling mask: which phase-encode lines of k-space a faster scan would measure.

    Args:
        width: number of phase-encode lines, from 8 to 4096
        acceleration: nominal, from 1 to 64
        seed: of a random mask, a whole number from 0
        family: kind of mask: random, equispaced, calibrated, variable-density, low-pass or partial-fourier
        center_fraction: share of lines measured in the middle, from 0 to 1; 0 is 0.32 / acceleration, for calibrated masks 24 lines

    Returns:
        lines as a text of 1 (measured) and 0, one for each; how many are measured, and the acceleration that was achieved
    """  # noqa: E501
    lines = _drawn(width, acceleration, seed, family, center_fraction)
    return {
        "lines": masks.as_text(lines),
        "measured": int(lines.sum()),
        "achieved_acceleration": masks.achieved_acceleration(lines),
    }


@answering("psf", light=True)
def point_spread(
    width: int = 0,
    acceleration: float = 4,
    seed: int = 0,
    family: str = "random",
    center_fraction: float = 0,
    lines: str = "",
) -> dict:
    """Compute the point spread function of a mask: what it does to a single bright point.

    The zero-filled image is the full one convolved with it, along the phase-encode axis.

    Args:
        width: number of phase-encode lines, from 8 to 4096; 0 is as many as lines has, or 320 without it
        acceleration: nominal, from 1 to 64
        seed: of a random mask, a whole number from 0
        family: kind of mask: random, equispaced, calibrated, variable-density, low-pass or partial-fourier
        center_fraction: share of lines measured in the middle, from 0 to 1; 0 is 0.32 / acceleration, for calibrated masks 24 lines
        lines: a mask of your own instead, as a text of 1 (measured) and 0, one for each line

    Returns:
        magnitude for each pixel from the point, which is in the middle (at width // 2), 1 there; incoherence and sidelobe level (0 is best, 1 is a full ghost), and width of the peak in pixels
    """  # noqa: E501
    asked = whole("width", width, 0, WIDEST)
    if lines:
        drawn = _written(lines)
        if asked not in (0, drawn.size):
            raise InputError(f"width is {asked}, but lines has {drawn.size}; leave width out.")
    else:
        drawn = _drawn(asked or WIDTH, acceleration, seed, family, center_fraction)
    spread = np.abs(psf.point_spread(drawn))
    return {
        "magnitude": [float(value) for value in spread / spread[drawn.size // 2]],
        "incoherence": psf.incoherence(drawn),
        "sidelobe_level": psf.sidelobe_level(drawn),
        "full_width": psf.full_width(drawn),
        "measured": int(drawn.sum()),
        "achieved_acceleration": masks.achieved_acceleration(drawn),
    }


@answering("methods", light=True)
def list_methods() -> dict:
    """List the reconstruction methods that can be asked for, the default first.

    Returns:
        name (for the argument method) and label of each
    """
    return {"methods": [{"name": name, "label": METHODS[name].label} for name in methods()]}


@answering("examples", light=True)
def list_examples() -> dict:
    """List the examples that can be reconstructed without a file of one's own.

    Returns:
        key (for the argument example), title, description with source and licence, and whether it has to be downloaded first
    """  # noqa: E501
    return {
        "examples": [
            {
                "key": example.key,
                "title": example.title,
                "description": example.description,
                "downloaded": example.remote,
            }
            for example in examples.EXAMPLES.values()
        ]
    }


# What strangers' arguments mean. Gradio passes on whatever JSON was sent.


def origin(file: Any, example: Any) -> Origin:
    """What is to be opened."""
    if file is not None and example:
        raise InputError("Give a file or an example, not both.")
    if example:
        return Origin(example=one_of("example", example, list(examples.EXAMPLES)))
    # Gradio replaces an uploaded file's description by one of its own, and refuses other paths.
    if not isinstance(file, dict) or not isinstance(file.get("path"), str):
        raise InputError(
            "Upload a file first, or name an example; the client libraries upload with handle_file."
        )
    return Origin(upload=serving.checked(file["path"]))


def number(name: str, value: Any, low: float, high: float) -> float:
    """A finite number in a range."""
    right = isinstance(value, int | float) and not isinstance(value, bool)
    if not right or not math.isfinite(value) or not low <= value <= high:
        raise InputError(f"The {name} is a number from {low:g} to {high:g}.")
    return value


def whole(name: str, value: Any, low: int, high: int) -> int:
    """A whole number in a range."""
    right = isinstance(value, int | float) and not isinstance(value, bool)
    if not right or not math.isfinite(value) or value != int(value) or not low <= value <= high:
        raise InputError(f"The {name} is a whole number from {low} to {high}.")
    return int(value)


def slice_number(value: Any) -> int | None:
    """None for the middle slice, which is written -1."""
    number = whole("slice", value, -1, 2**31 - 1)
    return None if number < 0 else number


def yes_or_no(name: str, value: Any) -> bool:
    """True or false, and no word for it."""
    if not isinstance(value, bool):
        raise InputError(f"{name} is true or false.")
    return value


def coil(value: Any) -> Coils:
    """Which coils; whether the scan has the one of a number is seen when it is opened."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 4:
        return int(value)
    if value not in ("rss", "svd") and (not isinstance(value, int) or isinstance(value, bool)):
        raise InputError("coils is rss, svd or the number of one coil.")
    coils: Coils = value
    return coils


def word(name: str, value: Any) -> str:
    """A short text."""
    if not isinstance(value, str) or len(value) > 40:
        raise InputError(f"{name} is a short text.")
    return value


def one_of(name: str, value: Any, allowed: Sequence[str]) -> str:
    """One of some texts."""
    if not isinstance(value, str) or value not in allowed:
        raise InputError(f"{name} is one of {', '.join(allowed)}.")
    return value


def _drawn(width: Any, acceleration: Any, seed: Any, family: Any, fraction: Any) -> np.ndarray:
    draw = masks.FAMILIES[one_of("family", family, list(masks.FAMILIES))]
    return draw(
        whole("width", width, 8, WIDEST),
        number("acceleration", acceleration, 1, 64),
        number("center fraction", fraction, 0, 1) or None,
        whole("seed", seed, 0, 2**31 - 1),
    )


def _written(lines: Any) -> np.ndarray:
    if not isinstance(lines, str) or not 8 <= len(lines) <= WIDEST or set(lines) - {"0", "1"}:
        raise InputError(f"lines is a text of 1 and 0, from 8 to {WIDEST} of them.")
    return masks.from_text(lines)


def _served(name: str, data: bytes) -> dict[str, Any]:
    """A file that the answer links to; it goes when uploads go."""
    return gr.FileData(path=serving.produce(name, data), orig_name=name).model_dump()
