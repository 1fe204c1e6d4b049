"""The page in two languages: one table, complete for the parts that are translated."""

import json
import re
from pathlib import Path

import pytest

import recon
from tests.helpers.page import tabs

HOME = Path(recon.__file__).parent
LANGUAGE = (HOME / "ui" / "web" / "language.mjs").read_text("utf-8")
TABLE = (HOME / "ui" / "web" / "words.mjs").read_text("utf-8")
PLACE = re.compile(r"\{(\w+)\}")
# What is the same in both languages: names and units.
SAME = re.compile(
    r"[\d\W_ix₁-₉]+|ResNet(-DC)?|U-Net|GAN|SENSE|GRAPPA|SSIM( \d.*)?|PSNR.*|NMSE.*|SD|\d+x|English"
    r"|Deutsch|Head, T1 \(simulated\)|http.*|[A-Z2-9]{6}|\d+\. .*|Error, .*ResNet.*"
    r"|[\d.]+ (dB|s)|TR|ms|Linear|normal|Partial Fourier|Shimron.*"
)
TABS = re.findall(r"'([\w-]+)'", re.search(r"^const TABS = (.*)$", LANGUAGE, re.MULTILINE)[1])
TEXTS = """() => {
  const found = [], parts = document.querySelectorAll(
    '#title, #bar, #links, #remarks, VIEWS');
  for (const part of parts) {
    const walk = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    for (let node; (node = walk.nextNode());) {
      const owner = node.parentElement;
      if (owner.closest('pre, code, style, #upload, .poll, select, ul[role=listbox]')) continue;
      const text = node.data.replace(/\\s+/g, ' ').trim();
      if (owner.offsetParent && text) found.push(text);
    }
  }
  return found;
}""".replace("VIEWS", ", ".join(f"#view-{tab}" for tab in TABS))


@pytest.fixture(scope="module")
def german() -> dict[str, str]:
    pairs = json.loads(TABLE[TABLE.index("{\n") :].rstrip().rstrip(";"), object_pairs_hook=list)
    assert len({key for key, _ in pairs}) == len(pairs)  # no word twice
    return dict(pairs)


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
    gradio = {"number input for ", "range slider for ", "Reset to default value", "processing | "}
    assert lost == gradio


def test_a_german_browser_gets_whole_tabs_in_german(visit, german):
    page = visit(locale="de-DE")
    page.get_by_text("Mehr Einstellungen").click()
    page.get_by_text("Anteil der Mitte").wait_for()
    spoken = [re.compile("(.+?)".join(map(re.escape, PLACE.split(w)[::2])) + "$", re.DOTALL)
              for w in german.values()]  # fmt: skip

    def left() -> list[str]:
        return [
            text
            for text in page.evaluate(TEXTS)
            if not SAME.fullmatch(text) and not any(words.match(text) for words in spoken)
        ]

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
    before = page.evaluate(TEXTS)
    assert "Mask seed" in before
    page.get_by_role("button", name="Deutsch").click()
    page.get_by_text("MRT aus einem Viertel der Messungen").wait_for()
    # what comes later is German too
    page.locator("#new-mask").click()
    page.locator("#bar-info").get_by_text("Zeilen").first.wait_for()
    page.get_by_role("button", name="English").click()
    page.get_by_text("MRI from a quarter of the measurements").wait_for()
    after = page.evaluate(TEXTS)
    spoken = {words for words in german.values() if words not in german and "{" not in words}
    assert not spoken & set(after)
    assert {"Mask seed", "Fully sampled", "Wipe"} <= set(after)
    assert not [text for text in after if "Zeilen" in text or "Maske " in text]
    assert page.locator("#view-reconstruct").get_attribute("lang") == "en"


def test_a_link_may_say_which_language(visit):
    visit("?lang=de", locale="en-US").get_by_text("Rekonstruktion").first.wait_for()
    visit("?lang=en", locale="de-DE").get_by_role("tab", name="Reconstruct").wait_for()
