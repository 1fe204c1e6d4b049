"""All coils together against coil by coil: the scores, and the command as the document gives it."""

import re
from pathlib import Path

import numpy as np
import pytest

from recon.benchmark import multicoil
from recon.fourier import ifft2c
from tests.helpers import data
from tests.helpers.coils import seen

ROOT = Path(__file__).parents[2]


def disc(size: int, radius: float) -> np.ndarray:
    y, x = np.indices((size, size)) - size // 2
    return np.hypot(y, x) < radius


def test_the_head_is_the_object_with_its_holes_and_no_air():
    image = disc(96, 30) * ~disc(96, 8) + 0.01
    found = multicoil.head(image)
    assert found[disc(96, 27)].all()
    assert not found[~disc(96, 36)].any()


def test_errors_in_the_air_do_not_count_inside():
    reference, far = np.where(disc(96, 30), 1.0, 0.0), ~disc(96, 40)
    scores = multicoil.scores(reference, reference + np.where(far, 0.1, 0.01))
    assert scores["psnr_inside"] == pytest.approx(40)
    error = 0.01 * far.mean() + 0.0001 * (~far).mean()
    assert scores["psnr"] == pytest.approx(-10 * np.log10(error))
    assert scores["ssim_inside"] > 0.99 > scores["ssim"]


def test_simulated_scans_have_the_noise_that_is_asked_for(tmp_path):
    folder = data.open_images(tmp_path)
    (_, without), (_, noisy) = (
        next(iter(multicoil.scans(folder, 1, noise))) for noise in (0.0, 0.05)
    )
    added = noisy.kspace - without.kspace  # of one object, phase and coils
    level = np.abs(added.real).std() / without.truth.max()
    assert 0.02 < level < 0.05
    assert added.shape[0] == multicoil.COILS


def test_hard_kinds_of_scans_are_what_they_are_called(tmp_path):
    folder = data.open_images(tmp_path)
    plain, cut, folded, filtered = (
        next(iter(multicoil.scans(folder, 1, 0.005, kind)))[1] for kind in multicoil.KINDS
    )
    height, width = plain.kspace.shape[-2:]
    assert cut.kspace.shape[-1] == width
    assert cut.kspace.shape[-2] == pytest.approx(0.44 * height, abs=1)
    edges = np.abs(ifft2c(cut.kspace))[:, [0, -1]]
    assert edges.mean() > 0.2 * np.abs(ifft2c(cut.kspace)).mean()
    assert folded.kspace.shape[-1] == round(0.6 * width)
    total = [ifft2c(scan.kspace).sum() for scan in (plain, folded)]
    assert abs(total[1] - total[0]) < 1e-3 * abs(total[0])  # all of the object is there
    power = [np.abs(scan.kspace).astype(float) ** 2 for scan in (plain, filtered)]
    np.testing.assert_allclose(
        power[1][:, height // 2, width // 2], power[0][:, height // 2, width // 2]
    )
    assert power[1][:, 0, 0].max() == 0
    outer = [one[:, height // 2, : width // 16].sum() for one in power]
    assert outer[1] < 0.1 * outer[0]


@pytest.mark.slow
def test_the_documented_command_prints_every_method_for_every_mask(tmp_path, monkeypatch, capsys):
    (tmp_path / "real_kspace").mkdir()
    np.savez(tmp_path / "real_kspace/brain_slice.npz", kspace=seen(4, (64, 160)))
    text = (ROOT / "docs/results.md").read_text("utf-8")
    (words,) = re.findall(r"python -m recon\.benchmark\.multicoil ([^`]+)", text)
    words = words.replace("FOLDER", str(tmp_path)).split()
    monkeypatch.setattr("sys.argv", ["multicoil", *words, "--no-bart"])
    assert multicoil.main() == 0
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in capsys.readouterr().out.splitlines()[2:]
    ]
    methods = {
        "zero-filled", "resnet-dc, coil by coil", "resnet-dc, all coils, network alone",
        "resnet-dc", "resnet-dc-coils, all coils, network alone", "resnet-dc-coils",
        "varnet-coils, all coils, network alone", "varnet-coils", "SENSE with TV",
    }  # fmt: skip
    assert {(row[1], row[2]) for row in rows} == {(m, n) for m in multicoil.MASKS for n in methods}
    assert all(float(row[3]) > 5 for row in rows)


@pytest.mark.parametrize("slices", ["0", "1"])
def test_an_empty_folder_is_one_sentence(tmp_path, monkeypatch, capsys, slices):
    monkeypatch.setattr("sys.argv", ["multicoil", "--data", str(tmp_path), "--slices", slices])
    assert multicoil.main() == 1
    assert capsys.readouterr().err.startswith("multicoil: The data folder h")
