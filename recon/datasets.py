"""Training data: open magnitude images, split by subject, and what is drawn from them.

The images are magnitudes, so complex k-space is simulated (`recon.simulate`). They are read
from a folder laid out like their public sources:

=========================  ==========================================  =========
folder                     content                                     licence
=========================  ==========================================  =========
``open_ms_data/``          brain, 7 patients, T1w, T2w and FLAIR       CC-BY
``example-dicom-structural/``  brain, 1 subject, T1w                   PDDL
``SAG-anon/``              head, 1 subject, sagittal T1w               MIT
``mskt/``                  knee, 1 subject, multi-echo spin echo       MIT
=========================  ==========================================  =========
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import nibabel
import numpy as np
import pydicom

from recon import masks
from recon.fourier import fft2c, ifft2c
from recon.kspace import InputError
from recon.measurement import Measurement, measure, picture
from recon.simulate import kspace_from_magnitude

# Subjects, never slices, are split. The validation subject chooses the best weights; the test
# subjects are looked at once, by the finished network.
SPLITS = {
    "train": ("open_ms_01", "open_ms_03", "open_ms_04", "open_ms_12", "hanke", "sag-anon", "mskt"),
    "validation": ("open_ms_09",),
    "test": ("open_ms_19", "open_ms_20"),
}


@dataclass(frozen=True)
class Volume:
    """One scan: magnitude slices in scanner units, shape (S, H, W), and whose it is."""

    subject: str
    name: str
    slices: np.ndarray


def load(folder: Path, split: str) -> list[Volume]:
    """All volumes of one split, without the slices that hold mostly noise.

    Parameters
    ----------
    folder
        The folder that holds ``open_ms_data`` and its neighbours.
    split
        A key of `SPLITS`.

    Returns
    -------
    Volumes in a fixed order.

    Raises
    ------
    InputError
        If the folder holds none of the split's images.
    """
    subjects = SPLITS[split]
    readers = [*_open_ms(folder, subjects), *_dicom(folder, subjects)]
    volumes = [Volume(v.subject, v.name, _with_signal(v.slices)) for v in readers]
    if not volumes:
        raise InputError(
            f"The data folder holds no images of the {split} split; it should contain "
            f"open_ms_data, example-dicom-structural, SAG-anon or mskt."
        )
    return volumes


def _open_ms(folder: Path, subjects: tuple[str, ...]) -> Iterable[Volume]:
    for path in sorted(folder.glob("open_ms_data/longitudinal/raw/patient*/*.nii.gz")):
        subject = f"open_ms_{path.parent.name.removeprefix('patient')}"
        if subject in subjects:
            data = np.asarray(nibabel.load(path).dataobj, dtype=np.float32)  # type: ignore[attr-defined]
            # NIfTI's axes are left-right, front-back, slice; rows of a picture run front-back.
            yield Volume(subject, path.name.split(".")[0], data.transpose(2, 1, 0))


def _dicom(folder: Path, subjects: tuple[str, ...]) -> Iterable[Volume]:
    for subject, pattern in (
        ("hanke", "example-dicom-structural/dicoms/*.dcm"),
        ("sag-anon", "SAG-anon/*.dcm"),
        ("mskt", "mskt/MESE_T2_dicom_data_anon/*.dcm"),
    ):
        paths = sorted(folder.glob(pattern)) if subject in subjects else []
        if paths:
            slices = [pydicom.dcmread(path).pixel_array.astype(np.float32) for path in paths]
            yield Volume(subject, subject, np.stack(slices))


def _with_signal(slices: np.ndarray) -> np.ndarray:
    """Slices whose brightest percent reaches a quarter of the brightest slice's."""
    level = np.percentile(slices, 99, axis=(1, 2))
    return slices[level >= 0.25 * level.max()]


def draw(images: list[np.ndarray], rng: np.random.Generator, noise: float = 0.035) -> np.ndarray:
    """Fully sampled k-space of a random slice, simulated anew every time.

    The slice is flipped and transposed at random, which also changes the direction of phase
    encoding, and gets a phase of its own and a noise level up to `noise`.

    Returns
    -------
    complex64, shape (H, W).
    """
    image = images[rng.integers(len(images))]
    image = image[:: rng.choice((-1, 1)), :: rng.choice((-1, 1))]
    image = image.T if rng.random() < 0.5 else image
    # The square favours low noise, yet reaches the 1 to 3 % of the maximum found in real scans.
    return kspace_from_magnitude(image, rng, noise * rng.random() ** 2)


def undersample(
    kspace: np.ndarray, acceleration: float, rng: np.random.Generator
) -> tuple[Measurement, np.ndarray]:
    """Measure k-space through a random Cartesian mask.

    Parameters
    ----------
    kspace
        Fully sampled, complex, shape (H, W).
    acceleration
        Nominal.
    rng
        Draws the mask.

    Returns
    -------
    measurement, reference
        Both divided by the maximum of the zero-filled image; the reference is float32, (h, w).
    """
    mask = masks.random_cartesian(kspace.shape[-1], acceleration, seed=rng)
    measurement = measure(kspace, mask, acceleration)
    scale = measurement.zero_filled.max()
    scaled = replace(
        measurement, kspace=measurement.kspace / scale, zero_filled=measurement.zero_filled / scale
    )
    return scaled, picture(kspace) / scale


def patches(
    images: list[np.ndarray],
    acceleration: float,
    rng: np.random.Generator,
    size: int = 4,
    patch: int = 160,
    noise: float = 0.035,
) -> tuple[np.ndarray, np.ndarray]:
    """A batch for networks that repair magnitude images.

    Returns
    -------
    zero_filled, reference
        float32, shape (size, 1, patch, patch), each patch of a scan of its own.

    Raises
    ------
    InputError
        If an image is smaller than a patch.
    """
    pairs: list[np.ndarray] = []
    while len(pairs) < size:
        measurement, reference = undersample(draw(images, rng, noise), acceleration, rng)
        pair = np.stack([measurement.zero_filled, reference])
        if min(pair.shape[-2:]) < patch:
            raise InputError(f"Training images need at least {patch} pixels on both sides.")
        top, left = (rng.integers(side - patch + 1) for side in pair.shape[-2:])
        pairs.append(pair[:, top : top + patch, left : left + patch])
    batch = np.stack(pairs)[:, :, None].astype(np.float32)  # (size, 2, 1, patch, patch)
    return batch[:, 0], batch[:, 1]


def strip(kspace: np.ndarray, rows: int, rng: np.random.Generator) -> np.ndarray:
    """K-space of a random band of the image, at most `rows` high.

    Skipping phase-encode lines mixes pixels of one row only, so a band is a whole scan in
    small.

    Returns
    -------
    complex64, shape (min(rows, H), W).
    """
    image = ifft2c(kspace)
    rows = min(rows, len(image))
    top = rng.integers(len(image) - rows + 1)
    return fft2c(image[top : top + rows]).astype(np.complex64)
