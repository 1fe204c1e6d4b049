"""The course: its questions are sound, its experiments compute, and its progress is kept."""

import re
from threading import Event

import numpy as np
import pytest

from recon import phantom
from recon.scan import Scan
from recon.ui import lessons
from recon.ui.lessons import experiments
from recon.ui.lessons.course import LESSONS, QUIZ
from tests.helpers.coils import seen
from tests.helpers.page import after, upload


@pytest.fixture(scope="module")
def scan() -> Scan:
    return Scan.of(phantom.kspace((96, 80), seed=2))


def test_every_question_has_one_right_answer_and_a_source():
    assert len(LESSONS) >= 8
    for lesson in LESSONS:
        assert 0 <= lesson.question.right < len(lesson.question.options)
        assert lesson.link.startswith("https://")
    for question in QUIZ:
        assert 0 <= question.right < len(question.options)
        assert question.why
    positions = {lesson.question.right for lesson in LESSONS}
    assert len(positions) > 1  # not always the same one


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.title)
def test_every_experiment_computes(scan, lesson):
    answer = lesson.experiment(Scan.of(seen(4, (96, 80))) if lesson.several else scan, 0)
    assert answer.sentence.endswith(".")
    assert "nan" not in answer.sentence.lower()
    names = [panel.name for panel in answer.panels]
    assert len(names) == len(set(names)) >= 2
    for panel in answer.panels:
        assert panel.pixels is None or np.isfinite(panel.pixels).all()


def test_a_point_is_a_wave_of_its_frequency(scan):
    wave = next(p for p in experiments.one_point(scan, 0).panels if p.name == "wave1").pixels
    spectrum = np.abs(np.fft.fft(wave[10] - wave[10].mean()))
    assert np.argmax(spectrum[:40]) == 4  # four turns across the image
    assert np.ptp(wave, axis=0).max() < 1e-5  # and none down


def test_every_second_line_makes_a_second_copy(scan):
    panels = {p.name: p for p in experiments.every_second_line(scan, 0).panels}
    image = panels["image2"].pixels
    np.testing.assert_allclose(image, np.roll(image, 40, axis=1), atol=1e-4 * image.max())


def test_scores_fall_with_acceleration(scan):
    sentence = experiments.score_over_acceleration(scan, 0).sentence
    first, second, _ = (float(x) for x in re.findall(r"-?\d\.\d+", sentence))
    assert first > 0
    assert first > second  # the right answer: fast at first, then slower


@pytest.fixture
def course(page, tmp_path):
    np.save(tmp_path / "known.npy", phantom.kspace((96, 80), seed=2))
    after(page, lambda: upload(page, tmp_path / "known.npy"))
    page.get_by_role("tab", name="Learn").click()
    page.locator("#lesson-heading h3").wait_for()
    return page


def classes(page) -> list[str]:
    return page.locator("#lesson-progress li").evaluate_all("items => items.map(i => i.className)")


def test_guess_experiment_explanation_and_progress(course):
    lesson = LESSONS[0]
    course.get_by_label(lesson.question.options[lesson.question.right]).check()
    course.locator("#lesson-show").click()
    course.locator("#lesson-meaning p").first.wait_for(timeout=30_000)
    assert course.locator("#lesson-outcome").inner_text().startswith("Right.")
    course.locator("#lesson-panels .viewer[data-state=ready]").wait_for(timeout=10_000)
    course.locator("#lesson-next").click()
    course.get_by_text(f"2. {LESSONS[1].title}").wait_for()
    course.wait_for_timeout(1000)  # whatever went on by itself would have
    assert course.locator("#lesson-meaning p").count() == 0
    assert course.locator("#lesson-outcome").inner_text().strip() == ""
    wrong = 1 - LESSONS[1].question.right
    course.get_by_label(LESSONS[1].question.options[wrong]).check()
    course.locator("#lesson-show").click()
    course.locator("#lesson-meaning p").first.wait_for(timeout=30_000)
    assert course.locator("#lesson-outcome").inner_text().startswith("Not quite.")
    # progress stays while somebody looks elsewhere
    course.get_by_role("tab", name="Reconstruct").click()
    course.get_by_role("tab", name="Learn").click()
    assert classes(course)[:2] == ["right", "wrong here"]
    course.locator("#lesson-back").click()
    course.get_by_text(f"1. {LESSONS[0].title}").wait_for()
    assert classes(course)[:2] == ["right here", "wrong"]


def test_an_answer_that_comes_after_one_went_on_is_not_shown(course, monkeypatch):
    may_end, begun = Event(), Event()

    def slow(number, guess, choice):
        if number == 4:
            begun.set()
            may_end.wait(30)
        return lessons.Result("a", f"<p>answer {number + 1}</p>", {}, "<p>why</p>")

    monkeypatch.setattr(lessons, "found", slow)
    course.locator("#lesson-progress button[data-lesson='4']").click()
    course.locator("#lesson-heading").get_by_text(f"5. {LESSONS[4].title}").wait_for()
    course.locator("#lesson-show").dblclick()
    assert begun.wait(15)
    course.locator("#lesson-next").click()
    course.locator("#lesson-heading").get_by_text(f"6. {LESSONS[5].title}").wait_for()
    course.wait_for_function("!document.querySelector('#lesson-progress li:nth-child(5).here')")
    course.locator("#lesson-show").click()
    course.evaluate(  # all that stands there at any time
        "window.outcomes = []; new MutationObserver(() => outcomes.push(document.querySelector("
        "'#lesson-outcome').innerText.trim())).observe(document.body, {childList: true, "
        "subtree: true, characterData: true})"
    )
    may_end.set()
    course.locator("#lesson-outcome").get_by_text("answer 6").wait_for(timeout=15_000)
    assert not [words for words in course.evaluate("outcomes") if "answer 5" in words]
    assert classes(course)[4:6] == ["", "seen here"]


def test_a_quiz_without_answers_is_not_marked():
    said = lessons.mark(*[None] * len(QUIZ))
    assert "Choose an answer first." in said
    assert "<table" not in said
    assert f"0 of {len(QUIZ)} right" in lessons.mark(
        (QUIZ[0].right + 1) % len(QUIZ[0].options), *[None] * (len(QUIZ) - 1)
    )


def test_quiz_explains(course):
    course.locator("#quiz button").first.click()
    for number, question in enumerate(QUIZ):
        place = course.locator(f"#quiz-{number}")
        chosen = question.right if number else (question.right + 1) % len(question.options)
        place.locator("input[type=radio]").nth(chosen).check()
    course.locator("#quiz-check").click()
    course.locator("#quiz-verdict table").wait_for(timeout=10_000)
    text = course.locator("#quiz-verdict").inner_text()
    assert f"{len(QUIZ) - 1} of {len(QUIZ)}" in text
    assert QUIZ[0].why in text
