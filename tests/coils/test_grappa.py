"""GRAPPA: weights that are known are found, and pygrappa fills the same lines."""

import re

import numpy as np
import pytest
import torch

from recon import masks
from recon.coils.espirit import centre_block
from recon.coils.grappa import BEYOND, TIKHONOV, fill, grappa, kernels, neighbours
from recon.errors import InputError
from recon.fourier import ifft2c, rss
from tests.helpers.coils import seen

SHAPE = (64, 72)


def undersampled(coils: int, mask: np.ndarray, noise: float = 0.003):
    kspace = masks.apply(seen(coils, SHAPE, noise), mask).astype(np.complex64)
    return torch.from_numpy(kspace), torch.from_numpy(mask)


def error(kspace: np.ndarray, coils: int) -> float:
    truth = seen(coils, SHAPE, 0)
    return float(np.linalg.norm(rss(ifft2c(kspace)) - rss(ifft2c(truth))) / np.linalg.norm(truth))


def test_neighbours_of_missing_lines():
    mask = torch.tensor([1, 0, 0, 1, 0, 0, 1, 1, 0], dtype=torch.bool)
    assert neighbours(mask, side=1) == {
        (-1, 2): [1, 4],
        (-2, 1): [2, 5],
        (-1,): [8],
    }


def test_nothing_is_foretold_far_from_what_was_measured():
    """Of half of k-space: more lines than the reach would make the picture worse."""
    kspace = torch.from_numpy(seen(8, SHAPE, 0))
    width = kspace.shape[-1]
    mask = torch.arange(width) >= width // 3
    filled = grappa(kspace * mask, mask)
    empty = (filled.abs().sum((0, 1)) == 0).tolist()
    assert empty == [line < width // 3 - BEYOND for line in range(width)]
    assert error(filled.numpy(), 8) < error((kspace * mask).numpy(), 8)


def test_a_known_weight_is_found():
    """Lines that are the sum of their neighbours, in one coil."""
    rng = np.random.default_rng(0)
    width = 41
    turns = np.exp(2j * np.pi / 6 * np.arange(width))  # k(n) = k(n - 1) + k(n + 1)
    kspace = (rng.standard_normal((1, 32, 1)) * turns).astype(np.complex64)
    mask = np.arange(width) % 2 == 0
    mask[10:31] = True
    found = kernels(torch.from_numpy(kspace * mask), torch.from_numpy(mask), 1e-6, side=1)
    inner = next(kernel for kernel in found if kernel.offsets == (-1, 1))
    filled = fill(torch.from_numpy(kspace * mask), [inner]).numpy()
    np.testing.assert_allclose(filled[..., 1:-1], kspace[..., 1:-1], atol=1e-3)


@pytest.mark.parametrize(("distance", "coils"), [(2, 4), (2, 8), (3, 8)])
def test_as_good_as_pygrappa_and_alike(distance, coils):
    """Same kernel size and Tikhonov factor; pygrappa also learns from windows beyond the block."""
    pygrappa = pytest.importorskip("pygrappa")
    kspace, mask = undersampled(coils, masks.calibrated(72, distance, 1 / 3, offset=0))
    ours = grappa(kspace, mask).numpy()
    size = (5, 4 * distance - 1)  # two measured lines on either side
    theirs = pygrappa.mdgrappa(
        kspace.numpy().astype(complex),
        coil_axis=0,
        kernel_size=size,
        lamda=TIKHONOV,
        calib=kspace[..., centre_block(mask)].numpy().astype(complex),
    )
    assert error(ours, coils) < 0.1 * error(kspace.numpy(), coils)
    assert error(ours, coils) < 1.06 * error(theirs, coils)
    assert np.linalg.norm(ours - theirs) / np.linalg.norm(ours) < 0.03


def test_measured_lines_stay_and_every_line_is_filled():
    kspace, mask = undersampled(8, masks.calibrated(72, 4, 1 / 3, seed=3))
    filled = grappa(kspace, mask)
    torch.testing.assert_close(filled[..., mask], kspace[..., mask], rtol=0, atol=0)
    assert (filled.abs().sum((0, 1)) > 0).all()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_as_many_lines_as_a_refusal_asks_for_are_enough(seed):
    mask = masks.random_cartesian(200, 4, center_fraction=0.03, seed=seed)
    kspace = torch.zeros(2, 16, 200, dtype=torch.complex64)
    with pytest.raises(InputError, match="at least") as refusal:
        grappa(kspace, torch.from_numpy(mask))
    lines = int(re.search(r"from (\d+) at least", str(refusal.value))[1])
    kinds = neighbours(torch.from_numpy(mask))
    assert lines == max(max(0, *one) - min(0, *one) + 1 for one in kinds)


def test_fractional_distances_work_and_too_wide_gaps_are_one_sentence():
    kspace, mask = undersampled(8, masks.equispaced(72, 2.5, 0.25, 0))
    assert error(grappa(kspace, mask).numpy(), 8) < 0.5 * error(kspace.numpy(), 8)
    for few in (masks.random_cartesian(72, 4, None, 0), np.arange(72) % 3 == 0):
        with pytest.raises(InputError, match=r"calibrated masks do\.$"):
            grappa(*undersampled(8, few))
