"""Complex images behind a result."""

import numpy as np
import pytest

from recon import examples, phantom
from recon.errors import InputError
from recon.fourier import fft2c, ifft2c
from recon.methods import find
from recon.probes.complex_images import SIGNAL, complex_images
from recon.scan import Scan


def test_phase_of_one_coil_is_that_of_its_image():
    rows, columns = np.mgrid[:48, :40]
    ramp = np.exp(1j * (0.1 * rows - 0.05 * columns))
    image = abs(phantom.image((48, 40))) * ramp
    scan = Scan.of(fft2c(image).astype(np.complex64))
    found = complex_images(scan, scan.draw(mask=np.ones(40)), find("zero-filled"))
    phase = found.phase(found.reference)
    signal = np.isfinite(phase)
    np.testing.assert_array_equal(signal, abs(image) > SIGNAL * abs(image).max())
    np.testing.assert_allclose(np.exp(1j * phase[signal]), ramp[signal], atol=1e-3)
    assert np.nanmax(abs(found.phase_error(found.zero_filled, found.reference))) < 1e-4


def test_a_turned_image_is_off_by_that_angle():
    scan = Scan.of(phantom.kspace((48, 40)))
    found = complex_images(scan, scan.draw(2), find("zero-filled"))
    error = found.phase_error(found.zero_filled * np.exp(0.5j), found.zero_filled)
    np.testing.assert_allclose(error[np.isfinite(error)], 0.5, atol=1e-4)


@pytest.mark.parametrize("coils", ["rss", "svd"])
def test_several_coils_are_combined_with_the_maps_of_the_measured_middle(coils):
    scan = Scan.of(examples.load("phantom-coils"), coils=coils)
    found = complex_images(scan, scan.draw(2), find("zero-filled"))
    assert found.maps.shape == found.zero_filled.shape == found.reference.shape
    np.testing.assert_allclose(found.reference, ifft2c(scan.kspace), atol=1e-6)
    size = abs(found.one(found.reference))
    inside = scan.reference > 0.3 * scan.reference.max()
    assert np.median(size[inside] / scan.reference[inside]) > 0.98


def test_without_a_measured_middle_coils_cannot_be_told_apart():
    scan = Scan.of(examples.load("phantom-coils"))
    mask = np.arange(scan.width) % 2 == 0
    with pytest.raises(InputError, match="measure 5 neighbouring lines"):
        complex_images(scan, scan.draw(mask=mask), find("zero-filled"))
