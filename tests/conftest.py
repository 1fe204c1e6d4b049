"""The served app and the browser: started once for all tests that look at the page."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("RECON_TIME_LIMIT", "120")  # for machines that do other things meanwhile
SHARED = Path(os.environ.get("RECON_DATA", Path(__file__).parents[2] / "shared" / "data"))
CHROMIUM_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
SLOW = (
    *("benchmark/", "training/", "ui/serving/", "readers/test_isolation", "readers/test_hostile"),
    *("weights/test_hub", "ui/test_claims", "ui/test_coil", "ui/test_experiments", "ui/test_app"),
    *("test_batch", "test_limits", "test_example_scripts", "ui/test_teaching", "ui/test_handout"),
    "ui/test_orientation",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for the served app or for Chromium is a browser test."""
    here = Path(__file__).parent
    for item in items:
        if str(item.path.relative_to(here)).startswith(SLOW):
            item.add_marker("slow")
        if {"url", "browser"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the app, served as ``app.py`` serves it."""
    os.environ["GRADIO_TEMP_DIR"] = str(tmp_path_factory.mktemp("gradio"))
    os.environ["RECON_ANSWERS"] = str(tmp_path_factory.mktemp("answers"))
    import app
    from recon.loadtest.server import free_port

    # Gradio looks for a port itself, but two that look at once take the same one.
    _, address, _ = app.serve(prevent_thread_lock=True, quiet=True, server_port=free_port())
    yield address
    app.demo.close(verbose=False)


def chromium_path() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """A headless Chromium."""
    found = chromium_path()
    if found is None:
        if os.environ.get("RECON_REQUIRE_BROWSER"):
            pytest.fail("no Chromium on the path, and RECON_REQUIRE_BROWSER is set")
        pytest.skip("no Chromium on the path")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=CHROMIUM_FLAGS.split())
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser, url):
    """Open the page as a new visitor: ``visit("?link", **options of the browser's context)``.

    Returns once its pictures are there, unless `ready` says not to wait. No script may fail.
    `first` is JavaScript that runs before the page's own.
    """
    contexts, problems = [], []

    def visited(query: str = "", ready: bool = True, first: str = "", **options):
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}} | options)
        contexts.append(context)
        context.add_init_script(first)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(url + query)
        if ready:
            page.locator("#panels .viewer[data-state=ready]").wait_for(timeout=60_000)
        return page

    yield visited
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def page(visit):
    return visit(accept_downloads=True)
