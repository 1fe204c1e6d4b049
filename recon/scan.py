"""One slice: its k-space, the lines that were measured, its truth, and how it is judged.

Everything that reconstructs or scores goes through a `Scan`: the main view, every experiment,
the command line, the benchmark and training. So one slice has one answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np

from recon import masks
from recon.coils.compression import compressed
from recon.coils.whitening import balanced
from recon.errors import InputError
from recon.kspace import KSpace, Source
from recon.measurement import Measurement, measure, picture, shown_rows
from recon.metrics import Similarity, scores, ssim
from recon.readers.in_memory import of_array
from recon.readers.layout import Axes
from recon.readers.sampled import measured_lines

Coils = Literal["rss", "svd"] | int
Crop = bool | tuple[int, int]
PhaseEncode = Literal["columns", "rows"]

# Largest magnitudes of k-space that are taken, and those that are worked on as they are: in
# between, products of four values, as SSIM has them, are far from the ends of float32.
ACCEPTED = (1e-30, 1e30)
COMFORTABLE = (2.0**-14, 2.0**20)
WHITENED = (
    "The noise readouts made the noise of the coils equally strong and independent (prewhitening)."
)


@dataclass(frozen=True, eq=False)
class Sampling:
    """Which lines are measured, and how they were chosen.

    Attributes
    ----------
    mask
        Boolean, shape (W,), True where a line is measured.
    acceleration
        Nominal; the achieved one of a mask that was not drawn.
    seed, family, center_fraction
        How the mask was drawn; None of one that was handed over or came with the data.
    """

    mask: np.ndarray
    acceleration: float
    seed: int | None = None
    family: str | None = None
    center_fraction: float | None = None

    @property
    def measured_lines(self) -> int:
        """Number of measured lines."""
        return int(self.mask.sum())

    @property
    def achieved_acceleration(self) -> float:
        """Lines there are, divided by lines measured."""
        return masks.achieved_acceleration(self.mask)


@dataclass(frozen=True, eq=False)
class Scan:
    """One slice as a person wants it looked at; `Scan.of` makes it.

    >>> from recon import phantom
    >>> scan = Scan.of(phantom.kspace((128, 96)))
    >>> sampling = scan.draw(4)
    >>> measurement = scan.measure(sampling.mask, sampling.acceleration)
    >>> 0 < scan.score(measurement.zero_filled)["ssim"] < scan.score(scan.truth)["ssim"] == 1
    True

    Attributes
    ----------
    kspace
        Phase-encode lines are the columns: complex64, shape (H, W) or (C, H, W). Fully sampled
        unless `source.mask` says which lines were measured.
    source
        Where it came from.
    coils
        ``"rss"``: all coils. ``"svd"``: the few virtual coils that hold nearly all of the
        measured energy, judged against all coils. A number: that coil was taken alone.
    phase_encode
        ``"rows"`` where the person's array has its phase-encode lines there; `upright` turns
        pictures back.
    crop
        Height and width of pictures, where they are smaller than the slice.
    unit
        What `kspace`, and everything made of it, has to be multiplied by to be on the person's
        scale: 1 but for very small and very large numbers, then a power of two.
    noise
        Added to what is measured and missing from the truth, of the shape of `kspace`; None of
        scans that are judged by what they are.
    """

    kspace: np.ndarray
    source: Source
    coils: Coils
    phase_encode: PhaseEncode
    crop: tuple[int, int]
    unit: float = 1.0
    noise: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        kspace: KSpace | np.ndarray,
        *,
        coils: Coils = "rss",
        phase_encode: PhaseEncode = "columns",
        crop: Crop = True,
        mask: Any = None,
        axes: Axes = "auto",
    ) -> Self:
        """A scan from a file's slice or an array, as a person wishes to see it.

        Arrays are examined as files are. Where lines are missing, wherever the k-space came
        from, there is no reference.

        Parameters
        ----------
        kspace
            A `recon.read` result, or any complex array of shape (H, W) or (C, H, W).
        coils, phase_encode
            See `Scan`. Files that arrived undersampled have their lines in the columns.
        crop
            True cuts pictures to the size that the file's header asks for, and to none where it
            is silent; False leaves them whole; or a height and width, whole numbers of at least 1.
        mask
            Lines that a person wants to measure, shape (W,). Where all others are zero already,
            they are how the data were measured.
        axes
            Of an array: a letter for each axis, see `recon.read`.

        Raises
        ------
        InputError
            If there is no such coil, direction or size, or the array cannot be k-space of one
            slice, or its numbers are too small or large.
        """
        if not isinstance(phase_encode, str) or phase_encode not in ("columns", "rows"):
            raise InputError("Phase encoding runs along 'columns' or 'rows'.")
        rows = phase_encode == "rows"
        if isinstance(kspace, KSpace):
            data, source = kspace.data, kspace.source
            if not np.isfinite(data).all() or not data.any():
                raise InputError("The k-space must hold finite numbers, and not only zeros.")
            if source.mask is not None:
                phase_encode, rows = "columns", False
            data = np.ascontiguousarray(data.swapaxes(-2, -1)) if rows else data
        else:
            examined = of_array(kspace, transposed=rows, axes=axes)
            data, source = examined.data, examined.source
        source = _with_lines(source, data, mask)
        if not _is_crop(crop):
            raise InputError(
                "Pictures are cut (crop) or not: True, False, or a height and width, two whole "
                "numbers of at least 1."
            )
        if isinstance(crop, bool):
            crop = (source.size if crop else None) or _upright_size(data, rows)
        crop = crop[::-1] if rows else crop
        if not isinstance(coils, str) or coils not in ("rss", "svd"):
            coils = _coil(coils, len(data) if data.ndim == 3 else 1)
        if data.ndim == 2:
            coils = "rss"
        elif not isinstance(coils, str):
            data = data[coils]
            if not data.any():
                raise InputError(f"Coil {coils} measured nothing.")
        elif source.noise_covariance is not None:
            data, source = _white(data, source)
        unit = _unit(data)
        data = data if unit == 1 else data * np.float32(1 / unit)
        return cls(data, source, coils, phase_encode, crop, unit)

    def with_kspace(self, kspace: np.ndarray) -> Self:
        """The same scan of another object: complex, of any size; judged by its own truth."""
        return replace(self, kspace=np.ascontiguousarray(kspace, np.complex64), noise=None)

    def with_noise(self, noise: np.ndarray) -> Self:
        """The same scan, measured with more noise than its truth has; see `Scan`."""
        return replace(self, noise=noise)

    def swapped(self) -> Self:
        """The same object with phase encoding along the other axis; pictures stay upright."""
        other: PhaseEncode = "columns" if self.phase_encode == "rows" else "rows"
        kspace = np.ascontiguousarray(self.kspace.swapaxes(-2, -1))
        noise = None if self.noise is None else self.noise.swapaxes(-2, -1)
        return replace(self, kspace=kspace, phase_encode=other, crop=self.crop[::-1], noise=noise)

    # ---- which lines -----------------------------------------------------------------------

    @property
    def width(self) -> int:
        """Number of phase-encode lines W."""
        width: int = self.kspace.shape[-1]
        return width

    def draw(
        self,
        acceleration: float = 4,
        seed: int = 0,
        family: str = "random",
        center_fraction: float | None = None,
        mask: Any = None,
    ) -> Sampling:
        """Choose the lines to measure; data that arrived undersampled keep their own.

        Parameters
        ----------
        acceleration, seed, family, center_fraction
            See `recon.reconstruct`.
        mask
            Lines to measure, shape (W,), boolean or 0 and 1, in place of a drawn mask.

        Raises
        ------
        InputError
            If there is no such mask.
        """
        if self.source.mask is not None:
            return _given(self.source.mask)
        if mask is not None:
            return _given(masks.checked(mask, self.width))
        masks.check_draw(acceleration, seed, family, center_fraction)
        draw = masks.FAMILIES[family]
        lines = draw(self.width, acceleration, center_fraction, seed)
        if center_fraction is None:
            center_fraction = draw.center_fraction(self.width, acceleration)
        return Sampling(lines, float(acceleration), int(seed), family, float(center_fraction))

    def measure(self, mask: np.ndarray, acceleration: float | None = None) -> Measurement:
        """What a scanner would have measured with a mask: all that a method may see.

        Of a readout that is longer than pictures are high, only the rows that they show are left.

        Parameters
        ----------
        mask
            Boolean, shape (W,).
        acceleration
            That it was made for; the achieved one where None.
        """
        if acceleration is None:
            acceleration = masks.achieved_acceleration(mask)
        kspace = self._shown
        if self.coils == "svd" and kspace.ndim == 3:
            kspace = compressed(kspace, mask)
        return measure(kspace, mask, acceleration, self.crop)

    @cached_property
    def _shown(self) -> np.ndarray:
        noisy = self.kspace if self.noise is None else self.kspace + self.noise
        return shown_rows(noisy.astype(np.complex64, copy=False), self.crop)

    # ---- its truth -------------------------------------------------------------------------

    @property
    def fully_sampled(self) -> np.ndarray:
        """The k-space, where all of it was measured: complex64, shape (H, W) or (C, H, W).

        Raises
        ------
        InputError
            If the data arrived undersampled.
        """
        if self.source.mask is not None:
            raise InputError(
                "This needs fully sampled k-space; the file that is open was undersampled already."
            )
        return self.kspace

    @cached_property
    def reference(self) -> np.ndarray | None:
        """The fully sampled image, float32, shape (h, w); None if it was never measured."""
        return None if self.source.mask is not None else picture(self.kspace, self.crop)

    @property
    def truth(self) -> np.ndarray:
        """The reference, float32, shape (h, w), or an error in words.

        Raises
        ------
        InputError
            If the data arrived undersampled.
        """
        self.fully_sampled  # noqa: B018
        assert self.reference is not None
        return self.reference

    @cached_property
    def _range(self) -> tuple[float | None, str]:
        if self.reference is None:
            return None, ""
        highest = float(self.reference.max())
        volume = self.source.attrs.get("max")
        volume = volume / self.unit if isinstance(volume, float) else None
        # fastMRI's attribute belongs to its own target image. A value below the slice's maximum,
        # or far above it, was written for another scale or another coil combination.
        whole = volume if self.coils in ("rss", "svd") and isinstance(volume, float) else 0.0
        if highest <= 1.001 * whole < 100 * highest:
            return whole, "volume maximum"
        return highest, "slice maximum"

    @property
    def data_range(self) -> float | None:
        """L of SSIM and PSNR: the volume's maximum where the file knows it, as fastMRI scores;
        else the slice's. None without a reference."""
        return self._range[0]

    @property
    def data_range_from(self) -> str:
        """In words, where the data range comes from."""
        return self._range[1]

    def score(self, image: np.ndarray) -> dict[str, float] | None:
        """``ssim``, ``psnr`` (dB) and ``nmse`` of a picture; None without a reference."""
        return None if self.reference is None else scores(self.reference, image, self.data_range)

    def ssim(self, image: np.ndarray) -> float:
        """SSIM of a picture, as `score` gives it.

        Raises
        ------
        InputError
            If the data arrived undersampled.
        """
        return ssim(self.truth, image, self.data_range)

    @cached_property
    def similarity(self) -> Similarity:
        """The same SSIM, quicker for many pictures of this scan; equal but for rounding.

        Raises
        ------
        InputError
            If the data arrived undersampled, or the picture is too small.
        """
        return Similarity(self.truth, self.data_range)

    # ---- how it is shown -------------------------------------------------------------------

    def upright(self, image: np.ndarray) -> np.ndarray:
        """A picture, or k-space, the way round the person's array has it: (..., h, w)."""
        turned = image.swapaxes(-2, -1) if self.phase_encode == "rows" else image
        return np.ascontiguousarray(turned)

    def turned(self, row: float, column: float) -> tuple[float, float]:
        """A place in an upright picture as one in the scan's pictures, and the other way."""
        return (column, row) if self.phase_encode == "rows" else (row, column)


def _coil(number: Any, count: int) -> int:
    """A coil's number, if it is one."""
    if not _is_whole(number) or not 0 <= number < count:
        number = f"a number from 0 to {count - 1}" if count > 1 else "the number 0"
        raise InputError(f"Coils are 'rss', 'svd' or {number}.")
    return int(number)


def _is_crop(crop: Any) -> bool:
    """Whether pictures can be cut so; see `Scan.of`."""
    if isinstance(crop, bool):
        return True
    several = isinstance(crop, tuple) and len(crop) == 2
    return several and all(_is_whole(side) and side >= 1 for side in crop)


def _is_whole(number: Any) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


def _upright_size(kspace: np.ndarray, rows: bool) -> tuple[int, int]:
    height, width = kspace.shape[-2:]
    return (width, height) if rows else (height, width)


def _with_lines(source: Source, kspace: np.ndarray, mask: Any) -> Source:
    """What is known of a slice, and which of its lines are there where some are missing."""
    if mask is not None:
        lines = masks.checked(mask, kspace.shape[-1])
        if not lines.all() and not kspace[..., ~lines].any():
            return replace(source, mask=lines)
    if source.mask is not None:
        return source
    found, notes = measured_lines(kspace)
    return replace(source, mask=found, notes=tuple(dict.fromkeys((*source.notes, *notes))))


def _unit(kspace: np.ndarray) -> float:
    """See `Scan.unit`."""
    largest = float(np.abs(kspace).max())
    if not ACCEPTED[0] <= largest <= ACCEPTED[1]:
        raise InputError(
            f"The largest number of this k-space is {largest:.0e}; "
            f"from {ACCEPTED[0]:.0e} to {ACCEPTED[1]:.0e} is accepted."
        )
    if COMFORTABLE[0] <= largest <= COMFORTABLE[1]:
        return 1.0
    return 2.0 ** round(math.log2(largest))


def _white(data: np.ndarray, source: Source) -> tuple[np.ndarray, Source]:
    """Coils whose noise is alike and independent, by the noise that their file measured."""
    assert source.noise_covariance is not None
    try:
        white = balanced(data, source.noise_covariance)
    except InputError:  # a coil without any, say
        return data, source
    return white, replace(source, notes=(*source.notes, WHITENED))


def _given(mask: np.ndarray) -> Sampling:
    return Sampling(mask, masks.achieved_acceleration(mask))
