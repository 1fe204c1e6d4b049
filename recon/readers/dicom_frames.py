"""Frames of DICOM images: what is said of each of them, their order, and where they lie.

A frame is what one picture is: the only one of a file, or one of the many of an enhanced file,
which says of each what may differ (PS3.3 C.7.6.16).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from recon.readers import orientation

GROUPS = {
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept"),
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness", "SpacingBetweenSlices"),
    "MRImageFrameTypeSequence": ("FrameType", "ComplexImageComponent"),
    "MREchoSequence": ("EffectiveEchoTime",),
}
NAMES = [name for names in GROUPS.values() for name in names]
MAX_DIRECTIONS = 32  # that are told apart


@dataclass(frozen=True)
class Frame:
    """What is said of one frame.

    Attributes
    ----------
    slope, intercept
        From stored numbers to the scanner's units.
    phase
        Whether it shows angles.
    number
        Instance number of its file, and its own number there.
    echo
        Echo time in ms.
    position, orientation
        Middle of the first pixel in mm, and directions of rows and columns, as DICOM gives them;
        empty where they are untold.
    spacing
        Millimetres between rows and columns; None where that is untold.
    thick
        Millimetres from one slice to the next, or else through this one; 0 where that is untold.
    """

    slope: float
    intercept: float
    phase: bool
    number: tuple[float, int]
    echo: float
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    spacing: tuple[float, float] | None
    thick: float

    @property
    def placed(self) -> bool:
        """Whether it is said where it lies."""
        return len(self.position) == 3 and len(self.orientation) == 6

    @property
    def along(self) -> float:
        """Place along the normal of the slice in mm; 0 where it is untold."""
        if not self.placed:
            return 0.0
        normal = np.cross(self.orientation[:3], self.orientation[3:])
        return float(np.dot(normal, self.position))


def frames_of(dicom: Any, count: int) -> tuple[Frame, ...]:
    """The frames of a file, in its order.

    Parameters
    ----------
    dicom
        A data set of pydicom.
    count
        How many frames there are.
    """
    whole = {name: dicom.get(name) for name in [*NAMES, "ImageType", "EchoTime"] if name in dicom}
    if count > 1:  # one place cannot be that of all
        whole.pop("ImagePositionPatient", None)
    for group in _items(dicom, "SharedFunctionalGroupsSequence")[:1]:
        whole |= _told(group)
    each = _items(dicom, "PerFrameFunctionalGroupsSequence")
    instance = number(dicom.get("InstanceNumber"), 0.0)
    return tuple(
        _frame(whole | (_told(each[at]) if at < len(each) else {}), (instance, at))
        for at in range(count)
    )


def _told(group: Any) -> dict[str, Any]:
    """What a functional group says of its frames."""
    return {
        name: place.get(name)
        for sequence, names in GROUPS.items()
        for place in _items(group, sequence)[:1]
        for name in names
        if name in place
    }


def _items(dicom: Any, name: str) -> list[Any]:
    return list(dicom.get(name) or ())


def _frame(told: dict[str, Any], at: tuple[float, int]) -> Frame:
    kind = [str(one).upper() for one in _several(told.get("FrameType", told.get("ImageType")))]
    component = str(told.get("ComplexImageComponent", "")).upper()
    between, thick = (
        abs(number(told.get(name), 0.0)) for name in ("SpacingBetweenSlices", "SliceThickness")
    )
    spacing = numbers(told.get("PixelSpacing"))
    return Frame(
        number(told.get("RescaleSlope"), 1.0),
        number(told.get("RescaleIntercept"), 0.0),
        component == "PHASE" or "P" in kind[2:] or "PHASE" in kind[2:],
        at,
        number(told.get("EffectiveEchoTime", told.get("EchoTime")), 0.0),
        numbers(told.get("ImagePositionPatient")),
        numbers(told.get("ImageOrientationPatient")),
        (spacing[0], spacing[1]) if len(spacing) == 2 else None,
        between or thick,
    )


class Place(NamedTuple):
    """Where a frame comes: echo, how often its place was shown before, direction, and place."""

    echo: float
    time: int
    direction: int
    along: float


def places(frames: Sequence[Frame]) -> list[Place]:
    """The place of each; frames are in order when these are, and then their numbers."""
    directions: list[tuple[float, ...]] = []
    shown: Counter[tuple[float, int, float]] = Counter()
    found = {}
    for at in sorted(range(len(frames)), key=lambda at: frames[at].number):
        frame = frames[at]
        direction = _direction(directions, frame.orientation)
        key = frame.echo, direction, round(frame.along, 2)
        found[at] = Place(frame.echo, shown[key], direction, frame.along)
        shown[key] += frame.placed
    return [found[at] for at in range(len(frames))]


def _direction(known: list[tuple[float, ...]], one: tuple[float, ...]) -> int:
    """Which of those seen before it is, if not a new one."""
    for at, other in enumerate(known):
        if len(one) == len(other) and math.dist(one, other) < orientation.COSINES:
            return at
    if len(known) < MAX_DIRECTIONS:
        known.append(one)
        return len(known) - 1
    return MAX_DIRECTIONS


def spacing(frame: Frame) -> tuple[float, float, float] | None:
    """Millimetres between rows, columns and slices; None where the file does not say."""
    return (*frame.spacing, frame.thick) if frame.spacing and frame.thick else None


def affine(frames: Sequence[Frame], slices: int) -> np.ndarray | None:
    """From (row, column, slice) to millimetres, right-anterior-superior; shape (4, 4).

    By DICOM PS3.3 C.7.6.2.1.1, which points to the left and the back instead.

    Parameters
    ----------
    frames
        In their order.
    slices
        How many places there are; after so many frames they come again.

    Returns
    -------
    None where it is not told, or the frames are not parallel, evenly spaced and at the same places
    every time.
    """
    first = frames[0]
    if not all(one.placed and one.spacing == first.spacing for one in frames):
        return None
    # Where there are several slices, their places say how far apart they are.
    step = spacing(first) if slices == 1 else (*first.spacing, 1.0) if first.spacing else None
    directions = np.array([np.reshape(one.orientation, (2, 3))[::-1] for one in frames])
    normals = np.cross(directions[:, 1], directions[:, 0])
    return orientation.affine(
        np.array([one.position for one in frames]),
        np.concatenate([directions, normals[:, None]], 1),
        np.arange(len(frames)) % slices,
        step,
        (1, 1, 1),  # the position is that of the first pixel
    )


def number(value: Any, otherwise: float) -> float:
    """A finite number, or what stands for it."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return otherwise
    return found if math.isfinite(found) else otherwise


def numbers(value: Any) -> tuple[float, ...]:
    """Finite numbers; none where one is not."""
    try:
        found = tuple(float(one) for one in value)
    except (TypeError, ValueError):
        return ()
    return found if all(math.isfinite(one) for one in found) else ()


def _several(value: Any) -> Sequence[Any]:
    return [value] if isinstance(value, str) else list(value or ())
