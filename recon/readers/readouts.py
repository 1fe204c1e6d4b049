"""From single readouts, as scanners store them, to slices of Cartesian k-space.

A raw-data file is a list of readouts, each with counters that say which line it is. Here the
list becomes an array (slices, coils, readout, phase-encode lines), of which one slice at a time
is assembled: averages are averaged, what was never measured stays zero, readout oversampling
is removed in the image, and 3-D acquisitions are transformed along their partitions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from recon.coils import whitening
from recon.errors import InputError
from recon.fourier import fft1c, ifft1c
from recon.readers import detect, many, partitions
from recon.readers.stored_array import Stored

MAX_LINES = 4096
MAX_SILENT = 256  # readouts without a signal that are looked at
MAX_SAMPLES = 2**25  # of one slice before oversampling is removed


@dataclass(frozen=True)
class Readouts:
    """The readouts of an imaging scan.

    Attributes
    ----------
    line, partition
        Place of each readout in the grid of phase-encode lines and partitions, from 0.
    slice
        Which slice each belongs to.
    others
        Further counters by their meaning in words: repetitions, echoes...
    fetch
        Gives readout number i, from first to last sample: complex, shape (C, samples).
    coils, samples
        Of every readout.
    columns
        Samples of the grid along the readout; `start` is where a readout's first one lies.
    kept
        How many of `columns` remain when oversampling is removed.
    lines, partitions
        Size of the grid.
    size
        Height and width of the image that the header asks for; None where it is silent.
    spacing, affine
        Of the image, see `recon.kspace.Source`.
    silent, silences
        Gives readout number i of those without a signal, complex, shape (C, samples), perhaps of
        other coils; how many there are.
    notes
        What the reader had to say.
    """

    line: np.ndarray
    partition: np.ndarray
    slice: np.ndarray
    others: dict[str, np.ndarray]
    fetch: Callable[[int], np.ndarray]
    coils: int
    samples: int
    columns: int
    start: int
    kept: int
    lines: int
    partitions: int
    size: tuple[int, int] | None = None
    spacing: tuple[float, float, float] | None = None
    affine: np.ndarray | None = None
    silent: Callable[[int], np.ndarray] | None = None
    silences: int = 0
    notes: tuple[str, ...] = ()


def stored(readouts: Readouts, format: str, attrs: dict[str, Any] | None = None) -> Stored:
    """The array that readouts make up.

    Raises
    ------
    InputError
        If they fit no grid, or partitions are missing between measured ones.
    """
    r = readouts
    _check(r)
    slices, slice_number = np.unique(r.slice, return_inverse=True)
    counts, numbers = [(len(slices), "slices")], [slice_number]
    for word, values in r.others.items():
        levels, number = np.unique(values, return_inverse=True)
        counts.append((len(levels), word))
        numbers.append(number)
    notes, attrs = list(r.notes), dict(attrs or {})
    covariance = None
    if r.silent is not None and r.silences:
        found = map(r.silent, range(min(r.silences, MAX_SILENT)))
        attrs["noise"], covariance = whitening.of_readouts(found, r.coils)
        notes.append(
            f"{r.silences} noise readouts were kept apart; their standard deviation a sample and "
            f"coil is {attrs['noise']:.3g}."
        )
    if r.kept < r.columns:
        notes.append(f"Readout oversampling was removed: {r.kept} of {r.columns} samples remain.")

    # Readouts of each plane, found once: planes are numbered with the slices fastest.
    plane_of = np.zeros(len(r.line), int)
    for (count, _), number in zip(reversed(counts), reversed(numbers), strict=True):
        plane_of = plane_of * count + number
    order = np.argsort(plane_of, kind="stable")
    planes = int(np.prod([count for count, _ in counts], dtype=float))
    bounds = np.searchsorted(plane_of[order], np.arange(min(planes, len(order)) + 1))

    def members(where: tuple[int, ...]) -> np.ndarray:
        number = 0
        for (count, _), at in zip(reversed(counts), reversed(where), strict=True):
            number = number * count + at
        return order[bounds[number] : bounds[number + 1]]

    def assembled(which: np.ndarray) -> np.ndarray:
        grid = np.zeros((r.coils, r.columns, r.lines), np.complex64)
        seen = np.zeros(r.lines, np.float32)
        for i in which:
            values = r.fetch(int(i))
            grid[:, r.start : r.start + r.samples, r.line[i]] += values
            seen[r.line[i]] += 1
        grid /= np.maximum(seen, 1)
        return grid

    def plane(where: tuple[int, ...]) -> np.ndarray:
        number, *rest = where
        if r.partitions == 1:
            grid = assembled(members(where))
        else:
            which = members((0, *rest))
            present, first = np.unique(r.partition[which], return_index=True)
            grid = partitions.slice_of(
                number,
                r.partitions,
                [int(k) for k in present[np.argsort(first)]],  # in the order of the file
                lambda k: assembled(which[r.partition[which] == k]),
            )
        return without_oversampling(grid, r.kept)

    complete = r.samples == r.columns
    if not complete:
        notes.append(
            f"Only {r.samples} of {r.columns} samples of each readout were measured (asymmetric "
            f"echo), so there is no fully sampled image to compare with."
        )
    if r.partitions > 1:
        if len(slices) > 1:
            raise InputError(
                f"This file holds {len(slices)} slabs of partitions; one slab is accepted."
            )
        notes.append(f"The scan is 3-D; it was transformed along its {r.partitions} partitions.")
        complete = _check_partitions(r, notes) and complete
    measured = _masks(r, members, counts, planes)
    if r.partitions > 1:
        counts[0] = (r.partitions, "slices")
        measured = np.repeat(measured, r.partitions, axis=0)
    total, chosen, more = many.unravelled(counts, plane)
    return Stored(
        format,
        (total, r.coils, r.kept, r.lines),
        np.dtype(np.complex64),
        chosen,
        letters="SCHW",
        certain=True,
        # Zero-padding is no undersampling, and said where the values are looked at.
        mask=None if _padded(measured) else measured,
        complete=complete,
        size=r.size,
        spacing=r.spacing,
        affine=r.affine,
        stack=counts[0][0],
        noise_covariance=covariance,
        attrs=attrs,
        notes=(*notes, *more),
    )


def without_oversampling(kspace: np.ndarray, kept: int) -> np.ndarray:
    """Cut the image to the middle along the readout.

    Parameters
    ----------
    kspace
        Shape (C, H, W), readout along H.
    kept
        Rows that remain, at most H.

    Returns
    -------
    Shape (C, kept, W), at the scale of `kspace`.
    """
    height = kspace.shape[-2]
    if kept == height:
        return kspace
    start = height // 2 - kept // 2
    image = ifft1c(kspace, -2)[..., start : start + kept, :]
    return fft1c(image, -2).astype(np.complex64)


def _check(r: Readouts) -> None:
    if len(r.line) == 0:
        raise InputError("This file holds no imaging readouts; a finished scan is accepted.")
    low = min(int(r.line.min()), int(r.partition.min()), r.start)
    fits = int(r.line.max()) < r.lines and int(r.partition.max()) < r.partitions
    if low < 0 or not fits or r.start + r.samples > r.columns or not 1 <= r.kept <= r.columns:
        raise InputError(
            "The counters of this file's readouts do not fit the matrix that its header declares; "
            "Cartesian k-space is accepted."
        )
    if r.partitions > MAX_LINES:
        raise InputError(
            f"This file declares {r.partitions} partitions; up to {MAX_LINES} are accepted."
        )
    if r.lines > MAX_LINES or r.coils * r.columns * r.lines > MAX_SAMPLES:
        raise InputError(
            f"One slice of this file is {r.columns} x {r.lines} with {r.coils} coils; "
            f"at most {MAX_SAMPLES / 1e6:.0f} million samples are accepted."
        )


def _check_partitions(r: Readouts, notes: list[str]) -> bool:
    """Whether every partition was measured, and each with the same lines."""
    cells = np.zeros((r.partitions, r.lines), bool)
    cells[r.partition, r.line] = True
    there = np.flatnonzero(cells.any(1))
    if len(there) != there[-1] - there[0] + 1:
        raise InputError(
            "Partitions of this 3-D scan are missing between measured ones; one that is "
            "undersampled along phase-encode lines only is accepted."
        )
    lines = cells[there]
    everywhere, somewhere = lines.all(0), lines.any(0)
    if (everywhere != somewhere).any():
        notes.append(
            "The partitions of this 3-D scan do not hold the same lines (an elliptical or a 2-D "
            "pattern), so there is no fully sampled image to compare with."
        )
        return False
    if len(there) < r.partitions:
        notes.append(
            f"{r.partitions - len(there)} of {r.partitions} partitions were not measured (partial "
            f"Fourier or zero-filling), so there is no fully sampled image to compare with."
        )
        return False
    return True


def _padded(mask: np.ndarray) -> bool:
    """Whether every plane has the same block of most lines around the middle, and no other.

    Scanners leave out the outer lines where they measure with less resolution along the phase.
    """
    first, lines = mask[0], np.flatnonzero(mask[0])
    if not (mask == first).all() or not 2 * lines.size >= first.size:
        return False
    before, after = int(lines[0]), int(first.size - 1 - lines[-1])
    return not detect.has_gaps(first) and abs(before - after) <= 1


def _masks(
    r: Readouts,
    members: Callable[[tuple[int, ...]], np.ndarray],
    counts: list[tuple[int, str]],
    planes: int,
) -> np.ndarray:
    """Measured lines of each plane: boolean, shape (planes, lines)."""
    if planes * r.lines > 2**26:
        raise InputError("This file holds too many slices; fewer than 16,000 are accepted.")
    masks = np.zeros((planes, r.lines), bool)
    for number in range(planes):
        where, rest = [], number
        for count, _ in counts:
            rest, at = divmod(rest, count)
            where.append(at)
        masks[number, r.line[members(tuple(where))]] = True
    return masks
