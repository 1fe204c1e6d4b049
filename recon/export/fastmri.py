"""HDF5 as fastMRI's leaderboard and ``evaluate.py`` take it: a dataset ``reconstruction``.

One file a volume, named as the file it was made of; float32, shape (S, h, w). See
``save_reconstructions`` in the repository of fastMRI (Zbontar et al. 2018, arXiv 1811.08839).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from recon.export.common import Export, Sizes, Slice, Taker, described, whole


@contextmanager
def opened(path: Path, slices: int) -> Iterator[Taker]:
    """A file for the slices of one volume."""
    sizes = Sizes(slices)
    with whole(path) as unfinished:
        with h5py.File(unfinished, "w") as file:

            def take(one: Slice) -> None:
                at = sizes.next(one.image.shape)
                if at == 0:
                    shape = (slices, *one.image.shape)
                    file.create_dataset("reconstruction", shape, np.float32)
                    file.attrs["description"] = described(one)
                file["reconstruction"][at] = one.image

            yield take
        sizes.check()


H5 = Export("h5", "fastMRI HDF5 (.h5)", ".h5", opened)
