"""The noise that is added to a picture of all coils."""

import pytest
import torch

from recon import models
from recon.coils import absent
from recon.coils.espirit import sensitivities
from recon.fourier import fft2c, ifft2c
from recon.measurement import measure
from recon.methods.networks import method_of
from tests.coils.test_espirit import SHAPE, scan
from tests.coils.test_joint import undersampled
from tests.helpers.noise import noise_tensor


@pytest.mark.parametrize("filtered", [False, True])
def test_the_air_of_a_picture_is_as_bright_as_that_of_a_full_scan(filtered):
    kspace, images = scan(8, noise=0.02)
    if filtered:  # along the readout, whose ends then hold little noise
        kspace = kspace * torch.hann_window(SHAPE[0])[:, None].sqrt()
    _, mask = undersampled(8)
    measurement = measure((kspace * mask).numpy(), mask.numpy(), 3)
    air = images.norm(dim=0) < 1e-3 * images.norm(dim=0).max()
    full = ifft2c(kspace).norm(dim=0)[air].mean()
    method = method_of(models.build("resnet-dc", steps=1, features=8, coarse=8))
    dark = measurement.picture_of(method.coil_images(measurement))[air.numpy()].mean()
    assert dark < 0.8 * full
    assert method(measurement)[air.numpy()].mean() == pytest.approx(float(full), rel=0.2)


def test_the_air_stays_empty_where_the_object_was_cut_out():
    kspace, images = scan(8, noise=0.02)
    _, mask = undersampled(8)
    maps = sensitivities(kspace * mask, mask)
    assert absent.missing_noise(kspace * mask, mask, maps) > 0
    cleared = fft2c(ifft2c(kspace) * (images.norm(dim=0) > 0))
    assert absent.missing_noise(cleared * mask, mask, maps) == 0
    noise = noise_tensor(*kspace.shape)
    assert absent.darkest(noise, mask) == pytest.approx(8 * 0.36, rel=0.2)  # of unit variance


def test_no_noise_is_missing_where_everything_was_measured_nor_in_padding():
    kspace, _ = scan(8, noise=0.02)
    _, mask = undersampled(8)
    maps = sensitivities(kspace, mask)
    assert absent.missing_noise(kspace, torch.ones(SHAPE[1]) > 0, maps) == 0
    missing = absent.missing_noise(kspace * mask, mask, maps)
    assert missing > 0
    # The same power in twice as many pixels.
    padded = torch.nn.functional.pad(kspace, (0, 0, 48, 48))
    twice = maps.repeat_interleave(2, 1)
    found = absent.missing_noise(padded * mask, mask, twice)
    assert found == pytest.approx(missing / 2)
