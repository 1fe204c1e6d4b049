"""Processed data look better than measured ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from recon import masks, phantom
from recon.errors import InputError
from recon.fourier import fft2c, magnitude
from recon.kspace import KSpace, Source
from recon.measurement import measure, picture
from recon.methods import ZeroFilled
from recon.metrics import scores
from recon.probes.crimes import commit, jpeg, zero_padded
from recon.scan import Scan
from tests.helpers.methods import FunctionMethod
from tests.helpers.noise import noise

SHAPES = [(24, 32), (33, 27), (24, 27), (3, 20, 31)]


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
            image[np.ix_(rows, columns)], magnitude(kspace), rtol=1e-4, atol=1e-5
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
    methods = [ZeroFilled(), FunctionMethod(lambda m: m.zero_filled / 2, "darker")]
    rows = list(commit(Scan.of(kspace), methods, 3, seed=5))
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
    scan = Scan.of(phantom.kspace((96, 96), noise=0.02))
    gains = {
        factor: next(
            r for r in commit(scan, [ZeroFilled()], 4, factor=factor) if r.version == "zero-padded"
        )
        for factor in (1.25, 2)
    }
    assert gains[2].gain > gains[1.25].gain > 0
    assert gains[2].error_drop > 0.1


def test_all_versions_show_the_same_part_of_the_object():
    """In an interpolated picture that part has more pixels, and none of the raw one is cut off."""
    kspace = phantom.kspace((240, 200), seed=1)
    raw, _, padded, _ = commit(Scan.of(kspace), [ZeroFilled()], 4, factor=2)
    plain = measure(kspace, masks.random_cartesian(200, 4), 4).zero_filled
    assert raw.scores == scores(picture(kspace), plain)
    big, size = fft2c(zero_padded(kspace, 2)), (480, 400)
    plain = measure(big, masks.random_cartesian(400, 4), 4, size).zero_filled
    assert plain.shape == size
    assert padded.scores == scores(picture(big, size), plain)


def test_a_crop_grows_with_the_picture():
    seen = []

    def method(measurement):
        seen.append(measurement.zero_filled)
        return measurement.zero_filled

    scan = Scan.of(phantom.kspace((96, 80), seed=1), crop=(64, 90))
    list(commit(scan, [FunctionMethod(method)], 1, center_fraction=1, factor=2))
    assert [image.shape for image in seen] == [(64, 80), (64, 80), (128, 160), (64, 80)]
    np.testing.assert_allclose(seen[1], seen[0], atol=1e-5)
    np.testing.assert_allclose(seen[2][::2, ::2], seen[0], atol=1e-5)


@pytest.mark.parametrize("coils", ["rss", "svd", 1])
def test_all_versions_are_judged_by_one_range(coils):
    """The volume's maximum, or of a coil alone, which has no such maximum, the slice's."""
    kspace = np.stack([phantom.kspace((60, 48), seed=s) for s in (1, 2)])
    limit = 2.5 * float(picture(kspace).max())
    pictures = []

    def method(measurement):
        pictures.append(measurement.zero_filled)
        return measurement.zero_filled

    source = Source(attrs={"max": limit})
    scan = Scan.of(KSpace(kspace, source), coils=coils)
    found = list(commit(scan, [FunctionMethod(method)], 3))
    plain = magnitude(scan.kspace)
    full = (plain, zero_padded(scan.kspace, 1.5), jpeg(plain, 75))
    truths = [picture(scan.kspace), *(picture(fft2c(image)) for image in full)]
    for one, truth, image in zip(found, truths, pictures, strict=True):
        exact = scores(truth, image, float(truth.max()) if coils == 1 else limit)
        assert one.scores == pytest.approx(exact, abs=1e-6)
