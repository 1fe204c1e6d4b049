"""From one slice as it was stored to `KSpace`: what is wrong is refused, what is odd is noted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from recon.errors import InputError
from recon.fourier import fft2c
from recon.kspace import KSpace, Source
from recon.readers import detect
from recon.readers.bounded_reading import narrow
from recon.readers.layout import Layout
from recon.readers.pictures import simulated_kspace
from recon.readers.stored_array import Stored

# Squares of these, summed over a slice, are well inside the range of 32-bit floats.
MIN_VALUE, MAX_VALUE = 1e-15, 1e15
# SSIM multiplies four values of an image: at 32 bits it is NaN where the highest is below 3e-10
# or above 4e9.
MIN_PEAK, MAX_PEAK = 2e-9, 1e9
SCALED = ("max", "norm")  # attributes in units of the values
# Partial Fourier of 7/8 lacks an eighth; an odd line or a rounded matrix lacks far less.
ONE_SIDED = 0.1


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
        raise InputError(
            "This slice is zero everywhere, or nearly so; one with a signal is accepted."
        )

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
        mask = _measured(values, declared, notes)
        if mask is None and not stored.complete:
            mask = np.ones(values.shape[-1], bool)
    if not simulated and detect.is_hermitian(values):
        simulated = True
        notes.append("The image has no phase at all, so its k-space was computed, not measured.")

    values, attrs = _scaled(values, stored.attrs, notes)
    source = Source(
        name=name,
        format=stored.format,
        slice=number,
        slices=layout.slices,
        simulated=simulated,
        mask=mask,
        attrs=attrs,
        notes=tuple(notes),
    )
    return KSpace(values, source)


def _scaled(
    kspace: np.ndarray, attrs: dict[str, Any], notes: list[str]
) -> tuple[np.ndarray, dict[str, Any]]:
    """K-space, and attributes in its units, at a scale where scores are finite."""
    size = math.sqrt(kspace.shape[-2] * kspace.shape[-1])
    # The image's highest value is at least the root of its mean square, and at most the sum of
    # all magnitudes of k-space.
    coils = detect.planes(kspace)
    least = math.sqrt(sum(np.vdot(plane, plane).real for plane in coils)) / size
    most = sum(float(np.abs(plane).sum(dtype=np.float64)) for plane in coils) / size
    if least >= MIN_PEAK and most <= MAX_PEAK:
        return kspace, attrs
    power = -round(math.log10(least))
    notes.append(
        f"All values were multiplied by 1e{power}: as they are, they are too "
        f"{'small' if power > 0 else 'large'} for 32-bit arithmetic."
    )
    factor = 10.0**power
    scaled = {k: v * factor for k, v in attrs.items() if k in SCALED and isinstance(v, float)}
    return kspace * np.float32(factor), {**attrs, **scaled}


def _measured(
    kspace: np.ndarray, declared: np.ndarray | None, notes: list[str]
) -> np.ndarray | None:
    """Mask of an undersampled slice, None for a fully sampled one; appends to `notes`."""
    there = detect.support(kspace)
    columns: np.ndarray = np.any(there, axis=0)
    rows: np.ndarray = np.any(there, axis=1)
    width = len(columns)
    if declared is not None:
        if not (columns & ~declared).any():
            return None if declared.all() else declared
        notes.append("There are samples outside the file's mask, so the mask was passed over.")
    if detect.has_gaps(rows):
        raise InputError(
            "Rows of this k-space are missing; phase encoding has to run along the last axis, "
            "so transposed k-space is accepted."
        )
    if detect.has_scattered_gaps(there):
        raise InputError(
            "Samples of this k-space are missing here and there; fully sampled k-space, "
            "or one that lacks whole columns, is accepted."
        )
    if detect.has_gaps(columns):
        notes.append(
            f"{width - columns.sum()} of {width} columns are exactly zero, so the slice was "
            f"taken as undersampled."
        )
        return columns
    if not columns.all():
        there_at = np.flatnonzero(columns)
        left, right = int(there_at[0]), int(width - 1 - there_at[-1])
        # Zero-padding lies on both sides alike; a scan that stops early lacks one of them.
        if abs(left - right) > max(2, ONE_SIDED * width):
            notes.append(
                f"{max(left, right)} of {width} columns, at one edge only, are exactly zero: "
                f"partial Fourier, so there is no fully sampled image to compare with."
            )
            return columns
        notes.append(
            f"{width - columns.sum()} of {width} columns, at the edges, are exactly zero: "
            f"zero-padding, which was taken as measured."
        )
    return None
