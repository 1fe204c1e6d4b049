"""The tab "Coils": every experiment computes and says what its numbers say."""

import gc
import re
import weakref
from dataclasses import replace

import numpy as np
import pytest

from recon.coils.gfactor import analytic
from recon.coils.simulate import narrowed
from recon.errors import InputError
from recon.methods.networks import FOLDS
from recon.methods.parallel import WIDE, Grappa
from recon.ui import session
from recon.ui.coils import common, cost, grappa, many, place, unfold
from recon.ui.coils import maps as look
from recon.ui.session import Choice, Origin
from tests.helpers.answers import last
from tests.helpers.coils import seen
from tests.helpers.page import complete

ONE, PHANTOM = Choice(Origin(example="phantom")), Choice(Origin(example="phantom-coils"))


def test_one_coil_shows_the_phantom_and_says_so():
    scan, where = common.subject(ONE)
    assert "one coil" in where
    assert len(scan.kspace) == 8
    assert common.subject(PHANTOM)[1] == ""


def test_results_are_about_the_scan_that_they_show():
    """With lines of their own: neither acceleration nor seed nor a hidden scan makes them old."""
    about = many.EXPERIMENT.about(ONE)
    assert about["words"] == "Phantom seen by 8 coils (exact)"
    for change in ({"acceleration": 8}, {"seed": 3}, {"origin": Origin(example="head")}):
        assert replace(ONE, **change).questions["coils"] == about["question"]
    assert replace(PHANTOM, coils=2).questions["coils"] == PHANTOM.questions["coils"]
    assert replace(PHANTOM, coils="svd").questions["coils"] != PHANTOM.questions["coils"]


def test_a_place_that_nobody_chose_stays_open():
    assert last(unfold.by_hand(PHANTOM, 2, -1, -1)).controls == {}
    assert last(unfold.by_hand(PHANTOM, 2, 999, 30)).controls["column"] == 30


def test_all_coils_are_looked_at_where_one_was_chosen():
    scan, where = common.subject(replace(PHANTOM, coils=2))
    assert len(scan.kspace) == 8
    assert where == ""


def test_maps_of_every_coil():
    found = last(look.look(PHANTOM))
    assert found.words.startswith("<p>8 coils.")
    assert found.chart.count("<img") == 16
    assert len(found.panels["panels"]) == 8


def test_maps_go_with_the_upload_they_came_from(tmp_path):
    np.save(tmp_path / "four.npy", seen(4, (48, 40)))
    choice = Choice(Origin(upload=str(tmp_path / "four.npy")), axes="coils")
    scan, _ = common.subject(choice)
    assert common.views(scan) is common.views(scan)
    left = weakref.ref(common.views(scan))
    session.forget({choice.origin.upload})
    del scan
    gc.collect()
    assert left() is None


def test_equations_by_hand():
    found = last(unfold.by_hand(PHANTOM, 2, 128, 80))
    assert found.controls == {"row": 128, "column": 80}
    assert "2 pixels of the object lie on each other: x₁ at column 80, x₂ at column 208" in (
        found.words
    )
    assert "8 equations in 2 unknowns" in found.words
    condition = float(re.search(r"condition number <b>([\d.]+)</b>", found.words)[1])
    assert 1 <= condition < 3
    solved = re.findall(r'<th scope="row">x.</th><td>([^<]+)</td><td>([^<]+)</td>', found.words)
    assert len(solved) == 2
    for pair in solved:
        ours, true = (np.array(list(map(float, _parts(number)))) for number in pair)
        assert np.abs(ours - true).max() < 0.05
    covered = np.abs(common.views(common.subject(PHANTOM)[0]).maps).sum((0, 2)) > 0
    if not covered.all():
        empty = int(np.flatnonzero(~covered)[0])
        assert "Nothing folds" in last(unfold.by_hand(PHANTOM, 2, empty, 1)).words


def _parts(text: str) -> list[str]:
    return re.findall(r"\d\.\d+", text)


def test_cost_of_the_coils_that_are_left():
    every = last(cost.take_away(PHANTOM, 4, []))
    fewer = last(cost.take_away(PHANTOM, 4, [0, 1, 2]))
    means = [float(re.search(r"g is ([\d.]+)", one.words)[1]) for one in (every, fewer)]
    assert means[0] < means[1]
    assert fewer.words.startswith("<p>5 coils")
    scan = session.scan(PHANTOM)
    expected = analytic(common.views(scan).maps, 4)
    assert means[0] == pytest.approx(expected[expected > 0].mean(), abs=0.006)


CROWDED = re.compile(r"2 coils cannot part \d pixels: there is no solution in ([\d.]+)% of the ob")


def test_two_coils_do_not_part_four_pixels():
    found = last(cost.take_away(PHANTOM, 4, [1, 2, 3, 5, 6, 7]))
    assert 10 < float(CROWDED.search(found.words)[1]) < 100
    assert float(re.search(r"g is ([\d.]+)", found.words)[1]) < 5
    placed = last(place.put(PHANTOM, 2, 1.2, 360, 4))
    assert CROWDED.search(placed.words)
    assert float(re.search(r"g is ([\d.]+)", placed.words)[1]) < 5
    assert "cannot part" not in last(cost.take_away(PHANTOM, 4, [])).words


def test_equations_without_a_solution(tmp_path):
    np.save(tmp_path / "two.npy", seen(2, (64, 60)))
    two = Choice(Origin(upload=str(tmp_path / "two.npy")), axes="coils")
    found = last(unfold.by_hand(two, 3, 32, 30)).words
    assert "2 coils cannot part 3 pixels: there is no solution." in found
    assert re.findall(r'<th scope="row">x.</th><td>–</td><td>[^<–]+</td><td>–</td>', found)


def test_only_coils_that_are_there_can_be_taken_away():
    found = last(cost.take_away(PHANTOM, 4, [2, 12]))
    assert found.words.startswith("<p>7 coils")
    boxes = found.controls["away"]
    assert [number for _, number in boxes["choices"]] == list(range(8))
    assert boxes["value"] == [2]
    # Boxes that all exist are left alone: more may be ticked in the browser by now.
    assert "value" not in last(cost.take_away(PHANTOM, 4, [2, 3])).controls["away"]


def test_a_plot_that_ends_says_where():
    assert "g-factor, up to 20" in last(cost.take_away(PHANTOM, 6, [])).chart


def let_go(slider, *values: int) -> None:
    """Move a slider and let it go, at once and again."""
    slider.evaluate(
        """(slider, values) => {
          for (const value of values) {
            slider.value = value;
            slider.dispatchEvent(new Event('input', {bubbles: true}));
            slider.dispatchEvent(new PointerEvent('pointerup', {bubbles: true}));
          }
        }""",
        values,
    )


def test_a_slider_that_moves_on_is_answered_where_it_rests(page):
    page.get_by_role("tab", name="Coils").click()
    page.get_by_role("tab", name="What it costs").click()
    words = page.locator("#cost-words")
    words.get_by_text("8 coils at 4x").wait_for(timeout=60_000)
    let_go(page.locator("#cost-rate input[type=range]"), 3, 5)
    words.get_by_text("8 coils at 5x").wait_for(timeout=60_000)
    assert page.locator("#cost-about .stale-note").count() == 0


def test_an_answer_from_before_a_control_moved_on_is_marked(page):
    """Also where what was asked last is refused: the one before it stays."""
    page.get_by_role("tab", name="Coils", exact=True).click()
    page.get_by_role("tab", name="GRAPPA", exact=True).click()
    words, note = page.locator("#grappa-words"), page.locator("#grappa-about .stale-note")
    words.get_by_text("This kernel fills").wait_for(timeout=60_000)
    rate, lines = (page.locator(f"#grappa-{name} input[type=range]") for name in ("rate", "lines"))
    assert note.count() == 0
    let_go(rate, 6)
    let_go(lines, 8)
    page.locator("#grappa-message").get_by_text("19 at least").wait_for(timeout=60_000)
    assert "learned from 24 lines" in words.inner_text()
    assert "before you moved a control" in note.inner_text()
    complete(page, "grappa", lambda: let_go(lines, 24), rows=0)
    assert note.count() == 0


def test_coils_are_placed():
    near = last(place.put(PHANTOM, 8, 1.2, 360, 3))
    front = last(place.put(PHANTOM, 8, 1.2, 90, 3))
    g, error = (
        [float(re.search(pattern, one.words)[1]) for one in (near, front)]
        for pattern in (r"g is ([\d.]+)", r"by ([\d.]+) \(standard")
    )
    assert g[0] < g[1]
    assert error[0] < error[1]
    assert near.chart.count("<line") == 8


def test_the_kernel_is_drawn_where_it_is():
    found = last(grappa.learn(PHANTOM, 3, 24))
    assert found.chart.count("<circle") == 4 * 5 + 1
    scores = [float(panel["caption"].split()[1]) for panel in found.panels["panels"][1:3]]
    assert scores[1] > scores[0] + 0.05
    with pytest.raises(Exception, match="GRAPPA learns"):
        last(grappa.learn(PHANTOM, 6, 8))


def test_one_or_many_says_what_is_to_know_of_an_object_that_lies_on_itself(tmp_path):
    np.save(tmp_path / "narrow.npy", narrowed(seen(8, (64, 72)), 36))
    found = last(many.compare(Choice(Origin(upload=str(tmp_path / "narrow.npy")), axes="coils"), 2))
    assert f"<p><b>ResNet-DC:</b> {FOLDS}</p>" in found.words
    assert f"<p><b>SENSE</b>, <b>SENSE with TV</b>: <span>{WIDE}</span></p>" in found.words
    words = last(many.compare(PHANTOM, 2)).words
    assert FOLDS not in words
    assert WIDE not in words


def test_one_or_many_goes_on_where_a_method_refuses(tmp_path, monkeypatch):
    np.save(tmp_path / "small.npy", seen(4, (64, 48)))
    small = Choice(Origin(upload=str(tmp_path / "small.npy")), axes="coils")

    def refuse(*_):
        raise InputError("Not this one.")

    monkeypatch.setattr(Grappa, "images", refuse)
    found = last(many.compare(small, 6))
    assert "<b>GRAPPA:</b> Not this one." in found.words
    assert "ResNet-DC, 4 coils" in found.words


def test_many_coils_beat_one():
    found = last(many.compare(PHANTOM, 3))
    assert found.words.count("hold less noise than measured ones") == 1
    assert "<b>SENSE with TV</b>, <b>ResNet-DC</b>: " in found.words
    rows = re.findall(r'<th scope="row">([^<]+)</th><td>([\d.]+)%', found.words)
    assert len(rows) == len(many.ALONE) + len(many.TOGETHER)
    error = {name: float(value) for name, value in rows}
    alone = min(value for name, value in error.items() if "alone" in name)
    assert error["SENSE, 8 coils"] < alone
    assert np.isfinite(list(error.values())).all()
