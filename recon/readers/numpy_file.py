"""NumPy's .npy and .npz files.

A header of 128 bytes can declare any size, so it is compared with the bytes that are there.
Pickled objects, which run code when they are loaded, are never read.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO
from zipfile import ZipInfo

import numpy as np
from numpy.lib import format as npy_format

from recon.errors import InputError
from recon.readers import archive
from recon.readers.bounded_reading import MIB, BoundedFile, Index, Stream, in_words, take
from recon.readers.stored_array import WRONG_MASK, Stored, check_mask, choose, mask_of

MAX_HEADER = 16 * 1024
MAX_ARRAYS = 64

Header = tuple[tuple[int, ...], bool, np.dtype, int]  # shape, Fortran order, type, length


def header(file: IO[bytes] | BoundedFile, size: int) -> Header:
    """What a .npy of `size` bytes says of itself, checked against that size.

    Raises
    ------
    InputError
        If it is no array of numbers, or its size is not the declared one.
    """
    start = file.read(12)
    version, width = start[6:8], 2 if start[6:7] == b"\x01" else 4
    length = int.from_bytes(start[8 : 8 + width], "little")
    if start[:6] != b"\x93NUMPY" or version not in (b"\1\0", b"\2\0") or length > MAX_HEADER:
        raise InputError("The header of this NumPy array is not a usual one; save it by np.save.")
    text = io.BytesIO(start[8:] + file.read(length + width - 4))
    parse = npy_format.read_array_header_1_0 if width == 2 else npy_format.read_array_header_2_0
    shape, fortran, dtype = parse(text)
    if dtype.hasobject:
        raise InputError(
            "This NumPy file holds pickled Python objects, which are never loaded; "
            "an array of complex numbers is accepted."
        )
    offset = 8 + width + length
    declared = math.prod(shape) * dtype.itemsize
    if dtype.kind not in "cfiub" or any(type(n) is not int or n < 0 for n in shape):
        raise InputError("This NumPy array does not hold numbers; complex ones are accepted.")
    if offset + declared != size:
        raise InputError(
            f"This NumPy array declares {in_words(declared)} but "
            f"{in_words(max(0, size - offset))} are there; a complete file is accepted."
        )
    return shape, fortran, dtype, offset


def _take(
    stream: Stream, shape: tuple[int, ...], fortran: bool, dtype: np.dtype, index: Index
) -> np.ndarray:
    if fortran:  # the same bytes are the transposed array in C order
        return take(stream, shape[::-1], dtype, index[::-1]).T
    return take(stream, shape, dtype, index)


@contextmanager
def opened_npy(path: Path) -> Iterator[Stored]:
    """The array of a .npy file.

    Raises
    ------
    InputError
        If it cannot be k-space, or is not all there.
    """
    with BoundedFile(path) as file:
        shape, fortran, dtype, offset = header(file, file.size)
        choose({"array": (shape, dtype)})

        def take_slice(index: Index) -> np.ndarray:
            file.seek(offset)
            stream = Stream(file.read, lambda step: file.seek(step, io.SEEK_CUR))
            return _take(stream, shape, fortran, dtype, index)

        yield Stored("NumPy", shape, dtype, take_slice)


@contextmanager
def opened_npz(path: Path) -> Iterator[Stored]:
    """The k-space of an .npz file, with the array ``mask`` where there is one.

    Raises
    ------
    InputError
        If no array can be k-space, or one unpacks to too much.
    """
    with archive.opened(path) as opened:
        members = _named(archive.members(opened))
        if not members:
            raise InputError(
                "This zip archive holds no NumPy array, nor one BART pair, Bruker scan, DICOM "
                "series, tensor or NIfTI image (or a magnitude and a phase NIfTI); any of these is "
                "accepted."
            )
        if len(members) > MAX_ARRAYS:
            raise InputError(f"This file holds {len(members)} arrays; up to {MAX_ARRAYS} are read.")
        headers, masked = {}, mask_of(members)
        for name, info in members.items():
            archive.check(info)
            with opened.open(info) as member:
                try:
                    headers[name] = header(member, info.file_size)
                except InputError:
                    if len(members) == 1:
                        raise
                    if name == masked:
                        raise InputError(WRONG_MASK) from None
        masks = {} if masked is None else {masked: headers.pop(masked)}
        chosen = choose({name: (shape, dtype) for name, (shape, _, dtype, _) in headers.items()})

        def take_member(name: str, index: Index) -> np.ndarray:
            shape, fortran, dtype, offset = {**headers, **masks}[name]
            with opened.open(members[name]) as member:
                stream = Stream(lambda size: member.read(min(size, MIB)))
                stream.skip(offset)
                return _take(stream, shape, fortran, dtype, index)

        mask = None
        for name, (mask_shape, _, mask_type, _) in masks.items():
            check_mask(mask_shape, mask_type)
            mask = take_member(name, (slice(None),) * len(mask_shape))
        yield Stored("NumPy", chosen.shape, chosen.dtype, chosen.taking(take_member), mask=mask)


def _named(infos: Sequence[ZipInfo]) -> dict[str, ZipInfo]:
    """Arrays by their names, without the folders they lie in where that leaves each its own."""
    whole = {one.filename[:-4]: one for one in infos if one.filename.endswith(".npy")}
    short = {PurePosixPath(name).name: one for name, one in whole.items()}
    return short if len(short) == len(whole) else whole
