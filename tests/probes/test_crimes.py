"""Processed data look better, and can be told from measured ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from recon import masks, phantom
from recon.fourier import center_crop, fft2c, ifft2c, magnitude
from recon.kspace import InputError
from recon.measurement import measure, picture
from recon.methods import zero_filled
from recon.metrics import scores
from recon.probes.crimes import asymmetry, commit, inspect, jpeg, zero_padded

SHAPES = [(24, 32), (33, 27), (24, 27), (3, 20, 31)]


def noise(shape, seed=0, dtype=np.complex64):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("factor", [1, 1.5, 2, 3])
def test_zero_padding_interpolates(shape, factor):
    """At a whole factor every old pixel is still there, with new ones between."""
    kspace = noise(shape)
    image = zero_padded(kspace, factor)
    assert image.shape == tuple(round(n * factor) for n in shape[-2:])
    if factor == int(factor):
        old = [(n * factor // 2 - n // 2 * factor) for n in shape[-2:]]
        rows, columns = (np.arange(n) * factor + o for n, o in zip(shape[-2:], old, strict=True))
        np.testing.assert_allclose(
            image[np.ix_(rows, columns)] * factor, magnitude(kspace), rtol=1e-4, atol=1e-5
        )


def test_padding_never_shrinks():
    with pytest.raises(InputError, match="at least 1"):
        zero_padded(noise((8, 8)), 0.5)


@pytest.mark.parametrize("scale", [1e-5, 300.0])
def test_jpeg_loses_more_at_lower_quality(scale):
    image = scale * picture(phantom.kspace((61, 48)))
    errors = [np.abs(jpeg(image, quality) - image).max() / image.max() for quality in (95, 50, 5)]
    assert 0 < errors[0] < errors[1] < errors[2] < 1
    assert errors[0] < 0.05
    assert jpeg(image, 75).dtype == np.float32
    for quality in (0, 96):
        with pytest.raises(InputError, match="quality"):
            jpeg(image, quality)


def test_raw_is_the_plain_experiment_and_the_measure_of_all():
    kspace = phantom.kspace((60, 48), seed=3)
    methods = {"zero-filled": zero_filled, "darker": lambda m: m.zero_filled / 2}
    rows = list(commit(kspace, methods, 3, seed=5))
    versions = ("raw", "magnitude", "zero-padded", "jpeg")
    assert [(r.version, r.method) for r in rows] == [(v, m) for v in versions for m in methods]
    plain = measure(kspace, masks.random_cartesian(48, 3, seed=5), 3).zero_filled
    assert rows[0].scores == scores(picture(kspace), plain)
    assert rows[0].gain == rows[1].gain == rows[0].error_drop == rows[1].error_drop == 0
    for row, raw in zip(rows[2:], rows[:2] * 3, strict=True):
        assert row.gain == row.scores["ssim"] - raw.scores["ssim"]
        drop = 1 - math.sqrt(row.scores["nmse"] / raw.scores["nmse"])
        assert row.error_drop == pytest.approx(drop)


def test_padding_pays():
    """The crime of Shimron et al.: with lines to waste on zeros, every method looks better."""
    kspace = phantom.kspace((96, 96), noise=0.02)
    gains = {
        factor: next(
            r
            for r in commit(kspace, {"zero-filled": zero_filled}, 4, factor=factor)
            if r.version == "zero-padded"
        )
        for factor in (1.25, 2)
    }
    assert gains[2].gain > gains[1.25].gain > 0
    assert gains[2].error_drop > 0.1


def test_all_versions_are_scored_on_the_same_part_of_the_object():
    """Padded beyond 320 pixels, the picture shows the middle; so must the raw one."""
    kspace = phantom.kspace((240, 200), seed=1)
    raw, _, padded, _ = commit(kspace, {"zero-filled": zero_filled}, 4, factor=2)
    plain = measure(kspace, masks.random_cartesian(200, 4), 4).zero_filled
    part = (160, 160)
    assert raw.scores == scores(center_crop(picture(kspace), part), center_crop(plain, part))
    big = fft2c(zero_padded(kspace, 2))
    plain = measure(big, masks.random_cartesian(400, 4), 4).zero_filled
    assert plain.shape == (320, 320)
    assert padded.scores == scores(picture(big), plain)


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
    lopsided[3, 4] = 1  # its partner, at (3, 2), is empty
    assert asymmetry(lopsided) == pytest.approx(1)
    # orthogonal parts real and imaginary, of weights cos and sin, cannot be turned away
    a, b = np.eye(8)[:4].sum(0) * np.ones((8, 1)), np.eye(8)[4:].sum(0) * np.ones((8, 1))
    mixed = fft2c(np.cos(0.3) * a + 1j * np.sin(0.3) * b)
    assert asymmetry(mixed) == pytest.approx(np.sqrt(2) * np.sin(0.3))
    assert asymmetry(1e9 * mixed) == pytest.approx(asymmetry(mixed))


def test_scanner_like_data_pass():
    clues = inspect(phantom.kspace((48, 41)))
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
        clue = inspect(fft2c(picture_.astype(np.complex64)))["asymmetry"]
        assert clue.suspicious
        assert clue.value < 1e-6
        assert "magnitude image" in clue.sentence


@pytest.mark.parametrize("coils", [(), (2,)])
def test_zero_filled_edges_are_counted(coils):
    kspace = noise((*coils, 40, 30))
    kspace[..., :3, :] = 0
    kspace[..., -5:, :] = 0
    kspace[..., -3:] = 0
    kspace[..., 12:15] = 0  # inside: lines that were skipped, not padding
    clue = inspect(kspace)["empty_edges"]
    assert clue.suspicious
    assert clue.value == pytest.approx(8 / 40)
    assert "8 rows and 3 columns" in clue.sentence
    kspace[..., 0, 7] = 1e-20
    kspace[..., -1, 7] = 1e-20
    assert inspect(kspace)["empty_edges"].value == pytest.approx(3 / 30)


def test_nothing_at_all_is_empty():
    assert inspect(np.zeros((4, 6)))["empty_edges"].value == 1


def test_simulated_phase_hides_the_crime():
    """Said in the docstring: no clue is no proof."""
    image = magnitude(phantom.kspace((48, 40)))
    phase = np.exp(1j * np.linspace(0, 4, 40)).astype(np.complex64)
    kspace = fft2c(image * phase)
    assert not inspect(kspace)["asymmetry"].suspicious
    np.testing.assert_allclose(abs(ifft2c(kspace)), image, atol=1e-5)
