"""Links: a new browser lands on the same picture and the same scores."""

from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from recon import examples
from recon.methods import DEFAULT
from recon.ui.links import choice
from recon.ui.sampling import is_mask
from recon.ui.serving import guard
from recon.ui.session import Choice, Origin
from tests.helpers.page import after, picture, sentence


def test_a_choice_survives():
    query = {
        "example": "phantom", "slice": "0", "acceleration": "8", "seed": "5",
        "method": "zero-filled", "center_fraction": "0.06", "coils": "svd", "phase_encode": "rows",
    }  # fmt: skip
    assert choice(query) == Choice(
        Origin(example="phantom"), 0, 8, 5, "zero-filled", 0.06, "svd", "rows"
    )


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"example": "/etc/passwd"},
        {"example": "../../head"},
        {"upload": "/etc/passwd"},
    ],
)
def test_only_examples_can_be_named(query):
    assert choice(query) is None


@pytest.mark.parametrize("nonsense", ["nan", "inf", "-1", "1e400", "", "<script>", "4; rm", "0x10"])
def test_nonsense_is_left_out(nonsense):
    names = ("slice", "acceleration", "seed", "method", "center_fraction", "coils", "phase_encode")
    found = choice({"example": "head", **dict.fromkeys(names, nonsense)})
    assert found == Choice(Origin(example="head"), None, 4, 0, DEFAULT, 0.08, 0, "columns") or (
        found is not None and found.coils == "rss"
    )


def test_a_link_reproduces_everything_in_a_new_browser(page, browser, url):
    after(page, lambda: page.locator("#acceleration").get_by_label("8x").click())
    after(page, lambda: page.locator("#new-mask").click())
    page.get_by_role("tab", name="Learn").click()
    page.locator("#lesson-next").click()
    page.get_by_text("2. Centre and edge").wait_for()
    page.wait_for_timeout(500)
    page.locator("#copy-link").click()
    page.wait_for_function("location.search.includes('lesson=1')")
    query = parse_qs(urlsplit(page.url).query)
    assert query["tab"] == ["learn"]
    assert (query["acceleration"], query["seed"]) == (["8"], ["1"])

    context = browser.new_context(viewport={"width": 1440, "height": 900})
    other = context.new_page()
    other.goto(page.url)
    other.get_by_text("2. Centre and edge").wait_for(timeout=30_000)
    other.get_by_role("tab", name="Reconstruct").click()
    page.get_by_role("tab", name="Reconstruct").click()
    other.wait_for_function(
        "words => document.querySelector('#verdict').innerText === words",
        arg=sentence(page),
        timeout=30_000,
    )
    captions = [
        picture(one, "Zero-filled").locator("xpath=ancestor::figure").inner_text()
        for one in (page, other)
    ]
    assert captions[0] == captions[1]
    keys = [one.locator("#panels .viewer").get_attribute("data-key") for one in (page, other)]
    assert keys[0] == keys[1]  # every pixel and score that was sent
    assert other.locator("#seed input").input_value() == "1"
    context.close()


def test_a_link_to_the_lab(browser, url):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    query = "example=phantom&tab=sampling&lab_family=equispaced&lab_acceleration=6&lab_seed=3"
    page.goto(f"{url}?{query}")
    page.get_by_text("Point spread: largest").wait_for(timeout=30_000)
    page.wait_for_function(
        "document.querySelector('#lab-acceleration input[type=number]').value === '6'"
    )
    assert page.locator("#lab-family").get_by_label("Equispaced").is_checked()
    context.close()


def test_a_link_to_a_mask_drawn_by_hand(browser, url):
    lines = np.zeros(examples.load("phantom").shape[-1], bool)
    lines[::3] = True
    text = "".join(map(str, lines.astype(int)))
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{url}?example=phantom&tab=sampling&lab_mask={text}")
    page.get_by_text(f"{lines.sum()} of {lines.size} lines").first.wait_for(timeout=30_000)
    page.locator("#copy-link").click()
    page.wait_for_function("location.search.includes('lab_seed')")
    assert parse_qs(urlsplit(page.url).query)["lab_mask"] == [text]
    context.close()


def test_a_link_that_finds_the_server_full_says_so_and_can_be_tried_again(
    browser, url, monkeypatch
):
    import app

    monkeypatch.setattr(guard, "PATIENCE", 0.1)
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    with monkeypatch.context() as full:
        full.setattr(app.demo._queue, "max_size", 0)
        page.goto(f"{url}?example=phantom&acceleration=8")
        words = page.locator("#verdict [role=alert]")
        words.get_by_text("The server is full just now").wait_for(timeout=30_000)
        assert "Head, T1" in sentence(page)
    words.get_by_role("button", name="Try again").click()
    page.locator("#verdict").get_by_text("Nominal 8x").wait_for(timeout=30_000)
    assert "Shepp-Logan" in sentence(page)
    assert words.count() == 0
    context.close()


def test_without_a_link_a_full_server_needs_no_words(browser, url, monkeypatch):
    import app

    monkeypatch.setattr(guard, "PATIENCE", 0.1)
    monkeypatch.setattr(app.demo._queue, "max_size", 0)
    context = browser.new_context()
    page = context.new_page()
    with page.expect_response(lambda answer: answer.status == 429):
        page.goto(url)
    page.locator("#panels .viewer[data-state=ready]").wait_for(timeout=30_000)
    assert page.locator("#verdict [role=alert]").count() == 0
    context.close()


@pytest.mark.parametrize("text", [None, "", "000", "012", "<script>", 5, "1" * 2**17])
def test_only_zeros_and_ones_are_a_mask(text):
    assert not is_mask(text)
