"""One slice for the browser, which then measures it with any mask without asking again.

K-space goes out transformed along its columns already; `web/slice.mjs` does the rest. Large slices
go out as 16 bit with a scale for each column, so that weak lines are as exact as strong ones.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from recon import figures
from recon.fourier import combined
from recon.probes.many_masks import readout
from recon.scan import Scan
from recon.ui.viewer import packed

LARGEST = 12 * 2**20  # bytes; more is too much for a classroom's network
EXACT = 4 * 2**20  # bytes up to which numbers go out as they are
STEPS = 2**15 - 1


def size(scan: Scan) -> int:
    """Bytes that a scan takes on its way to the browser, 16 bit for each number."""
    coils = scan.kspace.shape[0] if scan.kspace.ndim == 3 else 1
    return 4 * coils * min(scan.kspace.shape[-2], scan.crop[0]) * scan.width


def fits(scan: Scan) -> bool:
    """Whether the browser can do for this scan what the server does."""
    return scan.coils != "svd" and size(scan) <= LARGEST  # virtual coils differ between masks


def slice_of(scan: Scan) -> dict[str, Any]:
    """A fully sampled scan, for `unpackSlice`.

    Raises
    ------
    InputError
        If the data arrived undersampled.
    """
    rows = readout(scan)
    columns = np.moveaxis(rows.reshape(-1, *rows.shape[-2:]), -1, -2)
    parts = np.stack([columns.real, columns.imag], -1)  # (C, W, h, 2)
    scales = np.abs(parts).max((-1, -2)) / STEPS  # (C, W)
    exact = 4 * parts.size <= EXACT
    scales[(scales == 0) | exact] = 1
    data = parts / scales[..., None, None]
    data = data.astype("<f4") if exact else np.round(data).astype("<i2")
    coils, width, height, _ = data.shape
    shown = min(width, scan.crop[1])
    return {
        "key": f"{zlib.crc32(data.tobytes(), shown):08x}",
        "coils": coils,
        "width": width,
        "height": height,
        "shown": shown,
        "range": scan.data_range,
        "exact": exact,
        "data": packed(data),
        "scales": packed(scales.astype("<f4")),
    }


def log_kspace(scan: Scan) -> np.ndarray:
    """The picture of all of k-space, lines as columns: uint8, shape (H, W)."""
    return figures.log_kspace(combined(scan.fully_sampled))
