"""HDF5 from strangers.

HDF5 is a file system in a file, and parts of it may point outside: a dataset with external
storage, a virtual dataset, an external or soft link gives the bytes of *other* files of the
machine to whoever asks for a plain array. Chunks are compressed, so a small file can also
unpack to anything. Here only hard links to ordinary datasets are followed, and every size is
checked before it is believed. Of the values themselves libhdf5 is asked only where they lie;
they are read by `chunks` or as a plain stretch of the file, never by libhdf5, which trusts what
a file says of their length.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from recon.errors import InputError
from recon.readers import bounded_reading, chunks
from recon.readers.bounded_reading import (
    MIB,
    RATIO,
    BoundedFile,
    Index,
    Stream,
    is_bomb,
    narrow,
    taken_shape,
)
from recon.readers.heap_guard import HeapGuard

MAX_MEMBERS = 64
MAX_DEPTH = 4  # groups in groups
MAX_TEXT = 64
HARMLESS = 32 * MIB  # that a dataset may declare and hardly store

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
    (getattr(h5py.h5t, f"COMPLEX_IEEE_F{bits}{order}"), f"{sign}c{bits // 4}")
    for bits in (32, 64)
    for order, sign in (("LE", "<"), ("BE", ">"))
    if hasattr(h5py.h5t, f"COMPLEX_IEEE_F{bits}{order}")
]

TOO_MANY = (
    f"This file holds more than {MAX_MEMBERS} arrays or groups, too many to look through; name the "
    f"one that is meant 'kspace'."
)
OUTSIDE = (
    "This HDF5 file points to data through a link or outside itself; "
    "only ordinary datasets, stored in the file, are accepted."
)
TOO_SHORT = (
    "A dataset of this HDF5 file is not as long as it declares; a complete file is accepted."
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


def shape(group: h5py.Group, name: str) -> tuple[int, ...] | None:
    """Of a dataset in a group, which is not read; None where there is none of this name."""
    if not has(group, name) or group.get(name, getclass=True) is not h5py.Dataset:
        return None
    found: tuple[int, ...] | None = group[name].shape
    return found


def names(group: h5py.Group) -> list[str]:
    """Names in a group, or none where there are too many to look at."""
    return list(group) if len(group) <= MAX_MEMBERS else []


def below(file: h5py.File) -> list[str]:
    """Paths of what lies in the groups of a file, nearest first; other links are passed over.

    MATLAB keeps the contents of cells in groups whose names begin with ``#``; they are left out.

    Raises
    ------
    InputError
        If there are too many.
    """
    paths: list[str] = []
    groups = [""]
    for _ in range(MAX_DEPTH):
        deeper: list[str] = []
        for path in groups:
            group = file[path] if path else file
            if len(paths) + len(deeper) + len(group) > MAX_MEMBERS:
                raise InputError(TOO_MANY)
            for name in group:
                if not _is_hard(group, name) or name.startswith("#"):
                    continue
                kind = group.get(name, getclass=True)
                if kind is h5py.Group:
                    deeper.append(f"{path}{name}/")
                elif path and kind is h5py.Dataset:
                    paths.append(f"{path}{name}")
        groups = deeper
    return paths


def has(group: h5py.Group, name: str) -> bool:
    """Whether a group has a member of this name.

    Raises
    ------
    InputError
        If the member is reached by anything but a hard link.
    """
    if not group.id.links.exists(name.encode("utf-8", "surrogateescape")):
        return False
    if not _is_hard(group, name):
        raise InputError(OUTSIDE)
    return True


def _is_hard(group: h5py.Group, name: str) -> bool:
    # The low-level call looks at the link alone; `group[name]` would follow it.
    key = name.encode("utf-8", "surrogateescape")
    return bool(group.id.links.get_info(key).type == h5py.h5l.TYPE_HARD)


def _check_storage(found: h5py.Dataset) -> None:
    """Refuse what is not stored here, or unpacks to far more than is stored.

    Raises
    ------
    InputError
    """
    plan = found.id.get_create_plist()
    if plan.get_layout() == h5py.h5d.VIRTUAL or plan.get_external_count():
        raise InputError(OUTSIDE)
    chunks.filters_of(found)
    if found.shape is None:
        return
    itemsize = found.id.get_type().get_size()
    declared = math.prod(found.shape) * itemsize
    held = found.id.get_storage_size()
    if is_bomb(declared, held, HARMLESS):
        raise InputError(
            f"This HDF5 file declares {declared / MIB:.0f} MiB and stores hardly any of it; "
            f"a complete file, compressed at most {RATIO} times, is accepted."
        )
    if found.chunks and math.prod(found.chunks) * itemsize > chunks.MAX_CHUNK:
        raise InputError(
            f"A chunk of this HDF5 file is larger than {chunks.MAX_CHUNK // MIB} MiB; "
            f"smaller chunks, such as one slice each, are accepted."
        )
    numeric = _stored_type(found.id.get_type()) is not None
    if numeric and not found.chunks and held not in (0, declared):  # 0: never written
        raise InputError(TOO_SHORT)


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
    stored = _stored_type(declared)
    if declared.get_class() != h5py.h5t.ENUM:
        return stored
    return np.dtype(bool) if stored is not None and found.dtype == bool else None


def _stored_type(declared: h5py.h5t.TypeID) -> np.dtype | None:
    """NumPy type of the bytes as they stand in the file; None where there is no such one."""
    kind = declared.get_class()
    if kind == h5py.h5t.ENUM:  # how h5py stores booleans
        return plain(declared.get_super())
    if kind == getattr(h5py.h5t, "COMPLEX", None):
        return next((np.dtype(name) for known, name in COMPLEXES if declared.equal(known)), None)
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
    return np.dtype(f"{first.str[0]}c{2 * first.itemsize}") if initials == [b"r", b"i"] else None


def numeric(file: h5py.Group, paths: Iterable[str]) -> Iterator[tuple[str, h5py.Dataset, np.dtype]]:
    """Those of some datasets that hold numbers: path, dataset and type of its values."""
    for path in paths:
        found = dataset(file, path)
        dtype = None if found is None else number_type(found)
        if found is not None and dtype is not None:
            yield path, found, dtype


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
        The dataset; `number_type` knows its type.
    index
        One entry an axis: an index, or ``slice(None)``.

    Returns
    -------
    Values at 32-bit precision; see `recon.readers.bounded_reading.narrow`.

    Raises
    ------
    InputError
        If what is stored is not exactly what is declared.
    """
    stored = _stored_type(found.id.get_type())
    assert stored is not None
    layout = found.id.get_create_plist().get_layout()
    if layout == h5py.h5d.CHUNKED:
        values = chunks.take(raw, found, stored, index)
    elif layout == h5py.h5d.COMPACT:
        whole = np.zeros(found.shape, stored)  # at most 64 KiB, beside the dataset's header
        found.id.read(h5py.h5s.ALL, h5py.h5s.ALL, whole, found.id.get_type())
        values = narrow(whole[index])
    elif (offset := found.id.get_offset()) is None:  # declared, never written
        values = np.zeros(taken_shape(found.shape, index), narrow(np.zeros(0, stored)).dtype)
    else:
        if offset + math.prod(found.shape) * stored.itemsize > raw.size:
            raise InputError(TOO_SHORT)
        raw.seek(offset)
        stream = Stream(raw.read, lambda step: raw.seek(step, io.SEEK_CUR))
        values = bounded_reading.take(stream, found.shape, stored, index)
    return values != 0 if number_type(found) == np.dtype(bool) else values


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
