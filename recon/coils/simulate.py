"""Coils that were never built: fields of loops around an object, and the noise they pick up.

A coil sees an object as strongly as a current in it would make a field there (reciprocity, Hoult
and Richards 1976, doi 10.1016/0022-2364(76)90233-X), so loops and the law of Biot and Savart give
sensitivities that no measurement has blurred: truth for maps, and any number of scans to learn
from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from recon.fourier import fft2c, ifft2c

SEGMENTS = 20  # of a loop
COARSE = 32  # points along an axis at which fields are computed; they are smooth in between
NEAREST = 0.2  # distance to a wire, in half fields of view, below which the field grows no more


@dataclass(frozen=True)
class Loops:
    """Circular loops on a cylinder around the axis of the main field.

    Lengths are in halves of the field of view.

    Attributes
    ----------
    angles, heights
        Place of each loop on the cylinder: radians, and along its axis; shape (C,).
    radius, size
        Of the cylinder and of the loops.
    """

    angles: np.ndarray
    heights: np.ndarray
    radius: float = 1.2
    size: float = 0.5

    @classmethod
    def ring(cls, count: int, radius: float = 1.2) -> Loops:
        """So many loops side by side around the object, as large as they touch."""
        angles = 2 * np.pi * np.arange(count) / count
        size = min(0.8, radius * np.sin(np.pi / max(count, 3)))
        return cls(angles, np.zeros(count), radius, float(size))

    @classmethod
    def random(cls, count: int, rng: np.random.Generator) -> Loops:
        """Rings, rows and loose arrangements, around the object or on one side of it."""
        around = 2 * np.pi if rng.random() < 0.7 else rng.uniform(0.6, 1.4) * np.pi
        rows = int(rng.integers(1, 4)) if count >= 6 else 1
        place = np.arange(count) / count
        angles = rng.uniform(0, 2 * np.pi) + around * (place + rng.normal(0, 0.3 / count, count))
        heights = (np.arange(count) % rows - (rows - 1) / 2) * rng.uniform(0.4, 0.9)
        heights = heights + rng.normal(0, 0.1, count)
        return cls(angles, heights, rng.uniform(0.95, 1.5), rng.uniform(0.3, 0.8))

    def wires(self) -> tuple[np.ndarray, np.ndarray]:
        """Middle and vector of every piece of wire, shape (C, segments, 3)."""
        turn = 2 * np.pi * np.arange(SEGMENTS + 1) / SEGMENTS
        outward = np.stack([np.cos(self.angles), np.sin(self.angles), 0 * self.angles], -1)
        along = np.stack([-np.sin(self.angles), np.cos(self.angles), 0 * self.angles], -1)
        middle = self.radius * outward + self.heights[:, None] * [0, 0, 1]
        corners = middle[:, None] + self.size * (
            np.cos(turn)[:, None] * along[:, None] + np.sin(turn)[:, None] * np.array([0, 0, 1.0])
        )
        return (corners[:, 1:] + corners[:, :-1]) / 2, corners[:, 1:] - corners[:, :-1]


def fields(loops: Loops, points: np.ndarray) -> np.ndarray:
    """What the loops see at some points: the field across the main one, ``Bx - i By``.

    Parameters
    ----------
    loops
        Around the z axis, along which the main field runs.
    points
        Shape (..., 3).

    Returns
    -------
    complex64, shape (C, ...), in units of a field of wire per length.
    """
    middles, pieces = loops.wires()
    from_wire = points[..., None, None, :] - middles  # (..., C, segments, 3)
    distance = np.maximum(np.linalg.norm(from_wire, axis=-1), NEAREST)
    weight = 1 / distance**3
    across_x = pieces[..., 1] * from_wire[..., 2] - pieces[..., 2] * from_wire[..., 1]
    across_y = pieces[..., 2] * from_wire[..., 0] - pieces[..., 0] * from_wire[..., 2]
    field = ((across_x - 1j * across_y) * weight).sum(-1)
    coils: np.ndarray = np.moveaxis(field, -1, 0)
    return coils.astype(np.complex64)


def plane(offset: float = 0.0, normal: str = "z") -> np.ndarray:
    """Points of a coarse grid over a slice, shape (n, n, 3); rows run along the later axis."""
    line = np.linspace(-1, 1, COARSE)
    down, across = np.meshgrid(line, line, indexing="ij")
    flat = np.full_like(down, offset)
    order = {"z": (across, down, flat), "y": (across, flat, down), "x": (flat, across, down)}
    return np.stack(order[normal], -1)


def sensitivities(loops: Loops, shape: tuple[int, int], points: np.ndarray) -> np.ndarray:
    """Fields of loops over a slice, their root-sum-of-squares 1 on average.

    Parameters
    ----------
    loops, points
        See `fields` and `plane`.
    shape
        Height and width.

    Returns
    -------
    complex64, shape (C, H, W).
    """
    coarse = torch.from_numpy(fields(loops, points))
    parts = torch.view_as_real(coarse).permute(0, 3, 1, 2)  # (C, 2, n, n)
    fine = torch.nn.functional.interpolate(parts, shape, mode="bicubic", align_corners=True)
    maps = torch.view_as_complex(fine.permute(0, 2, 3, 1).contiguous()).numpy()
    normalised: np.ndarray = maps / np.sqrt((np.abs(maps) ** 2).sum(0)).mean()
    return normalised


def random_sensitivities(
    coils: int, shape: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """Maps of a coil array nobody has seen before: loops, slice, gains and coupling at random.

    Returns
    -------
    complex64, shape (C, H, W), their root-sum-of-squares 1 on average.
    """
    loops = Loops.random(coils, rng)
    points = plane(rng.uniform(-0.4, 0.4), str(rng.choice(["z", "z", "y", "x"])))
    maps: np.ndarray = np.tensordot(coupling(coils, rng), sensitivities(loops, shape, points), 1)
    maps /= np.sqrt((np.abs(maps) ** 2).sum(0)).mean()
    return maps.astype(np.complex64)


def coupling(coils: int, rng: np.random.Generator, strength: float = 0.2) -> np.ndarray:
    """How signals and noise of coils mix, each with a gain and a phase of its own: (C, C)."""
    mixing = rng.standard_normal((2, coils, coils)) / max(1, np.sqrt(coils))
    matrix = np.eye(coils) + rng.uniform(0, strength) * (mixing[0] + 1j * mixing[1])
    gain = np.exp(rng.normal(0, 0.15, coils) + 2j * np.pi * rng.random(coils))
    coupled: np.ndarray = gain[:, None] * matrix
    return coupled.astype(np.complex64)


def coil_kspace(
    image: np.ndarray, maps: np.ndarray, rng: np.random.Generator, noise: float = 0.0
) -> np.ndarray:
    """Fully sampled k-space of an object seen through maps, with noise that coils share.

    Parameters
    ----------
    image
        Complex, shape (H, W).
    maps
        Shape (C, H, W).
    rng
        Draws the noise and how it is correlated.
    noise
        Standard deviation of its real and of its imaginary part, averaged over coils, as a share
        of the maximum of the root-sum-of-squares image.

    Returns
    -------
    complex64, shape (C, H, W).
    """
    coils = (maps * image).astype(np.complex64)
    kspace: np.ndarray = fft2c(coils)
    if noise:
        mixing = coupling(len(maps), rng, 0.5)
        mixing *= np.sqrt(len(maps)) / np.linalg.norm(mixing)
        white = rng.standard_normal((2, *kspace.shape), dtype=np.float32)
        peak = float(np.sqrt((np.abs(coils) ** 2).sum(0)).max())
        kspace += noise * peak * np.tensordot(mixing, white[0] + 1j * white[1], 1)
    return kspace.astype(np.complex64)


def narrowed(kspace: np.ndarray, width: int) -> np.ndarray:
    """The same object in a field of view of fewer columns: what lies beyond it folds back.

    Parameters
    ----------
    kspace
        Fully sampled, complex, shape (..., H, W).
    width
        Columns of the narrow field of view, around the same middle; from 1 to W.

    Returns
    -------
    complex64, shape (..., H, width).
    """
    images = ifft2c(kspace)
    columns = images.shape[-1]
    left = (width // 2 - columns // 2) % width  # the middles come to lie on each other
    around = (left, -(left + columns) % width)
    whole = np.pad(images, [*[(0, 0)] * (images.ndim - 1), around])
    narrow: np.ndarray = fft2c(whole.reshape(*images.shape[:-1], -1, width).sum(-2))
    return narrow
