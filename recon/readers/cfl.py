"""BART's pairs: ``.hdr``, which names the sizes, and ``.cfl``, complex64 in Fortran order.

The sixteen dimensions are those of BART (``src/misc/mri.h``): read, phase 1, phase 2, coils,
maps, echo times, ..., time, ..., slices, averages. A pair is read from one zip archive; where
both lie in one folder, `recon.readers.beside` packs it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import numpy as np

from recon.errors import InputError
from recon.readers import archive, many, partitions
from recon.readers.bounded_reading import MIB, narrow
from recon.readers.peek import Peek
from recon.readers.stored_array import MIN_SIDE, Stored

MAX_HEADER = 64 * 1024
DIMENSIONS = 16
READ, PHASE1, PHASE2, COIL = range(4)
OTHERS = {5: "echoes", 10: "time frames", 11: "second time frames", 13: "slices", 14: "averages"}


def lonely(file: Peek) -> bool:
    """Whether a file is one half of a pair."""
    return file.suffix == ".cfl" or file.head.startswith(b"# Dimensions")


def sizes(text: str) -> tuple[int, ...]:
    """The line after ``# Dimensions``, as sixteen numbers.

    Raises
    ------
    InputError
        If there is no such line, or it holds anything but positive numbers.
    """
    lines = [line.strip() for line in text.splitlines()]
    try:
        words = lines[lines.index("# Dimensions") + 1].split()
        found = tuple(int(word) for word in words)
    except (ValueError, IndexError):
        found = ()
    if not 2 <= len(found) <= DIMENSIONS or min(found, default=0) < 1 or max(found) > 2**31:
        raise InputError(
            "The .hdr of this BART pair does not list its dimensions; one that BART wrote is "
            "accepted."
        )
    return found + (1,) * (DIMENSIONS - len(found))


@contextmanager
def opened(path: Path) -> Iterator[Stored]:
    """The array of a BART pair in a zip archive.

    Raises
    ------
    InputError
        If there is not exactly one pair, or the sizes do not agree.
    """
    with archive.opened(path) as packed:
        files = {one.filename: one for one in archive.members(packed)}
        names = [name[:-4] for name in files if name.endswith(".cfl")]
        pairs = [name for name in names if f"{name}.hdr" in files]
        if len(pairs) > 1:  # such as sensitivities beside the k-space
            likely = [p for p in pairs if PurePosixPath(p).name.lower().startswith(("k", "data"))]
            pairs = likely if len(likely) == 1 else pairs
        if len(pairs) != 1:
            raise InputError(
                f"This archive holds {len(pairs)} BART pairs; one .cfl with its .hdr is accepted."
            )
        data = files[f"{pairs[0]}.cfl"]
        shape = sizes(
            archive.content(packed, files[f"{pairs[0]}.hdr"], MAX_HEADER).decode("latin-1")
        )
        if math.prod(shape) * 8 != data.file_size:
            raise InputError(
                f"The .hdr of this BART pair declares {math.prod(shape) * 8 / MIB:.4g} MiB but the "
                f".cfl has {data.file_size / MIB:.4g} MiB; a complete pair is accepted."
            )
        archive.check(data)
        odd = [n for n, size in enumerate(shape) if size > 1 and n > COIL and n not in OTHERS]
        if odd:
            raise InputError(
                f"This BART array has {shape[odd[0]]} entries along dimension {odd[0]}; "
                f"k-space or images of coils, slices, echoes and time frames are accepted."
            )

        member = archive.Member(packed, data)
        # One readout sample: a plane of both phase-encode directions, as `bart slice 0` leaves it.
        flat = shape[READ] == 1 and min(shape[PHASE1], shape[PHASE2]) >= MIN_SIDE
        rows, columns, through = (PHASE1, PHASE2, READ) if flat else (READ, PHASE1, PHASE2)
        samples, coils, depth = shape[rows] * shape[columns], shape[COIL], shape[through]

        def image(coil: int, partition: int, other: tuple[int, ...]) -> np.ndarray:
            """K-space of one coil: complex64, shape (rows, columns)."""
            place = {through: partition, COIL: coil, **dict(zip(OTHERS, other, strict=True))}
            offset = sum(at * math.prod(shape[:axis]) for axis, at in place.items())
            values = np.frombuffer(member.read(8 * offset, 8 * samples), "<c8")
            return narrow(values.reshape(shape[columns], shape[rows]).T)

        transformed = depth > 1 and _is_kspace_along(
            depth, coils, lambda coil, k: image(coil, k, (0,) * len(OTHERS))
        )

        def one(where: tuple[int, ...]) -> np.ndarray:
            number, *other = where
            # Coil by coil, as partitions of a coil lie together: the file is gone through once.
            return np.stack([of_coil(coil, number, tuple(other)) for coil in range(coils)])

        def of_coil(coil: int, number: int, other: tuple[int, ...]) -> np.ndarray:
            if not transformed:
                return image(coil, number, other)
            return partitions.slice_of(number, depth, range(depth), lambda k: image(coil, k, other))

        counts = [(depth, "slices"), *((shape[n], word) for n, word in OTHERS.items())]
        total, chosen, notes = many.unravelled(counts, one)
        if transformed:
            notes += (
                f"The array is 3-D k-space; it was transformed along its {depth} partitions.",
            )
        yield Stored(
            "BART",
            (total, shape[COIL], shape[rows], shape[columns]),
            np.dtype(np.complex64),
            chosen,
            letters="SCHW",
            notes=notes,
        )


def _is_kspace_along(depth: int, coils: int, image: Callable[[int, int], np.ndarray]) -> bool:
    """Whether the middle plane holds far more than those halfway out, as in 3-D k-space."""
    inner, outer = {depth // 2, max(0, depth // 2 - 1)}, {depth // 8, depth - 1 - depth // 8}
    power = dict.fromkeys(sorted(inner | outer), 0.0)
    for coil in range(coils):
        for k in power:
            power[k] += float(np.linalg.norm(image(coil, k))) ** 2
    return max(power[k] for k in inner) > 16 * max(power[k] for k in outer)
