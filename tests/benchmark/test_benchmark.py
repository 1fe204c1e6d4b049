"""The benchmark on made data: right slices, right numbers, right files."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import replace

import nibabel
import numpy as np
import pytest
import torch
from torch import nn

from recon import datasets, masks, metrics, models, phantom, weights
from recon.benchmark import __main__ as command
from recon.benchmark import bart
from recon.benchmark.contenders import Contender, contenders, multiply_adds
from recon.benchmark.report import made_of, read_csv, refresh, write_csv
from recon.benchmark.scoring import Row, best_setting, interval, replaced, summary
from recon.benchmark.sets import ACCELERATIONS, NOISE, QUICK, groups, measured, simulated
from recon.errors import InputError
from recon.measurement import measure, picture
from recon.methods.networks import method_of
from tests.helpers.data import blobs

SHAPE = (64, 72)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two test patients in the layout of open_ms, and measured k-space beside them."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for patient, names in (("19", ("study1_T1W", "study2_FLAIR")), ("20", ("study1_T1W",))):
        for name in names:
            volume = np.stack([blobs(rng, SHAPE) for _ in range(4)])
            path = root / f"open_ms_data/longitudinal/raw/patient{patient}/{name}.nii.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            nibabel.save(nibabel.Nifti1Image(volume.transpose(2, 1, 0), np.eye(4)), path)
    low = root / "real_kspace/ultra_low_field"
    low.mkdir(parents=True)
    np.savez(root / "real_kspace/high.npz", kspace=phantom.kspace((48, 40)))
    for number in range(2):
        stack = np.stack([phantom.kspace((32, 40), seed=5 * number + s) for s in range(5)])
        np.savez(low / f"low{number}.npz", kspace=stack[:, None])
    return root


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """A small network of each kind, for both accelerations and for one each, and an original."""
    root = tmp_path_factory.mktemp("checkpoints")
    small = {"features": 4, "coarse": 4, "memory": 1, "steps": 1}
    for name, rate, options in (
        ("resnet-4x", 4.0, {"features": 4, "blocks": [2]}),
        ("resnet-8x", 8.0, {"features": 4, "blocks": [2]}),
        ("resnet-4x-original", 4.0, {"features": 4, "blocks": [2]}),
        ("resnet-dc", None, small),
    ):
        torch.manual_seed(len(name))
        architecture = "resnet-dc" if rate is None else "resnet"
        network = models.build(architecture, **options)
        for tensor in network.parameters():
            nn.init.normal_(tensor, std=0.05)
        protocol = "original" if name.endswith("original") else "ours"
        config = weights.Config(architecture, rate, options=options, protocol=protocol)
        weights.Store(root).save(name, network, config)
    return root


@pytest.fixture(scope="module")
def written(folder, checkpoints, tmp_path_factory):
    """What the README's command wrote, of a handful of slices."""
    out = tmp_path_factory.mktemp("out")
    text = command.README.read_text("utf-8")
    (line,) = re.findall(r"python -m recon\.benchmark (--data [^`]*--readme)`", text)
    words = [*line.replace("FOLDER", str(folder)).split(), "--quick"]
    words += ["--checkpoints", checkpoints, "--out", out]
    (out / "README.md").write_text("<!-- benchmark -->\n<!-- /benchmark -->\n")
    with pytest.MonkeyPatch.context() as patch:  # to save time: small costs, few settings
        patch.setattr(command, "README", out / "README.md")
        patch.setattr("recon.benchmark.contenders.SIDE", 64)
        patch.setattr("recon.benchmark.contenders.REGULARIZATIONS", (0.01, 0.02))
        assert command.main([str(word) for word in words]) == 0
    return out


def rows_of(written) -> list[dict[str, str]]:
    with (written / "benchmark.csv").open() as file:
        return list(csv.DictReader(file))


def made_rows(subjects: dict[str, dict[str, list[tuple[float, float]]]]) -> list[Row]:
    """Rows of zero-filled and "ours" from (before, after) pairs of SSIM."""
    return [
        Row("s", "random", 4, subject, volume, n, n, 4, method, None, ssim, 20, 0.1, 0.1)
        for subject, volumes in subjects.items()
        for volume, pairs in volumes.items()
        for n, pair in enumerate(pairs)
        for method, ssim in zip(("zero-filled", "ours"), pair, strict=True)
    ]


def test_slices_are_those_of_training_and_the_table_before(folder):
    volumes = datasets.load(folder, "test")
    cases = simulated(volumes, 4, every=1)
    places = [(volume, index) for volume in volumes for index in range(len(volume.slices))]
    for case, place in zip(cases, places, strict=True):
        scan, sampling = datasets.fixed_scan(*place, 4, NOISE)
        np.testing.assert_array_equal(case.sampling.mask, sampling.mask)
        np.testing.assert_array_equal(case.scan.kspace, scan.kspace)
        np.testing.assert_array_equal(case.scan.truth, scan.truth)


@pytest.mark.parametrize(("every", "slices"), [(1, [0, 1, 2, 3]), (2, [1, 3]), (99, [2])])
def test_every_nth_slice_and_one_of_each_volume_at_least(folder, every, slices):
    cases = simulated(datasets.load(folder, "test"), 4, every)
    assert [case.slice for case in cases] == 3 * slices


@pytest.mark.parametrize("family", ["equispaced", "low-pass"])
def test_an_unusual_mask_changes_nothing_but_the_mask(folder, family):
    volumes = datasets.load(folder, "test")
    for usual, other in zip(
        simulated(volumes, 4, 4), simulated(volumes, 4, 4, family), strict=True
    ):
        np.testing.assert_array_equal(usual.scan.truth, other.scan.truth)
        both = usual.measurement.mask & other.measurement.mask
        np.testing.assert_array_equal(
            usual.measurement.kspace[:, both], other.measurement.kspace[:, both]
        )
        if family == "low-pass":
            np.testing.assert_array_equal(other.measurement.mask, masks.low_pass(72, 4))


def test_added_noise_is_in_the_measurement_and_not_in_the_reference(folder):
    volumes = datasets.load(folder, "test")
    for case, noisy in zip(
        simulated(volumes, 4, 1), simulated(volumes, 4, 1, added_noise=0.05), strict=True
    ):
        np.testing.assert_array_equal(case.scan.truth, noisy.scan.truth)
        lines = case.measurement.mask
        np.testing.assert_array_equal(lines, noisy.measurement.mask)
        change = (noisy.measurement.kspace - case.measurement.kspace)[:, lines]
        expected = 0.05 * case.scan.truth.max()
        assert change.real.std() == pytest.approx(expected, rel=0.1)
        assert change.imag.std() == pytest.approx(expected, rel=0.1)


def test_measured_files_of_one_slice_get_several_masks(folder):
    real = folder / "real_kspace"
    one = measured([real / "high.npz"], 4, seeds=3)
    assert [(case.slice, case.sampling.seed) for case in one] == [(0, 0), (0, 1), (0, 2)]
    many = measured(sorted((real / "ultra_low_field").glob("*")), 4, seeds=3)
    assert [(c.subject, c.slice, c.sampling.seed) for c in many] == [
        (f"low{n}", s, 0) for n in range(2) for s in range(5)
    ]
    np.testing.assert_array_equal(many[6].measurement.mask, masks.random_cartesian(40, 4, seed=0))
    np.testing.assert_allclose(many[6].scan.truth, picture(phantom.kspace((32, 40), seed=6)))


def test_all_groups(folder):
    found = groups(folder, folder / "real_kspace", QUICK)
    keys = [(group.set, group.condition, group.acceleration) for group in found]
    assert len(keys) == len(set(keys)) == 2 * (3 + len(masks.FAMILIES) - 1 + 2)
    assert all(group.cases for group in found)
    assert len(groups(folder, None, QUICK)) == len(found) - 4


def test_folder_without_measured_files_gets_a_sentence(folder, tmp_path):
    with pytest.raises(InputError, match="holds no"):
        groups(folder, tmp_path, QUICK)


def test_everyone_who_can_takes_part(checkpoints, tmp_path):
    names = [one.name for one in contenders(checkpoints)]
    untrained = ["zero-filled", "cs"]
    untrained += [f"bart-{name}" for name in bart.REGULARIZERS if bart.version()]
    assert names == [*untrained, "resnet", "resnet-dc", "resnet-original"]
    assert [one.name for one in contenders(tmp_path)] == untrained


def test_networks_are_those_of_the_acceleration(checkpoints):
    found = {one.name: one for one in contenders(checkpoints)}
    kspace = phantom.kspace((48, 40))
    for name, rate, checkpoint in (
        ("resnet", 4, "resnet-4x"),
        ("resnet", 8, "resnet-8x"),
        ("resnet-original", 4, "resnet-4x-original"),
    ):
        measurement = measure(kspace, masks.random_cartesian(40, rate), rate)
        network = weights.Store(checkpoints).load(checkpoint)
        np.testing.assert_array_equal(
            found[name].reconstruct(measurement, 0), method_of(network)(measurement)
        )


def test_a_network_that_goes_on_from_another_costs_both():
    found = {one.name: one for one in contenders(None)}
    assert found["resnet-dc-denoised"].networks[:1] == found["resnet-dc"].networks
    assert len(found["resnet-dc-denoised"].networks) == 2


def test_multiply_adds_of_a_convolution():
    """3x3 kernels, 1 to 4 to 4 to 4 to 1 maps: every output pixel takes 9 per pair of maps."""
    network = models.build("resnet", features=4, blocks=(2,))
    assert multiply_adds(network, 20) == 20 * 20 * 9 * (4 + 16 + 16 + 4)


@pytest.mark.parametrize("start", [1.0, 3.0, 6.0])
def test_the_best_setting_is_found_from_anywhere(folder, start):
    cases = simulated(datasets.load(folder, "test"), 4, 4)
    asked = []

    def reconstruct(measurement, setting: float) -> np.ndarray:
        asked.append(setting)
        truth = next(c.scan.truth for c in cases if c.measurement is measurement)
        return truth * (1 + abs(setting - 4))

    one = Contender("x", "x", reconstruct, (1.0, 2.0, 3.0, 4.0, 5.0, 6.0))
    assert best_setting(one, cases, start) == 4
    assert len(asked) == len(set(asked)) * len(cases)  # nothing is tried twice


def test_summary_is_of_mean_ssims():
    rows = made_rows({"a": {"v": [(0.2, 0.6), (0.6, 0.8)]}, "b": {"v": [(0.7, 0.7)]}})
    found = summary(rows, "ours")
    assert found.slices == 3
    assert found.ssim == pytest.approx(0.7)
    assert found.closed == pytest.approx((0.7 - 0.5) / (1 - 0.5))
    assert summary(rows, "zero-filled").closed == 0


def test_interval_spans_the_subjects_and_not_less():
    """Two subjects, one volume each: a quarter of the draws is either subject alone."""
    rows = made_rows({"a": {"v": [(0.5, 0.6)] * 9}, "b": {"v": [(0.5, 0.9)] * 9}})
    ours = [row for row in rows if row.method == "ours"]
    before = [row for row in rows if row.method == "zero-filled"]
    assert interval(ours, before) == pytest.approx((0.2, 0.8))
    # one subject has no spread between subjects, but one between its volumes
    rows = made_rows({"a": {"v": [(0.5, 0.6)], "w": [(0.5, 0.9)], "x": [(0.5, 0.75)]}})
    low, high = interval(rows[1::2], rows[::2])
    assert (low, high) == pytest.approx((0.2, 0.8))


def test_scores_in_the_file_are_computed_directly(written, folder, checkpoints):
    rows = rows_of(written)
    found = groups(folder, folder / "real_kspace", QUICK)
    cases = {
        (g.set, g.condition, g.acceleration, c.subject, c.volume, c.slice, c.sampling.seed): c
        for g in found
        for c in g.cases
    }
    names = {row["method"] for row in rows}
    assert len(rows) == len(cases) * len(names)
    tried = {one.name: one for one in contenders(checkpoints)}
    for row in rows[:: max(1, len(rows) // 40)]:
        numbers = [row[key] for key in ("acceleration", "slice", "seed")]
        rate, slice_, seed = (float(number) for number in numbers)
        case = cases[
            row["set"], row["condition"], rate, row["subject"], row["volume"], slice_, seed
        ]
        image = tried[row["method"]].reconstruct(case.measurement, float(row["setting"] or 0))
        exact = metrics.scores(case.scan.truth, image)
        for key, value in exact.items():
            assert float(row[key]) == pytest.approx(value, rel=1e-4), (row, key)
        assert float(row["achieved_acceleration"]) == pytest.approx(
            case.measurement.mask.size / case.measurement.mask.sum()
        )


def test_report_says_what_the_file_holds(written, checkpoints):
    rows = rows_of(written)
    text = (written / "BENCHMARK.md").read_text()
    for rate in ACCELERATIONS:
        mean = {
            method: np.mean(
                [
                    float(row["ssim"])
                    for row in rows
                    if (row["set"], row["condition"], row["method"], float(row["acceleration"]))
                    == ("open_ms", "random", method, rate)
                ]
            )
            for method in ("zero-filled", "cs")
        }
        closed = metrics.closed_share(mean["cs"], mean["zero-filled"])
        assert f"| Compressed sensing | {mean['cs']:.4f} |" in text
        assert f"Order on open_ms at {rate:g}x: " in text
        assert f"Compressed sensing {closed:.1%}" in text
    command_line = (
        f"python -m recon.benchmark --data FOLDER --checkpoints {checkpoints.name} --quick"
    )
    assert command_line in text
    assert "\n| Compressed sensing |" in (written / "README.md").read_text()
    assert str(written) not in text
    assert "nan" not in text
    assert "Every measured file, 8x" in text
    assert (written / "benchmark.png").stat().st_size > 10_000


def test_one_method_is_scored_again_and_the_others_are_kept(
    written, folder, checkpoints, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("recon.benchmark.contenders.SIDE", 64)
    monkeypatch.setattr("recon.benchmark.contenders.REGULARIZATIONS", (0.01, 0.02))
    for name in ("BENCHMARK.md", "benchmark.csv"):
        (tmp_path / name).write_bytes((written / name).read_bytes())
    rows = read_csv(written / "benchmark.csv")
    wrong = [replace(row, ssim=0.0) if row.method == "cs" else row for row in rows]
    write_csv(tmp_path / "benchmark.csv", wrong)
    words = ["--data", folder, "--checkpoints", checkpoints, "--out", tmp_path, "--quick"]
    words = [*map(str, words), "--again", "cs"]
    assert command.main(words) == 0

    def scores(rows):
        return {(row.case, row.method): (row.ssim, row.psnr, row.nmse, row.setting) for row in rows}

    assert scores(read_csv(tmp_path / "benchmark.csv")) == scores(rows)
    text = (tmp_path / "BENCHMARK.md").read_text()
    assert "--quick --again cs` scored Compressed sensing on the very same" in text
    assert f"all {len({row.case for row in rows})} are equal" in text
    files = "## Every measured file"
    assert text.split(files)[1:] == (written / "BENCHMARK.md").read_text().split(files)[1:]

    assert command.main([*words[:-1], "resnet-original"]) == 0
    both = (tmp_path / "BENCHMARK.md").read_text()
    assert both.count("Since then") == 2
    assert both.count("measured the times") == 1
    assert command.main(words) == 0
    text = (tmp_path / "BENCHMARK.md").read_text()
    assert re.findall(r"--again ([\w-]+)`", text) == ["resnet-original", "cs"]
    made = made_of((written / "BENCHMARK.md").read_text())
    assert made == made_of(text)
    assert made.machine in text.split("Seconds are medians")[1]  # the same machine timed it

    fewer = [row for row in rows if row.condition == "random"]
    kept = replaced(
        [row for row in wrong if row.condition == "random"],
        [row for row in rows if row.method != "resnet"],
    )
    assert scores(kept) == scores(fewer)

    others = [replace(row, ssim=row.ssim + 0.01) for row in rows]
    write_csv(tmp_path / "benchmark.csv", others)
    assert command.main(words) == 1
    assert "are of other cases" in capsys.readouterr().err
    assert command.main([*words[:-1], "nobody"]) == 1
    assert "no method nobody" in capsys.readouterr().err
    assert (tmp_path / "BENCHMARK.md").read_text() == text


def test_readme_is_refreshed_between_its_markers(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- benchmark -->\nold\n<!-- /benchmark -->\nafter\n")
    for _ in range(2):
        refresh(readme, r"| \1 table |")
        assert readme.read_text() == (
            "before\n<!-- benchmark -->\n| \\1 table |\n<!-- /benchmark -->\nafter\n"
        )
    readme.write_text("no markers")
    with pytest.raises(InputError, match="no lines"):
        refresh(readme, "")


def test_empty_data_folder_is_one_sentence(tmp_path, capsys):
    words = ["--data", str(tmp_path), "--checkpoints", str(tmp_path), "--out", str(tmp_path)]
    assert command.main([*words, "--quick"]) == 1
    printed = capsys.readouterr().err
    assert "holds nothing of the test split" in printed
    assert "Traceback" not in printed


def test_the_plan_is_told_in_words():
    assert "One slice in 7 " in replace(QUICK, every=7).words()
    assert math.isclose(NOISE, 0.005)


@pytest.mark.parametrize("more", ["", " --checkpoints mine", " --quick", " --every 3"])
def test_the_command_in_the_report_names_what_was_not_usual(more):
    words = f"--data FOLDER{more}".split()
    options = command._parser().parse_args(words)
    assert command._command(options) == f"python -m recon.benchmark --data FOLDER{more}"
