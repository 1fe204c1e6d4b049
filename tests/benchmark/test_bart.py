"""BART, where it is installed: same conventions, same scale, sensible results."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from recon import masks, metrics, phantom
from recon.benchmark import bart
from recon.measurement import Measurement, measure, picture
from tests.helpers.coils import seen

installed = pytest.mark.skipif(bart.version() is None, reason="BART is not installed")


def measured(shape: tuple[int, int], factor: complex = 1) -> Measurement:
    kspace = np.complex64(factor) * phantom.kspace(shape, seed=1)
    return measure(kspace, masks.random_cartesian(shape[1], 4, seed=2), 4)


def test_files_are_column_major(tmp_path):
    array = np.arange(6, dtype=np.complex64).reshape(2, 3) * (1 + 2j)
    bart.write_cfl(tmp_path / "a", array)
    stored = np.fromfile(tmp_path / "a.cfl", np.complex64)
    np.testing.assert_array_equal(stored, array.T.ravel())
    (tmp_path / "a.hdr").write_text("# Dimensions\n2 3 1 1 1 1 1 1\n")
    np.testing.assert_array_equal(bart.read_cfl(tmp_path / "a"), array)


@installed
@pytest.mark.parametrize("shape", [(48, 48), (47, 48), (48, 47), (33, 35)])
def test_without_regularisation_it_is_the_zero_filled_image(shape):
    measurement = measured(shape)
    image, seconds = bart.pics(measurement, "wavelet", 0, iterations=40)
    np.testing.assert_allclose(image, measurement.zero_filled, atol=1e-3 * image.max())
    assert image.dtype == np.float32
    assert seconds > 0


@installed
@pytest.mark.parametrize("regularizer", list(bart.REGULARIZERS))
def test_it_improves_a_phantom_and_keeps_the_scale(regularizer):
    reference = picture(phantom.kspace((128, 120), seed=1))
    measurement = measured((128, 120))
    image, _ = bart.pics(measurement, regularizer, 0.01)
    before = metrics.ssim(reference, measurement.zero_filled)
    assert metrics.closed_share(metrics.ssim(reference, image), before) > 0.1
    scaled, _ = bart.pics(measured((128, 120), 1000), regularizer, 0.01)
    np.testing.assert_allclose(scaled / 1000, image, atol=1e-2 * image.max())


@installed
def test_coils_are_combined_by_root_sum_of_squares():
    measurement = measured((32, 32))
    coils = np.stack([3 * measurement.kspace, 4j * measurement.kspace]).astype(np.complex64)
    both, _ = bart.pics(measure(coils, measurement.mask, 4), "tv", 0.01, iterations=20)
    one, _ = bart.pics(measurement, "tv", 0.01, iterations=20)
    np.testing.assert_allclose(both / 5, one, atol=1e-2 * one.max())


@installed
@pytest.mark.parametrize(
    "method", [partial(bart.sense, regularization=0.001), partial(bart.nlinv, steps=8)]
)
def test_with_several_coils_it_unfolds_what_is_folded_and_keeps_the_scale(method):
    kspace = seen(6, (64, 64))
    reference = picture(kspace)

    def error(factor: float) -> np.ndarray:
        measurement = measure(factor * kspace, masks.calibrated(64, 2, 16 / 64, offset=0), 2)
        assert metrics.nmse(reference, measurement.zero_filled / factor) > 0.005
        image: np.ndarray = method(measurement)
        return image / factor - reference

    assert (error(1) ** 2).sum() < 0.004 * (reference**2).sum()
    np.testing.assert_allclose(error(1000), error(1), atol=1e-2 * reference.max())


def test_without_bart_there_is_one_sentence(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert bart.version() is None
    with pytest.raises(RuntimeError, match="not installed"):
        bart.pics(measured((16, 16)), "tv", 0.01)
