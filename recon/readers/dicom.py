"""DICOM: one file of one or many frames, or a zip archive of a series.

pydicom reads what stands before the pixels, under a bound; the pixels are taken from the file
itself, uncompressed ones only. Magnitude and phase images of one series become complex images.
Nothing that names a patient is kept.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from recon.errors import InputError
from recon.readers import archive
from recon.readers.bounded_reading import MIB, BoundedFile, Index, Stream
from recon.readers.dicom_frames import (
    Frame,
    Place,
    affine,
    frames_of,
    number,
    places,
    spacing,
)
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


Plane = tuple[Frame, Callable[[], np.ndarray]]


@dataclass(frozen=True)
class Image:
    """What stands before the pixels of one file, and where they lie."""

    rows: int
    columns: int
    dtype: np.dtype
    unused: int  # bits above those that are stored
    inverted: bool  # the lowest number is white
    offset: int
    series: str
    frames: tuple[Frame, ...]

    def planes(self, read: Callable[[int, int], bytes]) -> list[Plane]:
        """Every frame, and a way to it; `read` gives bytes of the file by place and size."""
        return [
            (frame, lambda at=at: self._plane(read, at))  # type: ignore[misc]
            for at, frame in enumerate(self.frames)
        ]

    def _plane(self, read: Callable[[int, int], bytes], at: int) -> np.ndarray:
        """One frame in the scanner's units: float32, shape (rows, columns)."""
        size = self.rows * self.columns * self.dtype.itemsize
        try:
            values = np.frombuffer(read(self.offset + at * size, size), self.dtype)
        except EOFError:
            raise InputError(
                "This DICOM file ends within its pixels; a complete one is accepted."
            ) from None
        values = ~values if self.inverted else values
        if self.unused:  # the highest bits may hold an overlay
            values = (values << self.unused) >> self.unused
        frame = self.frames[at]
        scaled = values.astype(np.float32) * np.float32(frame.slope) + np.float32(frame.intercept)
        return scaled.reshape(self.rows, self.columns)


def recognised_zip(file: Peek) -> bool:
    """Whether a zip archive holds DICOM, perhaps behind what a viewer needs."""
    return file.holds(b"DICM", at=128)


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

        def read(offset: int, size: int) -> bytes:
            file.seek(offset)
            return Stream(file.read).exactly(size)

        yield _stored([image], image.planes(read))


@contextmanager
def opened_zip(path: Path) -> Iterator[Stored]:
    """A series of DICOM files in a zip archive, in the order of its slices.

    What else is in the archive is passed over, reports and other objects without pixels too.

    Raises
    ------
    InputError
        If there are several series, or images of several sizes.
    """
    with archive.opened(path) as packed:
        images, planes = [], []
        budget = MAX_HEADERS * 16
        for info in archive.members(packed):
            archive.check(info)
            read = partial(_read, packed, info)
            if info.file_size < 132 or read(128, 4) != b"DICM":
                continue
            budget -= info.file_size
            if budget < 0:
                raise InputError("This archive unpacks to more than 1024 MiB; less is accepted.")
            content = io.BytesIO(archive.content(packed, info, MAX_MEMBER))
            dicom, start = _before_pixels(content)
            if "Rows" in dicom:
                images.append(_image(dicom, content, start, info.file_size))
                planes += images[-1].planes(read)
        if not images:
            raise InputError("This archive holds no DICOM image; a zip of a series is accepted.")
        series = len({image.series for image in images})
        if series > 1:
            raise InputError(
                f"This archive holds {series} DICOM series; one of them, alone, is accepted."
            )
        if len({(image.rows, image.columns) for image in images}) > 1:
            raise InputError(
                "The DICOM images of this archive differ in size; one size is accepted."
            )
        if len(images) > 1 and any(len(image.frames) > 1 for image in images):
            raise InputError(
                "This archive holds several multi-frame DICOM files; one, alone, is accepted."
            )
        yield _stored(images, planes)


def _read(packed: zipfile.ZipFile, info: zipfile.ZipInfo, offset: int, size: int) -> bytes:
    """Bytes of a member, which stays open no longer: there may be thousands."""
    return archive.Member(packed, info).read(offset, size)


def header(file: Any, size: int) -> Image:
    """What a file says before its pixels, checked.

    Raises
    ------
    InputError
        If there are no pixels, or none that can be read here.
    """
    dicom, start = _before_pixels(file)
    return _image(dicom, file, start, size)


def _before_pixels(file: Any) -> tuple[Any, int]:
    """The data set before the pixels, and where that ends."""
    pydicom = needs("pydicom", "Reading DICOM files")
    # No warning about a value that breaks the standard's rules: it is checked here.
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    dicom = pydicom.dcmread(file, stop_before_pixels=True)
    return dicom, file.tell()


def _image(dicom: Any, file: Any, start: int, size: int) -> Image:
    syntax = str(dicom.file_meta.get("TransferSyntaxUID", ""))
    if syntax not in NATIVE:
        raise InputError(COMPRESSED)
    rows, columns, bits = (_whole(dicom, n) for n in ("Rows", "Columns", "BitsAllocated"))
    frames = _whole(dicom, "NumberOfFrames", 1)
    stored = _whole(dicom, "BitsStored", bits)
    samples = _whole(dicom, "SamplesPerPixel", 1)
    colours = str(dicom.get("PhotometricInterpretation", ""))
    if samples != 1 or not colours.startswith("MONOCHROME"):
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
    return Image(
        rows,
        columns,
        dtype,
        bits - stored,
        colours == "MONOCHROME1",
        offset,
        str(dicom.get("SeriesInstanceUID", "")),
        frames_of(dicom, frames),
    )


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
    return int(number(dicom.get(name), otherwise))


def _stored(images: Sequence[Image], planes: Sequence[Plane]) -> Stored:
    """The frames of one series in their order, phases joined to their magnitudes."""
    if len(planes) > MAX_FRAMES:
        raise InputError(f"This series has {len(planes)} images; up to {MAX_FRAMES} are accepted.")
    sizes, size_places = _ordered([plane for plane in planes if not plane[0].phase])
    angles, angle_places = _ordered([plane for plane in planes if plane[0].phase])
    notes: tuple[str, ...] = ()
    is_complex = bool(sizes) and size_places == angle_places
    if is_complex:
        notes = ("Magnitude and phase were joined to complex images.",)
    elif not sizes:
        notes = ("The file calls its image a phase image; its magnitude is not there.",)
    elif angles:
        notes = (f"{len(angles)} phase images without a magnitude of their own were left out.",)
    kept, kept_places = (sizes, size_places) if sizes else (angles, angle_places)

    def take(index: Index) -> np.ndarray:
        at = index[0] if isinstance(index[0], int) else 0
        values = kept[at][1]()
        return joined(values, angles[at][1]()) if is_complex else values

    first = kept_places[0]
    slices = sum((one.echo, one.time) == (first.echo, first.time) for one in kept_places)
    echoes = len({one.echo for one in kept_places})
    times = 1 + max(one.time for one in kept_places)
    if echoes > 1:
        notes += (
            f"The series has {len(kept)} images of {echoes} echo times; slice numbers run "
            f"through the slices of the first echo first.",
        )
    if times > 1:
        notes += (
            f"The series shows the same places up to {times} times, as time frames do; slice "
            f"numbers run through the slices of the first time first.",
        )
    frames = [frame for frame, _ in kept]
    return Stored(
        "DICOM",
        (len(kept), images[0].rows, images[0].columns),
        np.dtype(np.complex64 if is_complex else np.float32),
        take,
        letters="SHW",
        picture=True,
        spacing=spacing(frames[0]),
        affine=affine(frames, slices),
        stack=slices,
        notes=notes,
    )


def _ordered(planes: Sequence[Plane]) -> tuple[list[Plane], list[Place]]:
    found = places([frame for frame, _ in planes])
    order = sorted(range(len(planes)), key=lambda at: (found[at], planes[at][0].number))
    return [planes[at] for at in order], [found[at] for at in order]
