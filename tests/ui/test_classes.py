"""Classes: bounded, forgotten after a day, and whatever a stranger sends stays harmless."""

import json
import uuid

import httpx
import numpy as np
import pytest

from recon import examples
from recon.errors import InputError
from recon.scan import Scan
from recon.ui import classes, classroom, sampling
from recon.ui.classes import Classes, nickname
from recon.ui.lessons.course import LESSONS
from recon.ui.session import Choice, Origin
from tests.helpers.clocks import Clock
from tests.helpers.server import event

HOSTILE = [
    "<script>alert(1)</script>"[: classes.NAME],
    "<img src=x onerror=a()>",
    "&lt;b&gt;",
    '" onclick="a()',
    "{{7*7}}",
]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def known(clock) -> Classes:
    return Classes(clock)


def test_the_best_mask_of_a_member_counts_and_places_are_by_score(known):
    code = known.start("teacher")
    known.join(code, "a", "Ada")
    known.join(code.lower(), "b", "Bob")
    assert known.enter(code, "a", "4x", 0.7, 64) == 1
    assert known.enter(code, "b", "4x", 0.8, 60) == 1
    assert known.enter(code, "a", "4x", 0.6, 64) == 2
    assert [(e.name, e.ssim) for e in known.boards(code)["4x"]] == [("Bob", 0.8), ("Ada", 0.7)]


def test_who_did_not_join_takes_no_part(known):
    code = known.start("teacher")
    for deed in (
        lambda: known.enter(code, "x", "4x", 1.0, 1),
        lambda: known.guess(code, "x", 0, 0),
        lambda: known.enter("AAAAAA", "x", "4x", 1.0, 1),
        lambda: known.join("AAAAAA", "x", "Xaver"),
        lambda: known.join(None, "x", "Xaver"),
    ):
        with pytest.raises(InputError):
            deed()
    assert known.boards(code) == {}


def test_a_class_is_gone_after_a_day(known, clock):
    code = known.start("teacher")
    known.join(code, "a", "Ada")
    clock.now = classes.DAY
    assert known.size(code) == 1
    clock.now = classes.DAY + 1
    with pytest.raises(InputError, match="after a day"):
        known.boards(code)
    assert not known._classes


def test_everything_is_bounded(known, monkeypatch):
    monkeypatch.setattr(classes, "CLASSES", 3)
    monkeypatch.setattr(classes, "MEMBERS", 2)
    monkeypatch.setattr(classes, "QUESTIONS", 2)
    code = known.start("a")
    known.join(code, 1, "one")
    known.join(code, 2, "two")
    with pytest.raises(InputError, match="full"):
        known.join(code, 3, "three")
    known.join(code, 2, "zwei")  # who is in may have another name
    known.enter(code, 1, "q1", 0.1, 1)
    known.enter(code, 1, "q2", 0.1, 1)
    with pytest.raises(InputError, match="2 questions"):
        known.enter(code, 1, "q3", 0.1, 1)
    for owner in "bcdefgh":  # empty ones make room for each other, one with members stays
        last = known.start(owner)
    assert len(known._classes) == 3
    assert known.size(code) == 2
    known.join(last, 1, "one")
    known.start("i")
    known.join(known.start("j"), 1, "one")
    assert len(known._classes) == 3
    with pytest.raises(InputError, match="no room"):
        known.start("k")


def test_beginning_another_class_ends_the_first(known):
    first = known.start("teacher")
    second = known.start("teacher")
    assert list(known._classes) == [second] != [first]


def test_leaving_takes_everything_out(known):
    code = known.start("teacher")
    known.join(code, "a", "Ada")
    known.enter(code, "a", "4x", 0.7, 64)
    known.guess(code, "a", 2, 1)
    known.leave(code, "a")
    assert known.boards(code)["4x"] == []
    assert known.counts(code, 2, 3) == [0, 0, 0]
    assert known.size(code) == 0


def test_a_guess_may_change_until_the_answer_was_shown(known):
    code = known.start("teacher")
    known.join(code, "a", "Ada")
    known.guess(code, "a", 0, 2)
    known.guess(code, "a", 0, 1)
    known.seal(code, "a", 0)
    known.guess(code, "a", 0, 3)
    assert known.counts(code, 0, 4) == [0, 1, 0, 0]


@pytest.mark.parametrize(
    "name",
    [
        None,
        5,
        [],
        "",
        "   ",
        "\n\t\0",
        "x" * (classes.NAME + 1),
        "\u202e\u200b",
        "a" + "\u0301" * 9,
    ],
)
def test_what_is_no_nickname(name):
    with pytest.raises(InputError, match="1 to 24"):
        nickname(name)


def test_a_nickname_is_one_line_that_reads_forwards():
    assert nickname(" A\u202ed\na \u200b ") == "A d a"
    made = Classes()
    code = made.start("t")
    made.join(code, 1, "Ada")
    with pytest.raises(InputError, match="another one"):
        made.join(code, 2, "ADA")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name):
    words = classroom.leaderboards({"q": [classes.Entry(nickname(name), 0.5, 3)]})
    assert "<script" not in words
    assert "<img" not in words
    assert '" onclick' not in words


def test_bars_say_nothing_of_the_answer_before_it_is_asked_for():
    lesson = LESSONS[0]
    counts = [1, 3, 0, 0]
    hidden = classroom.bars(lesson, counts, False)
    assert "✓" not in hidden
    assert hidden.count('class=""') == len(counts)
    shown = classroom.bars(lesson, counts, True)
    assert shown.count("✓ right") == 1
    assert "width: 75.0%" in shown
    assert "4 guesses" in shown


def drawn(count: int, **others) -> Choice:
    width = examples.load("phantom").shape[-1]
    lines = np.zeros(width, int)
    lines[width // 2 - count // 2 :][:count] = 1
    return Choice(Origin(example="phantom"), 0, 4, mask="".join(map(str, lines)), **others)


def test_a_mask_is_scored_by_the_server():
    choice = drawn(40)
    question, ssim, lines = sampling.contribution(choice, True)
    scan = Scan.of(examples.load("phantom"))
    assert ssim == pytest.approx(scan.ssim(scan.measure(choice.drawn_mask).zero_filled), abs=1e-6)
    assert lines == 40
    assert f"at most {round(scan.width / 4)} of {scan.width} lines" in question


def test_a_mask_with_too_many_lines_or_of_an_upload_is_refused(tmp_path):
    with pytest.raises(InputError, match="take 6 away"):
        sampling.contribution(drawn(round(examples.load("phantom").shape[-1] / 4) + 6), True)
    with pytest.raises(InputError, match="examples"):
        sampling.contribution(Choice(Origin(upload=str(tmp_path / "mine.npy"))), True)


# ---- served ------------------------------------------------------------------------------------


@pytest.fixture
def two(url):
    with (
        httpx.Client(base_url=url, timeout=60) as one,
        httpx.Client(base_url=url, timeout=60) as other,
    ):
        for visitor in (one, other):
            visitor.get("/")
        yield one, other


def begun(visitor) -> str:
    return next(part for part in event(visitor, "began", {}) if isinstance(part, str) and part)


def test_a_class_through_the_served_app(two):
    teacher, pupil = two
    code = begun(teacher)
    name = "<img src=x onerror=a()>"
    session = uuid.uuid4().hex
    values = {"class-code": code, "class-name": name}
    assert "You are in" in json.dumps(event(pupil, "joined", values, session))
    assert classroom.CLASSES.size(code) == 1
    # The client's word for a score is no part of the event: only the mask is.
    (member,) = classroom.CLASSES._classes[code].names
    classroom.CLASSES.enter(code, member, "q", 0.5, 10)
    words = classroom.leaderboards(classroom.CLASSES.boards(code))
    assert "<img" not in words
    assert "&lt;img" in words
    assert "no class with this code" in json.dumps(
        event(teacher, "joined", {"class-code": "ZZZZZZ", "class-name": "x"})
    )


def test_a_handout_lets_the_guess_stand_as_the_answer_does(two):
    teacher, pupil = two
    code, session = begun(teacher), uuid.uuid4().hex
    event(pupil, "joined", {"class-code": code, "class-name": "Ada"}, session)
    event(pupil, "guessed", {"lesson-guess": "Nothing"}, session)
    assert sum(classroom.CLASSES.counts(code, 0, 4)) == 1
    event(pupil, "printed", {}, session)
    assert classroom.CLASSES._classes[code].sealed


def test_nobody_without_a_cookie_is_in_a_class(url):
    with httpx.Client(base_url=url, timeout=60) as visitor:
        visitor.event_hooks = {"response": [lambda _: visitor.cookies.clear()]}
        assert "cookie" in json.dumps(event(visitor, "began", {}))


def test_who_is_in_no_class_sees_what_a_class_would(url):
    with httpx.Client(base_url=url, timeout=60) as visitor:
        said = json.dumps(event(visitor, "look", {"class-lesson": 2}))
    assert "In no class" in said
    assert LESSONS[2].question.text in said
    assert "0 guesses" in said


def test_who_joins_or_leaves_sees_it(visit):
    """Without a timer's help: one who joined has none, nor has one who left."""
    teacher, pupil = visit(locale="en-US"), visit(locale="en-US")
    for page in (teacher, pupil):
        page.get_by_role("tab", name="Class", exact=True).click()
    teacher.locator("#class-start").click()
    code = teacher.locator("#class-head .class-code b").inner_text()
    pupil.locator("#class-code").get_by_role("textbox").fill(code)
    pupil.locator("#class-name").get_by_role("textbox").fill("Ada")
    pupil.locator("#class-join").click()
    pupil.locator("#class-head").get_by_text(f"Class code {code} 1 member").wait_for()
    for page in (pupil, teacher):
        page.locator("#class-start").wait_for(state="hidden")
        page.locator("#class-leave").click()
        page.locator("#class-head").get_by_text("In no class").wait_for()
        page.locator("#class-start").wait_for()
