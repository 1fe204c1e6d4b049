"""ISMRMRD (MRD) files: raw readouts in HDF5, with an XML header.

Inati et al. 2017, doi 10.1002/mrm.26089. The dataset ``dataset/data`` holds one record a readout:
a fixed head, and the samples as a value of variable length; ``dataset/xml`` describes the
scan. Heads are read at once, samples only for the slice that is wanted. Noise readouts are kept
apart and measured, embedded calibration lines are kept in the k-space.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from recon.errors import InputError
from recon.readers import hdf5, orientation, readouts, vlen
from recon.readers.bounded_reading import MIB, BoundedFile
from recon.readers.peek import Peek
from recon.readers.peek import hdf5 as is_hdf5
from recon.readers.stored_array import Stored

MAX_READOUT = 64 * MIB

# Bits of the flags, from ismrmrd.h; numbers there count from 1.
NOISE, CALIBRATION, BOTH, REVERSE = 1 << 18, 1 << 19, 1 << 20, 1 << 21
NOT_IMAGE = sum(1 << (n - 1) for n in (23, 24, 26, 27, 28, 29, 30, 31))

COUNTERS = (
    "kspace_encode_step_1",
    "kspace_encode_step_2",
    "average",
    "slice",
    "contrast",
    "phase",
    "repetition",
    "set",
)
OTHERS = {
    "contrast": "echoes",
    "phase": "cardiac phases",
    "repetition": "repetitions",
    "set": "sets",
}
SIZE = ("number_of_samples", "active_channels")
CENTRE = ("discard_pre", "discard_post", "center_sample")
FIELDS = ("flags", "encoding_space_ref", *SIZE, *CENTRE)
PLACE = ("position", "read_dir", "phase_dir", "slice_dir")  # left, back, head; in mm, and cosines


@dataclass(frozen=True)
class Space:
    """Matrix and field of view (mm), along readout, lines and partitions."""

    matrix: tuple[int, int, int]
    field: tuple[float, float, float]

    @property
    def spacing(self) -> tuple[float, float, float] | None:
        """Millimetres from one sample of the image to the next; None where it is not told."""
        x, y, z = (size / count for size, count in zip(self.field, self.matrix, strict=True))
        return (x, y, z) if min(x, y, z) > 0 else None


@dataclass(frozen=True)
class Header:
    """What is used of the XML header's first encoding."""

    encoded: Space
    recon: Space
    trajectory: str
    centers: tuple[int | None, int | None]  # of lines and partitions
    calibration: str
    field_strength: float | None


@contextmanager
def opened(path: Path) -> Iterator[Stored]:
    """The imaging scan of an ISMRMRD file.

    Raises
    ------
    InputError
        If it is not Cartesian, or its readouts do not fit its header.
    """
    with hdf5.opened(path) as (raw, file):
        if file.userblock_size:
            raise InputError("This ISMRMRD file begins with a user block; one without is accepted.")
        group = _group(file)
        xml = hdf5.dataset(file, f"{group}/xml")
        described = None if xml is None else vlen.text(raw, xml)
        if described is None:
            raise InputError("This ISMRMRD file has no header; a complete one is accepted.")
        header = parse(described)
        if header.trajectory != "cartesian":
            raise InputError(
                f"The trajectory of this ISMRMRD file is {header.trajectory}; "
                f"Cartesian k-space is accepted."
            )
        data = hdf5.dataset(file, f"{group}/data")
        assert data is not None  # or it would not have been recognised
        heads, references = _table(raw, data)
        yield readouts.stored(*_readouts(raw, header, heads, references))


def recognised(file: Peek) -> bool:
    """Whether a file is HDF5 and holds ISMRMRD's table of readouts."""
    if not is_hdf5(file):
        return False
    try:
        with hdf5.opened(file.path) as (_, opened):
            return _group(opened) is not None
    except InputError:
        raise
    except Exception:  # damaged in some other way: the next reader says how
        return False


def _group(file: h5py.File) -> str | None:
    """The group of the readouts: ``dataset`` by custom, else the first that has a header too."""
    if hdf5.dataset(file, "dataset/data") is not None:
        return "dataset"
    for name in hdf5.names(file):
        with suppress(InputError):  # a link, which nobody has to follow
            if all(hdf5.dataset(file, f"{name}/{one}") is not None for one in ("data", "xml")):
                return name
    return None


def parse(described: str) -> Header:
    """The XML header.

    Raises
    ------
    InputError
        If it is not ISMRMRD's, or lacks a size.
    """
    if "<!" in described.replace("<!--", ""):  # no DTD, no entities
        raise InputError("The header of this ISMRMRD file has declarations; plain XML is accepted.")
    try:
        root = ElementTree.fromstring(described)
    except ElementTree.ParseError:
        raise InputError("The header of this ISMRMRD file is damaged; XML is accepted.") from None
    for node in root.iter():
        node.tag = node.tag.rpartition("}")[2]
    encoding = root.find("encoding")
    encoded = _space(encoding, "encodedSpace")
    recon = _space(encoding, "reconSpace")
    if encoding is None or encoded is None:
        raise InputError(
            "The header of this ISMRMRD file does not say how k-space was encoded; "
            "one with encodedSpace and matrixSize is accepted."
        )
    centers = (
        _center(encoding, "kspace_encoding_step_1"),
        _center(encoding, "kspace_encoding_step_2"),
    )
    strength = _float(root.findtext("acquisitionSystemInformation/systemFieldStrength_T"))
    word = "".join(c for c in encoding.findtext("trajectory", "").lower() if c.isalpha())
    return Header(
        encoded,
        recon or encoded,
        word[:32] or "cartesian",
        centers,
        encoding.findtext("parallelImaging/calibrationMode", "").strip().lower(),
        strength,
    )


def _float(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def _space(encoding: Any, name: str) -> Space | None:
    node = None if encoding is None else encoding.find(name)
    if node is None:
        return None
    matrix = [_float(node.findtext(f"matrixSize/{axis}")) for axis in "xyz"]
    field = [_float(node.findtext(f"fieldOfView_mm/{axis}")) or 0.0 for axis in "xyz"]
    if matrix[0] is None or matrix[1] is None or max(one or 1 for one in matrix) > 65535:
        return None
    x, y, z = (int(one or 1) for one in matrix)
    return Space((x, y, z), (field[0], field[1], field[2]))


def _center(encoding: Any, name: str) -> int | None:
    text = encoding.findtext(f"encodingLimits/{name}/center", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def kept(encoded: int, encoded_field: float, recon_field: float) -> int:
    """How many samples cover the smaller field of view, at the same resolution."""
    if not 0 < recon_field < encoded_field:
        return encoded
    return max(1, min(encoded, round(encoded * recon_field / encoded_field)))


def _table(raw: BoundedFile, data: h5py.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The heads of all readouts, and the references to their samples."""
    declared = data.id.get_type()
    if declared.get_class() != h5py.h5t.COMPOUND:
        raise InputError(vlen.UNUSUAL)
    places = _places(declared)
    total = declared.get_size()
    try:
        head = {name: places[f"head.{name}"] for name in FIELDS}
        head |= {name: places[f"head.idx.{name}"] for name in COUNTERS}
        samples = places["data"][1]
        head |= {name: places[at] for name in PLACE if (at := f"head.{name}") in places}
    except KeyError:
        raise InputError(vlen.UNUSUAL) from None
    table = np.dtype(
        {
            "names": list(head),
            "formats": [kind for kind, _ in head.values()],
            "offsets": [at for _, at in head.values()],
            "itemsize": total,
        }
    )
    reference = np.dtype(
        {"names": ["data"], "formats": [vlen.REFERENCE], "offsets": [samples], "itemsize": total}
    )
    content = vlen.records(raw, data)
    return np.frombuffer(content, table), np.frombuffer(content, reference)["data"]


def _places(declared: Any, prefix: str = "", base: int = 0) -> dict[str, tuple[str, int]]:
    """NumPy type and offset of each member of a compound, nested ones by dotted names."""
    found: dict[str, tuple[str, int]] = {}
    for i in range(declared.get_nmembers()):
        name = prefix + declared.get_member_name(i).decode("latin-1")
        kind, at = declared.get_member_type(i), base + declared.get_member_offset(i)
        if kind.get_class() == h5py.h5t.COMPOUND and prefix.count(".") < 2:
            found |= _places(kind, f"{name}.", at)
        elif kind.get_class() == h5py.h5t.VLEN:
            if name != "data" or kind.get_super().equal(h5py.h5t.IEEE_F32LE):
                found[name] = ("", at)
        else:
            vector = kind.get_class() == h5py.h5t.ARRAY and kind.get_array_dims() == (3,)
            plain = hdf5.plain(kind.get_super() if vector else kind)
            if plain is not None:
                found[name] = ("3" * vector + plain.str, at)
    return found


def _readouts(
    raw: BoundedFile, header: Header, heads: np.ndarray, references: np.ndarray
) -> tuple[readouts.Readouts, str, dict[str, Any]]:
    flags = heads["flags"].astype(np.uint64)
    noise = np.flatnonzero(flags & np.uint64(NOISE))
    image = (flags & np.uint64(NOISE | NOT_IMAGE)) == 0
    image &= heads["encoding_space_ref"] == 0
    notes = []
    only_calibration = (flags & np.uint64(CALIBRATION | BOTH)) == CALIBRATION
    if header.calibration in ("separate", "external"):
        left_out = int((image & only_calibration).sum())
        image &= ~only_calibration
        if left_out:
            notes.append(
                f"{left_out} lines of a separate calibration scan were left out of the k-space."
            )
    if (others := image & ~only_calibration).any():
        first = heads[np.argmax(others)]
        other = [heads[name] != first[name] for name in SIZE]
        unlike = image & only_calibration & np.logical_or(*other)
        image &= ~unlike
        if unlike.any():
            notes.append(
                f"{unlike.sum()} calibration lines of another size were left out of the k-space."
            )
    used = np.flatnonzero(image)
    heap = vlen.Heap(raw, MAX_READOUT)
    attrs: dict[str, Any] = {}
    if header.field_strength:
        attrs["field_strength"] = header.field_strength

    def silent(i: int) -> np.ndarray:
        values = np.frombuffer(heap.value(silences[i], 4), "<c8")
        count = max(1, channels[i])
        return values.reshape(count if len(values) % count == 0 else 1, -1)

    silences, channels = references[noise], heads["active_channels"][noise].astype(int)
    heads, references, flags = heads[used], references[used], flags[used]

    def differ(names: Iterable[str]) -> bool:
        return any(len(np.unique(heads[name])) > 1 for name in names)

    if differ(SIZE):
        raise InputError(
            "The readouts of this ISMRMRD file differ in samples or coils; "
            "one scan of equal readouts is accepted."
        )
    first = heads[0] if used.size else np.zeros(1, heads.dtype)[0]
    before, after = int(first["discard_pre"]), int(first["discard_post"])
    total, coils = int(first["number_of_samples"]), int(first["active_channels"])
    samples = total - before - after
    columns, lines, depth = header.encoded.matrix
    center = int(first["center_sample"]) - before
    if used.size and (samples < 1 or differ(CENTRE) or not 1 <= coils <= 1024):
        raise InputError(
            "The readouts of this ISMRMRD file are centred differently or hold no samples; "
            "one scan of equal readouts is accepted."
        )
    # Files that leave the centre out have whole readouts.
    start = 0 if samples == columns else columns // 2 - center
    middle, deep = header.centers
    line = heads["kspace_encode_step_1"].astype(int)
    partition = heads["kspace_encode_step_2"].astype(int)
    line = _centred(line, lines, middle)
    partition = _centred(partition, depth, None if depth == 1 else deep)
    field, smaller = header.encoded.field, header.recon.field
    remaining = kept(columns, field[0], smaller[0])
    if heads["average"].any():
        notes.append(f"{int(heads['average'].max()) + 1} averages were averaged.")

    def fetch(i: int) -> np.ndarray:
        content = heap.value(references[i], 4)
        if len(content) != 8 * coils * total:
            raise InputError(
                "A readout of this ISMRMRD file has another length than its head says; "
                "a complete file is accepted."
            )
        values = np.frombuffer(content, "<c8").reshape(coils, total)[:, before : total - after]
        return values[:, ::-1] if int(flags[i]) & REVERSE else values

    found = readouts.Readouts(
        line=line,
        partition=partition,
        slice=heads["slice"].astype(int),
        others={word: heads[name].astype(int) for name, word in OTHERS.items()},
        fetch=fetch,
        coils=coils,
        samples=samples,
        columns=columns,
        start=start,
        kept=remaining,
        lines=lines,
        partitions=depth,
        size=(remaining, kept(lines, field[1], smaller[1])),
        spacing=header.encoded.spacing,
        affine=_affine(header, heads, (remaining, lines, depth)),
        silent=silent,
        silences=len(silences),
        notes=tuple(notes),
    )
    return found, "ISMRMRD", attrs


def _centred(counter: np.ndarray, size: int, middle: int | None) -> np.ndarray:
    """Places in a grid whose middle is the centre of k-space, as the header tells it.

    Some headers are a line off, or leave the centre at 0: a scan that fits only as it is, stays so.
    """
    moved = counter if middle is None else counter + (size // 2 - middle)

    def fits(places: np.ndarray) -> bool:
        return not places.size or bool(places.min() >= 0 and places.max() < size)

    return counter if fits(counter) and not fits(moved) else moved


def _affine(header: Header, heads: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray | None:
    """Of the image that is read: its matrix is the encoded one, cut to the field of view."""
    if not set(PLACE) <= set(heads.dtype.names or ()):
        return None
    directions = np.stack([heads[name] for name in PLACE[1:]], 1)
    slices = np.unique(heads["slice"], return_inverse=True)[1]
    return orientation.affine(heads["position"], directions, slices, header.encoded.spacing, shape)
