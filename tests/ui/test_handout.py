"""Lessons on paper."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.text import Text

from recon import phantom
from recon.scan import Scan
from recon.ui import lessons
from recon.ui.lessons import paper
from recon.ui.lessons.course import LESSONS
from recon.ui.reconstruct import FIRST
from recon.ui.session import Choice
from recon.ui.words import speaker
from tests.helpers.coils import seen


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


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("number", range(len(LESSONS)), ids=lambda n: LESSONS[n].title)
def test_every_lesson_fits_on_paper(number, language, written):
    lesson = LESSONS[number]
    kspace = seen(4, (96, 80)) if lesson.several else phantom.kspace((96, 80), seed=2)
    scan = Scan.of(kspace)
    answer = lesson.experiment(scan, 0)
    data = paper.pdf(lesson, number, answer, 1.0, "here", language)
    assert data.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", data)) == 1
    words = " ".join(text for text, _, _ in written)
    for text in (lesson.question.text, answer.sentence, lesson.explanation, lesson.link):
        assert speaker(language)(text) in words
    assert min(end for _, _, end in written) > 0.08  # and there is room for notes


@pytest.mark.parametrize("number", range(len(LESSONS)), ids=lambda n: LESSONS[n].title)
def test_a_german_lesson_is_german_throughout(number, monkeypatch, foreign):
    pages = []
    monkeypatch.setattr(PdfPages, "savefig", lambda self, page: pages.append(page))
    lesson, choice = LESSONS[number], replace(Choice(FIRST, 0, axes="slices"), language="de")
    lessons.handout(number, choice)
    (page,) = pages
    texts = [" ".join(one.get_text().split()) for one in page.findobj(Text)]
    texts.remove(f"{lesson.source}, {lesson.link}")  # as it was published
    parts = {part for text in texts for part in text.split(" · ")} - {""}
    parts = {re.sub(r"^(\d+\.|\N{BALLOT BOX}) ", "", part) for part in parts}
    assert {"Notizen", "kein Medizinprodukt"} <= parts
    assert {part for part in parts if foreign(part)} == set()


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


def test_who_reads_german_gets_a_german_one(visit):
    page = visit(locale="en-US", accept_downloads=True)

    def title() -> bytes:
        with page.expect_download(timeout=60_000) as download:
            page.locator("#lesson-handout").click()
        return re.search(rb"/Title \((.*?)\)", Path(download.value.path()).read_bytes())[1]

    page.get_by_role("tab", name="Learn").click()
    assert title() == b"What is k-space?"
    page.get_by_role("button", name="Deutsch").click()
    page.get_by_role("button", name="Arbeitsblatt (PDF)").wait_for()
    assert title() == b"Was ist der k-Raum?"
