"""Whole volumes: the answers of single slices, the scores of fastMRI, in bounded memory."""

import tracemalloc

import numpy as np
import pytest

import recon
from recon import masks, readers, volume
from recon.readers import isolated
from tests.helpers.fastmri import evaluation
from tests.helpers.files import kspace, write_h5

ARGUMENTS = {"acceleration": 3, "seed": 5, "method": "zero-filled"}


@pytest.fixture
def scan(tmp_path):
    """Slices of different brightness, the brightest neither first nor last."""
    stack = kspace(5, 1, 40, 36)[:, 0] * np.array([1, 4, 2, 9, 3])[:, None, None]
    return write_h5(tmp_path / "scan.h5", {"acquisition": "CORPD_FBK"}, kspace=stack)


def same(one: recon.Reconstruction, other: recon.Reconstruction) -> bool:
    records = [{**result.record(), "seconds": 0} for result in (one, other)]
    return records[0] == records[1] and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("image", "zero_filled", "reference", "mask", "kspace_magnitude")
    )


@pytest.mark.parametrize("method", ["zero-filled", "resnet-dc"])
def test_every_slice_is_what_it_is_alone(scan, method):
    run = recon.reconstruct_volume(scan, 4, 1, method)
    results = list(run)
    assert [result.source.slice for result in results] == [0, 1, 2, 3, 4]
    for number, result in enumerate(results):
        assert same(result, recon.reconstruct(recon.read(scan, slice=number), 4, 1, method))


def test_scores_are_those_of_fastmri(scan, monkeypatch):
    run = recon.reconstruct_volume(scan, **ARGUMENTS)
    results = list(run)
    target = np.stack([result.reference for result in results])
    with evaluation(monkeypatch) as evaluate:
        for name, images, scores in (
            ("image", [r.image for r in results], run.scores.metrics),
            ("zero_filled", [r.zero_filled for r in results], run.scores.zero_filled_metrics),
        ):
            for score in ("ssim", "psnr", "nmse"):
                theirs = np.asarray(getattr(evaluate, score)(target, np.stack(images))).item()
                assert scores[score] == pytest.approx(theirs, rel=1e-5), name
    assert run.scores.maximum == target.max()
    assert run.scores.slices == 5
    # and not the mean of what slices say, each with its own maximum
    assert abs(np.mean([r.metrics["ssim"] for r in results]) - run.scores.metrics["ssim"]) > 0.01
    assert run.scores.record()["data_range_from"] == "volume maximum"


@pytest.mark.parametrize("factor", [1e-12, 1e-7, 1e6, 1e12])
def test_a_volume_has_the_same_scores_at_any_scale(tmp_path, factor):
    """The slices keep their brightness among each other, too."""
    stack = kspace(4, 1, 40, 36)[:, 0] * np.array([1, 5, 0.01, 2])[:, None, None]
    runs = [
        recon.reconstruct_volume(write_h5(tmp_path / f"{n}.h5", kspace=scaled), **ARGUMENTS)
        for n, scaled in enumerate((stack, (stack * factor).astype(np.complex64)))
    ]
    plain, scaled = ([result.reference.max() for result in run] for run in runs)
    np.testing.assert_allclose(scaled, np.multiply(plain, factor), rtol=1e-5)
    assert runs[1].scores.maximum == pytest.approx(runs[0].scores.maximum * factor, rel=1e-5)
    assert runs[1].scores.metrics == pytest.approx(runs[0].scores.metrics, rel=1e-4)


def test_the_first_slice_comes_before_the_others_are_looked_at(scan, monkeypatch):
    looked = []
    peaks = volume.Volume.peaks
    monkeypatch.setattr(volume.Volume, "peaks", lambda self: looked.append(1) or peaks(self))
    results = iter(recon.reconstruct_volume(scan, **ARGUMENTS))
    next(results)
    assert not looked
    next(results)
    assert looked == [1]


def test_a_file_is_opened_once_for_its_results_and_once_for_its_maximum(scan, monkeypatch):
    opened = []
    once = isolated.opened
    monkeypatch.setattr(isolated, "opened", lambda *a: opened.append(1) or once(*a))
    list(recon.reconstruct_volume(scan, **ARGUMENTS))
    assert len(opened) == 3  # and once to count its slices
    opened.clear()
    monkeypatch.setattr(readers, "OPEN_FOR", 0)  # a reader whose time is over after each slice
    run = recon.reconstruct_volume(scan, **ARGUMENTS)
    assert [result.source.slice for result in run] == [0, 1, 2, 3, 4]
    assert len(opened) == 11


def test_several_files_are_one_volume(tmp_path):
    stack = kspace(3, 1, 40, 36)[:, 0] * np.array([1, 5, 2])[:, None, None]
    paths = [tmp_path / f"{n}.npy" for n in range(3)]
    for path, plane in zip(paths, stack, strict=True):
        np.save(path, plane)
    run = recon.reconstruct_volume(paths, **ARGUMENTS)
    assert [result.source.name for result in run] == ["0.npy", "1.npy", "2.npy"]
    whole = write_h5(tmp_path / "whole.h5", {"acquisition": "CORPD_FBK"}, kspace=stack)
    together = recon.reconstruct_volume(whole, **ARGUMENTS)
    list(together)
    assert run.scores == together.scores


def test_a_slice_that_cannot_be_read_is_named_and_the_others_are_done(tmp_path):
    stack = kspace(4, 1, 40, 36)[:, 0]
    stack[1] = 0
    stack[2, 3, 3] = np.nan
    path = write_h5(tmp_path / "scan.h5", {"acquisition": "CORPD_FBK"}, kspace=stack)
    run = recon.reconstruct_volume(path, **ARGUMENTS)
    assert [result.source.slice for result in run] == [0, 3]
    assert [number for (_, number), _ in run.problems] == [1, 2]
    assert "zero everywhere" in run.problems[(path, 1), ""]
    assert run.scores.slices == 2
    nothing = write_h5(tmp_path / "zero.h5", {"acquisition": "CORPD_FBK"}, kspace=stack[2:3])
    with pytest.raises(recon.InputError, match="not finite"):
        list(recon.reconstruct_volume(nothing, **ARGUMENTS))


def test_slices_with_missing_lines_are_left_out_of_the_scores_wherever_they_are(tmp_path):
    for lacking in range(3):
        stack = kspace(3, 1, 40, 36)[:, 0]
        stack[lacking, :, 5::4] = 0
        run = recon.reconstruct_volume(
            write_h5(tmp_path / f"{lacking}.h5", kspace=stack), **ARGUMENTS
        )
        assert [result.reference is None for result in run] == [n == lacking for n in range(3)]
        assert run.scores.slices == 2


def test_without_a_reference_there_are_pictures_and_no_scores(tmp_path):
    lines = masks.random_cartesian(36, 4, seed=1)
    stack = masks.apply(kspace(3, 1, 40, 36)[:, 0], lines)
    path = write_h5(tmp_path / "scan.h5", kspace=stack, mask=lines)
    run = recon.reconstruct_volume(path, method="zero-filled")
    assert len(list(run)) == 3
    assert run.scores is None


@pytest.mark.parametrize("given", [bool, float])
def test_a_given_mask_measures_every_slice(scan, given):
    lines = masks.equispaced(36, 3, seed=2)
    run = recon.reconstruct_volume(scan, method="zero-filled", mask=lines.astype(given))
    results = list(run)
    assert len(results) == 5
    for number, result in enumerate(results):
        np.testing.assert_array_equal(result.line_mask, lines)
        alone = recon.reconstruct(recon.read(scan, slice=number), method="zero-filled", mask=lines)
        assert same(result, alone)
    assert run.scores.slices == 5


def test_a_mask_given_with_undersampled_data_is_how_they_were_measured(tmp_path):
    """Also where a line was measured and holds nothing, which the data alone do not say."""
    lines = masks.random_cartesian(36, 3, seed=1)
    stack = masks.apply(kspace(3, 1, 40, 36)[:, 0], lines)
    stack[1, :, np.flatnonzero(lines)[0]] = 0
    path = write_h5(tmp_path / "scan.h5", {"acquisition": "CORPD_FBK"}, kspace=stack)
    run = recon.reconstruct_volume(path, method="zero-filled", mask=lines)
    for number, result in enumerate(run):
        np.testing.assert_array_equal(result.line_mask, lines)
        alone = recon.reconstruct(recon.read(path, slice=number), method="zero-filled", mask=lines)
        assert result.reference is alone.reference is result.metrics is None
        np.testing.assert_array_equal(result.image, alone.image)
    assert run.scores is None
    assert not run.problems


def test_a_mask_that_does_not_fit_is_one_sentence(scan):
    for wrong in (np.ones(35), np.zeros(36), np.full(36, 0.5)):
        with pytest.raises(recon.InputError, match="each of the 36 phase-encode lines"):
            list(recon.reconstruct_volume(scan, method="zero-filled", mask=wrong))


def test_memory_does_not_grow_with_the_number_of_slices(tmp_path):
    def peak(slices: int) -> int:
        path = tmp_path / f"{slices}.h5"
        write_h5(path, {"acquisition": "CORPD_FBK"}, kspace=np.repeat(plane, slices, 0))
        tracemalloc.start()
        for _ in recon.reconstruct_volume(path, **ARGUMENTS):
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    plane = kspace(1, 1, 128, 128)[:, 0]
    peak(1)  # what is loaded when first needed
    assert peak(24) < 1.1 * peak(4)


@pytest.mark.parametrize(
    "wrong",
    [{"acceleration": 0}, {"family": "nope"}, {"seed": -1}, {"center_fraction": 2.0}],
)
def test_what_no_mask_can_have_is_said_before_a_slice_is_read(scan, wrong):
    with pytest.raises(recon.InputError):
        recon.reconstruct_volume(scan, **wrong)


@pytest.mark.parametrize("method", ["magic", ["cs"]])
def test_an_unknown_method_is_one_sentence(scan, method):
    with pytest.raises(recon.InputError, match="no method"):
        recon.reconstruct_volume(scan, method=method)
