"""Files that a person takes away from a result."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np

from recon import export, figures
from recon.pipeline import Reconstruction


def arrays(result: Reconstruction) -> dict[str, np.ndarray]:
    """Mask and images as float32 arrays by name."""
    named = {
        "mask": result.mask,
        "zero_filled": result.zero_filled,
        "reconstruction": result.image,
    }
    return named if result.reference is None else {**named, "reference": result.reference}


def packed(result: Reconstruction) -> bytes:
    """The `arrays` as a NumPy ``.npz`` file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays(result))  # type: ignore[arg-type]
    return buffer.getvalue()


def archive(result: Reconstruction) -> bytes:
    """A ZIP file: every picture as PNG, the arrays as ``arrays.npz``, ``numbers.json``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as pack:
        for name, picture in figures.pictures(result).items():
            pack.writestr(f"{name}.png", figures.png(picture))
        pack.writestr("arrays.npz", packed(result))
        pack.writestr("numbers.json", json.dumps(result.record(), indent=1, allow_nan=False))
    return buffer.getvalue()


def download(result: Reconstruction, kind: str) -> tuple[str, bytes]:
    """Name and content of a file with a result: ``"all"``, or a key of `recon.export.EXPORTS`."""
    if kind == "all":
        return "reconstruction.zip", archive(result)
    suffix, content = export.packed([result], kind)
    return f"reconstruction{suffix}", content
