"""PyTorch's ``.pt`` files: one tensor, or a dictionary of them.

Such a file is a zip archive: a pickle that lists tensors, and a plain member of bytes for each
storage. The pickle is read as ``torch.load(weights_only=True)`` reads it, with what may be
called cut down to tensors and ordered dictionaries, but without torch, which takes seconds and
hundreds of megabytes to load; only the wanted slice is ever taken from a storage.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from recon.errors import InputError
from recon.readers import archive
from recon.readers.bounded_reading import MIB, Index, Stream, narrow
from recon.readers.stored_array import Stored, check_mask, choose, mask_of

MAX_CONTENTS = MIB
MAX_TENSORS = 256
MAX_AXES = 16
MAX_SPAN = 256 * MIB  # bytes from the first to the last value of a slice

STORAGES = {
    "ComplexFloatStorage": "<c8",
    "ComplexDoubleStorage": "<c16",
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BoolStorage": "?",
    "ByteStorage": "u1",
    "CharStorage": "i1",
    "ShortStorage": "<i2",
    "IntStorage": "<i4",
    "LongStorage": "<i8",
}
MORE_THAN_TENSORS = (
    "This PyTorch file holds more than tensors, or is damaged; "
    "a tensor or a dictionary of tensors, saved by torch.save, is accepted."
)


class Tensor(NamedTuple):
    """A view on a storage, not read yet; its values may wait to be conjugated or negated.

    A tuple, for a pickle may set whatever another object would let it set once it is checked.
    """

    key: str
    dtype: np.dtype
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    conj: bool = False
    neg: bool = False


class _Unpickler(pickle.Unpickler):
    """Knows tensors, their storages and ordered dictionaries, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in STORAGES:
            return np.dtype(STORAGES[name])
        raise pickle.UnpicklingError("not a tensor")

    def persistent_load(self, reference: Any) -> Any:
        kind, dtype, key, _, count = reference
        if kind != "storage" or not isinstance(dtype, np.dtype) or not isinstance(key, str):
            raise pickle.UnpicklingError("not a storage")
        return key, dtype, count


def _tensor(
    storage: Any, offset: Any, shape: Any, strides: Any, _: Any = None, __: Any = None,
    bits: Any = None,
) -> Tensor:  # fmt: skip
    """As ``torch._utils._rebuild_tensor_v2``; two arguments are for gradients alone."""
    key, dtype, _ = storage
    sizes = (offset, *shape, *strides)
    if any(type(n) is not int or not 0 <= n < 2**40 for n in sizes):
        raise pickle.UnpicklingError("impossible sizes")
    if len(shape) != len(strides) or len(shape) > MAX_AXES:
        raise pickle.UnpicklingError("impossible axes")
    waiting = {name: bool(bits.get(name)) for name in ("conj", "neg")} if bits else {}
    return Tensor(key, dtype, offset, tuple(shape), tuple(strides), **waiting)


@contextmanager
def opened(path: Path) -> Iterator[Stored]:
    """The k-space of a .pt file.

    Raises
    ------
    InputError
        If it holds anything but tensors, or none that can be k-space.
    """
    with archive.opened(path) as packed:
        members = {info.filename: info for info in packed.infolist()}
        listed = next(name for name in members if name.endswith("data.pkl"))
        text = archive.content(packed, members[listed], MAX_CONTENTS)
        root = listed.removesuffix("data.pkl")
        _check_order(packed, members.get(f"{root}byteorder"))
        try:
            content = _Unpickler(io.BytesIO(text)).load()
        except Exception:
            raise InputError(MORE_THAN_TENSORS) from None
        named = content if isinstance(content, dict) else {"tensor": content}
        tensors = {
            name: one
            for name, one in list(named.items())[:MAX_TENSORS]
            if isinstance(name, str) and isinstance(one, Tensor)
        }
        if not tensors:
            raise InputError(
                "This PyTorch file holds no tensor at its top; a tensor or a dictionary of "
                "tensors is accepted."
            )
        for one in tensors.values():
            _check(one, members.get(f"{root}data/{one.key}"))

        def take(name: str, index: Index) -> np.ndarray:
            tensor = tensors[name]
            return _take(packed, members[f"{root}data/{tensor.key}"], tensor, index)

        mask = None
        if (name := mask_of(tensors)) is not None:
            one = tensors[name]
            check_mask(one.shape, one.dtype)
            mask = take(name, (slice(None),) * len(one.shape))
        chosen = choose({n: (one.shape, one.dtype) for n, one in tensors.items() if n != name})
        yield Stored("PyTorch", chosen.shape, chosen.dtype, take=chosen.taking(take), mask=mask)


def _check_order(packed: zipfile.ZipFile, info: zipfile.ZipInfo | None) -> None:
    if info is not None and archive.content(packed, info, 64) != b"little":
        raise InputError("This PyTorch file is big-endian; a little-endian one is accepted.")


def _check(tensor: Tensor, info: zipfile.ZipInfo | None) -> None:
    """Whether a tensor lies within its storage.

    Raises
    ------
    InputError
    """
    if info is None:
        raise InputError(MORE_THAN_TENSORS)
    archive.check(info)
    reach = sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    last = tensor.offset + reach + 1
    if min(tensor.shape, default=1) > 0 and last * tensor.dtype.itemsize > info.file_size:
        raise InputError(
            "A tensor of this PyTorch file is larger than its storage; a complete file is accepted."
        )


def _take(
    packed: zipfile.ZipFile, info: zipfile.ZipInfo, tensor: Tensor, index: Index
) -> np.ndarray:
    """``tensor[index]``: the stretch of the storage that holds it, and a view on that."""
    start, shape, strides = tensor.offset, [], []
    for i, n, step in zip(index, tensor.shape, tensor.strides, strict=True):
        if isinstance(i, int):
            start += i * step
        else:
            shape.append(n)
            strides.append(step)
    span = 1 + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    size = tensor.dtype.itemsize
    if span * size > MAX_SPAN:
        raise InputError(
            "A slice of this tensor is scattered over too much of its file; "
            "one saved after .contiguous() is accepted."
        )
    with packed.open(info) as member:
        stream = Stream(lambda wanted: member.read(min(wanted, MIB)))
        stream.skip(start * size)
        flat = np.frombuffer(stream.exactly(span * size), tensor.dtype)
    steps = [step * size for step in strides]
    view = np.lib.stride_tricks.as_strided(flat, shape, steps, writeable=False)
    values = narrow(np.ascontiguousarray(view))
    values = values.conj() if tensor.conj else values
    return -values if tensor.neg else values
