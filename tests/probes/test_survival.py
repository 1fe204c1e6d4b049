"""What is left of a lesion, and whether it stands out, where theory knows the answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recon import phantom
from recon.fourier import fft2c
from recon.methods import ZeroFilled
from recon.probes.lesion import Lesion, profile
from recon.probes.survival import retained, sweep
from recon.scan import Scan
from tests.helpers.methods import FunctionMethod


@pytest.mark.parametrize("kind", ["spot", "disc", "lines"])
@pytest.mark.parametrize("contrast", [0.3, -0.5])
def test_full_sampling_retains_all(kind, contrast):
    scan = Scan.of(phantom.kspace((45, 52)))
    lesion = Lesion(22, 26, kind=kind, contrast=contrast)
    full = scan.draw(mask=np.ones(52, bool))
    (found,) = sweep(scan, full, [lesion], [ZeroFilled()])
    assert found.retained == pytest.approx(1, abs=1e-4)
    assert found.visibility > 0


@pytest.mark.parametrize("size", [2.5, 4, 8])
@pytest.mark.parametrize("lines", [9, 17, 31])
def test_low_pass_retains_what_theory_says(size, lines):
    """Of a Gaussian with spectrum G, the share sum |G|^2 over the lines that were measured."""
    width = 64
    scan = Scan.of(fft2c(np.ones((48, width), np.complex64)))
    frequency = (np.arange(width) - width // 2) / width
    mask = np.abs(frequency) * width <= lines // 2
    sigma = size / np.sqrt(8 * np.log(2))
    power = np.exp(-((2 * np.pi * sigma * frequency) ** 2))
    lesion = Lesion(24, 32, size=size, contrast=0.1)
    (found,) = sweep(scan, scan.draw(mask=mask), [lesion], [ZeroFilled()])
    assert found.retained == pytest.approx(power[mask].sum() / power.sum(), abs=2e-3)


def test_lines_blurred_into_one_retain_nothing():
    lesion = Lesion(20, 20, size=2, kind="lines")
    truth = profile(lesion, (40, 40)).astype(np.float32)
    rows, columns = (np.flatnonzero(truth.any(axis)) for axis in (1, 0))
    block = np.zeros((40, 40))
    block[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = 0.5
    assert retained(block, truth, lesion) == pytest.approx(0, abs=1e-9)
    assert retained(0.3 * truth + block, truth, lesion) == pytest.approx(0.3)
    assert retained(-truth, truth, lesion) == pytest.approx(-1)
    # the same block, looked at as a spot, is there
    assert retained(block, truth, replace(lesion, kind="spot")) == pytest.approx(0.5)


def test_a_method_that_erases_it_retains_nothing():
    scan = Scan.of(phantom.kspace((64, 64)))
    lesions = [Lesion(40, 30, size=s) for s in (3, 6)]
    constant = phantom.kspace((64, 64)).real
    methods = [ZeroFilled(), FunctionMethod(lambda m: constant, "always the same")]
    found = list(sweep(scan, scan.draw(4), lesions, methods))
    assert [(f.lesion, f.method) for f in found] == [
        (one, method) for one in lesions for method in methods
    ]
    assert [f.retained for f in found[1::2]] == [0, 0]
    assert [f.visibility for f in found[1::2]] == [0, 0]
    assert found[2].retained > 0.3


def test_methods_of_one_name_are_kept_apart():
    """Networks handed over are all called alike, and compressed sensing is at any strength."""
    scan = Scan.of(phantom.kspace((40, 36)))
    same = FunctionMethod(lambda m: m.zero_filled)
    brighter = FunctionMethod(lambda m: m.zero_filled + np.float32(1))
    assert same.name == brighter.name
    one, other = sweep(scan, scan.draw(3), [Lesion(20, 18)], [same, brighter])
    assert other.retained == pytest.approx(one.retained, abs=1e-4)


def test_visibility_is_contrast_over_noise():
    """A disc of contrast 0.5 on 1, in noise of 0.02, has 25 times the noise."""
    rng = np.random.default_rng(0)
    image = 1 + 0.02 * rng.standard_normal((80, 80))
    scan = Scan.of(fft2c(image.astype(np.complex64)))
    full, lesion = (
        scan.draw(mask=np.ones(80, bool)),
        Lesion(40, 40, size=13, kind="disc", contrast=0.5),
    )
    (found,) = sweep(scan, full, [lesion], [ZeroFilled()])
    # the ring has about 500 pixels, which know a standard deviation to 3 percent
    assert found.visibility == pytest.approx(25, rel=0.12)
    (twice,) = sweep(scan, full, [replace(lesion, contrast=1)], [ZeroFilled()])
    assert twice.visibility == pytest.approx(2 * found.visibility, rel=1e-3)


def test_nothing_around_it_has_no_visibility():
    scan = Scan.of(fft2c(np.ones((16, 16), np.complex64)))
    full = scan.draw(mask=np.ones(16, bool))
    (found,) = sweep(scan, full, [Lesion(8, 8, size=30)], [ZeroFilled()])
    assert np.isnan(found.visibility)
    assert found.retained == pytest.approx(1, abs=1e-4)
