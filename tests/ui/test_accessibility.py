"""Nothing that axe calls serious or critical, on any tab, in light and in dark."""

import pytest

from tests.helpers.page import READY, complete, drawn, tabs

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
