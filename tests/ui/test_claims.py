"""What the lessons say happens, happens on the example they are shown with."""

import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from recon import examples, phantom
from recon.fourier import fft2c, ifft2c
from recon.masks import FAMILIES, apply, random_cartesian
from recon.methods import METHODS
from recon.scan import Scan
from recon.ui import lessons
from recon.ui.lessons import experiments
from recon.ui.lessons.course import LESSONS
from recon.ui.reconstruct import FIRST
from recon.ui.session import Choice, Origin
from tests.helpers.answers import numbers
from tests.helpers.coils import seen

TEACHING = Path(__file__).parents[2] / "docs" / "teaching.md"

WISH = Choice(FIRST, 0, center_fraction=0.08, axes="slices")


def answer(title: str):
    lesson = next(one for one in LESSONS if one.title == title)
    scan, _ = lessons._subject(lesson, WISH)
    return lesson.experiment(scan, WISH.seed), scan


def test_the_point_is_a_wave_and_it_is_said_which_part():
    found, _ = answer("What is k-space?")
    assert "real part" in found.sentence


def test_the_centre_holds_most_of_the_energy():
    found, _ = answer("Centre and edge")
    points, energy = numbers(found.sentence, r"(\d+\.\d)%")
    assert points < 2
    assert energy > 80
    captions = {panel.name: panel.caption for panel in found.panels}
    centre, edge = (numbers(captions[name])[0] for name in ("image0", "image1"))
    assert centre > edge


def test_the_two_masks_have_one_budget_and_equal_distances_the_higher_sidelobe():
    found, _ = answer("The point spread function")
    lines = [p.caption for p in found.panels if p.kind == "mask"]
    assert lines[0] == lines[1]
    regular, random = numbers(found.sentence, r"(\d+)%")
    assert regular > 1.3 * random


def test_haze_can_be_repaired_where_ghosts_cannot():
    found, _ = answer("Why random?")
    regular_before, regular, random_before, random = numbers(found.sentence)
    assert random > regular + 0.03
    assert random_before < regular_before  # which the zero-filled scores do not tell
    assert "more than of the ghosts" in found.sentence


def test_ssim_falls_fast_at_first():
    found, _ = answer("Zero-filled")
    first, second, third = numbers(found.sentence)
    assert first > second > third > 0
    assert "fast at first" in found.sentence


def test_medium_regularisation_is_best():
    found, _ = answer("Compressed sensing")
    weak, medium, strong = numbers(found.sentence)
    assert medium > weak
    assert medium > strong
    assert "the medium one is best" in found.sentence
    weak, strong = numbers(found.sentence, r"(\d+)%")[1:]  # and what is flat grows
    assert strong > weak
    assert "the flat patches grow" in found.sentence


def test_the_network_leaves_measured_lines_and_data_consistency_keeps_them():
    found, _ = answer("A network")
    zero_filled, network = found.sentence.split(";")
    assert "keeps the measured lines" in zero_filled
    assert numbers(network, r"by (\d+\.\d)%")[0] > 1
    consistent, _ = answer("Data consistency")
    assert consistent.sentence.rstrip(".").endswith("keeps the measured lines")
    before, after = (numbers(part)[0] for part in consistent.sentence.split(";"))
    assert after > before
    for one in (found, consistent):  # every error map below its picture
        names = [panel.name for panel in one.panels]
        for at, panel in enumerate(one.panels):
            if panel.kind == "error":
                assert names[at - one.columns] == panel.of


def test_ssim_does_not_tell_whether_the_spot_is_there():
    found, _ = answer("Trust")
    assert "SSIM does not tell" in found.sentence
    score, without, worth = numbers(found.sentence)
    assert worth < 0.003
    assert abs(score - without) == pytest.approx(worth, abs=1.1e-4)
    left = numbers(found.sentence, r"with (\d+)% of")[0]
    assert left < 90
    assert all(panel.marks for panel in found.panels)


def fourier_shift(image: np.ndarray, share: float) -> np.ndarray:
    """Moved along the phase-encode axis by a share of the field of view."""
    width = image.shape[-1]
    turns = np.exp(-2j * np.pi * share * (np.arange(width) - width // 2))
    return ifft2c(fft2c(image) * turns)


@pytest.mark.parametrize("key", ["head", "phantom", "odd"])
def test_skipped_lines_leave_the_image_the_same_when_it_is_shifted(key):
    scan = Scan.of(phantom.kspace((64, 51)) if key == "odd" else examples.load(key))
    for step in (2, 4):
        mask = np.zeros(scan.width, bool)
        mask[scan.width // 2 % step :: step] = True
        image = ifft2c(scan.kspace * mask)
        np.testing.assert_allclose(
            fourier_shift(image, 1 / step), image, atol=1e-4 * np.abs(image).max()
        )


def test_stripes_are_finer_the_farther_out_and_run_across():
    found, _ = answer("What is k-space?")
    waves = [p.pixels for p in found.panels if p.name.startswith("wave")]
    places = []
    for wave in waves:  # where its energy lies is where the point was
        power = np.abs(fft2c(wave - wave.mean()))
        row, column = np.unravel_index(power.argmax(), power.shape)
        places.append((abs(row - power.shape[0] // 2), abs(column - power.shape[1] // 2)))
    assert places == [(0, 4), (5, 2), (12, 16)]


def test_what_coils_cost_on_their_phantom():
    found, _ = answer("What it costs: noise")
    middle, around = map(
        float, re.search(r"g is (\S+) on .*, and (\S+) around", found.sentence).groups()
    )
    assert middle > around > 1


def noise(shape: tuple[int, ...]) -> np.ndarray:
    real, imag = np.random.default_rng(0).standard_normal((2, *shape))
    return (real + 1j * imag).astype(np.complex64)


@pytest.mark.parametrize("shape", [(64, 48), (16, 16)], ids=str)
def test_on_data_without_any_picture_no_outcome_is_made_up(shape):
    """What holds on the examples does not hold on noise, and the sentences know it."""
    scan = Scan.of(noise(shape))
    said = {one.title: one.experiment(scan, 0).sentence for one in LESSONS if not one.several}
    assert "not even half of it" in said["Centre and edge"]
    falls = numbers(said["Zero-filled"], r"-?\d\.\d+")
    fast = falls[0] > falls[1] > falls[2] >= 0
    assert ("fast at first" in said["Zero-filled"]) == fast
    equispaced, random = numbers(said["Why random?"])[1::2]
    assert ("more than of the ghosts" in said["Why random?"]) == (random - equispaced > 0.005)
    weak, strong = numbers(said["Compressed sensing"], r"(\d+)%")[1:]
    assert ("the flat patches grow" in said["Compressed sensing"]) == (strong > weak) or (
        weak == strong
    )
    for sentence in said.values():
        assert "nan" not in sentence.lower().split()


def test_a_file_that_was_undersampled_gets_the_lesson_on_an_example(tmp_path):
    path = tmp_path / "test.h5"
    lines = random_cartesian(80, 4, seed=2)
    with h5py.File(path, "w") as file:
        data = apply(fft2c(np.ones((96, 80))), lines)
        file["kspace"] = data[None].astype(np.complex64)
        file["mask"] = lines.astype(np.float32)
    choice = Choice(Origin(upload=str(path)), axes="auto")
    names = [panel["title"] for panel in lessons.before(choice)["panels"]]
    assert names == ["k-space", "Zero-filled"]  # nothing that was never measured
    for lesson in LESSONS:
        scan, where = lessons._subject(lesson, choice)
        assert "undersampled already" in where
        assert scan.source.mask is None
        assert scan.truth.shape != (96, 80)


def test_a_file_of_a_person_is_what_the_lesson_is_about(tmp_path):
    np.save(tmp_path / "mine.npy", phantom.kspace((64, 51)))
    choice = Choice(Origin(upload=str(tmp_path / "mine.npy")))
    for lesson in LESSONS:
        scan, where = lessons._subject(lesson, choice)
        if lesson.several:
            assert where == "Phantom seen by 8 coils (exact); the open slice has one coil"
            assert len(scan.kspace) == 8
        else:
            assert where == "mine.npy"
            assert scan.truth.shape == (64, 51)


def test_lessons_on_coils_look_at_all_of_them(tmp_path):
    np.save(tmp_path / "mine.npy", seen(4, (48, 40)))
    mine = Origin(upload=str(tmp_path / "mine.npy"))
    for lesson in LESSONS:
        scan, where = lessons._subject(lesson, Choice(mine, axes="CHW", coils=2))
        assert where == "mine.npy"
        assert scan.kspace.shape == ((4, 48, 40) if lesson.several else (48, 40))


def test_on_other_data_nothing_is_said_that_did_not_happen():
    scan = Scan.of(examples.load("head"))  # where weak regularisation is best
    text = experiments.compressed_sensing_strengths(scan, 0).sentence
    scores = dict(zip(("weak", "medium", "strong"), numbers(text), strict=True))
    best = max(scores, key=scores.__getitem__)
    assert f"the {best} one is best" in text


def test_the_low_pass_question_of_the_teaching_plan():
    """docs/teaching.md, question 4."""
    text = TEACHING.read_text("utf-8")
    quoted = re.search(
        r"4x, seed 0: (\d\.\d+) to (\d\.\d+).*?random lines \((\d\.\d+) to\s+(\d\.\d+)\)",
        text,
        re.DOTALL,
    )
    for key, method, block, random in (
        ("head", "resnet-dc", quoted[1], quoted[2]),
        ("phantom", "cs", quoted[4], quoted[3]),
    ):
        scan = Scan.of(examples.load(key))
        for family, expected in (("low-pass", block), ("random", random)):
            mask = FAMILIES[family](scan.width, 4, 0.08, 0)
            found = scan.ssim(METHODS[method](scan.measure(mask, 4)))
            assert found == pytest.approx(float(expected), abs=6e-4), (key, family)
