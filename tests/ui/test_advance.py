"""What takes a while is computed in advance, while nobody asks for anything."""

import threading
from dataclasses import replace

import gradio
import gradio.analytics

from recon.ui import advance, answers
from recon.ui.events import Turns
from recon.ui.experiment import Action, Answer, Experiment
from recon.ui.session import Choice, Origin
from tests.helpers.clocks import watched_turns


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
    (turns, waits), order = watched_turns(), []
    begun, free = threading.Event(), threading.Event()

    def compute(choice):
        order.append("in advance")
        yield Answer("half", done=1, of=2)
        order.append("in advance")
        yield Answer("whole", done=2, of=2)

    def visitor():
        with turns.piece():
            begun.set()
            assert free.wait(30)
            order.append("visitor")

    dear = Experiment("dear", "", "", (Action("", "look", compute),))
    guest = threading.Thread(target=visitor)
    guest.start()
    assert begun.wait(30)
    head = Choice(Origin(example="head"), 0, center_fraction=0.08)
    work = threading.Thread(target=advance.work, args=([(dear, head, {})], turns))
    work.start()
    assert waits.wait(30)
    assert order == []
    free.set()
    work.join(30)
    guest.join(30)
    assert order == ["visitor", "in advance", "in advance"]
    assert answers.find("dear", head, {})["words"] == "whole"
