"""Experiments without a browser: what they compute, and how a page follows them."""

import contextlib
import io
import itertools
import json
import re
import threading
from dataclasses import replace
from pathlib import Path

import gradio
import gradio.analytics
import numpy as np
import pytest

import recon
from recon import masks, phantom, weights
from recon.errors import InputError
from recon.fourier import fft2c, ifft2c
from recon.methods import METHODS, Method
from recon.probes.handdrawn import random_masks
from recon.scan import Scan
from recon.ui import (
    acquisition,
    advance,
    answers,
    compare,
    experiment,
    instant,
    recipe,
    sampling,
    session,
    trust,
)
from recon.ui.events import Turns
from recon.ui.session import Choice, Origin
from recon.ui.trust import ensemble, lesion, shift


@pytest.fixture
def choice(tmp_path: Path) -> Choice:
    np.save(tmp_path / "known.npy", phantom.kspace((64, 48), seed=2))
    return Choice(Origin(upload=str(tmp_path / "known.npy")), 0, center_fraction=0.08)


@pytest.fixture
def undersampled(tmp_path: Path) -> Choice:
    lines = masks.random_cartesian(48, 4, seed=2)
    data = masks.apply(fft2c(np.ones((64, 48), complex)), lines).astype(np.complex64)
    np.savez(tmp_path / "under.npz", kspace=data, mask=lines)
    return Choice(Origin(upload=str(tmp_path / "under.npz")), 0, center_fraction=0.08)


def test_methods_are_shown_as_they_come_and_score_as_alone(choice):
    found = list(compare.side_by_side(choice, ["cs", "zero-filled"], 3))
    assert [one.done for one in found] == [0, 1, 2]
    assert all(one.of == 2 for one in found)
    assert "Compressed sensing" not in found[1].words
    for method in ("zero-filled", "cs"):
        expected = session.run(replace(choice, method=method)).metrics["ssim"]
        assert f"<td>{expected:.3f}</td>" in found[-1].words


def test_rows_of_shifts_come_one_by_one_and_begin_with_the_main_view(choice):
    found = list(shift.change(choice, ["zero-filled"], [0, 2]))
    assert [one.done for one in found] == [0, 1, 2, 3]
    expected = session.run(replace(choice, method="zero-filled")).metrics["ssim"]
    assert f"{expected:.3f} (+0%)" in found[1].words


def test_an_ensemble_grows(choice):
    found = [a for a in ensemble.repeat(choice, "zero-filled", 5) if a.words]
    assert found[0].done == 1
    assert found[-1].done == found[-1].of == 5
    assert "1 mask" in json.dumps(found[0].panels)


def test_the_curve_of_a_lesion_has_a_point_for_each_size(choice):
    where = {"kind": "spot", "size": 3, "contrast": 0.5, "row": -1, "column": -1}
    *_, last = lesion.draw(choice, ["zero-filled"], "size", **where)
    assert last.chart.count("<circle") == len(lesion.SIZES)


def test_no_experiment_answers_for_undersampled_data_but_each_says_why(undersampled):
    for one in (*compare.EXPERIMENTS, *trust.EXPERIMENTS):
        own = {
            "methods": ["zero-filled"], "strength": 3, "moment": 0, "method": "zero-filled",
            "masks": 2, "weight": 0, "changes": [0], "over": "size", "kind": "spot", "size": 3,
            "contrast": 0.5, "row": -1, "column": -1,
        }  # fmt: skip
        for action in one.actions:
            wanted = action.compute.__code__.co_varnames[: action.compute.__code__.co_argcount]
            given = {k: v for k, v in own.items() if k in wanted or ("where" in
                     action.compute.__code__.co_varnames and k in
                     ("kind", "size", "contrast", "row", "column"))}  # fmt: skip
            with pytest.raises(InputError, match=r"undersampled|reference"):
                list(action.compute(undersampled, **given))


def test_the_lab_of_undersampled_data_shows_its_own_mask_and_no_other(undersampled):
    value, panels = sampling.laboratory(undersampled)
    lines = masks.random_cartesian(48, 4, seed=2)
    assert value["lines"] == "".join(map(str, lines.astype(int)))
    assert value["locked"]
    assert "slice" not in value
    assert "undersampled already" in value["message"]
    assert [p["name"] for p in panels["panels"]] == [
        "mask", "zero_filled", "reconstruction", "kspace",
    ]  # fmt: skip
    with pytest.raises(InputError, match="undersampled already"):
        acquisition.reel(undersampled, "linear", "all")


def test_a_slice_goes_to_the_browser_once(choice):
    first, _ = sampling.laboratory(choice)
    again, _ = sampling.laboratory(replace(choice, seed=3), first["about"])
    other, _ = sampling.laboratory(replace(choice, phase_encode="rows"), first["about"])
    assert "slice" in first
    assert "slice" not in again
    assert "slice" in other


@pytest.mark.parametrize("exact", [True, False])
def test_a_packed_slice_is_the_readout(monkeypatch, exact):
    import base64
    import zlib

    from recon.probes.many_masks import readout

    monkeypatch.setattr(instant, "EXACT", 2**30 if exact else 0)
    scan = Scan.of(np.stack([phantom.kspace((64, 48), seed=s) for s in (1, 2)]))
    sent = instant.slice_of(scan)
    data = np.frombuffer(
        zlib.decompress(base64.b64decode(sent["data"])), "<f4" if exact else "<i2"
    ).reshape(2, 48, 64, 2)
    scales = np.frombuffer(zlib.decompress(base64.b64decode(sent["scales"])), "<f4")
    values = data * scales.reshape(2, 48, 1, 1)
    expected = readout(scan)
    found = np.moveaxis(values[..., 0] + 1j * values[..., 1], -1, -2)
    columns = np.abs(expected).max(-2, keepdims=True)
    assert (np.abs(found - expected) <= (1e-6 if exact else 4e-5) * columns).all()


def test_a_mask_against_random_ones_tells_how_far_it_is(choice):
    found = list(sampling.beaten(choice, quickly=True, count=sampling.RIVALS))
    assert "to come" in found[0]
    assert f"{sampling.RIVALS} random masks" in found[-1]
    assert "to come" not in found[-1]


def test_questions_differ_where_answers_do(choice):
    assert choice.key() == replace(choice).key()
    for change in ({"seed": 1}, {"acceleration": 8}, {"slice": 1}, {"coils": "svd"}):
        assert replace(choice, **change).key() != choice.key()
    other = replace(choice, method="cs")
    assert other.key() != choice.key()
    assert other.key(with_method=False) == choice.key(with_method=False)


def test_results_on_the_first_example_are_kept_until_something_changes(monkeypatch, tmp_path):
    monkeypatch.setenv(answers.VARIABLE, str(tmp_path))
    head = Choice(Origin(example="head"), 0, center_fraction=0.08)
    own = {"methods": ["cs"]}
    assert answers.find("side", head, own) is None
    answers.keep("side", head, own, {"words": "w", "panels": None, "chart": None})
    assert answers.find("side", head, own)["words"] == "w"
    assert answers.find("side", replace(head, acceleration=8), own) is None
    assert answers.find("side", head, {"methods": []}) is None
    monkeypatch.setattr(answers, "state", lambda: "other code or weights")
    assert answers.find("side", head, own) is None
    upload = replace(head, origin=Origin(upload="x.npy"))
    answers.keep("side", upload, own, {"words": "mine"})
    assert answers.find("side", upload, own) is None  # nobody's own data


def test_long_work_gives_way_to_short_work():
    turns, order = Turns(), []
    waits = threading.Event()

    class Changed(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            waits.set()
            return super().wait(timeout)

    turns._changed = Changed()

    def long() -> None:
        turns.give_way()
        order.append("long")

    thread = threading.Thread(target=long)
    with turns.short():
        thread.start()
        assert waits.wait(20)
        order.append("short")
    thread.join()
    assert order == ["short", "long"]


def test_code_to_copy_prints_the_same_numbers():
    wish = Choice(Origin(example="phantom"), 0, 8, 3, "zero-filled", 0.05)
    result = session.run(wish)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(recipe.python(wish, result), {})
    assert said.getvalue().strip() == str(result.metrics)
    assert recipe.command(wish, result) == ""


def test_the_command_to_copy_gives_the_same_numbers(choice, tmp_path, monkeypatch, capsys):
    from recon.cli import main

    wish = replace(choice, method="zero-filled", seed=4, axes="auto")
    words = recipe.command(wish, session.run(wish)).split()
    assert words[:3] == ["python", "-m", "recon"]
    monkeypatch.chdir(tmp_path)
    assert main([*words[3:], "--out", "out"]) in (0, None)
    (record,) = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert record["ssim"] == session.run(wish).metrics["ssim"]


def test_a_name_that_would_be_code_stays_a_name(tmp_path):
    name = "a'; import os #.npy"
    np.save(tmp_path / name, phantom.kspace((32, 32)))
    wish = Choice(
        Origin(upload=str(tmp_path / name)), 0, method="zero-filled", center_fraction=0.08
    )
    result = session.run(wish)
    assert json.dumps(name) in recipe.python(wish, result)
    assert re.search(r"'a'\"'\"'; import os #\.npy'", recipe.command(wish, result))
    assert recon.__name__ in recipe.html(wish, result)


class Counted(Method):
    """A method that counts how often it is asked."""

    name, label = "counted", "Counted"

    def __init__(self) -> None:
        self.asked = 0

    def coil_images(self, measurement):
        self.asked += 1
        return ifft2c(measurement.kspace).astype(np.complex64)


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


def test_more_rivals_are_the_same_ones_and_more(choice, counted):
    wish = replace(choice, method="counted", acceleration=5)  # 48 lines are no multiple
    *_, few = sampling.beaten(wish, False, 3)
    *_, more = sampling.beaten(wish, False, 5)
    assert counted.asked == 1 + 5
    assert "of 3 random masks" in few
    assert "of 5 random masks" in more
    assert "Press again" in more
    # Another mask of as many lines meets the same rivals.
    drawn = random_masks(48, int(session.run(wish).line_mask.sum()), 1, seed=7)[0]
    by_hand = replace(wish, mask="".join(map(str, drawn.astype(int))))
    list(sampling.beaten(by_hand, False, 5))
    assert counted.asked == 1 + 5 + 1


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


def test_a_remembered_picture_says_how_long_it_took(choice, counted, monkeypatch):
    wish = replace(choice, method="counted")
    monkeypatch.setattr("time.perf_counter", itertools.count(0, 5).__next__)
    expected = session.run(wish).seconds
    *_, last = compare.side_by_side(choice, ["counted"], 3)
    assert expected == 5
    assert "<td>5.00 s</td>" in last.words


def test_the_training_that_is_shown_ends_well(monkeypatch):
    head = Choice(Origin(example="head"), 0, center_fraction=0.08)
    moments = weights.Store().snapshots(compare.LEARNER)
    (start,) = compare.time_lapse(head, 0)
    (end,) = compare.time_lapse(head, len(moments) - 1)
    first, last = (float(re.search(r"SSIM (\d\.\d+)", a.words)[1]) for a in (start, end))
    zero_filled = session.run(replace(head, method="zero-filled")).metrics["ssim"]
    assert first == pytest.approx(zero_filled, abs=2e-3)  # it begins as the identity
    assert last > zero_filled + 0.05
    assert f"{zero_filled:.3f} zero-filled" in end.words
    assert "best at the end" in end.words


def test_the_words_about_a_training_follow_the_numbers():
    assert "best at the end, 0.700 against 0.600" in compare._course([0, 9], [0.6, 0.7], 0.6)
    text = compare._course([0, 3, 9], [0.6, 0.7, 0.5], 0.6)
    assert "best after 3 steps, with 0.700" in text
    assert "not better than zero-filled, 0.500 against 0.600" in text


def test_the_snapshots_stay_small():
    folder = weights.SHIPPED / compare.LEARNER / "snapshots"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2_000_000


def test_dear_results_are_computed_in_advance_and_found_by_who_opens_the_tab(monkeypatch, tmp_path):
    monkeypatch.setenv(answers.VARIABLE, str(tmp_path))
    asked = advance.questions()
    assert {one.key for one, _, _ in asked} >= {"side", "shift", "lesion", "ensemble", "crimes"}
    small = [(one, choice, own | {"methods": ["zero-filled"]}) for one, choice, own in asked
             if one.key == "side"]  # fmt: skip
    advance.work(small, Turns())
    for one, choice, own in small:
        # The page's own choice differs in what the experiment does not ask for.
        seen = replace(choice, method="unet", axes="slices")
        whole = {k: float(v) if isinstance(v, int) else v for k, v in own.items()}
        assert "Zero-filled" in answers.find(one.key, seen, whole)["words"]
    assert answers.find("side", replace(small[0][1], seed=1), small[0][2]) is None


def test_nobody_is_told_that_work_is_done_in_advance(monkeypatch):
    """Gradio tells its makers of every page that is built, unless it is told not to."""
    told = []
    monkeypatch.delenv("GRADIO_ANALYTICS_ENABLED", raising=False)
    monkeypatch.setattr(gradio.analytics, "version_check", lambda: told.append("version"))
    monkeypatch.setattr(gradio.analytics, "initiated_analytics", told.append)
    advance.questions()
    assert not told


def test_work_in_advance_lets_everybody_else_go_first(monkeypatch, tmp_path):
    monkeypatch.setenv(answers.VARIABLE, str(tmp_path))
    turns, order = Turns(), []
    begun, free = threading.Event(), threading.Event()

    def compute(choice):
        order.append("in advance")
        yield experiment.Answer("half", done=1, of=2)
        begun.wait(30)
        order.append("in advance")
        yield experiment.Answer("whole", done=2, of=2)

    def visitor():
        with turns.piece():
            begun.set()
            free.wait(30)
            order.append("visitor")

    dear = experiment.Experiment("dear", "", "", (experiment.Action("", "look", compute),))
    guest = threading.Thread(target=visitor)
    guest.start()
    begun.wait(30)
    head = Choice(Origin(example="head"), 0, center_fraction=0.08)
    work = threading.Thread(target=advance.work, args=([(dear, head, {})], turns))
    work.start()
    assert order == []
    free.set()
    work.join(30)
    guest.join(30)
    assert order == ["visitor", "in advance", "in advance"]
    assert answers.find("dear", head, {})["words"] == "whole"


def test_what_was_kept_says_so():
    shown = experiment._said_so(experiment.Answer("words"))
    assert shown.words.startswith("words")
    assert "Computed earlier on this server" in shown.words
    assert "None" not in experiment._said_so(experiment.Answer(None)).words
