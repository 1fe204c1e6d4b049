"""HDF5 from strangers.

HDF5 is a file system in a file, and parts of it may point outside: a dataset with external
storage, a virtual dataset, an external or soft link gives the bytes of *other* files of the
machine to whoever asks for a plain array. Chunks are compressed, so a small file can also
unpack to anything. Here only hard links to ordinary datasets are followed, every size is
checked before it is believed, and gzip chunks are unpacked once under a bound before
libhdf5, which has none, may do so.
"""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from recon.kspace import InputError
from recon.readers.bounded import MIB, BoundedFile, Index
from recon.readers.heap import HeapGuard

MAX_CHUNK = 64 * MIB
MAX_UNPACKED = 1024 * MIB  # all chunks that one slice touches
MAX_CHUNKS = 100_000
MAX_MEMBERS = 64
MAX_TEXT = 64
RATIO, RATIO_FROM = 100, 32 * MIB
FILTERS = {h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_FLETCHER32}

# Types whose bytes are the same in the file and in NumPy.
PLAIN = [
    (getattr(h5py.h5t, f"{family}{8 * size}{order}"), f"{sign}{kind}{size}")
    for order, sign in (("LE", "<"), ("BE", ">"))
    for family, kind, sizes in (
        ("IEEE_F", "f", (2, 4, 8)),
        ("STD_I", "i", (1, 2, 4, 8)),
        ("STD_U", "u", (1, 2, 4, 8)),
    )
    for size in sizes
]
# HDF5 2 has complex numbers of its own.
COMPLEXES = [
    (getattr(h5py.h5t, f"COMPLEX_IEEE_F{bits}{order}"), bits // 4)
    for bits in (32, 64)
    for order in ("LE", "BE")
    if hasattr(h5py.h5t, f"COMPLEX_IEEE_F{bits}{order}")
]

OUTSIDE = (
    "This HDF5 file points to data through a link or outside itself; "
    "only ordinary datasets, stored in the file, are accepted."
)


@contextmanager
def opened(path: Path) -> Iterator[tuple[BoundedFile, h5py.File]]:
    """An HDF5 file, read through a `BoundedFile`.

    Raises
    ------
    InputError
        If addresses and sizes are not stored in 8 bytes, as everyone does.
    """
    with HeapGuard(path) as raw, h5py.File(raw, "r") as file:
        if file.id.get_create_plist().get_sizes() != (8, 8):
            raise InputError("This HDF5 file has unusual address sizes; 8 bytes are accepted.")
        yield raw, file


def dataset(group: h5py.Group, path: str) -> h5py.Dataset | None:
    """A dataset, reached by hard links only; None where there is none of this name.

    Raises
    ------
    InputError
        If a step of the path is another kind of link, or the dataset is not an ordinary one.
    """
    *groups, name = path.split("/")
    for step in groups:
        if not has(group, step) or group.get(step, getclass=True) is not h5py.Group:
            return None
        group = group[step]
    if not has(group, name) or group.get(name, getclass=True) is not h5py.Dataset:
        return None
    found = group[name]
    _check_storage(found)
    return found


def names(group: h5py.Group) -> list[str]:
    """Names in a group, or none where there are too many to look at."""
    return list(group) if len(group) <= MAX_MEMBERS else []


def has(group: h5py.Group, name: str) -> bool:
    """Whether a group has a member of this name.

    Raises
    ------
    InputError
        If the member is reached by anything but a hard link.
    """
    # The low-level calls look at the link alone; `name in group` would follow it.
    key = name.encode("utf-8", "surrogateescape")
    if not group.id.links.exists(key):
        return False
    if group.id.links.get_info(key).type != h5py.h5l.TYPE_HARD:
        raise InputError(OUTSIDE)
    return True


def _check_storage(found: h5py.Dataset) -> None:
    """Refuse what is not stored here, or unpacks to far more than is stored.

    Raises
    ------
    InputError
    """
    plan = found.id.get_create_plist()
    if plan.get_layout() == h5py.h5d.VIRTUAL or plan.get_external_count():
        raise InputError(OUTSIDE)
    if {plan.get_filter(i)[0] for i in range(plan.get_nfilters())} - FILTERS:
        raise InputError("This HDF5 file is compressed in a way other than gzip; use gzip or none.")
    if found.shape is None:
        return
    declared = math.prod(found.shape) * found.id.get_type().get_size()
    if declared > RATIO_FROM and declared > RATIO * found.id.get_storage_size():
        raise InputError(
            f"This HDF5 file declares {declared / MIB:.0f} MiB and stores hardly any of it; "
            f"a complete file, compressed at most {RATIO} times, is accepted."
        )
    if found.chunks and math.prod(found.chunks) * found.id.get_type().get_size() > MAX_CHUNK:
        raise InputError(
            f"A chunk of this HDF5 file is larger than {MAX_CHUNK // MIB} MiB; "
            f"smaller chunks, such as one slice each, are accepted."
        )


def number_type(found: h5py.Dataset) -> np.dtype | None:
    """Type of a dataset's values, compounds of real and imaginary part taken as complex.

    Only IEEE floats, standard integers and what is made of two such floats without gaps. HDF5
    can describe floats of any layout; h5py widens unusual ones, and inside a compound the
    widened members overlap, so that reading writes past the end of its memory.

    Returns
    -------
    A complex, float, integer or boolean type, or None for anything else (text, tables...).
    """
    if not found.shape:
        return None
    declared = found.id.get_type()
    kind = declared.get_class()
    if kind == h5py.h5t.ENUM:  # how h5py stores booleans
        return np.dtype(bool) if plain(declared.get_super()) and found.dtype == bool else None
    if kind == getattr(h5py.h5t, "COMPLEX", None):
        size = next((size for known, size in COMPLEXES if declared.equal(known)), None)
        return None if size is None else np.dtype(f"c{size}")
    if kind != h5py.h5t.COMPOUND:
        return plain(declared)
    if declared.get_nmembers() != 2:
        return None
    first, second = (plain(declared.get_member_type(i)) for i in (0, 1))
    initials = [declared.get_member_name(i)[:1].lower() for i in (0, 1)]
    if first is None or first != second or first.str[1:] not in ("f4", "f8"):
        return None
    offsets = [declared.get_member_offset(i) for i in (0, 1)]
    if offsets != [0, first.itemsize] or declared.get_size() != 2 * first.itemsize:
        return None
    return np.dtype(f"c{2 * first.itemsize}") if initials == [b"r", b"i"] else None


def plain(declared: h5py.h5t.TypeID) -> np.dtype | None:
    """The same type in NumPy, where its bytes are the same; else None."""
    return next((np.dtype(name) for known, name in PLAIN if declared.equal(known)), None)


def take(raw: BoundedFile, found: h5py.Dataset, index: Index) -> np.ndarray:
    """Part of a dataset that `dataset` gave and whose shape has been checked.

    Parameters
    ----------
    raw
        The file that the dataset lives in.
    found
        The dataset.
    index
        One entry an axis: an index, or ``slice(None)``.

    Returns
    -------
    Complex values where real and imaginary part were a compound, others as they are.

    Raises
    ------
    InputError
        If a chunk does not unpack to exactly its size.
    """
    ends = [1 if isinstance(i, int) else n for i, n in zip(index, found.shape, strict=True)]
    itemsize = found.id.get_type().get_size()
    if found.chunks:
        _check_chunks(raw, found, index)
    with raw.allow(max(math.prod(ends) * itemsize, 2 * MAX_CHUNK)):
        values = found[index]
    if values.dtype.names is None:
        return values
    real, imaginary = (values[name] for name in values.dtype.names)
    joined = np.empty(values.shape, np.result_type(real.dtype, np.complex64))
    joined.real, joined.imag = real, imaginary
    return joined


def _check_chunks(raw: BoundedFile, found: h5py.Dataset, index: Index) -> None:
    chunk = found.chunks
    size = math.prod(chunk) * found.id.get_type().get_size()
    corners = [
        range(i - i % step, i + 1, step) if isinstance(i, int) else range(0, n, step)
        for i, n, step in zip(index, found.shape, chunk, strict=True)
    ]
    count = math.prod(map(len, corners))
    if count > MAX_CHUNKS or count * size > MAX_UNPACKED:
        raise InputError(
            "One slice of this HDF5 file is spread over too many chunks; "
            "chunks of one slice each are accepted."
        )
    plan = found.id.get_create_plist()
    filters = [plan.get_filter(i)[0] for i in range(plan.get_nfilters())]
    if h5py.h5z.FILTER_DEFLATE not in filters:
        return
    at = filters.index(h5py.h5z.FILTER_DEFLATE)
    if h5py.h5z.FILTER_DEFLATE in filters[at + 1 :] or h5py.h5z.FILTER_SHUFFLE in filters[at + 1 :]:
        raise InputError("This HDF5 file is compressed in an unusual way; use gzip or none.")
    for corner in itertools.product(*corners):
        with raw.allow(size + size // 8 + MIB):
            skipped, packed = found.id.read_direct_chunk(corner)
        if skipped >> at & 1:  # stored as it is, because it did not shrink
            continue
        unpack = zlib.decompressobj()
        if len(unpack.decompress(packed, size + 1)) != size:
            raise InputError(
                "A chunk of this HDF5 file does not unpack to its declared size; "
                "the file may be damaged or incomplete."
            )


def scalar(owner: h5py.Group | h5py.Dataset, name: str) -> str | float | None:
    """A short text or a number that is attached as an attribute, None where there is none."""
    if not h5py.h5a.exists(owner.id, name.encode()):
        return None
    attribute = h5py.h5a.open(owner.id, name.encode())
    kind = attribute.get_type().get_class()
    if kind != h5py.h5t.STRING and plain(attribute.get_type()) is None:
        return None
    # Text of variable length lies in a heap, which the bounded file refuses to load if large.
    if attribute.get_space().get_select_npoints() != 1 or attribute.get_type().get_size() > 1024:
        return None
    value = np.asarray(owner.attrs[name]).item()
    if kind != h5py.h5t.STRING:
        return float(value) if math.isfinite(value) else None
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return "".join(one for one in text if one.isprintable())[:MAX_TEXT].strip()
