"""Missing lines out of their neighbours in all coils: GRAPPA, which needs no maps.

Every sample is nearly the same weighted sum of its neighbours in all coils, wherever it lies in
k-space. The weights are learned where nothing is missing, in the middle, and applied where
something is (Griswold et al. 2002, doi 10.1002/mrm.10171).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from recon.coils.espirit import centre_block
from recon.errors import InputError

READOUT = 5  # samples of a kernel along a line
SIDE = 2  # measured lines of a kernel on either side of the missing one
BEYOND = 8  # lines outside the outermost measured one that are filled; further out errors grow
TIKHONOV = 0.01  # of the mean eigenvalue of the normal equations


@dataclass(frozen=True, eq=False)
class Kernel:
    """How one kind of missing sample follows from its neighbours.

    Attributes
    ----------
    offsets
        Measured lines that are used, counted from the missing one.
    targets
        Missing lines that have such neighbours.
    weights
        complex64, shape (coils, readout samples, lines, coils): of sources, and last the target.
    """

    offsets: tuple[int, ...]
    targets: tuple[int, ...]
    weights: Tensor


def neighbours(mask: Tensor, side: int = SIDE) -> dict[tuple[int, ...], list[int]]:
    """The missing lines, by where their nearest measured lines are.

    Parameters
    ----------
    mask
        Measured lines, boolean, shape (W,).
    side
        Lines that are used before and after a missing one, where there are so many.

    Returns
    -------
    Missing lines by the offsets of their measured neighbours; without those that lie more than
    `BEYOND` lines outside of all measured ones, as partial Fourier and zero padding have them.
    """
    lines = torch.nonzero(mask)[:, 0]
    first, last = int(lines[0]) - BEYOND, int(lines[-1]) + BEYOND
    kinds: dict[tuple[int, ...], list[int]] = {}
    for target in torch.nonzero(~mask)[:, 0].tolist():
        if not first <= target <= last:
            continue
        before, after = lines[lines < target][-side:], lines[lines > target][:side]
        offsets = tuple((torch.cat([before, after]) - target).tolist())
        kinds.setdefault(offsets, []).append(target)
    return kinds


def kernels(
    kspace: Tensor, mask: Tensor, tikhonov: float = TIKHONOV, side: int = SIDE
) -> list[Kernel]:
    """Learn the weights from the complete lines in the middle.

    Parameters
    ----------
    kspace
        Zero where nothing was measured: complex64, shape (C, H, W).
    mask
        Measured lines, boolean, shape (W,).
    tikhonov
        Added to the normal equations, as a share of the mean of their eigenvalues.
    side
        See `neighbours`.

    Raises
    ------
    InputError
        If the complete lines in the middle are too few for the gaps of the mask.
    """
    block = centre_block(mask)
    middle = kspace[..., block]
    found, kinds = [], neighbours(mask, side)
    widest = max((max(0, *offsets) - min(0, *offsets) + 1 for offsets in kinds), default=0)
    if middle.shape[-1] < widest:
        raise InputError(
            f"GRAPPA learns from lines side by side in the middle of k-space, for the gaps of "
            f"this mask from {widest} at least; it measures "
            f"{block.stop - block.start} there: measure more of them, as calibrated masks do."
        )
    for offsets, targets in kinds.items():
        first, last = min(0, *offsets), max(0, *offsets)
        count = middle.shape[-1] - (last - first)
        sources = _sources(middle, torch.arange(count) - first, offsets)  # (C r l, H count)
        wanted = middle[..., -first : count - first].flatten(1)  # (C, H count)
        gram = (sources @ sources.mH).to(torch.complex128)
        right = (wanted @ sources.mH).to(torch.complex128)
        gram += tikhonov * gram.diagonal().real.mean().clamp(min=1e-30) * torch.eye(len(gram))
        weights = torch.linalg.solve(gram.mT, right.mT).to(kspace.dtype)  # (C r l, C)
        shape = (len(kspace), READOUT, len(offsets), len(kspace))
        found.append(Kernel(offsets, tuple(targets), weights.reshape(shape)))
    return found


def fill(kspace: Tensor, found: list[Kernel]) -> Tensor:
    """K-space with the kernels' lines filled in; all others stay as they are.

    Parameters
    ----------
    kspace
        Zero where nothing was measured: complex64, shape (C, H, W).
    found
        As `kernels` gives them.

    Returns
    -------
    complex64, shape (C, H, W).
    """
    filled = kspace.clone()
    for kernel in found:
        targets = torch.tensor(kernel.targets)
        sources = _sources(kspace, targets, kernel.offsets)  # (C r l, H targets)
        values = kernel.weights.flatten(0, 2).mT @ sources
        filled[..., targets] = values.reshape(len(kspace), kspace.shape[1], len(targets))
    return filled


def grappa(kspace: Tensor, mask: Tensor, tikhonov: float = TIKHONOV) -> Tensor:
    """K-space of all coils, complete as far as `neighbours` reach.

    complex64, shape (C, H, W); arguments as `kernels`.
    """
    return fill(kspace, kernels(kspace, mask, tikhonov))


def _sources(kspace: Tensor, targets: Tensor, offsets: tuple[int, ...]) -> Tensor:
    """Neighbours of every sample of some lines, beyond the ends of a line zero."""
    reach = READOUT // 2
    lines = torch.stack([kspace[..., targets + offset] for offset in offsets])  # (l, C, H, t)
    padded = torch.nn.functional.pad(lines, (0, 0, reach, reach))
    windows = padded.unfold(2, kspace.shape[1], 1)  # (l, C, r, t, H)
    return windows.permute(1, 2, 0, 4, 3).flatten(3).flatten(0, 2)
