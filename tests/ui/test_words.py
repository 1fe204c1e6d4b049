"""The page in two languages: one table, complete for the parts that are translated."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import recon
from recon.examples import EXAMPLES
from recon.ui.lessons.course import LESSONS, QUIZ
from tests.helpers.page import drawn, tabs

HOME = Path(recon.__file__).parent
LANGUAGE = (HOME / "ui" / "web" / "language.mjs").read_text("utf-8")
TABLE = (HOME / "ui" / "web" / "words.mjs").read_text("utf-8")
PLACE = re.compile(r"\{(\w+)\}")
WORD = re.compile(r"[^\W\d_]{2,}")
# What is the same in both languages: names and units.
SAME = re.compile(
    r"[\d\W_ix₁-₉]+|ResNet(-DC)?|U-Net|VarNet|GAN|SENSE|GRAPPA|SSIM( \d.*)?|PSNR.*|NMSE.*|SD|\d+x"
    r"|English|Deutsch|Head, T1 \(simulated\)|http.*|[A-Z2-9]{6}|Error, .*ResNet.*"
    r"|[\d.]+ (dB|s)|TR|ms|Linear|normal|Partial Fourier|Shimron.*|Quiz|[AB]"
)
TABS = re.findall(r"'([\w-]+)'", re.search(r"^const TABS = (.*)$", LANGUAGE, re.MULTILINE)[1])
PARTS = ", ".join(("#title, #bar, #links, #remarks", *(f"#view-{tab}" for tab in TABS)))
SPOKEN = ["aria-label", "title", "placeholder"]
# Every visible text in some parts of the page, and what is read out or shown on hovering.
TEXTS = """([parts, spoken]) => {
  const found = [], other = 'pre, code, style, #upload, select, ul[role=listbox], a[lang=en]';
  for (const part of document.querySelectorAll(parts)) {
    for (const one of [part, ...part.querySelectorAll('*')]) {
      if (!one.checkVisibility() || one.closest(other)) continue;
      found.push(...spoken.map(name => one.getAttribute(name)));
      const texts = [...one.childNodes].filter(node => node.nodeType === Node.TEXT_NODE);
      found.push(...texts.map(node => node.data));
    }
  }
  return found.filter(Boolean).map(text => text.replace(/\\s+/g, ' ').trim()).filter(Boolean);
}"""


@pytest.fixture(scope="module")
def german() -> dict[str, str]:
    pairs = json.loads(TABLE[TABLE.index("{\n") :].rstrip().rstrip(";"), object_pairs_hook=list)
    assert len({key for key, _ in pairs}) == len(pairs)  # no word twice
    return dict(pairs)


@pytest.fixture(scope="module")
def foreign(german) -> Callable[[str], bool]:
    """Whether a text of the German page is none of the table's, or keeps an English word in it."""
    shapes = [re.compile("(.+?)".join(map(re.escape, PLACE.split(w)[::2])) + "$", re.DOTALL)
              for w in german.values()]  # fmt: skip
    words = [
        {word for text in texts for word in WORD.findall(PLACE.sub(" ", text).lower())}
        for texts in (german.keys(), german.values())
    ]
    only = words[0] - words[1]
    assert {"the", "of", "lines", "image"} <= only

    def judge(text: str) -> bool:
        if SAME.fullmatch(text):
            return False
        kept = text
        for example in EXAMPLES.values():  # which keep their names
            kept = kept.replace(example.title, "")
        return not any(one.match(text) for one in shapes) or bool(
            only & set(WORD.findall(kept.lower()))
        )

    return judge


def test_every_word_is_in_both_languages_with_the_same_places(german):
    assert len(german) > 100
    for english, words in german.items():
        assert english.strip() == english != ""
        assert words.strip() == words != ""
        assert sorted(PLACE.findall(english)) == sorted(PLACE.findall(words)), english


def test_no_word_outlives_the_page(german):
    """Every English text of the table stands in the source, or is put together there."""
    source = "\n".join(
        path.read_text("utf-8")
        for kind in ("*.py", "*.mjs", "*.css")
        for path in sorted(HOME.rglob(kind))
        if path.name != "words.mjs"
    )
    source = re.sub(r"""["']\s*\n\s*f?["']""", "", source)  # a string that goes on in the next line
    source = re.sub(r"\s+", "", source + re.sub(r"<[^>]*>", " ", source))
    pieces = {
        piece
        for english in german
        for part in PLACE.split(english)[::2]
        for piece in re.split(r"[.:,·]", part)
        if re.search(r"\w{2}", piece)
    }
    lost = {piece for piece in pieces if re.sub(r"\s+", "", piece) not in source}
    gradio = {"number input for ", "range slider for ", "Reset to default value", "processing |"}
    assert lost == gradio


def test_a_german_browser_gets_whole_tabs_in_german(visit, foreign):
    page = visit(locale="de-DE")
    page.get_by_text("Mehr Einstellungen").click()
    page.get_by_text("Anteil der Mitte").wait_for()

    def left() -> list[str]:
        return [text for text in page.evaluate(TEXTS, [PARTS, []]) if foreign(text)]

    for name in tabs(page):
        assert left() == [], name
    page.get_by_role("button", name="Klasse beginnen").click()
    page.locator(".class-code").get_by_text("Mitglieder").wait_for()
    assert left() == []
    page.get_by_role("tab", name="Abtastlabor").click()
    page.get_by_role("button", name="Besser als Zufall?").click()
    page.locator("#lab-standing").get_by_text("200 zufälligen Masken").wait_for()
    assert left() == []


def test_the_switch_goes_there_and_back(visit, german):
    page = visit(locale="en-US")
    before = page.evaluate(TEXTS, [PARTS, []])
    assert "Mask seed" in before
    page.get_by_role("button", name="Deutsch").click()
    page.get_by_text("MRT aus einem Viertel der Messungen").wait_for()
    # what comes later is German too
    page.locator("#new-mask").click()
    page.locator("#bar-info").get_by_text("Zeilen").first.wait_for()
    page.get_by_role("button", name="English").click()
    page.get_by_text("MRI from a quarter of the measurements").wait_for()
    after = page.evaluate(TEXTS, [PARTS, []])
    spoken = {words for words in german.values() if words not in german and "{" not in words}
    assert not spoken & set(after)
    assert {"Mask seed", "Fully sampled", "Wipe"} <= set(after)
    assert not [text for text in after if "Zeilen" in text or "Maske " in text]
    assert page.locator("#view-reconstruct").get_attribute("lang") == "en"


def test_the_whole_course_is_german_and_english_again(visit, german, foreign):
    page = visit(locale="de-DE")
    page.get_by_role("tab", name="Lernen").click()
    everything = ["#view-learn", SPOKEN]
    seen: set[str] = set()

    def left() -> list[str]:
        texts = page.evaluate(TEXTS, everything)
        seen.update(texts)
        return [text for text in texts if foreign(text)]

    for number, lesson in enumerate(LESSONS):
        page.locator(f"#lesson-progress button[data-lesson='{number}']").click()
        page.locator("#lesson-heading").get_by_text(german[lesson.title], exact=True).wait_for()
        page.wait_for_function("() => !document.querySelector('#lesson-meaning p')")
        option = (lesson.question.right + number) % len(lesson.question.options)  # some are wrong
        page.locator("#lesson-guess input[type=radio]").nth(option).check()
        assert left() == []
        page.locator("#lesson-show").click()
        page.locator("#lesson-meaning").get_by_text(german[lesson.explanation]).wait_for(
            timeout=120_000
        )
        page.locator("#lesson-panels .viewer[data-state=ready]").wait_for()
        drawn(page)
        assert left() == []
    assert {"Richtig.", "Nicht ganz.", "dB unter Maximum", "SSIM nullgefüllt"} <= seen
    assert "Lektion 1, Was ist der k-Raum?, richtig beantwortet" in seen

    page.locator("#quiz button").first.click()
    for wrong in (0, 1):
        for number, question in enumerate(QUIZ):
            chosen = (question.right + wrong) % len(question.options)
            page.locator(f"#quiz-{number} input[type=radio]").nth(chosen).check()
            said = f"Noch nicht: {german[question.options[question.right]]}."
            said = said if wrong else "Richtig."
            page.locator(f"#quiz-said-{number}").get_by_text(said).wait_for()
        page.locator("#quiz-check").click()
        page.get_by_text(f"{0 if wrong else len(QUIZ)} von {len(QUIZ)} richtig").wait_for()
        drawn(page)
        assert left() == []
    assert "noch nicht: vier überlappende Kopien" in seen

    page.get_by_role("button", name="English").click()
    texts = page.evaluate(TEXTS, everything)
    for text in (LESSONS[-1].explanation, QUIZ[0].why, "not yet: four overlapping copies"):
        assert text in texts
    only = {words for key, words in german.items() if key != words and "{" not in words}
    assert not (only - german.keys()) & set(texts)
    assert not [text for text in texts if "Lektion" in text or "Zeilen" in text]


def test_every_word_of_the_course_is_in_the_table(german):
    """Also those that the examples do not show."""
    for question in (*QUIZ, *(lesson.question for lesson in LESSONS)):
        texts = {question.text, question.why, *question.options} - {"", "A", "B"}
        assert texts <= german.keys()
    assert {text for one in LESSONS for text in (one.title, one.explanation)} <= german.keys()


def test_a_link_may_say_which_language(visit):
    visit("?lang=de", locale="en-US").get_by_text("Rekonstruktion").first.wait_for()
    visit("?lang=en", locale="de-DE").get_by_role("tab", name="Reconstruct").wait_for()
