"""Experiments without a browser: what they compute, and how a page follows them."""

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from recon import examples, masks, phantom, weights
from recon.errors import InputError
from recon.scan import Scan
from recon.ui import (
    answers,
    coils,
    compare,
    experiment_tab,
    html,
    instant,
    reconstruct,
    research,
    sampling,
    session,
    trust,
)
from recon.ui.session import Choice, Origin
from recon.ui.trust import crimes, ensemble, lesion, shift
from recon.ui.words import german as translated
from tests.helpers.answers import settings


def test_keys_are_unique_and_leads_end():
    every = [*compare.EXPERIMENTS, *coils.EXPERIMENTS, *trust.EXPERIMENTS, *research.EXPERIMENTS]
    assert len(every) == 3 + 6 + 6 + 3
    assert len({one.key for one in every}) == len(every)
    for one in every:
        assert one.lead.endswith((".", "?"))


def test_sentences_begin_with_the_name_of_a_method(choice):
    wish = replace(choice, method="cs")
    verdict = html.verdict(session.run(wish), "", "")
    assert re.search(r"</b>: Compressed sensing (closed|made)", verdict)
    (found,) = trust.nullspace.take_apart(wish, method="cs", weight=0)
    assert "<p>Compressed sensing leaves" in found.words


def test_methods_are_shown_as_they_come_and_score_as_alone(choice):
    found = list(compare.side_by_side(choice, ["cs", "zero-filled"], 3))
    assert [one.done for one in found] == [0, 1, 2]
    assert all(one.of == 2 for one in found)
    assert "Compressed sensing" not in found[1].words
    for method in ("zero-filled", "cs"):
        expected = session.run(replace(choice, method=method)).metrics["ssim"]
        assert f"<td>{expected:.3f}</td>" in found[-1].words


def test_several_coils_are_no_part_of_the_crime():
    for example, several in (("phantom", False), ("phantom-coils", True)):
        chosen = Choice(Origin(example=example), method="zero-filled")
        *_, found = crimes.compare(chosen, ["zero-filled"])
        assert ("several coils" in found.words) == several
        assert ("illusory gain" in found.words) != several


def test_rows_of_shifts_come_one_by_one_and_begin_with_the_main_view(choice):
    found = list(shift.change(choice, ["zero-filled"], [0, 2]))
    assert [one.done for one in found] == [0, 1, 2, 3]
    expected = session.run(replace(choice, method="zero-filled")).metrics["ssim"]
    assert f"{expected:.3f} (+0%)" in found[1].words


def test_another_object_is_fully_sampled_and_another_one():
    assert "phantom-coils" in shift.OTHERS
    assert "accelerated-coils" not in shift.OTHERS  # arrived undersampled
    phantoms = shift.change(Choice(Origin(example="phantom")), ["zero-filled"], ["phantom"])
    *_, found = phantoms
    assert found.of == 1
    assert "another object" not in found.words


def test_what_a_network_was_trained_with_is_marked(choice, monkeypatch):
    run = {"noise": 0.01, "families": True}
    monkeypatch.setattr(weights.Store, "record", lambda self, name: {"run": run})
    *_, found = shift.change(choice, ["zero-filled", "cnn"], [1, 2])
    rows = re.findall(r"<tr><th.*?</tr>", found.words)
    assert [row.count(" · in training</td>") for row in rows] == [0, 0, 1]


def test_an_ensemble_grows(choice):
    found = [a for a in ensemble.repeat(choice, "zero-filled", 5) if a.words]
    assert found[0].done == 1
    assert found[-1].done == found[-1].of == 5
    assert "1 mask" in json.dumps(found[0].panels)
    assert re.search(r"SSIM [\d.]+ with this mask", found[0].words)
    assert "depending on nothing but the mask" in found[-1].words


def test_worse_by_little_is_no_zero(choice):
    result = session.run(replace(choice, method="cs"))
    assert result.closed_share is not None
    before = result.zero_filled_metrics["ssim"]
    for share, words in (
        (-0.002, "made this slice worse, by less than 1% of"),
        (-0.2, "by 20% of"),
    ):
        ssim = before + share * (1 - before)
        assert words in html.verdict(replace(result, metrics={**result.metrics, "ssim": ssim}))


def test_the_curve_of_a_lesion_has_a_point_for_each_size(choice):
    where = {"kind": "spot", "size": 3, "contrast": 0.5, "row": -1, "column": -1}
    *_, last = lesion.draw(choice, ["zero-filled"], "size", **where)
    assert last.chart.count("<circle") == len(lesion.SIZES)


def test_no_experiment_answers_for_undersampled_data_but_each_says_why(undersampled):
    for one in (*compare.EXPERIMENTS, *trust.EXPERIMENTS):
        for action in one.actions:
            with pytest.raises(InputError, match=r"undersampled|reference"):
                list(action.compute(undersampled, **settings(one)))


def test_one_method_that_refuses_does_not_stop_the_others(choice, monkeypatch):
    where = {"kind": "spot", "size": 3, "contrast": 0.5, "row": -1, "column": -1}
    two = ["sense", "zero-filled"]
    refusal = "<b>SENSE:</b> SENSE uses the differences between coils"
    put = list(lesion.put(choice, two, "size", **where))
    curve = list(lesion.draw(choice, two, "size", **where))
    crime = list(crimes.compare(choice, two))
    shifts = list(shift.change(choice, two, [0]))
    for found in (put, curve, crime, shifts):
        done = [one.done for one in found]
        assert done == sorted(done)
        assert done[-1] == found[-1].of
    assert refusal in put[-1].words
    assert curve[-1].chart.count("<circle") == len(lesion.SIZES)
    assert refusal in curve[-1].chart
    assert refusal in crime[-1].words
    assert len(re.findall(r"<td>[\d.]+ \(", crime[-1].words)) == 4
    assert refusal in shifts[-1].words
    assert re.search(r"rotated by 20°</th><td>[\d.]+ \(\+0%\)</td><td>–</td>", shifts[-1].words)


@pytest.fixture
def lesion_tab(monkeypatch, tmp_path):
    """The lesion test without its page: asks `curve` or `opened` of a choice, given what stands."""
    monkeypatch.setenv(answers.VARIABLE, str(tmp_path))
    own = settings(lesion.EXPERIMENT) | {"methods": ["zero-filled"]}
    names = ("about", "message", "words", "panels", "chart", "progress", "stop")
    drawn = experiment_tab._Drawn({name: name for name in own}, *names, [])

    def ask(which: str, choice: Choice, about: dict) -> dict:
        shared = SimpleNamespace(choice=lambda values: choice)
        _, curve = lesion.EXPERIMENT.actions
        event = (
            experiment_tab._event(lesion.EXPERIMENT, curve, shared, drawn)
            if which == "curve"
            else experiment_tab._opened(lesion.EXPERIMENT, shared, drawn)
        )
        found: dict = {}
        for changes in event(own | {"about": about}):
            found |= changes
        return found

    return ask, own


def test_a_curve_stays_when_something_else_is_opened(lesion_tab):
    ask, own = lesion_tab
    head = Choice(Origin(example="head"), 0, method="zero-filled", center_fraction=0.08)
    other = replace(head, acceleration=8)
    for one in (head, other):  # what its tab would show at once
        answers.keep("lesion", one, own, {"words": f"put {one.acceleration}", "chart": ""})
    first = ask("opened", head, {})
    assert first["words"].startswith("put 4")
    drawn = ask("curve", head, first["about"])
    assert "<svg" in drawn["chart"]
    assert "words" not in drawn  # they answer the same question
    assert ask("opened", other, drawn["about"]) == {"message": ""}
    assert drawn["about"]["question"] == lesion.EXPERIMENT.question(head)  # so it is marked as old


@pytest.mark.parametrize("moved", [True, False])
def test_a_curve_never_stands_below_words_of_another_question(lesion_tab, moved):
    ask, own = lesion_tab
    head = Choice(Origin(example="head"), 0, method="zero-filled", center_fraction=0.08)
    answers.keep("lesion", head, own, {"words": "put", "chart": ""})
    about = ask("opened", head, {})["about"]
    drawn = (
        ask("curve", head, about | {"moves": about["moves"] + 1})
        if moved
        else ask("curve", replace(head, acceleration=8), about)
    )
    assert drawn["words"] == ""
    assert len(drawn["panels"]["panels"]) == 2
    assert "<svg" in drawn["chart"]


@pytest.mark.parametrize("run", [
    lambda c: lesion.put(c, ["sense"], "size", kind="spot", size=3, contrast=1, row=-1, column=-1),
    lambda c: crimes.compare(c, ["sense"]),
    lambda c: shift.change(c, ["sense"], [0]),
], ids=["lesion", "crimes", "shift"])  # fmt: skip
def test_where_every_method_refuses_it_is_said(choice, run):
    with pytest.raises(InputError, match="has one coil"):
        list(run(choice))


def test_an_example_that_cannot_be_opened_leaves_no_name_in_the_menu(choice, monkeypatch):
    places = SimpleNamespace(
        origin="origin", example="example", file_message="message", choice=lambda values: choice
    )
    main = reconstruct._Main(places, "verdict", "panels")
    monkeypatch.setattr(examples, "fetch", lambda key: (_ for _ in ()).throw(InputError("Gone.")))
    for origin in (Origin(example="head"), choice.origin):
        found = main.choose_example({"origin": origin, "example": "t1-spin-echo"})
        assert found == {"message": html.message("Gone."), "example": origin.example}


def test_what_the_lab_said_of_another_slice_goes_with_it(choice):
    shared = SimpleNamespace(choice=lambda values: choice, inputs=set())
    lab = sampling.Lab("family", "acceleration", "center", "seed", "method", "hand")
    names = ("judge", "editor", "panels", "standing", "message", "sent", "judged", "room", "place")
    view = sampling._View(shared, lab, *names)
    values = {"family": "random", "acceleration": 4, "center": 0.08, "seed": 0,
              "method": "zero-filled", "hand": "", "sent": ""}  # fmt: skip
    first = view.opened(values)
    assert first["standing"] == first["place"] == ""
    again = view.opened(values | {"sent": first["sent"]})
    assert not {"standing", "place"} & again.keys()


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
    # Lessons draw lines of their own, from the seed on the page.
    lesson = choice.questions["lesson"]
    assert replace(choice, acceleration=8, method="cs").questions["lesson"] == lesson
    assert replace(choice, seed=1).questions["lesson"] != lesson


def test_the_training_that_is_shown_ends_well(monkeypatch):
    head = Choice(Origin(example="head"), 0, center_fraction=0.08)
    moments = weights.Store().snapshots(compare.LEARNER)
    *_, start = compare.time_lapse(head, 0)
    *_, end = compare.time_lapse(head, len(moments) - 1)
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


@pytest.mark.parametrize(
    ("ssim", "words"),
    [
        ((0.5, 0.6, 0.6, 0.9), "No step lowers it."),
        ((0.482, 0.462, 0.57, 0.899), "After step 1 it is below zero-filled, 0.462: no step"),
        ((0.5, 0.7, 0.6, 0.9), "It does not grow with every step: no step"),
        ((0.5, 0.6, 0.4), "It does not grow with every step: no step"),
    ],
)
def test_what_is_said_of_the_steps_is_so(ssim, words):
    said = compare._steps(ssim)
    assert f"SSIM from {ssim[0]:.3f} zero-filled to {ssim[-1]:.3f} after the last step." in said
    assert words in said
    for text in re.findall(r"<span>(.*?)</span>", said):
        assert translated(text) is not None


def test_the_snapshots_stay_small():
    folder = weights.SHIPPED / compare.LEARNER / "snapshots"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2_000_000
