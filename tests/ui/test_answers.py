"""Results that are kept for the next person."""

import os
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

from recon.ui import answers, session
from recon.ui.session import Choice, Origin


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


def test_those_asked_for_last_are_kept(monkeypatch, tmp_path):
    monkeypatch.setenv(answers.VARIABLE, str(tmp_path))
    monkeypatch.setattr(answers, "MOST", 3)
    head = Choice(Origin(example="head"), 0, center_fraction=0.08)

    def old(own, age):
        name = answers._path("side", head, own)
        os.utime(name, (age, age))

    for number in range(4):
        answers.keep("side", head, {"contrast": number}, {"words": f"{number}"})
        old({"contrast": number}, number)
        assert answers.find("side", head, {"contrast": 0})["words"] == "0"  # asked for again
    kept = [number for number in range(4) if answers.find("side", head, {"contrast": number})]
    assert kept == [0, 2, 3]
    assert len(list(tmp_path.iterdir())) == 3


def test_what_cannot_be_kept_leaves_nothing_behind(monkeypatch, tmp_path):
    monkeypatch.setenv(answers.VARIABLE, str(tmp_path))
    monkeypatch.setattr(Path, "write_text", Mock(side_effect=OSError("no space left")))
    answers.keep("side", Choice(Origin(example="head"), 0), {}, {"words": "w"})
    assert list(tmp_path.iterdir()) == []


def test_one_answer_is_no_other_one_with_the_same_sum(monkeypatch, tmp_path):
    """The browser's key of a question is short enough to be met on purpose."""
    monkeypatch.setenv(answers.VARIABLE, str(tmp_path))
    monkeypatch.setattr(session.zlib, "crc32", lambda data: 7)
    head = Choice(Origin(example="head"), 0, center_fraction=0.08)
    answers.keep("side", head, {}, {"words": "w"})
    assert answers.find("side", replace(head, center_fraction=0.07), {}) is None


def test_what_was_kept_says_so():
    shown = answers.said_so({"words": "words"})
    assert shown.words.startswith("words")
    assert "Computed earlier on this server" in shown.words
    assert "None" not in answers.said_so({"words": None}).words
