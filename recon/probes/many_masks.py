"""An exact shortcut for experiments that try many masks on one slice.

Masks keep or drop whole columns of k-space, so the transform along a column is the same for all
of them and is done once.
"""

from __future__ import annotations

import numpy as np

from recon.fourier import center_crop, combined, ifft1c
from recon.scan import Scan


def readout(scan: Scan) -> np.ndarray:
    """K-space transformed along its columns alone, cropped to the rows that a picture shows.

    Returns
    -------
    complex64, shape (h, W) or (C, h, W): rows are those of the image, columns of k-space.
    """
    rows = ifft1c(scan.fully_sampled, -2)
    return np.ascontiguousarray(center_crop(rows, (scan.crop[0], rows.shape[-1])))


class ZeroFilledPictures:
    """What `Scan.measure` shows for one mask after the other, to the rounding of 32-bit numbers.

    Called with a mask, boolean, shape (W,), it gives the picture, float32, shape (h, w).
    """

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        # Virtual coils differ from mask to mask, so there is nothing to share.
        self._columns = None if scan.coils == "svd" else readout(scan)

    def __call__(self, mask: np.ndarray) -> np.ndarray:
        if self._columns is None:
            return self._scan.measure(mask).zero_filled
        image = ifft1c(self._columns * mask, -1)
        return combined(center_crop(image, self._scan.crop))
