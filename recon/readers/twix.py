"""Siemens raw data (TWIX ``.dat``) of the versions VB to VE.

turbotwix lists the readouts and takes their samples. It believes the file's directory, so
lengths are compared with the file before. The last measurement of a file is the scan; noise
readouts are measured, embedded calibration lines are kept.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from recon.kspace import InputError
from recon.readers import readouts
from recon.readers.bounded import MIB
from recon.readers.missing import needs
from recon.readers.peek import Peek
from recon.readers.stored import Stored

MAX_HEADER = 32 * MIB
MAX_BLOCKS = 2**21
MAX_NOISE = 256
OTHERS = {"Eco": "echoes", "Phs": "cardiac phases", "Rep": "repetitions", "Set": "sets"}
CARTESIAN = 1
BUFFERS = (b"Config\0", b"Dicom\0", b"Meas\0", b"MeasYaps\0", b"Phoenix\0", b"Spice\0")


def recognised(file: Peek) -> bool:
    """Whether a file begins as TWIX does: a directory of measurements, or a long header."""
    if len(file.head) < 16:
        return False
    first, second = struct.unpack("<II", file.head[:8])
    if first < 10_000 and 1 <= second <= 64:
        offset = struct.unpack("<Q", file.head[16:24])[0]
        begin = file.at(offset, 64) if 8 + 152 <= offset < file.size else b""
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
    turbotwix = needs("turbotwix", "Siemens TWIX")
    turbotwix.data.tqdm = None  # no progress bars on the standard error
    with path.open("rb") as raw, turbotwix.open_twix(raw) as file:
        scan = file.scan
        size = int(file.mm.size)
        begin, length = int(scan.offset), int(scan.length)
        inside = 0 <= begin < begin + length <= size and begin + 8 <= size
        if not inside:
            raise InputError("This TWIX file is cut short; a complete one is accepted.")
        text = struct.unpack("<I", bytes(file.mm[begin : begin + 4]))[0]
        if not 16 <= text <= min(MAX_HEADER, length):
            raise InputError("The header of this TWIX file is damaged; a complete one is accepted.")
        if length // 128 > MAX_BLOCKS and _smallest(file, begin + text) * MAX_BLOCKS < length:
            raise InputError("This TWIX file has too many readouts; two million are accepted.")
        header = bytes(file.mm[begin : begin + text])
        lines = scan.lines
        image = lines.image
        # Calibration lines that are embedded in the image belong to it.
        flags = turbotwix.Flag
        embedded = lines[_embedded(lines, image, flags)]
        yield readouts.stored(*_readouts(header, lines, image, embedded))


def _smallest(file: Any, at: int) -> int:
    """Bytes of the first readout."""
    head = bytes(file.mm[at : at + 192])
    if len(head) < 192:
        return 128
    place = 48 if str(file.version) == "vd" else 28
    samples, channels = struct.unpack_from("<HH", head, place)
    return max(128, samples * channels * 8)


def _embedded(lines: Any, image: Any, flags: Any) -> np.ndarray:
    """Calibration-only lines that share slice and shape with the image."""
    none = np.zeros(len(lines), bool)
    if len(image) == 0:
        return none
    wrong = flags.NOISEADJSCAN | flags.PHASCOR | flags.RTFEEDBACK | flags.HPFEEDBACK
    wrong |= flags.PHASESTABSCAN | flags.REFPHASESTABSCAN | flags.PATREFANDIMASCAN
    only = lines.has_flag(flags.PATREFSCAN) & ~lines.has_any_flag(wrong)
    same = (lines.ncol == image.ncol[0]) & (lines.ncha == image.ncha[0])
    return only & same


def _values(header: bytes, name: str) -> list[float]:
    """A number of the protocol, as ParamLong, ParamDouble or in the ASCCONV part."""
    key = re.escape(name).encode()
    number = rb"(-?\d{1,12}(?:\.\d{1,20})?)"
    tree = (
        rb'<Param(?:Long|Double)\."' + key + rb'">\s{0,99}\{\s{0,99}(?:<Precision>\s{0,9}\d{1,3})?'
    )
    found = re.findall(tree + rb"\s{0,99}" + number, header)
    found += re.findall(rb"\." + key + rb"\s{0,9}=\s{0,9}" + number, header)
    return [float(one) for one in found]


def _value(header: bytes, name: str, otherwise: float) -> float:
    found = _values(header, name)
    return found[0] if found else otherwise


def _readouts(
    header: bytes, lines: Any, image: Any, embedded: Any
) -> tuple[readouts.Readouts, str, dict[str, Any]]:
    if len(image) == 0:
        raise InputError("This TWIX file holds no imaging readouts; a finished scan is accepted.")
    if len(np.unique(image.ncol)) > 1 or len(np.unique(image.ncha)) > 1:
        raise InputError(
            "The readouts of this TWIX file differ in samples or coils; "
            "one scan of equal readouts is accepted."
        )
    trajectory = int(_value(header, "ucTrajectory", CARTESIAN))
    if trajectory != CARTESIAN:
        raise InputError(
            "The trajectory of this TWIX file is not Cartesian; Cartesian is accepted."
        )
    notes: list[str] = []
    # Where a line was measured twice, as image and for calibration, the image counts.
    keys = ["Lin", "Par", "Sli", *OTHERS]
    taken = set(zip(*(image.counter(key).tolist() for key in keys), strict=True))
    extra = [
        i
        for i, key in enumerate(zip(*(embedded.counter(key).tolist() for key in keys), strict=True))
        if key not in taken
    ]
    separate = _value(header, "ucRefScanMode", 0) in (4, 8, 16, 64)  # external, GRE, TSE...
    if extra and not separate:
        notes.append(f"{len(extra)} embedded calibration lines were kept in the k-space.")
    elif extra:
        notes.append(f"{len(extra)} lines of a separate calibration scan were left out.")
        extra = []
    tables = [image, embedded[np.array(extra, int)]] if extra else [image]
    counters = {
        key: np.concatenate([table.counter(key) for table in tables]) for key in [*keys, "Ave"]
    }
    where = np.concatenate([np.arange(len(table)) for table in tables])
    whose = np.concatenate([np.full(len(table), n) for n, table in enumerate(tables)])
    heads = image[:1].headers()[0]
    coils, total = int(image.ncha[0]), int(image.ncol[0])
    before, after = int(heads["CutOff"]["Pre"]), int(heads["CutOff"]["Post"])
    samples = total - before - after
    if not samples >= 1:
        raise InputError("The readouts of this TWIX file hold no samples; a scan is accepted.")

    oversampling = _value(header, "flReadoutOSFactor", 1.0)
    base = int(_value(header, "lBaseResolution", 0))
    center = int(heads["CenterCol"]) - before
    columns = samples
    if base and 1 <= oversampling <= 4 and samples < round(base * oversampling) <= 2 * samples:
        columns = round(base * oversampling)  # an asymmetric echo
    start = 0 if columns == samples else columns // 2 - center
    kept = columns if not 1 < oversampling <= 4 else max(1, round(columns / oversampling))
    line, partition = counters["Lin"].astype(int), counters["Par"].astype(int)
    line, count = _centred(line, int(heads["CenterLin"]), header, "iNoOfFourierLines")
    partition, depth = _centred(
        partition, int(heads["CenterPar"]), header, "iNoOfFourierPartitions"
    )
    averages = int(counters["Ave"].max()) + 1
    if averages > 1:
        notes.append(f"{averages} averages were averaged.")
    attrs: dict[str, Any] = {}
    noise = lines.noise
    if len(noise) and len(np.unique(noise.ncol)) == len(np.unique(noise.ncha)) == 1:
        values = noise[:MAX_NOISE].read()
        deviation = float(np.sqrt(np.mean(np.abs(values.astype(np.complex128)) ** 2) / 2))
        if np.isfinite(deviation):
            attrs["noise"] = deviation
            notes.append(
                f"{len(noise)} noise readouts were kept apart; their standard deviation a sample "
                f"and coil is {deviation:.3g}."
            )

    def fetch(i: int) -> np.ndarray:
        values = tables[whose[i]][int(where[i]) : int(where[i]) + 1].read()[:, 0]
        return values[:, before : total - after]

    found = readouts.Readouts(
        line=line,
        partition=partition,
        slice=counters["Sli"].astype(int),
        others={word: counters[key].astype(int) for key, word in OTHERS.items()},
        fetch=fetch,
        coils=coils,
        samples=samples,
        columns=columns,
        start=start,
        kept=kept,
        lines=count,
        partitions=depth,
        notes=tuple(notes),
    )
    return found, "Siemens TWIX", attrs


def _centred(counter: np.ndarray, center: int, header: bytes, name: str) -> tuple[np.ndarray, int]:
    """Places in a grid whose middle is the centre of k-space, and the size of the grid."""
    highest = int(counter.max())
    size = max(highest + 1, min(int(_value(header, name, 0)), readouts.MAX_LINES))
    shift = size // 2 - center
    if center == 0 or abs(shift) <= 1:
        return counter, size  # untold, or a choice of which of two middle lines it is
    lowest, highest = int(counter.min()) + shift, highest + shift
    if lowest < 0 or highest >= size:
        size = 2 * max(center, int(counter.max()) - center + 1)
        shift = size // 2 - center
    return counter + shift, size
