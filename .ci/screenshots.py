"""Pictures of the page for the README: ``python .ci/screenshots.py`` in the test environment."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
SIZE = {"width": 1600, "height": 900}


def take(page: Page, name: str) -> None:
    """A picture of 256 colours, which is a third as large."""
    image = Image.open(io.BytesIO(page.screenshot()))
    image.quantize(256).save(ROOT / "docs" / name, optimize=True)


def ready(page: Page, panels: str) -> None:
    page.locator(f"{panels} .viewer[data-state=ready]").wait_for(timeout=120_000)
    page.evaluate("document.fonts.ready")


def main() -> None:
    sys.path.insert(0, str(ROOT))
    os.environ["RECON_ANSWERS"] = ""
    import app
    from recon.loadtest.server import free_port
    from tests.conftest import CHROMIUM_FLAGS, chromium_path

    _, url, _ = app.serve(prevent_thread_lock=True, quiet=True, server_port=free_port())
    with sync_playwright() as tools:
        browser = tools.chromium.launch(
            executable_path=chromium_path(), args=CHROMIUM_FLAGS.split()
        )
        page = browser.new_page(viewport=SIZE)
        page.goto(url)
        ready(page, "#panels")
        take(page, "screenshot.png")
        page.get_by_role("tab", name="Sampling lab").first.click()
        ready(page, "#lab-panels")
        page.locator("#lab-editor .lab-mask").hover(position={"x": 650, "y": 20})
        take(page, "lab.png")
        page.get_by_role("tab", name="Can I trust it?").first.click()
        page.get_by_role("tab", name="Mask ensemble").click()
        page.locator("#ensemble-look").click()
        page.locator("#ensemble-progress progress").wait_for()
        page.locator("#ensemble-progress progress").wait_for(state="detached", timeout=120_000)
        ready(page, "#ensemble-panels")
        take(page, "trust.png")
        browser.close()
    app.demo.close(verbose=False)


if __name__ == "__main__":
    main()
