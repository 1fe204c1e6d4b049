"""What a reconstruction must be, whatever the method: physics, scale, honesty."""

import dataclasses
import json
import math

import numpy as np
import pytest
import torch

import recon
from recon import masks, phantom, weights
from recon.errors import InputError
from recon.fourier import center_crop, fft2c, ifft2c
from recon.kspace import KSpace, Source
from recon.methods import METHODS
from tests.helpers import files

METRICS = ("ssim", "psnr", "nmse")
ONE_COIL = [name for name in recon.methods() if METHODS[name].coils == "any"]


@pytest.fixture(scope="module")
def kspace() -> np.ndarray:
    return phantom.kspace((96, 80), seed=3)


def test_full_sampling_gives_the_reference_back(kspace):
    result = recon.reconstruct(kspace, acceleration=1, center_fraction=0, method="zero-filled")
    assert result.line_mask.all()
    np.testing.assert_array_equal(result.image, result.reference)
    assert result.metrics["ssim"] == 1
    assert result.metrics["nmse"] == 0
    assert result.achieved_acceleration == 1
    assert result.closed_share == 0


def test_pictures_are_the_masked_inverse_transform(kspace):
    result = recon.reconstruct(kspace, 4, seed=5, method="zero-filled")
    expected = abs(ifft2c(kspace * masks.random_cartesian(80, 4, seed=5)))
    np.testing.assert_allclose(result.zero_filled, expected, atol=1e-6)
    np.testing.assert_allclose(result.reference, abs(ifft2c(kspace)), atol=1e-6)
    np.testing.assert_array_equal(result.mask[0], result.line_mask)
    assert result.mask.shape == (96, 80)
    for picture in (result.mask, result.zero_filled, result.image, result.reference):
        assert picture.dtype == np.float32


@pytest.mark.parametrize("method", ONE_COIL)
def test_no_method_sees_what_was_not_measured(kspace, method):
    result = recon.reconstruct(kspace, 4, method=method)
    other = kspace.copy()
    other[:, ~result.line_mask] = 7 - 3j
    again = recon.reconstruct(other, 4, method=method)
    np.testing.assert_array_equal(result.image, again.image)
    np.testing.assert_array_equal(result.zero_filled, again.zero_filled)


@pytest.mark.parametrize("method", ONE_COIL)
@pytest.mark.parametrize("factor", [1e-7, 1e5])
def test_scale_of_the_data_is_kept(kspace, method, factor):
    one = recon.reconstruct(kspace, 8, method=method)
    scaled = recon.reconstruct(kspace * np.float32(factor), 8, method=method)
    np.testing.assert_allclose(scaled.image / factor, one.image, atol=1e-4)
    assert scaled.metrics["ssim"] == pytest.approx(one.metrics["ssim"], abs=1e-4)


@pytest.mark.parametrize("method", ONE_COIL)
@pytest.mark.parametrize("shape", [(33, 47), (16, 16), (8, 64), (64, 31)])
def test_odd_and_small_sizes(method, shape):
    result = recon.reconstruct(phantom.kspace(shape, seed=1), 2, method=method)
    assert result.image.shape == shape
    assert np.isfinite(result.image).all()
    assert (result.image >= 0).all()


def test_pictures_are_cut_only_where_the_header_says():
    full = phantom.kspace((640, 368), seed=2)
    result = recon.reconstruct(full, 4, method="zero-filled")
    assert result.reference.shape == result.mask.shape == (640, 368)
    told = KSpace(full, Source(size=(320, 320)))
    result = recon.reconstruct(told, 4, method="zero-filled")
    assert result.reference.shape == (320, 320)
    assert result.mask.shape == (640, 368)
    np.testing.assert_allclose(
        result.reference, center_crop(abs(ifft2c(full)), (320, 320)), atol=1e-6
    )
    whole = recon.reconstruct(told, 4, method="zero-filled", crop=False)
    assert whole.image.shape == (640, 368)


@pytest.mark.parametrize("shape", [(384, 384), (512, 512), (640, 320)])
def test_larger_pictures_keep_their_edge(shape):
    result = recon.reconstruct(phantom.kspace(shape, seed=2), 4, method="zero-filled")
    assert result.image.shape == result.reference.shape == shape


@pytest.mark.parametrize("method", ONE_COIL)
def test_rows_are_columns_of_the_transposed_slice(kspace, method):
    rows = recon.reconstruct(kspace, 4, method=method, phase_encode="rows")
    columns = recon.reconstruct(np.ascontiguousarray(kspace.T), 4, method=method)
    for name in ("mask", "zero_filled", "image", "reference", "kspace_magnitude"):
        np.testing.assert_allclose(getattr(rows, name), getattr(columns, name).T, atol=1e-6)
    assert rows.metrics["nmse"] == pytest.approx(columns.metrics["nmse"], rel=1e-4)


def coils_of(kspace: np.ndarray, weights: list[complex]) -> np.ndarray:
    return np.stack([np.complex64(w) * kspace for w in weights])


def test_coil_combinations_agree_where_they_must(kspace):
    """Coils that differ by a factor alone hold one image: all combinations show it."""
    weights = [3, 4j, -12]  # root-sum-of-squares 13
    full = coils_of(kspace, weights)
    single = recon.reconstruct(kspace, 4, method="zero-filled")
    rss = recon.reconstruct(full, 4, method="zero-filled", coils="rss")
    svd = recon.reconstruct(full, 4, method="zero-filled", coils="svd")
    third = recon.reconstruct(full, 4, method="zero-filled", coils=2)
    for result, factor in ((rss, 13), (svd, 13), (third, 12)):
        np.testing.assert_allclose(result.image / factor, single.image, atol=1e-5)
        np.testing.assert_allclose(result.reference / factor, single.reference, atol=1e-5)
        np.testing.assert_allclose(
            result.kspace_magnitude / factor, single.kspace_magnitude, atol=1e-4
        )


def test_virtual_coil_depends_on_measured_lines_only(kspace):
    rng = np.random.default_rng(0)
    full = np.stack([kspace, fft2c(ifft2c(kspace) * rng.random((96, 80)))]).astype(np.complex64)
    one = recon.reconstruct(KSpace(full), 4, method="zero-filled", coils="svd")
    full[..., ~one.line_mask] = 5
    two = recon.reconstruct(KSpace(full), 4, method="zero-filled", coils="svd")
    np.testing.assert_array_equal(one.image, two.image)


def test_undersampled_data_keep_their_mask_and_have_no_scores(kspace):
    lines = masks.random_cartesian(80, 4, seed=9)
    measured = KSpace(masks.apply(kspace, lines), Source(mask=lines))
    result = recon.reconstruct(measured, 8, seed=1, method="zero-filled", phase_encode="rows")
    np.testing.assert_array_equal(result.line_mask, lines)
    assert result.reference is None
    assert result.metrics is None
    assert result.zero_filled_metrics is None
    assert result.closed_share is None
    assert result.seed is None
    assert result.acceleration == result.achieved_acceleration == 80 / lines.sum()


@pytest.mark.parametrize(
    ("volume_maximum", "used"),
    [
        (1.5, "volume maximum"),
        (0.5, "slice maximum"),
        (1e6, "slice maximum"),
        (None, "slice maximum"),
    ],
)
def test_data_range_is_the_volumes_where_the_file_knows_it(kspace, volume_maximum, used):
    highest = abs(ifft2c(kspace)).max()
    attrs = {} if volume_maximum is None else {"max": float(volume_maximum * highest)}
    result = recon.reconstruct(KSpace(kspace, Source(attrs=attrs)), 4, method="zero-filled")
    assert result.data_range_from == used
    assert result.data_range == pytest.approx(
        attrs["max"] if used == "volume maximum" else highest, rel=1e-6
    )


def test_file_maximum_does_not_apply_to_a_single_coil(kspace):
    full = KSpace(coils_of(kspace, [1, 0.5]), Source(attrs={"max": 2.0}))
    assert recon.reconstruct(full, 4, method="zero-filled").data_range_from == "volume maximum"
    one = recon.reconstruct(full, 4, method="zero-filled", coils=1)
    assert one.data_range_from == "slice maximum"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"method": "magic"}, "no method"),
        ({"seed": -1}, "seed"),
        ({"acceleration": 0.5}, "at least 1"),
        ({"acceleration": math.inf}, "at least 1"),
        ({"acceleration": 8, "center_fraction": 0.3}, "at most 0.125"),
        ({"phase_encode": "diagonal"}, "columns"),
        ({"family": "spiral"}, "random, equispaced"),
        ({"mask": np.ones(7, bool)}, "one value, 0 or 1, for each of the 80"),
        ({"mask": np.zeros(80, bool)}, "measures one of them at least"),
        ({"mask": np.ones((2, 80), bool)}, "one value, 0 or 1"),
        ({"mask": np.full(80, np.nan)}, "one value, 0 or 1"),
        ({"mask": np.full(80, 0.5)}, "one value, 0 or 1"),
        ({"mask": "1" * 80}, "one value, 0 or 1"),
        ({"mask": [[1], [2, 3]]}, "one value, 0 or 1"),
        ({"seed": 0.5}, "seed"),
        ({"coils": "banana"}, "'rss', 'svd' or the number 0"),
        ({"coils": 1}, "the number 0"),
        ({"coils": np.array([0, 1])}, "'rss', 'svd' or the number 0"),
        ({"coils": np.array("rss")}, "'rss', 'svd' or the number 0"),
        ({"method": ["cs"]}, "no method"),
        ({"phase_encode": np.array(["rows", "columns"])}, "columns"),
        *(
            ({"crop": crop}, "height and width")
            for crop in ((-3, 3), (0, 3), ("a", "b"), (3, 3, 3), (3,), (3.5, 3), (True, 3), [9, 9])
        ),
    ],
)
def test_bad_arguments_get_a_sentence(kspace, arguments, words):
    with pytest.raises(recon.InputError, match=words):
        recon.reconstruct(kspace, **arguments)


def test_pictures_are_cut_to_a_size_of_ones_own(kspace):
    for way in ("columns", "rows"):
        result = recon.reconstruct(
            kspace, method="zero-filled", phase_encode=way, crop=(40, np.int64(30))
        )
        expected = center_crop(abs(ifft2c(kspace)), (40, 30))
        np.testing.assert_allclose(result.reference, expected, atol=1e-6)


def test_coil_images_of_virtual_coils_are_those_of_virtual_coils(kspace):
    full = coils_of(kspace, [1, 2j, 0.5])  # all alike: one virtual coil holds their energy
    result = recon.reconstruct(full, method="zero-filled", coils="svd", coil_images=True)
    assert result.coil_images.shape == (1, 96, 80)


def test_what_json_does_not_know_is_none(kspace):
    result = recon.reconstruct(kspace, 4, method="zero-filled")
    broken = dataclasses.replace(
        result, image=result.image * np.float32(np.nan), metrics=dict.fromkeys(METRICS, math.nan)
    )
    record = json.loads(json.dumps(broken.record(), allow_nan=False))
    assert [record[name] for name in (*METRICS, "closed_share")] == [None] * 4


def test_numbers_of_numpy_are_ready_for_json(kspace):
    for acceleration, fraction in ((np.int64(4), None), (np.float32(4), np.float32(0.08))):
        result = recon.reconstruct(
            kspace, acceleration, np.int64(0), "zero-filled", center_fraction=fraction
        )
        assert json.loads(json.dumps(result.record()))["acceleration"] == 4


@pytest.mark.parametrize("shape", [(1, 48), (6, 48), (64, 6)])
def test_pictures_too_small_for_ssim_get_a_sentence(shape):
    with pytest.raises(recon.InputError, match="7 x 7"):
        recon.reconstruct(np.ones(shape, np.complex64), method="zero-filled")


@pytest.mark.parametrize("bad", [np.zeros((32, 32)), np.full((32, 32), np.nan), np.ones(32)])
def test_bad_arrays_get_a_sentence(bad):
    with pytest.raises(recon.InputError):
        recon.reconstruct(bad)


def test_coil_out_of_range(kspace):
    with pytest.raises(recon.InputError, match="0 to 1"):
        recon.reconstruct(coils_of(kspace, [1, 1]), coils=2)


@pytest.mark.parametrize("family", masks.FAMILIES)
def test_mask_families(kspace, family):
    result = recon.reconstruct(kspace, 4, 3, "zero-filled", family=family)
    np.testing.assert_array_equal(result.line_mask, masks.FAMILIES[family](80, 4, None, 3))
    assert result.record()["mask_family"] == family
    again = masks.FAMILIES[family](80, 4, result.record()["center_fraction"], 3)
    np.testing.assert_array_equal(result.line_mask, again)


def test_a_mask_of_ones_own(kspace):
    lines = masks.random_cartesian(80, 4, seed=3)
    own = recon.reconstruct(kspace, mask=lines, method="zero-filled")
    drawn = recon.reconstruct(kspace, 4, 3, "zero-filled")
    np.testing.assert_array_equal(own.image, drawn.image)
    assert own.metrics == drawn.metrics
    assert own.acceleration == drawn.achieved_acceleration
    assert (own.seed, own.sampling.family, own.sampling.center_fraction) == (None, None, None)
    rows = recon.reconstruct(kspace, mask=np.ones(96, bool), method="cs", phase_encode="rows")
    np.testing.assert_allclose(rows.image, rows.reference, atol=1e-5)


def test_same_seed_same_result(kspace):
    one, two, other = (
        recon.reconstruct(kspace, 4, seed=s, method="zero-filled") for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.image, two.image)
    assert (one.line_mask != other.line_mask).any()


@pytest.mark.parametrize("acceleration", [4, 8])
def test_data_consistency_keeps_what_was_measured(kspace, acceleration):
    """The published network, on the complex image it makes before the magnitude is taken."""
    network = weights.Store().load(weights.Store().nearest("resnet-dc", acceleration))
    mask = masks.random_cartesian(80, acceleration, seed=1)
    measured = masks.apply(kspace, mask)
    scale = np.float32(abs(ifft2c(measured)).max())
    with torch.inference_mode():
        image = network(torch.from_numpy(measured / scale)[None], torch.from_numpy(mask)[None])
    residual = mask * (fft2c(image[0].numpy()) * scale - measured)
    assert np.linalg.norm(residual) < 1e-5 * np.linalg.norm(measured)


def test_data_consistent_network_treats_coils_one_by_one(kspace):
    full = coils_of(kspace, [3, 4j])
    one = recon.reconstruct(kspace, 4, method="resnet-dc")
    both = recon.reconstruct(full, 4, method="resnet-dc")
    # factors of a coil's phase may change what a network makes of it, but not by much
    assert np.abs(both.image / 5 - one.image).mean() < 0.02
    first = recon.reconstruct(full, 4, method="resnet-dc", coils=0)
    np.testing.assert_allclose(first.image / 3, one.image, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "coils"),
    [*((name, 3) for name in recon.methods()), *((name, 1) for name in ONE_COIL)],
)
def test_the_scale_of_the_numbers_changes_nothing_else(method, coils):
    stack = files.kspace(1, 3, 64, 72)[0]
    kspace, options = stack[0], {}
    if coils > 1:  # of whose middle the maps are made
        kspace, options = stack, {"family": "calibrated", "center_fraction": 0.3}
    plain = recon.reconstruct(kspace, 4, 0, method, **options)
    # Powers of two: any other scale rounds what it multiplies, and SENSE amplifies that.
    for exponent in (-96, -66, -50, -40, -27, -13, 17, 27, 40, 50, 66, 90):
        scale = 2.0**exponent
        result = recon.reconstruct(kspace * np.float32(scale), 4, 0, method, **options)
        for name in ("zero_filled", "image", "reference", "kspace_magnitude"):
            wanted = getattr(plain, name)
            error = np.linalg.norm(getattr(result, name) / scale - wanted)
            assert error < 1e-4 * np.linalg.norm(wanted), (name, exponent)
        assert result.metrics == pytest.approx(plain.metrics, rel=1e-4), exponent
        assert result.data_range / scale == pytest.approx(plain.data_range, rel=1e-5)


@pytest.mark.parametrize("scale", [1e-12, 1e-4, 1, 1e5, 1e12])
def test_a_volume_maximum_is_on_the_scale_of_the_numbers(scale):
    stack = files.kspace(1, 3, 64, 72)[0] * np.float32(scale)
    highest = float(recon.reconstruct(stack, method="zero-filled").reference.max())
    source = Source(attrs={"max": 1.5 * highest})
    result = recon.reconstruct(recon.KSpace(stack, source), method="zero-filled")
    assert result.data_range == pytest.approx(1.5 * highest, rel=1e-6)
    assert result.data_range_from == "volume maximum"


@pytest.mark.parametrize("scale", [1e-33, 1e35])
def test_numbers_at_the_ends_of_float32_are_refused(scale):
    with pytest.raises(InputError, match="from 1e-30 to 1e\\+30 is accepted"):
        recon.reconstruct(phantom.kspace((48, 40)) * np.float32(scale))
