"""From one slice as it was stored to `KSpace`: what is wrong is refused, what is odd is noted."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from recon.errors import InputError
from recon.fourier import fft2c
from recon.kspace import KSpace, Source
from recon.readers import detect
from recon.readers.bounded_reading import narrow
from recon.readers.layout import Layout
from recon.readers.pictures import simulated_kspace
from recon.readers.sampled import measured_lines
from recon.readers.stored_array import MIN_SIDE, Stored

# Squares of these, summed over a slice, are well inside the range of 32-bit floats.
MIN_VALUE, MAX_VALUE = 1e-15, 1e15
BLANK = "This slice is zero everywhere, or nearly so; one with a signal is accepted."


def as_kspace(values: np.ndarray, name: str, stored: Stored, layout: Layout, number: int) -> KSpace:
    """Check one slice, bring it to centred k-space, and find which lines were measured.

    Parameters
    ----------
    values
        From `Layout.arrange`: shape (H, W) or (C, H, W).
    name
        File name for the source.
    stored, layout
        What the slice was taken from.
    number
        Which slice it is.

    Returns
    -------
    KSpace

    Raises
    ------
    InputError
        If it has NaN or infinite values, is all zero, or lacks samples that are no columns.
    """
    values = narrow(values)
    # Not `max` of the numbers: what is NaN has to stay so.
    largest = np.max([np.abs(plane).max() for plane in detect.planes(values)])
    if not largest < MAX_VALUE:  # also true of NaN
        raise InputError(
            "This slice has values that are not finite (NaN, infinity, or above 1e15); "
            "only finite numbers are accepted."
        )
    if largest < MIN_VALUE:
        raise InputError(BLANK)

    notes = [*stored.notes, *layout.notes]
    simulated, mask = False, None
    if stored.picture and values.dtype.kind != "c":
        values, more = simulated_kspace(values)
        notes += more
        simulated = True
    elif stored.picture or (not stored.certain and detect.looks_like_image(values)):
        values = np.stack([fft2c(plane) for plane in detect.planes(values)]).reshape(values.shape)
        notes.append("The array is a complex image, not k-space; its Fourier transform was taken.")
    else:
        declared = stored.mask
        if declared is not None:
            width = values.shape[-1]
            declared = detect.lines(declared, width, number, layout.slices)
            if declared is None:
                raise InputError(
                    f"The mask in this file does not fit; one value, 0 or 1, for each of the "
                    f"{width} columns is accepted, or no mask at all."
                )
        if not stored.certain and detect.is_unshifted(values):
            values = np.fft.fftshift(values, axes=(-2, -1))
            declared = None if declared is None else np.fft.fftshift(declared)
            notes.append("The zero frequency was in the corner; it was moved to the middle.")
        if not stored.certain and detect.is_rolled(values):
            values = detect.to_middle(values)
            notes.append("The image lay around the corners; it was moved to the middle.")
        mask, more = measured_lines(values, declared)
        notes += more
        if mask is None and not stored.complete:
            mask = np.ones(values.shape[-1], bool)
    if not simulated and detect.is_hermitian(values):
        simulated = True
        notes.append("The image has no phase at all, so its k-space was computed, not measured.")

    affine = _affine(stored, layout, values.shape[-2:], number)
    source = Source(
        name=name,
        format=stored.format,
        slice=number,
        slices=layout.slices,
        simulated=simulated,
        mask=mask,
        size=None if simulated else _size(stored.size, values.shape[-2:]),
        spacing=_spacing(stored, affine, _growth(layout, values.shape[-2:])),
        affine=affine,
        noise_covariance=_noise_covariance(stored, values),
        attrs=stored.attrs,
        notes=tuple(notes),
    )
    return KSpace(values, source)


def _noise_covariance(stored: Stored, values: np.ndarray) -> np.ndarray | None:
    """Of several coils, if it is one of theirs."""
    found = stored.noise_covariance
    if found is None or values.ndim != 3 or found.shape != (len(values),) * 2:
        return None
    return found.astype(np.complex128) if np.isfinite(found).all() else None


def _size(asked: tuple[int, int] | None, shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Of the picture; None where nothing is asked for, or nonsense."""
    if asked is None or min(asked) < MIN_SIDE:
        return None
    return min(asked[0], shape[0]), min(asked[1], shape[1])


def _growth(layout: Layout, shape: tuple[int, ...]) -> np.ndarray:
    """How many times as large as stored a pixel is, along rows and columns: 1 unless reduced."""
    return np.array([layout.size(one) / n for one, n in zip("HW", shape, strict=True)])


def _spacing(
    stored: Stored, affine: np.ndarray | None, growth: np.ndarray
) -> tuple[float, float, float] | None:
    if affine is not None:
        row, column, slice_ = (float(size) for size in np.linalg.norm(affine[:3, :3], axis=0))
        return row, column, slice_
    found = stored.spacing
    if found is None or len(found) != 3 or not _plausible(found):
        return None
    return float(found[0] * growth[0]), float(found[1] * growth[1]), found[2]


def _plausible(spacing: Iterable[float]) -> bool:
    return all(1e-6 < one < 1e6 for one in spacing)


def _affine(
    stored: Stored, layout: Layout, shape: tuple[int, ...], number: int
) -> np.ndarray | None:
    """Of the image as it is read: where a picture was reduced, its pixels are larger.

    It is right for this slice and others of the same time frame.
    """
    found = stored.affine
    if found is None or found.shape != (4, 4) or not np.abs(found).max() < 1e6:  # also NaN
        return None
    if not _plausible(np.linalg.norm(found[:3, :3], axis=0)):
        return None
    factors = _growth(layout, shape)
    moved = np.array(found, np.float64)
    # Centres of pixels: half a new pixel lies half as many old ones from the edge.
    moved[:, 3] += found[:, :2] @ ((factors - 1) / 2)
    moved[:, :2] *= factors
    if stored.stack:
        moved[:, 3] -= moved[:, 2] * (number - number % stored.stack)
    return moved
