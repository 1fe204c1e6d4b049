"""PyTorch's ``.pt`` files: one tensor, or a dictionary of them.

Read with ``weights_only=True``, so nothing in them can run, and mapped rather than loaded. The
archive is looked through before: plain members only, and a small list of contents.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from recon.kspace import InputError
from recon.readers import archive
from recon.readers.bounded import MIB, Index, narrow
from recon.readers.missing import needs
from recon.readers.stored import Stored, choose

MAX_CONTENTS = MIB
MAX_MASK = 4 * 2**20


@contextmanager
def opened(path: Path) -> Iterator[Stored]:
    """The k-space of a .pt file.

    Raises
    ------
    InputError
        If it holds anything but tensors, or none that can be k-space.
    """
    _check(path)
    torch = needs("torch", "PyTorch")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception:
        raise InputError(
            "This PyTorch file holds more than tensors, or is damaged; "
            "a tensor or a dictionary of tensors, saved by torch.save, is accepted."
        ) from None
    named = content if isinstance(content, dict) else {"tensor": content}
    tensors: dict[str, Any] = {
        name: one.detach()
        for name, one in list(named.items())[:256]
        if isinstance(name, str) and isinstance(one, torch.Tensor) and _plain(torch, one)
    }
    if not tensors:
        raise InputError(
            "This PyTorch file holds no tensor at its top; a tensor or a dictionary of tensors "
            "is accepted."
        )
    types = {name: (tuple(one.shape), _dtype(one)) for name, one in tensors.items()}
    masks = [name for name in types if name.lower() == "mask"]
    mask = None
    for name in masks:
        shape, dtype = types.pop(name)
        if shape and 0 < tensors[name].numel() <= MAX_MASK and dtype.kind != "c":
            mask = tensors[name].numpy()
    chosen, _ = choose(types)

    def take(index: Index) -> np.ndarray:
        part = tensors[chosen][index]
        return narrow(part.resolve_conj().resolve_neg().contiguous().numpy())

    yield Stored("PyTorch", *types[chosen], take=take, mask=mask)


def _plain(torch: Any, tensor: Any) -> bool:
    ordinary = tensor.layout == torch.strided and tensor.device.type == "cpu"
    return ordinary and not tensor.is_quantized and tensor.dtype in _numbers(torch)


def _numbers(torch: Any) -> tuple[Any, ...]:
    return (
        torch.complex64,
        torch.complex128,
        torch.float32,
        torch.float64,
        torch.float16,
        torch.bool,
        torch.uint8,
        torch.int8,
        torch.int16,
        torch.int32,
        torch.int64,
    )


def _dtype(tensor: Any) -> np.dtype:
    return np.dtype(str(tensor.dtype).removeprefix("torch."))


def _check(path: Path) -> None:
    """The archive that torch will open, as far as it may be believed.

    Raises
    ------
    InputError
    """
    with archive.opened(path) as packed:
        for info in packed.infolist():
            archive.check(info)
            if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
                raise InputError(
                    "This PyTorch file is compressed inside; one that torch.save wrote is accepted."
                )
            if info.filename.endswith(".pkl") and info.file_size > MAX_CONTENTS:
                raise InputError(
                    "This PyTorch file lists too much; a tensor or a dictionary of tensors is "
                    "accepted."
                )
