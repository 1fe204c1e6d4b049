"""Nothing that axe calls serious or critical, on any tab, in light and in dark."""

import pytest

from tests.helpers.page import complete

STILL = (
    "() => document.getAnimations().every(one => one.playState !== 'running')"  # no colour fades
)
TABS = ("#tabs", "#compare-tabs", "#coils-tabs", "#trust", "#research-tabs")
READY = """() => [...document.querySelectorAll('.experiment')].every(place => {
  const about = place.querySelector('recon-about');
  const shown = about?.content?.question || place.querySelector('.words')?.innerText.trim();
  return !about || !place.offsetParent
    || ((shown || !about.content?.opens) && !place.querySelector('progress'));
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_finding_on_any_tab(visit, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = visit(color_scheme=scheme, bypass_csp=True)
    page.locator("#panels [data-do=research]").click()
    found = []

    def look(name):
        page.wait_for_function(READY, timeout=120_000)
        page.wait_for_function(STILL)  # a colour that fades in is not yet the one to read
        found.extend((name, *one) for one in seen())

    def seen():
        return [
            (one["id"], one["nodes"][0]["html"][:200])
            for one in axe.run(page).response["violations"]
            if one["impact"] in ("serious", "critical")
        ]

    def walk(place):
        buttons = page.locator(f"{place} > .tab-wrapper button[role=tab]")
        for at in range(buttons.count()):
            buttons.nth(at).click()
            name = buttons.nth(at).inner_text()
            inner = [one for one in TABS[1:] if page.locator(one).is_visible()]
            if place == TABS[0] and inner:
                walk(inner[0])
            else:
                look(name)

    walk(TABS[0])
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
