"""One slice of k-space that remembers where it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recon.errors import InputError


@dataclass(frozen=True)
class Source:
    """Where a slice of k-space came from.

    Attributes
    ----------
    name
        File or example name, without any folder.
    format
        What the file was read as, in words: ``"fastMRI HDF5"``, ``"NumPy"``...
    slice, slices
        Index of this slice, and how many the file holds.
    simulated
        True where k-space was computed from a magnitude image and never measured. Scores on
        such data are optimistic (Shimron et al. 2022, doi 10.1073/pnas.2117203119).
    mask
        For data that arrived already undersampled: boolean, shape (W,), True where a line
        was measured. None for fully sampled data.
    size
        Height and width of the image that the file's header asks for, at most those of the
        k-space; None where it is silent. Readout and phase-encode oversampling lie outside.
    spacing
        Millimetres from one row, column and slice to the next; None where the file does not say.
    affine
        4 x 4, from (row, column, slice) of the whole image to millimetres, right-anterior-
        superior as in NIfTI; None where the file does not say where its slices lie. Where slices
        are of several time frames or echoes, it holds for those of the same one.
    noise_covariance
        Of the coils, from readouts without a signal: Hermitian, complex128, shape (C, C); None
        where the file has none.
    attrs
        What the file says of itself: a few plain scalars (``acquisition``, ``max``,
        ``norm``, ``acceleration``), never anything that names a patient.
    notes
        Sentences for the person: what had to be assumed or changed to read the file.
    """

    name: str = "array"
    format: str = "array"
    slice: int = 0
    slices: int = 1
    simulated: bool = False
    mask: np.ndarray | None = None
    size: tuple[int, int] | None = None
    spacing: tuple[float, float, float] | None = None
    affine: np.ndarray | None = None
    noise_covariance: np.ndarray | None = None
    attrs: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class KSpace:
    """Centred k-space of one slice, and where it came from.

    NumPy takes it wherever it takes an array. What it makes of it is an ordinary array without
    a source: half of the lines of a scan are no longer that scan.

    Parameters
    ----------
    data
        Anything NumPy turns into a complex array of shape (H, W) or (C, H, W); kept as
        complex64. Phase encoding runs along the last axis.
    source
        Where it came from.

    Raises
    ------
    InputError
        If the array does not have two or three axes.

    Examples
    --------
    >>> kspace = KSpace(np.ones((4, 64, 48)))
    >>> kspace.data.dtype, np.abs(kspace).sum()
    (dtype('complex64'), np.float32(12288.0))
    """

    data: np.ndarray
    source: Source = field(default_factory=Source)

    def __post_init__(self) -> None:
        data = np.ascontiguousarray(self.data, dtype=np.complex64)
        if data.ndim not in (2, 3):
            raise InputError(
                f"K-space of one slice has the shape (H, W) or (coils, H, W); "
                f"this array has {data.ndim} axes."
            )
        object.__setattr__(self, "data", data)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.data, dtype, copy=copy)

    def __getitem__(self, index: Any) -> np.ndarray:
        part: np.ndarray = self.data[index]
        return part

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W) or (C, H, W)."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """2, or 3 with several coils."""
        return self.data.ndim

    @property
    def dtype(self) -> np.dtype:
        """complex64."""
        return self.data.dtype
