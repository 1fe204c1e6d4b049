"""The page in two languages, in a browser: every word of the parts that are translated."""

import re
from pathlib import Path

import recon
from recon import examples
from recon.examples import EXAMPLES
from recon.ui.lessons.course import LESSONS, QUIZ
from recon.ui.research import figure
from tests.helpers.page import after, drawn, tabs, upload

HOME = Path(recon.__file__).parent
LANGUAGE = (HOME / "ui" / "web" / "language.mjs").read_text("utf-8")
TABS = re.findall(r"'([\w-]+)'", re.search(r"^const TABS = (.*)$", LANGUAGE, re.MULTILINE)[1])
AROUND = "#title, #bar, #links, #research, #remarks, footer, .toast-wrap"
PARTS = ", ".join((AROUND, *(f"#view-{tab}" for tab in TABS)))
SPOKEN = ["aria-label", "title", "placeholder"]
# Every visible text in some parts of the page, and what is read out or shown on hovering.
TEXTS = """([parts, spoken]) => {
  const found = [], other = 'pre, code, style, #upload, select, a[lang=en]';
  for (const part of document.querySelectorAll(parts)) {
    for (const one of [part, ...part.querySelectorAll('*')]) {
      if (!one.checkVisibility() || one.closest(other)) continue;
      found.push(...spoken.map(name => one.getAttribute(name)));
      if (one.matches('input[role=combobox]')) found.push(one.value);
      const texts = [...one.childNodes].filter(node => node.nodeType === Node.TEXT_NODE);
      found.push(...texts.map(node => node.data));
    }
  }
  return found.filter(Boolean).map(text => text.replace(/\\s+/g, ' ').trim()).filter(Boolean);
}"""


# The experiment that is shown has answered.
ANSWERED = """() => [...document.querySelectorAll('#research .words')].some(
  one => one.checkVisibility() && one.innerText.trim() && !document.querySelector('progress'))"""
PLAIN = re.compile(r"[\d.]+s")  # how long it takes already
# Every word that is drawn on a canvas, and not written beside it.
DRAWN = """
  window.wordsDrawn = new Set();
  const fill = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
    window.wordsDrawn.add(String(text));
    return fill.call(this, text, ...place);
  };
"""


def canvases(page) -> set[str]:
    return set(page.evaluate("() => [...window.wordsDrawn]")) - {""}


def test_a_german_browser_gets_whole_tabs_in_german(visit, foreign):
    page = visit(locale="de-DE", first=DRAWN)
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
    page.get_by_role("tab", name="Aufnahme").click()
    page.locator(".film[data-state=ready]").wait_for()
    assert {"gemessene Zeilen", "Pixel"} <= canvases(page)
    assert [text for text in canvases(page) if foreign(text)] == []


def test_the_research_view_is_german(visit, foreign):
    page = visit("?method=zero-filled&example=head", locale="de-DE", first=DRAWN)
    page.locator("#panels [data-do=research]").click()
    for name in tabs(page, "#research-tabs"):
        page.locator("#research .main-action").locator("visible=true").click()
        page.wait_for_function(ANSWERED, timeout=60_000)
        parts = ["#view-reconstruct, #research", SPOKEN]
        texts = [text for text in page.evaluate(TEXTS, parts) if not PLAIN.fullmatch(text)]
        left = {text for text in texts if foreign(text)}
        assert left <= figure.PANELS.keys(), name  # Gradio hovers the names of values
    assert {"Abstand längs der Linie (Pixel)", "% der Pixel"} <= canvases(page)
    assert [text for text in canvases(page) if foreign(text)] == []


def test_the_switch_goes_there_and_back(visit, german):
    page = visit(locale="en-US", first=DRAWN)
    page.locator("#panels [data-do=research]").click()
    before = page.evaluate(TEXTS, [PARTS, []])
    assert {"Mask seed", "Settings", "Head, T1 (simulated)"} <= set(before)
    assert "% of pixels" in canvases(page)
    page.evaluate("() => window.wordsDrawn.clear()")
    page.get_by_role("button", name="Deutsch").click()
    page.get_by_text("MRT aus einem Viertel der Messungen").wait_for()
    now = page.evaluate(TEXTS, [PARTS, []])
    assert {"Einstellungen", "Über API oder MCP nutzen", "Kopf, T1 (simuliert)"} <= set(now)
    said = canvases(page)
    assert {"% der Pixel", "Wert (% des Maximums)"} <= said
    assert not {"% of pixels", "value (% of maximum)"} & said
    # what comes later is German too
    page.locator("#new-mask").click()
    page.locator("#bar-info").get_by_text("Zeilen").first.wait_for()
    page.get_by_role("button", name="English").click()
    page.get_by_text("MRI from a quarter of the measurements").wait_for()
    again = page.evaluate(TEXTS, [PARTS, []])
    spoken = {words for words in german.values() if words not in german and "{" not in words}
    assert not spoken & set(again)
    assert {"Mask seed", "Fully sampled", "Wipe", "Head, T1 (simulated)"} <= set(again)
    assert {"% of pixels", "value (% of maximum)"} <= canvases(page)
    assert not [text for text in again if "Zeilen" in text or "Maske " in text]
    assert page.locator("#view-reconstruct").get_attribute("lang") == "en"


def test_the_whole_course_is_german_and_english_again(visit, german, foreign):
    page = visit(locale="de-DE")
    page.get_by_role("tab", name="Lernen").click()
    everything = ["#view-learn", SPOKEN]
    seen: set[str] = set()

    def left() -> list[str]:
        texts = page.evaluate(TEXTS, everything)
        seen.update(texts)
        return [text for text in texts if foreign(text) and not PLAIN.fullmatch(text)]

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


def test_a_link_may_say_which_language(visit):
    visit("?lang=de", locale="en-US").get_by_text("Rekonstruktion").first.wait_for()
    visit("?lang=en", locale="de-DE").get_by_role("tab", name="Reconstruct").wait_for()


def test_the_names_of_examples_are_german_and_their_links_are_not(visit, german, foreign):
    page = visit(locale="de-DE")
    menu = page.locator("#example input")
    assert menu.input_value() == "Kopf, T1 (simuliert)"
    menu.click()
    page.locator("ul[role=listbox]").wait_for()
    shown = page.locator("ul[role=listbox] li").all_inner_texts()
    names = [german[one.title] for one in EXAMPLES.values()]
    assert [text.lstrip("✓ \n") for text in shown] == names
    texts = page.evaluate(TEXTS, ["#example", ["aria-label"]])
    assert [text for text in texts if foreign(text)] == []
    after(page, page.get_by_role("option", name="Shepp-Logan-Phantom (exakt)").click)
    assert menu.input_value() == "Shepp-Logan-Phantom (exakt)"
    page.locator("#bar-info").get_by_text("Shepp-Logan-Phantom (exakt)").wait_for()
    page.get_by_role("button", name="Link hierauf kopieren").click()
    page.wait_for_function("() => location.search.includes('example=phantom')")
    page.get_by_role("button", name="English").click()
    assert menu.input_value() == "Shepp-Logan phantom (exact)"
    assert "example=phantom" in page.url
    page = visit("?example=phantom&lang=de", locale="en-US")
    page.locator("#bar-info").get_by_text("Shepp-Logan-Phantom (exakt)").wait_for()
    assert page.locator("#example input").input_value() == "Shepp-Logan-Phantom (exakt)"


def test_what_is_refused_is_refused_in_german(visit, tmp_path, monkeypatch, foreign):
    page = visit("?lang=de", locale="en-US")
    message = page.locator("#file-message .message")
    for name, content in (("empty.npy", b""), ("letter.png", b"hello")):
        (tmp_path / name).write_bytes(content)
        upload(page, tmp_path / name)
        said = "Diese Datei ist leer;" if not content else "Diese Datei heißt .png"
        message.get_by_text(said).wait_for()
        assert not foreign(message.inner_text())

    def offline(*_arguments, **_options):
        raise OSError

    monkeypatch.setattr(examples.pooch, "retrieve", offline)
    monkeypatch.delenv(examples.FOLDER, raising=False)
    page.locator("#example input").click()
    page.get_by_role("option", name="Kopf, T1-Spinecho (gemessen)").click()
    message.get_by_text("ließ sich nicht herunterladen").wait_for()
    assert "„Kopf, T1-Spinecho (gemessen)“" in message.inner_text()
    file = EXAMPLES["t1-spin-echo"].file.name
    said = message.inner_text().replace(file, "x.mat").replace(examples.FOLDER, "X")
    assert not foreign(said)

    too_large = "This file is too large; up to 1024 MiB are accepted."
    page.route("**/gradio_api/upload?*", lambda route: route.fulfill(status=413, body=too_large))
    upload(page, tmp_path / "letter.png")
    said = "HTTP 413: Diese Datei ist zu groß; angenommen werden bis zu 1024 MiB."
    page.locator(".toast-body").get_by_text(said).wait_for()
    toast = page.evaluate(TEXTS, [".toast-wrap", []])
    assert [text for text in toast if foreign(text)] == []
