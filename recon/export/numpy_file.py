"""NumPy: magnitudes, or every coil's complex image where the result kept them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from recon.export.common import Export, Sizes, Slice, Taker, whole


@contextmanager
def opened(path: Path, slices: int) -> Iterator[Taker]:
    """A file of float32, shape (S, h, w), or of complex64, (S, h, w) or (S, C, h, w)."""
    sizes = Sizes(slices)
    with whole(path) as unfinished:
        file = None

        def take(one: Slice) -> None:
            nonlocal file
            image = one.image if one.coil_images is None else one.coil_images
            at = sizes.next(image.shape)
            if file is None:
                shape = (slices, *image.shape)
                file = np.lib.format.open_memmap(unfinished, "w+", image.dtype, shape)
            file[at] = image

        yield take
        sizes.check()
        assert file is not None  # as there is a slice
        file.flush()
        del file


NPY = Export("npy", "NumPy (.npy)", ".npy", opened)
