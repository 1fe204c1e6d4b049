"""PyTorch's ``.pt`` files, read without PyTorch: one tensor, or a dictionary of them.

Such a file is a zip archive: a pickle that lists the tensors, and their numbers, uncompressed. A
pickle can call anything; this one may name the functions that rebuild a tensor and nothing else,
and those here only write down where its numbers lie.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recon.errors import InputError
from recon.readers import archive
from recon.readers.bounded import MIB, Index, narrow
from recon.readers.stored import Stored, choose

MAX_CONTENTS = MIB
MAX_MASK = 4 * 2**20
MAX_AXES = 8
STORAGES = {
    "ComplexFloatStorage": "<c8",
    "ComplexDoubleStorage": "<c16",
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BoolStorage": "|b1",
    "ByteStorage": "|u1",
    "CharStorage": "|i1",
    "ShortStorage": "<i2",
    "IntStorage": "<i4",
    "LongStorage": "<i8",
}
MORE = (
    "This PyTorch file holds more than tensors, or is damaged; "
    "a tensor or a dictionary of tensors, saved by torch.save, is accepted."
)


@dataclass(frozen=True)
class Tensor:
    """Where the numbers of a tensor lie: in which member, and at which steps of elements."""

    member: str
    dtype: np.dtype
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    conjugate: bool = False


class _Contents(pickle.Unpickler):
    """The list of tensors; anything else in it is refused."""

    def find_class(self, module: str, name: str) -> Any:
        known = {
            ("collections", "OrderedDict"): dict,
            ("torch._utils", "_rebuild_tensor_v2"): _rebuilt,
            ("torch._utils", "_rebuild_parameter"): lambda data, *_: data,
        }
        if module == "torch" and name in STORAGES:
            return np.dtype(STORAGES[name])
        return known[module, name]

    def persistent_load(self, pid: Any) -> tuple[np.dtype, str]:
        kind, dtype, key, _, _ = pid
        if kind != "storage" or not isinstance(dtype, np.dtype) or not str(key).isdigit():
            raise ValueError("no storage of numbers")
        return dtype, str(key)


def _rebuilt(storage: Any, offset: Any, shape: Any, strides: Any, *rest: Any) -> Tensor:
    dtype, key = storage
    numbers = (offset, *shape, *strides)
    metadata = rest[2] if len(rest) > 2 and rest[2] else {}
    fits = len(shape) == len(strides) <= MAX_AXES and set(metadata) <= {"conj", "neg"}
    if not fits or any(type(n) is not int or n < 0 for n in numbers) or metadata.get("neg"):
        raise ValueError("no plain tensor")
    return Tensor(key, dtype, offset, tuple(shape), tuple(strides), bool(metadata.get("conj")))


@contextmanager
def opened(path: Path) -> Iterator[Stored]:
    """The k-space of a .pt file.

    Raises
    ------
    InputError
        If it holds anything but tensors, or none that can be k-space.
    """
    with archive.opened(path) as packed:
        members = {info.filename.split("/", 1)[-1]: info for info in packed.infolist()}
        _check(packed)
        listed = archive.content(packed, members["data.pkl"], MAX_CONTENTS)
        order = members.get("byteorder")
        if order is not None and archive.content(packed, order, 16) != b"little":
            raise InputError("This PyTorch file is big-endian; a little-endian one is accepted.")
        try:
            content = _Contents(io.BytesIO(listed)).load()
        except Exception:
            raise InputError(MORE) from None
        named = content if isinstance(content, dict) else {"tensor": content}
        tensors = {
            name: one
            for name, one in list(named.items())[:256]
            if isinstance(name, str) and isinstance(one, Tensor)
        }
        if not tensors:
            raise InputError(
                "This PyTorch file holds no tensor at its top; a tensor or a dictionary of "
                "tensors is accepted."
            )
        types = {name: (one.shape, one.dtype) for name, one in tensors.items()}
        masks = [name for name in types if name.lower() == "mask"]
        mask = None
        for name in masks:
            shape, dtype = types.pop(name)
            if shape and 0 < np.prod(shape, dtype=float) <= MAX_MASK and dtype.kind != "c":
                mask = _take(path, members, tensors[name], (slice(None),) * len(shape))
        chosen, _ = choose(types)

        def take(index: Index) -> np.ndarray:
            part = _take(path, members, tensors[chosen], index)
            return narrow(part.conj() if tensors[chosen].conjugate else part)

        yield Stored("PyTorch", *types[chosen], take=take, mask=mask)


def _take(
    path: Path, members: dict[str, zipfile.ZipInfo], tensor: Tensor, index: Index
) -> np.ndarray:
    """Part of a tensor: no more of the file is read than from its first to its last element."""
    first, shape, strides = tensor.offset, [], []
    for place, size, step in zip(index, tensor.shape, tensor.strides, strict=True):
        if isinstance(place, int):
            if not 0 <= place < size:
                raise ValueError("index beyond the tensor")
            first += place * step
        else:
            shape.append(size)
            strides.append(step)
    elements = 1 + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
    info, width = members[f"data/{tensor.member}"], tensor.dtype.itemsize
    if 0 in shape or (first + elements) * width > info.file_size:
        raise InputError(
            "A tensor of this PyTorch file is not all there; a complete one is accepted."
        )
    with path.open("rb") as file:
        file.seek(info.header_offset)
        names = struct.unpack("<26xHH", file.read(30))
        file.seek(info.header_offset + 30 + sum(names) + first * width)
        content = file.read(elements * width)
    if len(content) != elements * width:
        raise EOFError("the file ends early")
    flat = np.frombuffer(content, tensor.dtype)
    return np.lib.stride_tricks.as_strided(
        flat, shape, [step * width for step in strides], writeable=False
    ).copy()


def _check(packed: zipfile.ZipFile) -> None:
    """The archive, as far as it may be believed.

    Raises
    ------
    InputError
    """
    for info in packed.infolist():
        archive.check(info)
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise InputError(
                "This PyTorch file is compressed inside; one that torch.save wrote is accepted."
            )
