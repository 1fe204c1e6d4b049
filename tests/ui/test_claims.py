"""What the lessons say happens, happens on the example they are shown with."""

import re

import pytest

from recon.masks import FAMILIES
from recon.methods import METHODS
from recon.ui import lessons
from recon.ui.lessons.course import LESSONS
from recon.ui.reconstruct import FIRST
from recon.ui.session import Choice

WISH = Choice(FIRST, 0, center_fraction=0.08, axes="slices")


def answer(title: str):
    lesson = next(one for one in LESSONS if one.title == title)
    scan, _ = lessons._subject(lesson, WISH)
    return lesson.experiment(scan, WISH.seed), scan


def numbers(text: str, pattern: str = r"\d\.\d+") -> list[float]:
    return [float(x) for x in re.findall(pattern, text)]


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
    first, second = numbers(found.sentence)
    assert first > second > 0
    assert "fast at first" in found.sentence


def test_medium_regularisation_is_best():
    found, _ = answer("Compressed sensing")
    weak, medium, strong = numbers(found.sentence)
    assert medium > weak
    assert medium > strong
    assert "the medium one is best" in found.sentence


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
    score, without, worth = numbers(found.sentence)
    assert worth < 0.003
    assert abs(score - without) == pytest.approx(worth, abs=1.1e-4)
    left = numbers(found.sentence, r"with (\d+)% of")[0]
    assert left < 90
    assert all(panel.marks for panel in found.panels)


def test_on_other_data_nothing_is_said_that_did_not_happen():
    from recon.examples import load
    from recon.scan import Scan
    from recon.ui.lessons import experiments

    scan = Scan.of(load("head"))  # where weak regularisation is best
    text = experiments.compressed_sensing_strengths(scan, 0).sentence
    scores = dict(zip(("weak", "medium", "strong"), numbers(text), strict=True))
    best = max(scores, key=scores.__getitem__)
    assert f"the {best} one is best" in text


def test_the_low_pass_question_of_the_teaching_plan():
    """docs/teaching.md, question 4."""
    from pathlib import Path

    from recon.examples import load
    from recon.scan import Scan

    text = (Path(__file__).parents[2] / "docs" / "teaching.md").read_text("utf-8")
    quoted = re.search(
        r"4x, seed 0: (\d\.\d+) to (\d\.\d+).*?random lines \((\d\.\d+) to\s+(\d\.\d+)\)",
        text,
        re.DOTALL,
    )
    for key, method, block, random in (
        ("head", "resnet-dc", quoted[1], quoted[2]),
        ("phantom", "cs", quoted[4], quoted[3]),
    ):
        scan = Scan.of(load(key))
        for family, expected in (("low-pass", block), ("random", random)):
            mask = FAMILIES[family](scan.width, 4, 0.08, 0)
            found = scan.ssim(METHODS[method](scan.measure(mask, 4)))
            assert found == pytest.approx(float(expected), abs=6e-4), (key, family)
