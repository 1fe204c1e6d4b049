"""A picture is computed once, and goes with the upload it was made of."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recon import masks
from recon.fourier import ifft2c
from recon.methods import METHODS, Method
from recon.probes.handdrawn import random_masks
from recon.ui import compare, sampling, session, solved
from recon.ui.session import Choice, Origin
from recon.ui.trust import shift


class Counted(Method):
    """A method that counts how often it is asked."""

    name, label = "counted", "Counted"

    def __init__(self) -> None:
        self.asked = 0

    def coil_images(self, measurement):
        self.asked += 1
        return ifft2c(measurement.kspace).astype(np.complex64)

    def notes(self, measurement):
        return (f"asked {self.asked} times",)


@pytest.fixture
def counted(monkeypatch) -> Counted:
    method = Counted()
    monkeypatch.setitem(METHODS, "counted", method)
    return method


def test_a_picture_is_computed_once_however_many_views_ask(choice, counted):
    wish = replace(choice, method="counted")
    main = session.run(wish)
    rows = list(compare.side_by_side(choice, ["counted"], 3))
    list(shift.change(choice, ["counted"], []))
    first = list(sampling.beaten(wish, False, 4))
    assert counted.asked == 1 + 4  # the four rivals
    assert f"<td>{main.metrics['ssim']:.3f}</td>" in rows[-1].words
    assert f"SSIM {main.metrics['ssim']:.3f}" in first[0]
    session.run(replace(wish, seed=1))
    assert counted.asked == 1 + 4 + 1


def test_what_there_is_to_know_of_a_picture_stays_with_it(choice, counted):
    for _ in range(2):
        assert session.run(replace(choice, method="counted")).source.notes[-1] == "asked 1 times"


def test_more_rivals_are_the_same_ones_and_more(choice, counted):
    wish = replace(choice, method="counted", acceleration=5)  # 48 lines are no multiple
    *_, few = sampling.beaten(wish, False, 3)
    *_, more = sampling.beaten(wish, False, 5)
    assert counted.asked == 1 + 5
    assert "of 3 random masks" in few
    assert "of 5 random masks" in more
    assert "Press again" in more


def test_masks_of_as_many_lines_meet_the_same_rivals(choice, counted):
    for drawn in random_masks(48, 9, 2, seed=7):
        by_hand = replace(choice, method="counted", mask=masks.as_text(drawn))
        list(sampling.beaten(by_hand, False, 5))
    assert counted.asked == 1 + 5 + 1


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_mask_and_its_rivals_are_judged_as_in_the_picture_that_is_shown(
    choice, counted, monkeypatch, by_hand
):
    told: list[float] = []
    real = counted.coil_images
    monkeypatch.setattr(
        counted, "coil_images", lambda one: told.append(one.acceleration) or real(one)
    )
    drawn = random_masks(48, 7, 1, seed=7)[0]
    wish = replace(choice, method="counted", acceleration=5)
    if by_hand:
        wish = replace(wish, mask=masks.as_text(drawn))
    shown = session.run(wish)
    *_, words = sampling.beaten(wish, False, 3)
    assert told == [48 / 7 if by_hand else 5] * 4
    assert f"SSIM {shown.metrics['ssim']:.3f}" in words


def test_a_class_gets_the_score_that_is_shown(counted, monkeypatch):
    """Judged by the weights for the lines that were drawn, not for those that were allowed."""
    drawn = masks.as_text(masks.random_cartesian(320, 8, seed=3))
    wish = Choice(Origin(example="phantom"), 0, 4, method="counted", mask=drawn)
    told: list[float] = []
    real = counted.coil_images
    monkeypatch.setattr(
        counted, "coil_images", lambda one: told.append(one.acceleration) or real(one)
    )
    sampling.contribution(wish, False)
    assert set(told) == {session.run(wish).acceleration}


def test_a_random_mask_is_not_its_own_rival(choice, counted):
    wish = replace(choice, method="counted")
    list(sampling.beaten(wish, False, 1))
    assert counted.asked == 2


def test_the_first_words_about_a_mask_come_before_any_rival(choice, counted):
    wish = replace(choice, method="counted")
    words = next(sampling.beaten(wish, False, 8))
    assert counted.asked == 1
    assert "8 random ones to come" in words


def test_pictures_go_with_the_upload_they_were_made_of(choice, counted):
    wish = replace(choice, method="counted")
    session.run(wish)
    session.forget({choice.origin.upload})
    session.run(wish)
    assert counted.asked == 2


def test_pictures_go_with_an_upload_that_is_deleted_while_they_are_computed(
    choice, counted, monkeypatch
):
    path, real = Path(choice.origin.upload), counted.coil_images

    def slow(measurement):
        path.unlink(missing_ok=True)
        session.forget({str(path)})
        return real(measurement)

    monkeypatch.setattr(counted, "coil_images", slow)
    session.run(replace(choice, method="counted"))
    assert not [one for one in solved._pictures.values() if one.upload == str(path)]


def test_its_size_goes_with_an_upload_that_is_deleted_while_it_is_read(choice, monkeypatch):
    real = session.readers.read

    def slow(path, **options):
        kspace = real(path, **options)
        path.unlink()
        session.forget({str(path)})
        return kspace

    monkeypatch.setattr(session.readers, "read", slow)
    session.read(choice)
    assert session.samples(choice.origin) is None


def test_a_remembered_picture_says_how_long_it_took(choice, counted, monkeypatch):
    wish = replace(choice, method="counted")
    monkeypatch.setattr("time.perf_counter", itertools.count(0, 5).__next__)
    expected = session.run(wish).seconds
    *_, last = compare.side_by_side(choice, ["counted"], 3)
    assert expected == 5
    assert "<td>5.00 s</td>" in last.words
