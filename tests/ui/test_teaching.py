"""docs/teaching.md: what it says to click is there, and what it says of the page is so."""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import recon
from recon.errors import InputError
from recon.masks import FAMILIES, achieved_acceleration
from recon.probes.psf import point_spread
from recon.ui import lessons
from recon.ui.coils import grappa
from recon.ui.lessons.course import LESSONS, QUIZ
from recon.ui.session import Choice, Origin
from tests.helpers.answers import last

TEXT = (Path(__file__).parents[2] / "docs" / "teaching.md").read_text("utf-8")


@cache
def words_of_the_page() -> str:
    """Every label, title and text that the page is drawn with, and the browser's own words."""
    from recon.ui import page, web

    drawn = page.build().get_config_file()["components"]
    found = [str(part["props"]) for part in drawn]
    return " ".join(found) + web.script()


def clicks() -> list[str]:
    """What stands in italics in the tables: names of things to click."""
    rows = [line for line in TEXT.splitlines() if line.startswith("|")]
    return sorted({name for row in rows for name in re.findall(r"\*([^*|]+)\*", row)})


def test_everything_to_click_is_on_the_page():
    names = clicks()
    assert len(names) > 20
    page = words_of_the_page() + " ".join(one.title for one in LESSONS)
    assert [name for name in names if name not in page] == []


def test_lessons_that_have_an_example_of_their_own():
    named = re.search(r"Lessons ([\d, and]+) use a phantom", TEXT)[1]
    assert [int(n) for n in re.findall(r"\d+", named)] == [
        n for n, one in enumerate(LESSONS, 1) if one.example
    ]


def test_grappa_refuses_in_the_end():
    (rate,) = map(int, re.findall(r"\*GRAPPA\*, R (\d), fewer calibration lines until it", TEXT))
    choice = Choice(Origin(example="phantom-coils"))
    assert last(grappa.learn(choice, rate, 16)).words
    with pytest.raises(InputError, match="GRAPPA learns"):
        last(grappa.learn(choice, rate, 12))


def test_lessons_are_called_by_their_numbers():
    number = {one.title: n for n, one in enumerate(LESSONS, 1)}
    assert number["What is k-space?"] == 1
    assert number["Centre and edge"] == 2
    assert number["Skipping lines"] == 3
    assert number["Compressed sensing"] == 7
    assert len(QUIZ) > 0


def test_question_1_the_centre_holds_most_of_the_energy():
    lesson = LESSONS[1]
    scan, _ = lessons._subject(lesson, lessons.Choice(lessons.FIRST, 0, axes="slices"))
    points, energy = map(float, re.findall(r"(\d+\.\d)%", lesson.experiment(scan, 0).sentence))
    assert points == pytest.approx(1, abs=0.3)  # "one percent of the points"
    assert energy > 50


def test_question_2_the_achieved_acceleration_scatters_around_the_nominal_one():
    found = [achieved_acceleration(FAMILIES["random"](320, 4, 0.08, seed)) for seed in range(200)]
    assert np.std(found) > 0.1
    assert np.mean(found) == pytest.approx(4, abs=0.15)


def test_the_film_is_slow_enough_to_shout_stop():
    assert "*Centric*, speed *slow*, *Play*" in TEXT
    film = (Path(recon.__file__).parent / "ui" / "web" / "film.mjs").read_text("utf-8")
    frames = int(re.search(r"FRAMES = (\d+)", film)[1])
    assert frames / int(re.search(r'value="(\d+)">slow', film)[1]) >= 15  # seconds


def test_random_and_equispaced_masks_of_the_lab_have_as_many_lines():
    (centre,) = map(float, re.findall(r"centre fraction back to ([\d.]+)", TEXT))
    kinds = ("random", "equispaced")
    random, equispaced = (FAMILIES[kind](256, 4, centre, 0).sum() for kind in kinds)
    assert abs(random - equispaced) <= 1


def test_equispaced_lines_without_a_centre_make_four_copies():
    mask = FAMILIES["equispaced"](256, 4, 0.0, 0)
    size = np.abs(point_spread(mask))
    assert (size > 0.5 * size.max()).sum() == 4
