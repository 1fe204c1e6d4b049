"""Nothing that axe calls serious or critical, on any tab, in light and in dark."""

import pytest

from recon.ui.lessons.course import LESSONS
from tests.helpers.page import READY, SETTLED, after, complete, drawn, sentence, tabs

STILL = (
    "() => document.getAnimations().every(one => one.playState !== 'running')"  # no colour fades
)


@pytest.mark.timeout(600)  # every experiment is opened
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_finding_on_any_tab(visit, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = visit(color_scheme=scheme, bypass_csp=True)
    page.locator("#panels [data-do=research]").click()
    found = []

    for name in tabs(page):
        page.wait_for_function(STILL)  # a colour that fades in is not yet the one to read
        found += [
            (name, one["id"], one["nodes"][0]["html"][:200])
            for one in axe.run(page).response["violations"]
            if one["impact"] in ("serious", "critical")
        ]
    assert found == []


def test_time_lapse_by_keyboard(page):
    page.locator("#tabs > .tab-wrapper").get_by_role("tab", name="Methods").click()
    page.locator("#compare-tabs > .tab-wrapper").get_by_role("tab", name="time-lapse").click()
    moment = page.locator("#lapse-moment input[type=range]")
    page.wait_for_function(READY)
    before = moment.input_value()
    moment.focus()
    complete(page, "lapse", lambda: page.keyboard.press("ArrowRight"), 0)
    assert moment.input_value() != before


@pytest.mark.parametrize("keys", [["Tab"], ["Escape", "Tab"], ["ArrowDown", "Tab"]])
def test_a_list_closes_when_the_keyboard_leaves_it(page, keys):
    menu = page.locator("#example input")
    menu.focus()
    page.locator("ul[role=listbox]").wait_for()
    for one in keys:
        page.keyboard.press(one)
    drawn(page)
    focused = page.locator("#seed input")
    assert focused.evaluate("e => e === document.activeElement && e.matches(':focus-visible')")
    assert focused.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.locator("ul[role=listbox]").wait_for(state="detached")
    assert menu.get_attribute("aria-expanded") == "false"
    assert menu.input_value() == "Head, T1 (simulated)"


def focused(page) -> str:
    return page.evaluate("document.activeElement.value || document.activeElement.innerText")


def test_a_choice_is_one_tab_stop_and_arrows_choose_as_a_click_does(page):
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "queue/join" in one.url else None)
    rate = page.get_by_role("radiogroup", name="Acceleration")
    after(page, lambda: rate.get_by_label("8x").click())
    page.wait_for_function(SETTLED)
    asked.clear()
    after(page, lambda: page.keyboard.press("ArrowLeft"))
    page.wait_for_function(SETTLED)
    assert len(asked) == 1
    assert rate.locator(".selected input[aria-checked=true]:checked").count() == 1
    assert rate.get_by_label("4x").is_checked()
    assert "4x" in sentence(page)
    page.keyboard.press("Tab")
    assert not rate.evaluate("e => e.contains(document.activeElement)")
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "4"


def test_options_that_the_server_replaces_are_one_choice_again(page):
    page.get_by_role("tab", name="Learn").click()
    guess = page.get_by_role("radiogroup", name="Your guess")
    for title in (lesson.title for lesson in LESSONS[:2]):
        page.locator("#lesson-heading").get_by_text(title).wait_for()
        page.wait_for_function("!document.querySelector('#lesson-guess input:checked')")
        guess.locator("input").first.focus()
        page.keyboard.press("ArrowDown")
        assert guess.locator("input").nth(1).is_checked()
        assert guess.locator("input:checked").count() == 1
        page.locator("#lesson-next").click()


@pytest.mark.parametrize("place", ["#tabs", "#compare-tabs"])
def test_a_row_of_tabs_is_one_tab_stop_with_arrows(page, place):
    page.locator("#tabs > .tab-wrapper").get_by_role("tab", name="Methods").click()
    row = page.locator(f"{place} > .tab-wrapper")
    names = row.get_by_role("tab").all_inner_texts()
    open_ = row.get_by_role("tab", selected=True)
    before = open_.inner_text()
    open_.focus()
    for key, wanted in (
        ("Home", names[0]),
        ("ArrowLeft", names[-1]),
        ("ArrowRight", names[0]),
        ("End", names[-1]),
    ):
        page.keyboard.press(key)
        assert focused(page) == wanted
    assert open_.inner_text() == before  # nothing is opened on the way
    page.keyboard.press("Tab")
    assert not row.evaluate("e => e.contains(document.activeElement)")
    page.keyboard.press("Shift+Tab")
    assert focused(page) == before
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert open_.inner_text() == names[1]
