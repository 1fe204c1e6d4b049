"""Compression must not change what is left."""

import pytest
import torch

from recon.coils.compression import virtual_coils
from recon.fourier import center_crop, fft2c, ifft2c
from recon.measurement import shown_rows
from tests.helpers.noise import noise_tensor


@pytest.mark.parametrize(("height", "rows"), [(64, 32), (65, 32), (64, 31), (33, 21), (20, 32)])
def test_cropping_the_readout_keeps_its_rows_whatever_was_measured(height, rows):
    image, mask = noise_tensor(3, height, 24), torch.arange(24) % 3 == 0
    kspace = fft2c(image) * mask
    expected = center_crop(ifft2c(kspace), (rows, 24))
    cropped = torch.from_numpy(shown_rows(kspace.numpy(), (rows, 24)))
    torch.testing.assert_close(ifft2c(cropped), expected, rtol=0, atol=1e-5)
    assert not cropped[..., ~mask].any()


def test_virtual_coils_are_orthonormal_and_hold_the_energy():
    sources = noise_tensor(3, 20, 18)
    mixing = noise_tensor(8, 3, seed=1)
    data = torch.einsum("cs,shw->chw", mixing, sources) + 1e-3 * noise_tensor(8, 20, 18, seed=2)
    rotation = virtual_coils(data, 0.999)
    assert rotation.shape == (8, 3)
    torch.testing.assert_close(rotation.mH @ rotation, torch.eye(3).to(rotation.dtype))
    kept = torch.einsum("cv,chw->vhw", rotation.conj(), data)
    assert kept.norm() ** 2 > 0.999 * data.norm() ** 2
    strengths = kept.flatten(1).norm(dim=1)
    assert (strengths[:-1] >= strengths[1:]).all()
    assert virtual_coils(data, 1.0, most=2).shape == (8, 2)
