"""The command line: records, figures, and what happens to files that cannot be read."""

import json
import os
import shutil
import subprocess
import sys
import zipfile

import h5py
import nibabel
import numpy as np
import pydicom
import pytest

import recon
from recon import batch, cli, export, masks, phantom
from recon.cli import main
from tests.helpers import scans
from tests.helpers.coils import seen
from tests.helpers.files import kspace, write_h5

SPECIFIED = {
    "file", "slice", "method", "acceleration", "seed", "achieved_acceleration",
    "ssim", "psnr", "nmse", "seconds", "simulated",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "a.npy", phantom.kspace((64, 48), seed=1))
    (tmp_path / "sub").mkdir()
    with h5py.File(tmp_path / "sub/volume.h5", "w") as file:
        file["kspace"] = np.stack([phantom.kspace((48, 40), seed=s) for s in range(3)])
    return tmp_path


def run(capsys, *words) -> tuple[int, list[dict], str, str]:
    out = words[words.index("--out") + 1]
    status = cli.main([str(word) for word in words])
    printed = capsys.readouterr()
    return status, json.loads((out / "metrics.json").read_text()), printed.out, printed.err


@pytest.mark.parametrize("command", [[], ["reconstruct"]])
def test_every_file_acceleration_and_method_gives_a_record_and_a_figure(
    folder, tmp_path_factory, capsys, command
):
    out = tmp_path_factory.mktemp("out")
    status, records, table, errors = run(
        capsys, *command, folder, "--acceleration", 4, 8, "--seed", 3,
        "--method", "zero-filled", "resnet", "--out", out,
    )  # fmt: skip
    assert (status, errors) == (0, "")
    assert len(records) == 2 * 2 * 2
    assert all(record.keys() >= SPECIFIED for record in records)
    assert len(list(out.glob("*.png"))) == len(records)
    rows = 1 + len(records) + 4  # and a mean of each combination
    assert len(table.splitlines()) > rows  # below: what had to be assumed of the stack's axes
    assert all(": " in line and "planes" in line for line in table.splitlines()[rows:])
    ours = [r["ssim"] for r in records if (r["method"], r["acceleration"]) == ("resnet", 8)]
    mean = [row for row in table.splitlines() if row.startswith("mean of 2") and "resnet  " in row]
    assert f"{np.mean(ours):.4f}" in mean[1]
    one = records[0]
    expected = recon.reconstruct(recon.read(folder / "a.npy"), 4, 3, "zero-filled")
    assert one["file"] == str(folder / "a.npy")
    assert one["ssim"] == expected.metrics["ssim"]
    assert one["achieved_acceleration"] == expected.achieved_acceleration
    assert {r["slice"] for r in records if r["file"].endswith("volume.h5")} == {1}


def test_all_slices(folder, tmp_path_factory, capsys):
    out = tmp_path_factory.mktemp("out")
    status, records, *_ = run(
        capsys, folder / "sub/volume.h5", "--slice", "all", "--method", "zero-filled", "--out", out
    )
    assert status == 0
    assert [r["slice"] for r in records] == [0, 1, 2]


def test_unknown_and_broken_files_are_reported_and_the_rest_is_done(
    folder, tmp_path_factory, capsys
):
    (folder / "notes.txt").write_text("hello")
    (folder / "broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n nothing more")
    (folder / ".hidden").write_text("hello")
    out = tmp_path_factory.mktemp("out")
    status, records, _, errors = run(
        capsys, folder, folder / "missing.npy", "--method", "zero-filled", "--out", out
    )
    assert status == 1
    assert len(records) == 2
    assert len(errors.splitlines()) == 3
    for name in ("notes.txt", "broken.h5", "missing.npy"):
        assert name in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("--jobs", "0", "1 to 256 can work; 0 were asked for"),
        ("--jobs", "two", "'two' is no whole number"),
        ("--coils", "all", "'all' is no whole number"),
        ("--slice", "1.5", "'1.5' is no whole number"),
    ],
)
def test_what_is_no_whole_number_is_said_in_words(folder, capsys, name, value, words):
    with pytest.raises(SystemExit):
        cli.main([str(folder), name, value])
    assert f"argument {name}: {words}" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["--acceleration", "--center-fraction"])
@pytest.mark.parametrize("value", ["nan", "inf", "many"])
def test_what_is_no_number_is_refused_before_anything_is_written(
    folder, tmp_path, capsys, name, value
):
    with pytest.raises(SystemExit):
        cli.main([str(folder), name, value, "--out", str(tmp_path / "out")])
    assert f"argument {name}: '{value}' is no number" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_accelerations_that_are_nearly_alike_overwrite_nothing(folder, tmp_path, capsys):
    out = tmp_path / "out"
    words = ("--acceleration", "4", "4.004", "--method", "zero-filled", "--save", "npy")
    status, records, _, _ = run(
        capsys, folder / "sub/volume.h5", *words, "--slice", "all", "--out", out
    )
    assert (status, len(records)) == (0, 6)
    assert len(list(out.glob("*.png"))) == 6
    assert len(list(out.glob("zero-filled-4*x/volume.npy"))) == 2


def test_what_is_named_twice_is_done_once(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "link.npy").symlink_to(folder / "a.npy")
    names = ("a.npy", "./a.npy", "sub/../a.npy", folder / "a.npy", "link.npy")
    words = ("--acceleration", "4", "4.0", "--method", "zero-filled", "zero-filled")
    status, records, _, _ = run(capsys, *names, *words, "--out", tmp_path / "out")
    assert (status, [one["file"] for one in records]) == (0, ["a.npy", "link.npy"])


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_results_go_into_a_folder(folder, capsys, name):
    (folder / "file").write_text("hello")
    assert main([str(folder / "a.npy"), "--out", str(folder / name)]) == 1
    said = capsys.readouterr().err
    assert said == f"{folder / name} is no folder; --out names the one for results.\n"


def test_no_table_is_printed_of_nothing(tmp_path, capsys):
    assert main([str(tmp_path / "none.npy"), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("where", ["closed", "full", "ascii"])
def test_a_table_that_cannot_be_printed_is_no_traceback(tmp_path, where):
    np.save(tmp_path / "kopf-ä.npy", phantom.kspace((48, 40)))
    words = [tmp_path / "kopf-ä.npy", "--method", "zero-filled", "--out", tmp_path / "out"]
    reads, writes = os.pipe()
    os.close(reads)
    to = {"closed": writes, "full": os.open("/dev/full", os.O_WRONLY), "ascii": subprocess.PIPE}
    done = subprocess.run(
        [sys.executable, "-m", "recon", *map(str, words)],
        env={**os.environ, "PYTHONIOENCODING": "ascii:strict"},
        stdout=to[where], stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    for file in (writes, to["full"]):
        os.close(file)
    errors = [line for line in done.stderr.splitlines() if "slice" not in line]  # the bar
    if where == "full":
        (line,) = errors
        assert line.startswith("The table could not be printed (No space left on device); ")
    else:
        assert errors == []
    assert done.returncode == (where == "full")
    assert where != "ascii" or "kopf-\\xe4.npy" in done.stdout
    assert (tmp_path / "out/metrics.json").is_file()


def test_a_rank_that_is_none_is_no_launcher(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RANK", "abc")
    status, records, _, _ = run(
        capsys, folder / "a.npy", "--method", "zero-filled", "--out", tmp_path / "out"
    )
    assert (status, len(records)) == (0, 1)


def test_what_is_hidden_in_a_folder_and_what_was_written_into_it_is_not_read(folder, capsys):
    (folder / "sub/.git/objects").mkdir(parents=True)
    np.save(folder / "sub/.git/objects/x.npy", phantom.kspace((64, 48)))
    expected = [str(folder / "a.npy"), str(folder / "sub/volume.h5")]
    for place in ("results", "sub/results"):
        for _ in range(2):
            out = folder / place
            words = (folder, "--method", "zero-filled", "--save", "npy", "--out", out)
            status, records, _, errors = run(capsys, *words)
            assert (status, errors) == (0, "")
            assert [one["file"] for one in records] == expected
        shutil.rmtree(folder / place)
    # The folder itself, or one above it, is no folder of results in it.
    for out in (folder, folder / "sub"):
        assert run(capsys, folder / "sub", "--method", "zero-filled", "--out", out)[0] == 0


def test_undersampled_files_have_no_scores(tmp_path, capsys):
    lines = masks.random_cartesian(48, 4, seed=1)
    np.savez(tmp_path / "u.npz", kspace=masks.apply(phantom.kspace((64, 48)), lines), mask=lines)
    status, records, table, _ = run(
        capsys, tmp_path / "u.npz", "--method", "zero-filled", "--out", tmp_path / "out"
    )
    assert status == 0
    assert records[0]["ssim"] is records[0]["psnr"] is records[0]["seed"] is None
    assert records[0]["achieved_acceleration"] == 48 / lines.sum()
    assert " - " in table


@pytest.mark.parametrize("kind", ["npy", "txt"])
@pytest.mark.parametrize("arrived", ["whole", "undersampled"])
def test_a_mask_from_a_file_measures_all_slices(tmp_path, capsys, kind, arrived):
    lines = masks.equispaced(40, 3, seed=1, center_fraction=0.15)
    stack = kspace(3, 2, 48, 40)
    if arrived == "undersampled":
        stack = masks.apply(stack, lines)
        stack[1, :, :, np.flatnonzero(lines)[0]] = 0  # measured, and nothing there
    path = write_h5(tmp_path / "scan.h5", {"max": 1.0}, kspace=stack)
    mask = tmp_path / f"mask.{kind}"
    if kind == "npy":
        np.save(mask, lines)
    else:
        mask.write_text("".join("01"[int(line)] for line in lines) + "\n")
    out = tmp_path / "out"
    words = ("--method", "zero-filled", "sense", "--slice", "all", "--save", "npy", "--mask", mask)
    status, records, table, errors = run(capsys, path, *words, "--out", out)
    assert (status, errors) == (0, "")
    assert [(r["slice"], r["method"]) for r in records] == [
        (n, m) for n in range(3) for m in ("zero-filled", "sense")
    ]
    whole = arrived == "whole"
    for r in records:
        alone = recon.reconstruct(
            recon.read(path, slice=r["slice"]), method=r["method"], mask=lines
        )
        assert r["ssim"] == (alone.metrics["ssim"] if whole else None)
        assert r["lines_measured"] == lines.sum()
        (saved,) = out.glob(f"{r['method']}-*/scan.npy")
        np.testing.assert_array_equal(np.load(saved)[r["slice"]], alone.image)
    assert ("mean of 3" in table) == whole
    assert len(json.loads((out / "volumes.json").read_text())) == 2 * whole
    # One file of another mask is another question.
    mask.unlink()
    np.save(tmp_path / "other.npy", ~lines)
    again = [str(path), "--mask", str(tmp_path / "other.npy"), "--slice=all", "--resume"]
    assert main([*again, "--method", "zero-filled", "sense", "--save=npy", f"--out={out}"]) == 1
    assert "holds results with" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", [None, b"", b"\x93NUMPY", b"nothing", b"1012", b"0000", b"\xff\xfe"]
)
@pytest.mark.parametrize("kind", ["npy", "txt"])
def test_a_file_that_is_no_mask_is_one_sentence(tmp_path, capsys, content, kind):
    np.save(tmp_path / "k.npy", phantom.kspace((32, 32)))
    mask = tmp_path / f"mask.{kind}"
    if content is not None:
        mask.write_bytes(content)
    assert main([str(tmp_path / "k.npy"), f"--mask={mask}", f"--out={tmp_path / 'out'}"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"mask.{kind} ")
    assert line.endswith("accepted.")


def test_a_mask_of_another_width_is_told_of_the_file(tmp_path, capsys):
    np.save(tmp_path / "k.npy", phantom.kspace((32, 32)))
    (tmp_path / "mask.txt").write_text("101")
    words = [str(tmp_path / "k.npy"), f"--mask={tmp_path / 'mask.txt'}", "--method=zero-filled"]
    assert main([*words, f"--out={tmp_path / 'out'}"]) == 1
    assert "k.npy: A mask has one value, 0 or 1, for each of the 32" in capsys.readouterr().err


def test_perfect_scores_are_valid_json(tmp_path, capsys):
    np.save(tmp_path / "k.npy", phantom.kspace((32, 32)))
    _, records, *_ = run(
        capsys, tmp_path / "k.npy", "--acceleration", 1, "--center-fraction", 0.5,
        "--method", "zero-filled", "--out", tmp_path / "out",
    )  # fmt: skip
    assert records[0]["ssim"] == 1
    assert records[0]["psnr"] is None


def test_axes_notes_names_and_a_kill(tmp_path, capsys, monkeypatch):
    """Letters decide axes, notes are told, equal names do not collide, a kill loses nothing."""
    stack = kspace(3, 2, 24, 32)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "a.npy", stack.transpose(2, 3, 0, 1))  # H, W, S, C
    words = [str(tmp_path / "one"), str(tmp_path / "two"), "--out", str(tmp_path / "out")]
    words += ["--method", "zero-filled", "--axes", "HWSC"]
    assert main(words) == 0
    records = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert len(records) == 2
    assert len(list((tmp_path / "out").glob("*.png"))) == 2

    np.save(tmp_path / "b.npy", stack[:, 0])
    words = [str(tmp_path / "b.npy"), "--out", str(tmp_path / "out"), "--slice", "all"]
    assert main([*words, "--method", "zero-filled"]) == 0
    assert "slices or coils" in capsys.readouterr().out
    records = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert any("slices or coils" in note for note in records[0]["notes"])

    saved = batch._save_figure
    monkeypatch.setattr(
        batch,
        "_save_figure",
        lambda *a: saved(*a) if a[0].source.slice < 2 else (_ for _ in ()).throw(KeyboardInterrupt),
    )
    assert main([*words, "--method", "zero-filled"]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "Interrupted; --resume goes on."
    assert len(json.loads((tmp_path / "out" / "metrics.json").read_text())) == 2


def test_notes_say_which_result_they_are_about(tmp_path, capsys):
    kspace = seen(4, (64, 96), noise=0.01)
    np.save(tmp_path / "a.npy", kspace)
    status, records, told, _ = run(
        capsys, tmp_path / "a.npy", "--axes", "coils", "--acceleration", 2, 3,
        "--method", "zero-filled", "cs-sense", "--out", tmp_path / "out",
    )  # fmt: skip
    assert status == 0
    added = [line for line in told.splitlines() if "was added to the picture" in line]
    assert [line.split(": ")[0].removeprefix(f"{tmp_path}/") for line in added] == [
        "a.npy, cs-sense at 2x", "a.npy, cs-sense at 3x",
    ]  # fmt: skip
    assert len({note for record in records for note in record["notes"]}) == len(
        [line for line in told.splitlines() if ": " in line]
    )


def test_an_empty_folder_is_said(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    status, records, _, errors = run(capsys, tmp_path / "empty", "--out", tmp_path / "out")
    assert (status, records) == (1, [])
    assert errors == f"There is no file in {tmp_path / 'empty'}.\n"


def test_volumes_are_saved_beside_the_figures(tmp_path):
    """Under the file's own name, a folder for each method and acceleration."""
    stack = kspace(3, 2, 40, 32)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write_h5(tmp_path / folder / "scan.h5", {"max": 1.0}, kspace=stack)
    out = tmp_path / "out"
    words = [str(tmp_path / "one"), str(tmp_path / "two"), "--slice=all", "--acceleration=2"]
    words += ["--method", "zero-filled", "sense", "--save", "h5", "npy", f"--out={out}"]
    assert main(words) == 0
    for method in ("zero-filled", "sense"):
        kspace_of_one = recon.read(tmp_path / "one/scan.h5", slice=1)
        expected = recon.reconstruct(kspace_of_one, 2, 0, method).image
        for stem in ("scan", "scan-2"):
            with h5py.File(out / f"{method}-2x" / f"{stem}.h5") as file:
                found = file["reconstruction"][...]
            np.testing.assert_array_equal(np.load(out / f"{method}-2x" / f"{stem}.npy"), found)
            np.testing.assert_array_equal(found[1], expected)


def test_a_method_that_cannot_do_it_spoils_no_other_volume(tmp_path, capsys):
    np.save(tmp_path / "scan.npy", kspace(1, 1, 40, 32)[0, 0])
    words = [str(tmp_path / "scan.npy"), "--method", "sense", "zero-filled", "--save", "npy"]
    assert main([*words, f"--out={tmp_path / 'out'}"]) == 1
    assert "one coil" in capsys.readouterr().err
    assert [one.name for one in (tmp_path / "out/zero-filled-4x").iterdir()] == ["scan.npy"]
    assert not (tmp_path / "out/sense-4x").exists()


@pytest.mark.slow
def test_slices_without_any_signal_are_zero_in_the_saved_volume(tmp_path, capsys):
    """As at both ends of a head without its skull; the affine is that of the first slice."""
    volume = np.random.default_rng(0).random((32, 36, 5)).astype(np.float32)
    affine = np.array([[0, 2, 1, -30], [-2, 0, 0, 40], [0, 1, 3, 7], [0, 0, 0, 1.0]])
    words = [str(tmp_path / "head.nii"), "--slice=all", "--method=zero-filled"]
    words += ["--save", "nii", "dicom"]
    nibabel.save(nibabel.Nifti1Image(volume, affine), tmp_path / "head.nii")
    assert main([*words, f"--out={tmp_path / 'full'}"]) == 0
    full = nibabel.Nifti1Image.from_filename(tmp_path / "full/zero-filled-4x/head.nii")
    volume[..., [0, 4]] = 0
    nibabel.save(nibabel.Nifti1Image(volume, affine), tmp_path / "head.nii")
    for more in ([], ["--resume"], ["--jobs=2"]):
        out = tmp_path / "-".join(["out", *more]).replace("=", "")
        assert main([*words, *more, f"--out={out}"]) == 1
        assert capsys.readouterr().err.count("zero everywhere") == 2
        saved = nibabel.Nifti1Image.from_filename(out / "zero-filled-4x/head.nii")
        assert [bool(plane.any()) for plane in saved.get_fdata().T] == [False, *[True] * 3, False]
        np.testing.assert_allclose(saved.affine, full.affine, atol=1e-4)
        pictures = sorted((out / "zero-filled-4x/head-dicom").iterdir())
        assert [bool(pydicom.dcmread(one).pixel_array.any()) for one in pictures] == [
            False, *[True] * 3, False,
        ]  # fmt: skip
        assert not (out / "zero-filled-4x/head-slices").exists()


def test_a_volume_is_saved_whoever_did_its_slices(tmp_path):
    """By several processes, or by a run that went on where another was killed."""
    write_h5(tmp_path / "scan.h5", {"max": 1.0}, kspace=kspace(3, 1, 40, 32)[:, 0])
    words = [str(tmp_path / "scan.h5"), "--slice=all", "--method", "zero-filled", "--save", "nii"]
    assert main([*words, f"--out={tmp_path / 'one'}"]) == 0
    folder = tmp_path / "one/zero-filled-4x"
    assert [path.name for path in folder.iterdir()] == ["scan.nii"]
    expected = (folder / "scan.nii").read_bytes()
    assert main([*words, "--jobs=2", f"--out={tmp_path / 'two'}"]) == 0
    assert (tmp_path / "two/zero-filled-4x/scan.nii").read_bytes() == expected
    records = json.loads((tmp_path / "one/metrics.json").read_text())
    (tmp_path / "one/metrics.json").write_text(json.dumps(records[:1]))
    (folder / "scan.nii").unlink()
    (folder / "scan-slices").mkdir()
    result = recon.reconstruct(recon.read(tmp_path / "scan.h5", slice=0), method="zero-filled")
    export.Slice.of(result).write(folder / "scan-slices/00000.npz")
    assert main([*words, "--resume", f"--out={tmp_path / 'one'}"]) == 0
    assert (folder / "scan.nii").read_bytes() == expected


def test_slices_of_an_incomplete_run_are_in_no_later_volume(tmp_path, monkeypatch, capsys):
    stack = kspace(3, 1, 40, 32)[:, 0]
    path = write_h5(tmp_path / "scan.h5", {"max": 1.0}, kspace=stack)
    words = [str(path), "--method", "zero-filled", "--save=npy", f"--out={tmp_path / 'out'}"]
    monkeypatch.setattr(cli, "assemble", lambda *_: [])  # as if it was killed before
    assert main([*words, "--slice=all"]) == 0
    monkeypatch.undo()
    folder = tmp_path / "out/zero-filled-4x"
    assert main([*words, "--slice=2"]) == 0
    assert [one.name for one in folder.iterdir()] == ["scan.npy"]
    expected = recon.reconstruct(recon.read(path, slice=2), method="zero-filled").image
    np.testing.assert_array_equal(np.load(folder / "scan.npy"), [expected])

    (folder / "scan.npy").unlink()
    monkeypatch.setattr(cli, "assemble", lambda *_: [])
    assert main([*words, "--slice=all"]) == 0
    monkeypatch.undo()
    stack[1] = np.nan
    write_h5(path, {"max": 1.0}, kspace=stack)
    assert main([*words, "--slice=all"]) == 1
    assert "2 of 3 slices were reconstructed" in capsys.readouterr().err
    assert not (folder / "scan.npy").exists()


def test_coil_images_and_whole_pictures_on_demand(tmp_path):
    write_h5(tmp_path / "scan.h5", {"max": 1.0}, kspace=kspace(1, 2, 96, 40))
    words = [str(tmp_path / "scan.h5"), "--method", "zero-filled", "--save", "npy"]
    for more, shape, kind in (
        ([], (1, 48, 40), np.float32),
        (["--no-crop", "--coil-images"], (1, 2, 96, 40), np.complex64),
    ):
        assert main([*words, *more, f"--out={tmp_path / 'out'}"]) == 0
        found = np.load(tmp_path / "out/zero-filled-4x/scan.npy")
        assert (found.shape, found.dtype) == (shape, kind)


def test_scans_that_are_several_files_are_done_once(tmp_path, capsys):
    for name, write in (("bruker", scans.bruker), ("bart", scans.bart)):
        with zipfile.ZipFile(write(tmp_path / "a.zip", kspace(1, 1, 40, 32) * 1000)) as archive:
            archive.extractall(tmp_path / name)
    (tmp_path / "a.zip").unlink()
    code, records, _, err = run(capsys, tmp_path, "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    assert sorted(one["format"] for one in records) == ["BART", "Bruker"]
    code, records, _, _ = run(capsys, tmp_path / "bruker/7", "--out", tmp_path / "out")
    assert [one["format"] for one in records] == ["Bruker"]
