"""Processing is noticed, and scanner data pass."""

from __future__ import annotations

import numpy as np
import pytest

from recon import examples, phantom
from recon.errors import InputError
from recon.fourier import fft2c, ifft2c, magnitude
from recon.kspace import KSpace, Source
from recon.probes.crimes import jpeg
from recon.probes.processing import asymmetry, inspect
from recon.scan import Scan
from tests.helpers.noise import noise

SHAPES = [(24, 32), (33, 27), (24, 27), (3, 20, 31)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("dtype", "limit"), [(np.complex128, 1e-14), (np.complex64, 1e-6)])
@pytest.mark.parametrize("phase", [0, 1.1, -2.8])
def test_a_real_image_has_symmetric_kspace(shape, dtype, limit, phase):
    real = np.random.default_rng(1).random(shape)
    each = phase * np.arange(1, 4)[:, None, None] if len(shape) == 3 else phase
    assert asymmetry(fft2c((real * np.exp(1j * each)).astype(dtype))) < limit


@pytest.mark.parametrize("shape", SHAPES)
def test_noise_has_none(shape):
    assert 0.9 < asymmetry(noise(shape)) <= 1


def test_asymmetry_has_known_values():
    assert asymmetry(np.zeros((4, 5))) == 0
    lopsided = np.zeros((6, 6), complex)
    lopsided[3, 3:5] = 3, 1  # the partner of the 1, at (3, 2), is empty
    assert asymmetry(lopsided) == pytest.approx(1 / np.sqrt(10))
    # orthogonal parts real and imaginary, of weights cos and sin, cannot be turned away
    a, b = np.eye(8)[:4].sum(0) * np.ones((8, 1)), np.eye(8)[4:].sum(0) * np.ones((8, 1))
    mixed = fft2c(np.cos(0.3) * a + 1j * np.sin(0.3) * b)
    assert asymmetry(mixed) == pytest.approx(np.sqrt(2) * np.sin(0.3))
    assert asymmetry(1e9 * mixed) == pytest.approx(asymmetry(mixed))


def test_scanner_like_data_pass():
    clues = inspect(Scan.of(phantom.kspace((48, 41))))
    assert not any(clue.suspicious for clue in clues.values())
    assert clues["asymmetry"].value > 0.1
    assert clues["empty_edges"].value == 0
    for clue in clues.values():  # plain values, ready for JSON
        assert (type(clue.value), type(clue.suspicious)) == (float, bool)
    assert "scanner" in clues["asymmetry"].sentence


@pytest.mark.parametrize("shape", [(48, 40), (47, 41)])
def test_a_magnitude_image_is_noticed(shape):
    image = magnitude(phantom.kspace(shape))
    for picture_ in (image, jpeg(image, 60)):
        clue = inspect(Scan.of(fft2c(picture_.astype(np.complex64))))["asymmetry"]
        assert clue.suspicious
        assert clue.value < 1e-6
        assert "magnitude image" in clue.sentence


@pytest.mark.parametrize("coils", [(), (2,)])
def test_zero_filled_edges_are_counted(coils):
    kspace = noise((*coils, 40, 30))
    kspace[..., :3, :] = 0
    kspace[..., -5:, :] = 0
    kspace[..., -3:] = 0
    clue = inspect(Scan.of(kspace))["empty_edges"]
    assert clue.suspicious
    assert clue.value == pytest.approx(8 / 40)
    assert "8 rows and 3 columns" in clue.sentence
    kspace[..., :3, 7] = 1e-15  # what rounding leaves of zeros
    kspace[..., -5:, 7] = 1e-15
    assert inspect(Scan.of(kspace))["empty_edges"].value == pytest.approx(8 / 40)
    kspace[..., :3, 7] = 1e-3
    kspace[..., -5:, 7] = 1e-3
    assert inspect(Scan.of(kspace))["empty_edges"].value == pytest.approx(3 / 30)


def test_zeros_at_one_edge_are_no_interpolation():
    kspace = noise((40, 30))
    kspace[:2] = 0
    clue = inspect(Scan.of(kspace))["empty_edges"]
    assert "2 rows and 0 columns at one edge of k-space are zero: an asymmetric" in clue.sentence
    assert "interpolated" not in clue.sentence


@pytest.mark.parametrize("shape", [(48, 40), (47, 40), (47, 39)], ids=str)
@pytest.mark.parametrize("shift", [(0, 3), (-2, 1)], ids=str)
def test_an_echo_off_the_middle_hides_no_magnitude_image(shape, shift):
    kspace = fft2c(magnitude(phantom.kspace(shape)).astype(np.complex64))
    y, x = (np.arange(n) - n // 2 for n in shape)
    tilt = np.exp(2j * np.pi * (y[:, None] * shift[0] / shape[0] + x * shift[1] / shape[1]))
    moved = fft2c(ifft2c(kspace) * tilt)
    clue = inspect(Scan.of(moved.astype(np.complex64)))["asymmetry"]
    assert clue.value < 1e-5
    assert "magnitude image" in clue.sentence


def test_nothing_at_all_is_empty():
    scan = Scan(np.zeros((4, 6), np.complex64), Source(), "rss", "columns", (4, 6))
    assert inspect(scan)["empty_edges"].value == 1


@pytest.mark.parametrize("name", ["phase", "no phase"])
def test_a_simulated_scan_is_called_simulated(name):
    """A made-up phase passes for a scanner's until the source says what it is."""
    image = magnitude(phantom.kspace((48, 40)))
    phase = np.exp(1j * np.linspace(0, 4, 40)) if name == "phase" else 1
    data = fft2c((image * phase).astype(np.complex64))
    clue = inspect(Scan.of(KSpace(data, Source(simulated=True))))["asymmetry"]
    assert clue.suspicious
    assert "as with scanner data" not in clue.sentence
    assert ("simulated" if name == "phase" else "computed from a magnitude image") in clue.sentence
    measured = inspect(Scan.of(data))["asymmetry"]
    assert measured.value == clue.value
    assert measured.suspicious == (name == "no phase")


def test_the_built_in_head_is_called_simulated():
    kspace = examples.load("phantom")
    assert kspace.source.simulated
    clue = inspect(Scan.of(kspace))["asymmetry"]
    assert "simulated" in clue.sentence
    assert "scanner data" not in clue.sentence


def test_lines_that_were_not_measured_are_not_called_padding():
    kspace = noise((20, 30))
    mask = np.arange(30) > 4
    with pytest.raises(InputError, match="undersampled"):
        inspect(Scan.of(KSpace(kspace * mask, Source(mask=mask))))


def test_simulated_phase_hides_the_crime():
    """Said in the docstring: no clue is no proof."""
    image = magnitude(phantom.kspace((48, 40)))
    phase = np.exp(1j * np.linspace(0, 4, 40)).astype(np.complex64)
    kspace = fft2c(image * phase)
    assert not inspect(Scan.of(kspace))["asymmetry"].suspicious
    np.testing.assert_allclose(abs(ifft2c(kspace)), image, atol=1e-5)
