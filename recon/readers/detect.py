"""What an array itself gives away: image or k-space, shifted or not, which lines are missing."""

from __future__ import annotations

import numpy as np

from recon.fourier import ifft2c

# Concentration of an array, divided by that of its transform. Measured k-space: 5.6 to 15 in 49
# slices of 13 files; k-space simulated from 13 DICOM slices: 1.6 to 18, but 0.7 for one. Images
# are the inverse, 0.05 to 0.33, but 0.6 and 1.4 for two of the DICOM slices, which are therefore
# missed: taking k-space for an image would be worse. White noise has 1.
IMAGE_RATIO = 0.35
TOP_SHARE = 0.01
EDGE = 16  # of the sides of an image, one part at either end
# Root mean square of a line, relative to that of all. Zeros come back from a transform and its
# inverse with 5e-7 at most, 640 x 640 in single precision; noise of a scan has far more.
ROUNDING, CLIFF = 2e-6, 10.0


def planes(values: np.ndarray) -> np.ndarray:
    """Coil after coil: shape (C, H, W). The largest slice has 128 MiB, one coil of it far less."""
    return values.reshape(-1, *values.shape[-2:])


def energy(values: np.ndarray) -> np.ndarray:
    """|x|^2, summed over coils: float64, shape (H, W)."""
    total = np.zeros(values.shape[-2:])
    for plane in planes(values):
        total += np.square(np.abs(plane.astype(np.complex64, copy=False)), dtype=np.float64)
    return total


def image_energy(kspace: np.ndarray) -> np.ndarray:
    """|image|^2, summed over coils: float64, shape (H, W)."""
    total = np.zeros(kspace.shape[-2:])
    for plane in planes(kspace):
        total += energy(ifft2c(plane))
    return total


def concentration(values: np.ndarray) -> float:
    """Share of the energy that the strongest hundredth of all samples holds, 0.01 to 1.

    Real or complex samples, of any shape.
    """
    return _gathered(energy(values))


def _gathered(power: np.ndarray) -> float:
    flat = power.ravel()
    count = max(1, round(flat.size * TOP_SHARE))
    return float(np.partition(flat, -count)[-count:].sum() / flat.sum())


def looks_like_image(values: np.ndarray) -> bool:
    """Whether a complex array is an image rather than k-space.

    A Fourier transform gathers the energy of an anatomical image in a few samples, so the
    side on which it is more concentrated is k-space. In doubt (noise, a flat spectrum), the
    answer is no.

    Parameters
    ----------
    values
        Complex, shape (H, W) or (C, H, W), not all zero.
    """
    here = concentration(values)
    there = _gathered(image_energy(values))
    flat = here < 2 * TOP_SHARE  # constant magnitude: the spectrum of a point
    return not flat and there > 0.5 and here < IMAGE_RATIO * there


def is_unshifted(kspace: np.ndarray) -> bool:
    """Whether the zero frequency is at [0, 0], as an FFT leaves it, and not in the middle.

    Parameters
    ----------
    kspace
        Complex, shape (H, W) or (C, H, W).
    """
    power = energy(kspace)
    height, width = power.shape
    around = (
        slice(height // 2 - height // 8, height // 2 + height // 8 + 1),
        slice(width // 2 - width // 8, width // 2 + width // 8 + 1),
    )
    middle, corner = power[around].sum(), np.fft.fftshift(power)[around].sum()
    return bool(corner > 0.5 * power.sum() and corner > 4 * middle)


def is_rolled(kspace: np.ndarray) -> bool:
    """Whether the image lies around the corners, as an FFT has it that begins there.

    ``fftshift(fft2(image))`` without an ``ifftshift`` of the image is such k-space.

    Parameters
    ----------
    kspace
        Complex, shape (H, W) or (C, H, W), zero frequency in the middle.
    """
    power = image_energy(kspace)
    near = [np.minimum(np.arange(n), np.arange(n)[::-1]) < max(1, n // EDGE) for n in power.shape]
    edges = near[0][:, None] | near[1]
    # A shift brings what lies across the middle to the edges; an object is there, and no air.
    return bool(power[edges].sum() > 10 * np.fft.fftshift(power)[edges].sum())


def to_middle(kspace: np.ndarray) -> np.ndarray:
    """K-space of the image moved from around the corners to the middle: complex64.

    By as much as ``ifftshift`` does, so that ``ifft2(ifftshift(kspace))`` is that image.

    Parameters
    ----------
    kspace
        Complex, shape (..., H, W), zero frequency in the middle.
    """
    rows, columns = (
        np.exp(2j * np.pi * (n // 2) * (np.arange(n) - n // 2) / n) for n in kspace.shape[-2:]
    )
    moved: np.ndarray = (kspace * np.outer(rows, columns)).astype(np.complex64)
    return moved


def is_hermitian(kspace: np.ndarray) -> bool:
    """Whether the image is real-valued in every coil, which no measured one ever is.

    Parameters
    ----------
    kspace
        Complex, shape (H, W) or (C, H, W), zero frequency in the middle.
    """
    height, width = kspace.shape[-2:]
    rows = (2 * (height // 2) - np.arange(height)) % height
    columns = (2 * (width // 2) - np.arange(width)) % width
    difference = sum(
        energy(plane - plane[rows[:, None], columns[None, :]].conj()).sum()
        for plane in planes(kspace)
    )
    return bool(difference < 1e-6 * energy(kspace).sum())


def support(kspace: np.ndarray) -> np.ndarray:
    """Samples that are not zero in all coils, and lie in no row or column of rounding errors.

    K-space that was an image in between, in single precision, has those instead of zeros. They
    begin at a cliff: what fades away, of a smooth object without noise, counts.

    Returns
    -------
    Boolean, shape (H, W).
    """
    power = energy(kspace)
    there: np.ndarray = power > 0
    for axis in (0, 1):
        line, least = power.mean(axis), ROUNDING**2 * power.mean()
        counts = line > least
        for start, stop in _runs(~counts):
            beside = line[[n for n in (start - 1, stop) if 0 <= n < len(line)]]
            if (beside < CLIFF**2 * least).all():
                counts[start:stop] = True
        there &= np.expand_dims(counts, axis)
    return there


def _runs(chosen: np.ndarray) -> list[tuple[int, int]]:
    """Begin and end of each stretch that is True."""
    steps = np.flatnonzero(np.diff(chosen, prepend=False, append=False))
    return list(zip(steps[::2].tolist(), steps[1::2].tolist(), strict=True))


def has_gaps(measured: np.ndarray) -> bool:
    """Whether lines are missing between measured ones; at the edges, that is zero-padding.

    Parameters
    ----------
    measured
        Boolean, one value for each line.
    """
    inside = np.flatnonzero(measured)
    return inside.size > 0 and not measured[inside[0] : inside[-1] + 1].all()


def has_scattered_gaps(there: np.ndarray) -> bool:
    """Whether many samples are missing that are no whole columns, as with a 2-D mask.

    Parameters
    ----------
    there
        From `support`.
    """
    there = there[:, there.any(0)]
    # A gap has measured samples on both sides, along its row and along its column; what lies
    # outside an elliptical window has not.
    gap = ~there
    for axis in (0, 1):
        before = np.maximum.accumulate(there, axis)
        after = np.flip(np.maximum.accumulate(np.flip(there, axis), axis), axis)
        gap &= before & after
    return bool(gap.sum() > 0.25 * there.size)


def lines(mask: np.ndarray, width: int, number: int, slices: int) -> np.ndarray | None:
    """A stored mask as one value for each column.

    Parameters
    ----------
    mask
        As stored: (W,), (1, W, 1), (S, W), (H, W) with equal rows...
    width
        Number of columns W.
    number, slices
        Which slice is read, and how many there are.

    Returns
    -------
    Boolean, shape (W,); None where the mask is not one of whole columns.
    """
    mask = np.squeeze(mask)
    if mask.ndim >= 2 and mask.shape[-1] == width:
        rows = mask.reshape(-1, width)
        if (rows == rows[0]).all():
            mask = rows[0]
        elif mask.ndim == 2 and len(mask) == slices:
            mask = mask[number]
    if mask.shape != (width,) or not np.isin(mask, (0, 1)).all() or not mask.any():
        return None
    measured: np.ndarray = mask != 0
    return measured
