"""Siemens raw data (TWIX ``.dat``) of the versions VB to VE.

Laid out as turbotwix and twixtools read them, both MIT; they map the whole file and believe its
directory, so the list of readouts is walked here, in pieces and with every length compared
with the file. The last measurement of a file is the scan; noise readouts are measured, embedded
calibration lines are kept.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recon.errors import InputError
from recon.readers import readouts
from recon.readers.bounded_reading import MIB, BoundedFile
from recon.readers.peek import Peek
from recon.readers.stored_array import Stored

MAX_HEADER = 32 * MIB
MAX_BLOCKS = 2**19
DIRECTORY = struct.Struct("<II")
ENTRY = struct.Struct("<IIQQ64s64s")
BUFFERS = (b"Config\0", b"Dicom\0", b"Meas\0", b"MeasYaps\0", b"Phoenix\0", b"Spice\0")
CUT_SHORT = "This TWIX file is cut short or damaged; a complete one is accepted."

# Bits of the evaluation mask (MDH).
END, FEEDBACK, SYNC = 1 << 0, (1 << 1) | (1 << 2), 1 << 5
PHASE, REFERENCE, REFERENCE_AND_IMAGE = 1 << 21, 1 << 22, 1 << 23
REVERSED, NOISE = 1 << 24, 1 << 25
STABILISE = (1 << 14) | (1 << 15)
NOT_IMAGE = FEEDBACK | STABILISE | PHASE | NOISE

COUNTERS = ("Lin", "Ave", "Sli", "Par", "Eco", "Phs", "Rep", "Set")
OTHERS = {"Eco": "echoes", "Phs": "cardiac phases", "Rep": "repetitions", "Set": "sets"}
CARTESIAN = 1
# ucRefScanMode: extra lines, a scan before, extra lines of EPI and of others. What lies between
# (0x10 to 0x80) takes them from averages, repetitions, phases or the same echo train.
SEPARATE = (0x04, 0x08, 0x100, 0x200)


@dataclass(frozen=True)
class Layout:
    """Bytes before the samples of a version: of a readout, of each channel, and of fields."""

    once: int
    each: int
    mask: int
    samples: int

    @property
    def head(self) -> int:
        """Bytes of a readout that are looked at."""
        return max(self.once, self.each)


VB = Layout(once=0, each=128, mask=20, samples=28)
VD = Layout(once=192, each=32, mask=40, samples=48)


@dataclass(frozen=True)
class Lines:
    """Readouts of one measurement, as parallel arrays."""

    offset: np.ndarray
    flags: np.ndarray
    samples: np.ndarray
    channels: np.ndarray
    counters: np.ndarray  # (N, 8), in the order of COUNTERS
    cut: np.ndarray  # (N, 2), samples to drop before and after
    centre: np.ndarray  # (N, 3), of columns, lines, partitions

    def __getitem__(self, which: np.ndarray) -> Lines:
        return Lines(*(getattr(self, name)[which] for name in self.__dataclass_fields__))

    def __len__(self) -> int:
        return len(self.offset)

    def counter(self, name: str) -> np.ndarray:
        """One loop counter of every line: int, shape (lines,)."""
        return self.counters[:, COUNTERS.index(name)].astype(int)


def recognised(file: Peek) -> bool:
    """Whether a file begins as TWIX does: a directory of measurements, or a long header."""
    if len(file.head) < 24:
        return False
    first, second = DIRECTORY.unpack(file.head[:8])
    if first < 10_000 and 1 <= second <= 64:
        offset = struct.unpack("<Q", file.head[16:24])[0]
        begin = file.at(offset, 64) if 8 + ENTRY.size <= offset < file.size else b""
    else:
        begin = file.head[:64]
    return any(name in begin for name in BUFFERS)


@contextmanager
def opened(path: Path) -> Iterator[Stored]:
    """The imaging scan of a TWIX file.

    Raises
    ------
    InputError
        If it is cut short or not Cartesian.
    """
    with BoundedFile(path, limit=MAX_HEADER) as file:
        begin, end, layout = _measurement(file)
        length = struct.unpack("<I", _at(file, begin, 4))[0]
        if not 16 <= length <= min(MAX_HEADER, end - begin):
            raise InputError(CUT_SHORT)
        header = _at(file, begin, length)
        lines = _walk(file, begin + length, end, layout)
        yield readouts.stored(*_readouts(file, layout, header, lines))


def _at(file: BoundedFile, offset: int, size: int) -> bytes:
    file.seek(offset)
    content = file.read(size)
    if len(content) != size:
        raise InputError(CUT_SHORT)
    return content


def _measurement(file: BoundedFile) -> tuple[int, int, Layout]:
    """Where the last measurement begins and ends."""
    first, count = DIRECTORY.unpack(_at(file, 0, 8))
    if not (first < 10_000 and 1 <= count <= 64):
        return 0, file.size, VB
    entries = [ENTRY.unpack(_at(file, 8 + n * ENTRY.size, ENTRY.size))[2:4] for n in range(count)]
    if count == 1 and entries[0][1] == 0:  # to the end of the file
        entries = [(entries[0][0], file.size - entries[0][0])]
    written = [(offset, length) for offset, length in entries if length]
    if not written:
        raise InputError("This TWIX file holds no measurement; a finished scan is accepted.")
    offset, length = written[-1]
    if offset + length > file.size or length < 16:
        raise InputError(CUT_SHORT)
    return offset, offset + length, VD


def _walk(file: BoundedFile, at: int, end: int, layout: Layout) -> Lines:
    """The readouts from one place to another.

    Raises
    ------
    InputError
        If there are too many.
    """
    rows = []
    for _ in range(MAX_BLOCKS):
        if at + layout.head > end:
            break  # an aborted scan: what was measured is read
        file.seek(at)
        head = file.read(layout.head)
        word, mask = struct.unpack_from("<I", head)[0], struct.unpack_from("<Q", head, layout.mask)
        flags = mask[0]
        if flags & END:
            break
        if flags & SYNC:
            length = word & 0x1FFFFFF
            if length < layout.head:
                break
        else:
            fields = struct.unpack_from("<2H14H2HH", head, layout.samples)
            samples, channels, *loop = fields[:16]
            length = layout.once + channels * (layout.each + 8 * samples)
            if length < layout.head or at + length > end:
                break
            place = layout.samples + 32 + 8 + 8 + 4  # behind the centre, offset and time
            centre = (fields[18], *struct.unpack_from("<2H", head, place - 4))
            rows.append((at, flags, samples, channels, *loop[:8], *fields[16:18], *centre))
        at += length
    else:
        raise InputError(f"This TWIX file has more than {MAX_BLOCKS} readouts; fewer are accepted.")
    table = np.array(rows, np.uint64).reshape(-1, 17)
    numbers = table.astype(np.int64)
    return Lines(
        numbers[:, 0],
        table[:, 1],
        numbers[:, 2],
        numbers[:, 3],
        numbers[:, 4:12],
        numbers[:, 12:14],
        numbers[:, 14:17],
    )


def samples_of(file: BoundedFile, layout: Layout, lines: Lines, i: int) -> np.ndarray:
    """One readout: complex64, shape (C, samples), the right way round."""
    count, channels = int(lines.samples[i]), int(lines.channels[i])
    step = layout.each + 8 * count
    content = _at(file, int(lines.offset[i]) + layout.once, channels * step)
    rows = np.frombuffer(content, np.uint8).reshape(channels, step)[:, layout.each :]
    values = np.ascontiguousarray(rows).view("<c8")
    return values[:, ::-1] if int(lines.flags[i]) & REVERSED else values


def _value(header: bytes, name: str, otherwise: float) -> float:
    """A number of the protocol, as ParamLong, ParamDouble or in the ASCCONV part."""
    key = re.escape(name).encode()
    number = rb"(0x[0-9a-fA-F]{1,8}|-?\d{1,12}(?:\.\d{1,20})?)"
    # What may stand before the value: <Precision> 6, <Limit> { 1 2 4 }, <Label> "text".
    attributes = (
        rb'(?:<\w{1,30}>\s{0,9}(?:\{[^{}]{0,999}\}|"[^"]{0,999}"|[-+.\w]{1,30}(?=\s))\s{0,99}){0,9}'
    )
    tree = rb'<Param(?:Long|Double)\."' + key + rb'">\s{0,99}\{\s{0,99}' + attributes + number
    found = re.search(tree, header)
    found = found or re.search(rb"\." + key + rb"\s{0,99}=\s{0,9}" + number, header)
    if found is None:
        return otherwise
    return int(found[1], 16) if found[1].startswith(b"0x") else float(found[1])


def _readouts(
    file: BoundedFile, layout: Layout, header: bytes, lines: Lines
) -> tuple[readouts.Readouts, str]:
    image, notes = _imaging(header, lines)
    heads = image[np.arange(len(image)) == 0]
    coils, total = int(heads.channels[0]), int(heads.samples[0])
    before, after = (int(n) for n in heads.cut[0])
    samples = total - before - after
    if samples < 1:
        raise InputError("The readouts of this TWIX file hold no samples; a scan is accepted.")
    if int(_value(header, "ucTrajectory", CARTESIAN)) != CARTESIAN:
        raise InputError("The trajectory of this TWIX file is no Cartesian one; one is accepted.")

    oversampling = _value(header, "flReadoutOSFactor", 1.0)
    oversampling = oversampling if 1 <= oversampling <= 4 else 1.0
    columns, whole = samples, round(_value(header, "lBaseResolution", 0) * oversampling)
    if samples < whole <= 2 * samples:
        columns = whole  # an asymmetric echo
    centre = [int(n) for n in heads.centre[0]]
    start = 0 if columns == samples else columns // 2 - (centre[0] - before)
    line, count = _centred(image.counter("Lin"), centre[1], header, "iNoOfFourierLines")
    kept = max(1, round(columns / oversampling))
    wider = _value(header, "dPhaseOversamplingForDialog", 0.0)
    width = round(count / (1 + wider)) if 0 <= wider <= 4 else count
    partition, depth = _centred(image.counter("Par"), centre[2], header, "iNoOfFourierPartitions")
    averages = int(image.counter("Ave").max()) + 1
    if averages > 1:
        notes.append(f"{averages} averages were averaged.")
    noise = lines[(lines.flags & np.uint64(NOISE)) != 0]
    found = readouts.Readouts(
        line=line,
        partition=partition,
        slice=image.counter("Sli"),
        others={word: image.counter(key) for key, word in OTHERS.items()},
        fetch=lambda i: samples_of(file, layout, image, i)[:, before : total - after],
        coils=coils,
        samples=samples,
        columns=columns,
        start=start,
        kept=kept,
        lines=count,
        partitions=depth,
        size=(kept, width),
        spacing=_spacing(header, kept, width, depth),
        silent=lambda i: samples_of(file, layout, noise, i),
        silences=len(noise),
        notes=tuple(notes),
    )
    return found, "Siemens TWIX"


def _imaging(header: bytes, lines: Lines) -> tuple[Lines, list[str]]:
    """The readouts of the image, with embedded calibration lines, and notes."""
    other = (lines.flags & np.uint64(NOT_IMAGE)) != 0
    both = lines.flags & np.uint64(REFERENCE | REFERENCE_AND_IMAGE)
    only = both == REFERENCE
    image = lines[~other & ~only]
    if len(image) == 0:
        raise InputError("This TWIX file holds no imaging readouts; a finished scan is accepted.")
    if len(np.unique(image.samples)) > 1 or len(np.unique(image.channels)) > 1:
        raise InputError(
            "The readouts of this TWIX file differ in samples or coils; "
            "one scan of equal readouts is accepted."
        )
    same = (lines.samples == image.samples[0]) & (lines.channels == image.channels[0])
    reference = lines[only & ~other & same]
    # Where a line was measured twice, as image and for calibration, the image counts.
    keys = [COUNTERS.index(key) for key in ("Lin", "Par", "Sli", *OTHERS)]
    taken = set(map(tuple, image.counters[:, keys].tolist()))
    new = np.array([tuple(one) not in taken for one in reference.counters[:, keys].tolist()], bool)
    if not new.any():
        return image, []
    if _value(header, "ucRefScanMode", 0) in SEPARATE:
        return image, [f"{new.sum()} lines of a separate calibration scan were left out."]
    reference = reference[new]
    joined = Lines(
        *(
            np.concatenate([getattr(one, name) for one in (image, reference)])
            for name in Lines.__dataclass_fields__
        )
    )
    return joined, [f"{new.sum()} embedded calibration lines were kept in the k-space."]


def _spacing(
    header: bytes, height: int, width: int, depth: int
) -> tuple[float, float, float] | None:
    """Of the image, in mm: its field of view divided by its matrix."""
    # Of the slice: the volume that the scanner was adjusted for has entries of the same names.
    names = ("dReadoutFOV", "dPhaseFOV", "dThickness")
    x, y, z = (_value(header, f"asSlice[0].{name}", 0.0) for name in names)
    return (x / height, y / width, z / depth) if min(x, y, z) > 0 else None


def _centred(counter: np.ndarray, centre: int, header: bytes, name: str) -> tuple[np.ndarray, int]:
    """Places in a grid whose middle is the centre of k-space, and the size of the grid."""
    highest = int(counter.max())
    size = max(highest + 1, min(int(_value(header, name, 0)), readouts.MAX_LINES))
    shift = size // 2 - centre
    if centre == 0 or abs(shift) <= 1:
        return counter, size  # untold, or a choice of which of two middle lines it is
    if int(counter.min()) + shift < 0 or highest + shift >= size:
        size = 2 * max(centre, highest - centre + 1)
        shift = size // 2 - centre
    return counter + shift, size
