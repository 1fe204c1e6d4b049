"""What tests do with the page, and read from it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

INNER = ("#compare-tabs", "#coils-tabs", "#trust", "#research-tabs")  # tabs inside of tabs
# Every experiment that is shown has answered, or does so only when it is asked.
READY = """() => [...document.querySelectorAll('.experiment')].every(place => {
  const about = place.querySelector('recon-about');
  const shown = about?.content?.question || place.querySelector('.words')?.innerText.trim()
    || place.querySelector('.message');
  return !about || about.content?.again || !place.offsetParent
    || ((shown || !about.content?.opens) && !place.querySelector('progress'));
})"""
# Nothing is faint, or says that it is computed, because its answer is on the way.
SETTLED = """() => ![...document.querySelectorAll(
  '.pending, .progress-text, .meta-text, .meta-text-center')].some(one => one.checkVisibility())"""


def tabs(page, place: str = "#tabs") -> Iterator[str]:
    """Open every tab, and every tab inside of one; the name of each when it has answered."""
    buttons = page.locator(f"{place} > .tab-wrapper button[role=tab]")
    for at in range(buttons.count()):
        buttons.nth(at).click()
        inner = [one for one in INNER if page.locator(one).is_visible()]
        if place == "#tabs" and inner:
            yield from tabs(page, inner[0])
        else:
            page.wait_for_function(READY, timeout=120_000)
            page.wait_for_function(SETTLED, timeout=120_000)
            yield buttons.nth(at).inner_text()


def picture(page, alt: str):
    return page.locator(f"#panels canvas[aria-label^='{alt}']")


def key(page) -> str:
    """Changes with anything the panels show."""
    return page.locator("#panels .viewer").get_attribute("data-key")


def sentence(page) -> str:
    return page.locator("#verdict").inner_text()


def bar(page) -> str:
    """What the bar above the tabs says."""
    return page.locator("#bar-info").inner_text()


def drawn(page) -> None:
    """Wait until the browser has drawn what was asked for."""
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def until(page, condition: Callable[[], bool], seconds: float = 15) -> None:
    """Look at every frame that is drawn, until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        drawn(page)


def after(page, action) -> None:
    """Do something and wait until the pictures have changed."""
    before = key(page)
    action()
    page.wait_for_function(
        "old => { const v = document.querySelector('#panels .viewer');"
        " return v && v.dataset.key !== old && v.dataset.state === 'ready'; }",
        arg=before,
        timeout=30_000,
    )


def complete(page, key: str, action, rows: int = 1) -> None:
    """Start an experiment and wait until all of it is there."""
    page.evaluate(
        "key => { const old = document.querySelector(`#${key}-about recon-about`);"
        " old.before = old.content?.serial; }",
        key,
    )
    action()
    page.wait_for_function(
        """([key, rows]) => {
          const about = document.querySelector(`#${key}-about recon-about`);
          const table = document.querySelectorAll(`#${key}-words tbody tr`);
          return about.content.serial !== about.before && about.content.question
            && !document.querySelector(`#${key}-progress progress`)
            && (rows === 0 || table.length === rows);
        }""",
        arg=[key, rows],
        timeout=90_000,
    )


def upload(page, path: Path) -> None:
    clear = page.locator("#upload button[aria-label='Clear']")
    if clear.count():
        clear.first.click()
    page.locator("#upload input[type=file]").set_input_files(path)


def ssim(text: str) -> tuple[float, float]:
    found = re.search(r"SSIM (\d\.\d+) → (\d\.\d+)", text)
    assert found, text
    return float(found[1]), float(found[2])


def pixels(page, name: str) -> np.ndarray:
    """Magnitudes that a panel shows, on the person's scale: right to 16 bits of the brightest."""
    height, width, scale, values = page.evaluate(
        """name => {
          const viewer = document.querySelector('#panels .viewer'), panel = viewer.named(name);
          return [panel.height, panel.width, viewer.model.scale, [...panel.values]];
        }""",
        name,
    )
    return np.reshape(values, (height, width)) * (scale / 65535)
