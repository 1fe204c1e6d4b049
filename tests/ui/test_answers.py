"""Results that are kept for the next person."""

from dataclasses import replace

from recon.ui import answers
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


def test_what_was_kept_says_so():
    shown = answers.said_so({"words": "words"})
    assert shown.words.startswith("words")
    assert "Computed earlier on this server" in shown.words
    assert "None" not in answers.said_so({"words": None}).words
