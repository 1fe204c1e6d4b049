"""The content security policy in a real browser: what the page does is allowed, and no more."""

import pytest

from tests.helpers.page import after

LISTEN = """
window.violations = [];
document.addEventListener('securitypolicyviolation', event => window.violations.push(
  `${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


@pytest.fixture
def watched(browser, url):
    """The page, with what Chromium refuses it, and what it says of that."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.add_init_script(LISTEN)
    page.goto(url)
    page.locator("#panels .viewer[data-state=ready]").wait_for(timeout=60_000)
    yield page
    context.close()


def complaints(page) -> list[str]:
    words = ("Content Security Policy", "MIME type", "nosniff", "strict MIME")
    said = [one for one in page.said if any(word in one for word in words)]
    return [*page.evaluate("window.violations"), *said]


def test_every_tab_opens_without_a_violation(watched):
    after(watched, lambda: watched.locator("#new-mask").click())
    top = watched.locator("#tabs > .tab-wrapper button[role=tab]")
    names = top.all_inner_texts()
    assert len(names) >= 8
    for name in names:
        watched.get_by_role("tab", name=name, exact=True).first.click()
        inner = watched.locator("[role=tabpanel]:visible .tab-wrapper button[role=tab]:visible")
        for number in range(inner.count()):
            inner.nth(number).click()
    assert watched.evaluate("document.fonts.ready.then(fonts => fonts.status)") == "loaded"
    assert complaints(watched) == []


@pytest.mark.parametrize(
    "attempt",
    [
        "fetch('https://example.org/').catch(() => 0)",
        "{ new Image().src = 'https://example.org/x.png'; }",
        "{ const s = document.createElement('script'); s.src = 'https://example.org/x.js';"
        " document.head.append(s); }",
        "{ const o = document.createElement('object'); o.data = 'data:text/html,x';"
        " document.body.append(o); }",
        "navigator.sendBeacon('https://example.org/')",
        "{ try { new WebSocket('wss://example.org/'); } catch { } }",
        "{ try { new Worker('data:text/javascript,1'); } catch { } }",
        "{ const f = document.createElement('iframe'); f.src = 'https://example.org/';"
        " document.body.append(f); }",
    ],
    ids=["fetch", "picture", "script", "object", "beacon", "socket", "worker", "frame"],
)
def test_what_it_does_not_need_is_refused(watched, attempt):
    """The gauge moves: otherwise the test above could not fail."""
    watched.evaluate(f"() => {{ {attempt} }}")
    watched.wait_for_function("window.violations.length > 0", timeout=10_000)
