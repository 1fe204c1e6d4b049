"""DICOM: one file of one or many frames, or a zip archive of a series.

pydicom reads what stands before the pixels, under a bound; the pixels are taken from the file
itself, uncompressed ones only. Magnitude and phase images of one series become complex images.
Nothing that names a patient is kept.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recon.errors import InputError
from recon.readers import archive, orientation
from recon.readers.bounded_reading import MIB, BoundedFile, Index, Stream
from recon.readers.missing import needs
from recon.readers.peek import Peek
from recon.readers.phases import joined
from recon.readers.stored_array import Stored

MAX_HEADERS = 64 * MIB  # bytes read before the pixels
MAX_MEMBER = 256 * MIB
MAX_FRAMES = 4096
NATIVE = {
    "1.2.840.10008.1.2": "<",
    "1.2.840.10008.1.2.1": "<",
    "1.2.840.10008.1.2.2": ">",
}
COMPRESSED = (
    "The pixels of this DICOM file are compressed; uncompressed ones are accepted, and "
    "'dcmdjpeg' or 'gdcmconv --raw' makes them so."
)


@dataclass(frozen=True)
class Image:
    """What stands before the pixels of one file, and where they lie."""

    rows: int
    columns: int
    frames: int
    dtype: np.dtype
    unused: int  # bits above those that are stored
    offset: int
    slope: float
    intercept: float
    phase: bool
    series: str
    number: float
    echo: float
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    spacing: tuple[float, ...]

    def frame(self, file: Any, number: int) -> np.ndarray:
        """One frame in the scanner's units: float32, shape (rows, columns).

        Raises
        ------
        InputError
            If the file ends before the frame does.
        """
        size = self.rows * self.columns * self.dtype.itemsize
        file.seek(self.offset + number * size)
        try:
            values = np.frombuffer(Stream(file.read).exactly(size), self.dtype)
        except EOFError:
            raise InputError(
                "This DICOM file ends within its pixels; a complete one is accepted."
            ) from None
        if self.unused:  # the highest bits may hold an overlay
            values = (values << self.unused) >> self.unused
        scaled = values.astype(np.float32) * np.float32(self.slope) + np.float32(self.intercept)
        return scaled.reshape(self.rows, self.columns)

    @property
    def along(self) -> float:
        """Place along the normal of the slice, or the instance number."""
        if len(self.orientation) == 6 and len(self.position) == 3:
            normal = np.cross(self.orientation[:3], self.orientation[3:])
            return float(np.dot(normal, self.position))
        return self.number


def recognised_zip(file: Peek) -> bool:
    """Whether one of the first files of a zip archive is DICOM."""
    return any(begin[128:132] == b"DICM" for begin in file.members.values())


@contextmanager
def opened(path: Path) -> Iterator[Stored]:
    """The frames of one DICOM file.

    Raises
    ------
    InputError
        If its pixels are compressed, coloured or not all there.
    """
    with BoundedFile(path, total=MAX_HEADERS) as file:
        image = header(file, file.size)
        file.total = None
        notes: tuple[str, ...] = ()
        if image.phase:
            notes = ("The file calls its image a phase image; its magnitude is not there.",)

        def take(index: Index) -> np.ndarray:
            return image.frame(file, index[0] if isinstance(index[0], int) else 0)

        yield _stored([image] * image.frames, take, False, notes)


@contextmanager
def opened_zip(path: Path) -> Iterator[Stored]:
    """A series of DICOM files in a zip archive, in the order of its slices.

    Raises
    ------
    InputError
        If there are several series, or images of several sizes.
    """
    with archive.opened(path) as packed:
        found: list[tuple[Image, zipfile.ZipInfo]] = []
        budget = MAX_HEADERS * 16
        for info in archive.members(packed):
            budget -= info.file_size
            if budget < 0:
                raise InputError("This archive unpacks to more than 1024 MiB; less is accepted.")
            content = archive.content(packed, info, MAX_MEMBER)
            if content[128:132] == b"DICM" and not _is_directory(content):
                found.append((header(io.BytesIO(content), len(content)), info))
        if not found:
            raise InputError("This archive holds no DICOM image; a zip of a series is accepted.")
        if len({image.series for image, _ in found}) > 1:
            raise InputError(
                f"This archive holds {len({image.series for image, _ in found})} DICOM series; "
                f"one of them, alone, is accepted."
            )
        if len({(image.rows, image.columns) for image, _ in found}) > 1:
            raise InputError(
                "The DICOM images of this archive differ in size; one size is accepted."
            )
        if len(found) > 1 and any(image.frames > 1 for image, _ in found):
            raise InputError(
                "This archive holds several multi-frame DICOM files; one, alone, is accepted."
            )
        found.sort(key=lambda one: (one[0].echo, one[0].along, one[0].number))

        def plane(image: Image, info: zipfile.ZipInfo, frame: int = 0) -> np.ndarray:
            return image.frame(io.BytesIO(archive.content(packed, info, MAX_MEMBER)), frame)

        if len(found) == 1:
            image, info = found[0]
            yield _stored(
                [image] * image.frames,
                lambda index: plane(image, info, index[0] if isinstance(index[0], int) else 0),
                False,
                (),
            )
            return
        angles = [one for one in found if one[0].phase]
        sizes = [one for one in found if not one[0].phase]
        if angles and [(a.echo, a.along) for a, _ in angles] == [
            (m.echo, m.along) for m, _ in sizes
        ]:
            yield _stored(
                [image for image, _ in sizes],
                lambda index: joined(plane(*sizes[_first(index)]), plane(*angles[_first(index)])),
                True,
                ("Magnitude and phase were joined to complex images.",),
            )
            return
        kept = sizes or angles
        left_out = len(found) - len(kept)
        note = f"{left_out} phase images without a magnitude of their own were left out."
        yield _stored(
            [image for image, _ in kept],
            lambda index: plane(*kept[_first(index)]),
            False,
            (note,) if left_out else (),
        )


def _first(index: Index) -> int:
    return index[0] if isinstance(index[0], int) else 0


def _is_directory(content: bytes) -> bool:
    return b"1.2.840.10008.1.3.10" in content[:1024]


def header(file: Any, size: int) -> Image:
    """What a file says before its pixels, checked.

    Raises
    ------
    InputError
        If there are no pixels, or none that can be read here.
    """
    pydicom = needs("pydicom", "Reading DICOM files")
    # No warning about a value that breaks the standard's rules: it is checked here.
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    dicom = pydicom.dcmread(file, stop_before_pixels=True)
    start = file.tell()
    syntax = str(dicom.file_meta.get("TransferSyntaxUID", ""))
    if syntax not in NATIVE:
        raise InputError(COMPRESSED)
    rows, columns, bits = (_whole(dicom, n) for n in ("Rows", "Columns", "BitsAllocated"))
    frames = _whole(dicom, "NumberOfFrames", 1)
    stored = _whole(dicom, "BitsStored", bits)
    samples = _whole(dicom, "SamplesPerPixel", 1)
    grey = str(dicom.get("PhotometricInterpretation", "")).startswith("MONOCHROME")
    if samples != 1 or not grey:
        raise InputError("This DICOM image has colours, or is no image; grey ones are accepted.")
    if bits not in (8, 16, 32) or not 1 <= stored <= bits or min(rows, columns, frames) < 1:
        raise InputError(
            "This DICOM image has an unusual pixel format; 8, 16 or 32 bits are accepted."
        )
    if frames > MAX_FRAMES or rows * columns > 2**26:
        raise InputError(
            f"This DICOM image has {frames} frames of {rows} x {columns}; "
            f"up to {MAX_FRAMES} frames are accepted."
        )
    signed = _whole(dicom, "PixelRepresentation", 0) == 1
    dtype = np.dtype(f"{NATIVE[syntax]}{'i' if signed else 'u'}{bits // 8}")
    offset, declared = _pixels(file, start, NATIVE[syntax], syntax != "1.2.840.10008.1.2")
    needed = rows * columns * frames * dtype.itemsize
    if declared < needed or offset + needed > size:
        raise InputError(
            f"This DICOM image needs {needed / MIB:.1f} MiB of pixels and has "
            f"{max(0, min(declared, size - offset)) / MIB:.1f}; a complete file is accepted."
        )
    shared = _shared(dicom)
    kind = [str(one).upper() for one in _several(dicom.get("ImageType", ()))]
    return Image(
        rows,
        columns,
        frames,
        dtype,
        bits - stored,
        offset,
        _number(shared.get("RescaleSlope"), 1.0),
        _number(shared.get("RescaleIntercept"), 0.0),
        "P" in kind[2:] or "PHASE" in kind[2:],
        str(dicom.get("SeriesInstanceUID", "")),
        _number(dicom.get("InstanceNumber"), 0.0),
        _number(dicom.get("EchoTime"), 0.0),
        _numbers(shared.get("ImagePositionPatient")),
        _numbers(shared.get("ImageOrientationPatient")),
        _numbers(shared.get("PixelSpacing")),
    )


def _shared(dicom: Any) -> dict[str, Any]:
    """Scaling and geometry, from the file itself or from what its frames share."""
    places = [dicom]
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in list(dicom.get(groups) or ())[:1]:
            for sequence in (
                "PixelValueTransformationSequence",
                "PlanePositionSequence",
                "PlaneOrientationSequence",
                "PixelMeasuresSequence",
            ):
                places += list(group.get(sequence) or ())[:1]
    names: tuple[str, ...] = ("RescaleSlope", "RescaleIntercept", "ImagePositionPatient")
    names += ("ImageOrientationPatient", "PixelSpacing")
    return {name: place.get(name) for place in reversed(places) for name in names if name in place}


def _pixels(file: Any, start: int, order: str, explicit: bool) -> tuple[int, int]:
    """Where the pixels begin, and their length in bytes."""
    file.seek(start)
    element = file.read(12)
    end = {"<": "little", ">": "big"}[order]
    group, number = (int.from_bytes(element[i : i + 2], end) for i in (0, 2))  # type: ignore[arg-type]
    if (group, number) != (0x7FE0, 0x0010):
        raise InputError("This DICOM file holds no pixels in whole numbers; an image is accepted.")
    if explicit:
        length = int.from_bytes(element[8:12], end)  # type: ignore[arg-type]
        return (start + 12, length) if element[4:6] in (b"OB", b"OW") else (start, 0)
    return start + 8, int.from_bytes(element[4:8], end)  # type: ignore[arg-type]


def _whole(dicom: Any, name: str, otherwise: int = 0) -> int:
    return int(_number(dicom.get(name), otherwise))


def _number(value: Any, otherwise: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return otherwise
    return number if math.isfinite(number) else otherwise


def _several(value: Any) -> Sequence[Any]:
    return [value] if isinstance(value, str) else list(value or ())


def _numbers(value: Any) -> tuple[float, ...]:
    try:
        found = tuple(float(one) for one in value)
    except (TypeError, ValueError):
        return ()
    return found if all(math.isfinite(one) for one in found) else ()


def _stored(
    images: list[Image],
    take: Callable[[Index], np.ndarray],
    is_complex: bool,
    notes: tuple[str, ...],
) -> Stored:
    if len(images) > MAX_FRAMES:
        raise InputError(f"This series has {len(images)} images; up to {MAX_FRAMES} are accepted.")
    first = images[0]
    echoes = len({image.echo for image in images})
    if echoes > 1:
        notes += (
            f"The series has {len(images)} images of {echoes} echo times; slice numbers run "
            f"through the slices of the first echo first.",
        )
    return Stored(
        "DICOM",
        (len(images), first.rows, first.columns),
        np.dtype(np.complex64 if is_complex else np.float32),
        take,
        letters="SHW",
        picture=True,
        affine=affine(images),
        stack=len(_one_echo(images)),
        notes=notes,
    )


def _one_echo(images: Sequence[Image]) -> list[Image]:
    """The slices of the first echo, which come before those of others."""
    return [image for image in images if image.echo == images[0].echo]


def affine(images: Sequence[Image]) -> np.ndarray | None:
    """From (row, column, slice) to millimetres, right-anterior-superior; None if not told.

    Shape (4, 4), by DICOM PS3.3 C.7.6.2.1.1, which points to the left and the back instead.
    """
    same = _one_echo(images)
    first, last = same[0], same[-1]
    if len(first.orientation) != 6 or len(first.position) != 3 or len(first.spacing) != 2:
        return None
    along_row, along_column = np.array(first.orientation[:3]), np.array(first.orientation[3:])
    step = np.cross(along_row, along_column)
    if first is not last and len(last.position) == 3:
        step = (np.array(last.position) - np.array(first.position)) / (len(same) - 1)
    if not np.any(step):
        step = np.cross(along_row, along_column)
    result = np.eye(4)
    result[:3, 0] = along_column * first.spacing[0]
    result[:3, 1] = along_row * first.spacing[1]
    result[:3, 2] = step
    result[:3, 3] = first.position
    return orientation.LPS_TO_RAS @ result
