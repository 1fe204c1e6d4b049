"""Every tab on every screen: nothing out of reach, nothing empty, nothing white in the dark."""

import numpy as np
import pytest

from recon import masks, phantom
from recon.ui.events import TURNS
from recon.ui.lessons.course import QUIZ
from tests.helpers.page import READY, after, tabs, upload

# Controls of the rail that are not within it from left to right: nobody can scroll to them.
LOST = """() => [...document.querySelectorAll('.experiment > .rail')].flatMap(rail => {
  const box = rail.getBoundingClientRect();
  return [...rail.querySelectorAll('input, button, .lead')].filter(one => {
    const {left, right, width} = one.getBoundingClientRect();
    return one.checkVisibility() && width && (left < box.left - 1 || right > box.right + 1);
  }).map(one => one.id || one.outerHTML.slice(0, 80));
})"""
# Main buttons that are not in sight.
BELOW = """() => [...document.querySelectorAll('.rail > .main-action')]
  .filter(one => one.checkVisibility() && one.getBoundingClientRect().bottom > innerHeight + 1)
  .map(one => one.id)"""
# Parts of the rail that scroll sideways.
SIDEWAYS = """() => [...document.querySelectorAll('.rail *')].filter(one => one.checkVisibility()
  && one.scrollWidth > one.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(one).overflowX))
  .map(one => one.id || one.outerHTML.slice(0, 80))"""
EMPTY = """() => [...document.querySelectorAll('.experiment > .stage')].filter(stage =>
  stage.checkVisibility() && !stage.innerText.trim() && !stage.querySelector('canvas'))
  .map(stage => stage.parentElement.id)"""
# Fields brighter than what they lie on.
WHITE = """() => [...document.querySelectorAll('input, select, textarea')].filter(one => {
  if (!one.checkVisibility() || ['checkbox', 'radio', 'range'].includes(one.type)) return false;
  const [r, g, b, a = 1] = getComputedStyle(one).backgroundColor.match(/[\\d.]+/g).map(Number);
  return a > 0.5 && r + g + b > 3 * 140;
}).map(one => one.outerHTML.slice(0, 80))"""

INSIDE = """e => {
  const {top, left, width} = e.getBoundingClientRect();
  return !!document.elementFromPoint(left + width / 2, top + 4)?.closest('.stage');
}"""


@pytest.fixture
def open_(browser, url):
    contexts = []

    def opened(width: int, height: int, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(url)
        page.locator("#panels .viewer[data-state=ready]").wait_for(timeout=30_000)
        return page

    yield opened
    for context in contexts:
        context.close()


def test_every_control_can_be_reached_on_a_low_screen(open_):
    page = open_(1366, 768, color_scheme="dark")
    for name in tabs(page):
        assert page.evaluate(LOST) == [], name
        assert page.evaluate(BELOW) == [], name
        assert page.evaluate(SIDEWAYS) == [], name
        assert page.evaluate(WHITE) == [], name


def test_a_phone_shows_every_tab_without_scrolling_sideways(open_):
    page = open_(390, 844, has_touch=True, is_mobile=True)
    for name in tabs(page):
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        assert page.evaluate(EMPTY) == [], name


def test_a_phone_shows_first_where_to_join_a_class(open_):
    page = open_(390, 844, has_touch=True, is_mobile=True)
    page.get_by_role("tab", name="Class").click()
    page.locator("#class-poll .poll").wait_for()
    code, poll = (page.locator(one).bounding_box() for one in ("#class-code", "#class-poll"))
    assert code["y"] < poll["y"]


def test_no_tab_is_empty_where_a_file_was_undersampled_already(open_, tmp_path):
    lines = masks.random_cartesian(80, 4, seed=2)
    kspace = masks.apply(phantom.kspace((96, 80)), lines)
    np.savez(tmp_path / "under.npz", kspace=kspace.astype(np.complex64), mask=lines)
    page = open_(1440, 900)
    after(page, lambda: upload(page, tmp_path / "under.npz"))
    for name in tabs(page):
        assert page.evaluate(EMPTY) == [], name


def test_whoever_waits_sees_their_place_in_the_queue(open_):
    first, second = open_(1366, 768), open_(1366, 768)
    with TURNS.piece(), TURNS.piece():  # all places are taken
        for page in (first, second):
            page.locator("#tabs > .tab-wrapper").get_by_role("tab", name="Coils").click()
            waits = page.locator("#coil-maps-progress [data-testid=status-tracker]")
            waits.get_by_text("queue: 1/1" if page is second else "processing").wait_for()
            assert waits.locator(".progress-text").evaluate(INSIDE)
    for page in (first, second):
        page.locator("#coil-maps-words p").first.wait_for()
        page.wait_for_function(READY)
        assert not page.locator("#coil-maps-progress").is_visible()


@pytest.mark.parametrize("width", [390, 1366])
def test_the_footer_begins_with_a_link(open_, width):
    footer = open_(width, 844).locator("footer")
    seen = footer.evaluate(
        "e => [...e.children].filter(one => one.checkVisibility()).map(one => one.innerText.trim())"
    )
    assert seen[0] not in ("", "·")
    assert seen.count("·") == len(seen) // 2
    assert any("Settings" in text for text in seen)


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_quiz_is_read_on_a_phone_without_scrolling_sideways(open_, language):
    page = open_(390, 844, locale=language)
    page.locator("#tabs button[data-tab-id=learn]").click()
    page.locator("#quiz button").first.click()
    for number, question in enumerate(QUIZ):
        page.locator(f"#quiz-{number} input[type=radio]").nth(question.right).check()
    page.locator("#quiz-check").click()
    page.locator("#quiz-verdict tr").nth(len(QUIZ) - 1).wait_for()
    wide = "e => [...e.querySelectorAll('*')].filter(one => one.scrollWidth > e.clientWidth).length"
    assert page.locator("#quiz-verdict").evaluate(wide) == 0
    cells = page.locator("#quiz-verdict tbody tr").first.locator("th, td")
    tops = [cells.nth(n).bounding_box()["y"] for n in range(3)]
    assert tops == sorted(set(tops))  # below each other
