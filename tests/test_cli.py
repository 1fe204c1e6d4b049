"""The command line: records, figures, and what happens to files that cannot be read."""

import json

import h5py
import numpy as np
import pytest

import recon
from recon import batch, cli, masks, phantom
from recon.cli import main
from tests.helpers.files import kspace

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
    with pytest.raises(KeyboardInterrupt):
        main([*words, "--method", "zero-filled"])
    assert len(json.loads((tmp_path / "out" / "metrics.json").read_text())) == 2
