"""Lessons on paper."""

import re
from dataclasses import replace

import pytest

from recon import phantom
from recon.scan import Scan
from recon.ui import lessons
from recon.ui.lessons import paper
from recon.ui.lessons.course import LESSONS
from recon.ui.reconstruct import FIRST
from recon.ui.session import Choice


@pytest.fixture
def written(monkeypatch):
    """All that was written, and where it ended."""
    found = []
    write = paper._write

    def spy(page, y, text, size, **options):
        end = write(page, y, text, size, **options)
        found.append((text, y, end))
        return end

    monkeypatch.setattr(paper, "_write", spy)
    return found


@pytest.mark.parametrize("number", range(len(LESSONS)), ids=lambda n: LESSONS[n].title)
def test_every_lesson_fits_on_paper(number, written):
    scan = Scan.of(phantom.kspace((96, 80), seed=2))
    lesson = LESSONS[number]
    answer = lesson.experiment(scan, 0)
    data = paper.pdf(lesson, number, answer, 1.0, "here")
    assert data.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", data)) == 1
    words = " ".join(text for text, _, _ in written)
    for text in (lesson.question.text, answer.sentence, lesson.explanation, lesson.link):
        assert text in words
    assert min(end for _, _, end in written) > 0.08  # and there is room for notes


def test_a_hostile_name_is_text(written):
    scan = Scan.of(phantom.kspace((64, 64)))
    answer = replace(LESSONS[1].experiment(scan, 0), sentence=r"$\frac{1}{$ <b>x</b> \\input{a}")
    paper.pdf(LESSONS[1], 1, answer, 1.0, r"$x_{$ " * 100)
    assert any(text == answer.sentence for text, _, _ in written)


def test_the_handout_of_what_is_open():
    data = lessons.handout(1, Choice(FIRST, 0, axes="slices"))
    assert data.startswith(b"%PDF")
    assert data == lessons.handout(1, Choice(FIRST, 0, axes="slices"))


def test_the_button_gives_the_file(page):
    page.get_by_role("tab", name="Learn").click()
    with page.expect_download(timeout=60_000) as download:
        page.locator("#lesson-handout").click()
    assert download.value.suggested_filename == "lesson-1.pdf"
