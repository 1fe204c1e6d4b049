"""Scans whose files measured noise: their coils' noise is alike, and they gain by it."""

from __future__ import annotations

import numpy as np
import pytest

import recon
from recon import masks
from recon.coils.whitening import of_readouts
from recon.kspace import KSpace, Source
from recon.scan import WHITENED, Scan
from tests.helpers.coils import seen

SHAPE, COILS = (48, 40), 4


@pytest.fixture(scope="module")
def mixing() -> np.ndarray:
    """Two coils hear half of each other's noise, and one is six times as loud."""
    matrix = 0.02 * np.eye(COILS, dtype=complex)
    matrix[1, 0] = 0.01j
    matrix[3] *= 6
    return matrix


def noise(mixing: np.ndarray, shape: tuple[int, ...], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    white = rng.standard_normal((COILS, *shape, 2)) @ [1, 1j]
    return np.tensordot(mixing, white, 1) * np.abs(clean()).max()


def clean() -> np.ndarray:
    return seen(COILS, SHAPE, 0)


@pytest.fixture(scope="module")
def covariance(mixing) -> np.ndarray:
    found = of_readouts([noise(mixing, (5000,), 99)], COILS)[1]
    assert found is not None
    return found


def test_noise_is_white_and_as_strong_as_before(mixing, covariance):
    def whitened(data):
        return Scan.of(KSpace(data, Source(noise_covariance=covariance))).kspace

    silent = noise(mixing, SHAPE, 1).astype(np.complex64)
    data = clean() + silent
    scan = Scan.of(KSpace(data, Source(noise_covariance=covariance)))
    unit = np.float32(scan.unit)
    found = (scan.kspace * unit - whitened(clean()) * Scan.of(clean()).unit).reshape(COILS, -1)
    psi = found @ found.conj().T / found.shape[1]
    level = np.trace(psi).real / COILS
    assert level == pytest.approx(np.mean(np.abs(silent) ** 2), rel=0.1)
    np.testing.assert_allclose(psi / level, np.eye(COILS), atol=0.12)
    assert scan.source.notes == (WHITENED,)


def test_one_coil_and_what_cannot_be_whitened_stay_as_they_are(covariance):
    data = clean()
    for wish, given in ((2, covariance), ("rss", np.diag([1, 1, 1, 0])), ("rss", np.eye(3))):
        scan = Scan.of(KSpace(data, Source(noise_covariance=given)), coils=wish)
        wanted = data if wish == "rss" else data[wish]
        np.testing.assert_allclose(scan.kspace * np.float32(scan.unit), wanted, rtol=1e-6)
        assert scan.source.notes == ()


@pytest.mark.parametrize("method", ["zero-filled", "sense"])
def test_pictures_of_whitened_coils_have_less_noise(mixing, covariance, method):
    """Relative to themselves, for sensitive coils weigh otherwise; lines are every second one."""
    mask = masks.calibrated(SHAPE[1], 2, 16 / SHAPE[1], 0)
    spread = {}
    for known in (None, covariance):
        pictures = [
            recon.reconstruct(
                KSpace(clean() + noise(mixing, SHAPE, seed) / 10, Source(noise_covariance=known)),
                method=method,
                mask=mask,
            ).image
            for seed in range(6)
        ]
        mean = np.mean(pictures, 0)
        inside = mean > 0.3 * mean.max()
        spread[known is None] = float(np.mean((np.std(pictures, 0) / mean)[inside]))
    assert spread[False] < 0.8 * spread[True]
