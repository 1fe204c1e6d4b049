"""Links: a new browser lands on the same picture and the same scores."""

from urllib.parse import parse_qs, urlsplit

import gradio as gr
import numpy as np
import pytest

from recon import examples
from recon.methods import DEFAULT
from recon.ui.links import LONGEST, choice, setting, shared
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
        {"tab": "learn", "lang": "de", "slice": "3"},
    ],
)
def test_only_examples_can_be_named(query):
    assert choice(query) is None


def test_settings_of_an_upload_are_shown_on_the_first_example():
    found = choice({"slice": "7", "acceleration": "8", "seed": "3", "method": "cs"})
    assert found == Choice(Origin(example="head"), None, 8, 3, "cs", 0.04)


@pytest.mark.parametrize("name", ["reconstruct", "private-mode", "coils"])
def test_a_link_to_a_tab(visit, name):
    page = visit(f"?tab={name}", ready=False)
    tab = f"#tabs > .tab-wrapper [data-tab-id={name}][aria-selected=true]"
    page.locator(tab).first.wait_for(timeout=60_000)


@pytest.mark.parametrize("nonsense", ["nan", "inf", "-1", "1e400", "", "<script>", "4; rm", "0x10"])
def test_nonsense_is_left_out(nonsense):
    names = ("slice", "acceleration", "seed", "method", "center_fraction", "coils", "phase_encode")
    found = choice({"example": "phantom-coils", **dict.fromkeys(names, nonsense)})
    assert found == Choice(Origin(example="phantom-coils"), None, 4, 0, DEFAULT, 0.08)


def test_a_link_reproduces_everything_in_a_new_browser(page, url, visit):
    after(page, lambda: page.locator("#acceleration").get_by_label("8x").click())
    after(page, lambda: page.locator("#new-mask").click())
    page.get_by_role("tab", name="Learn").click()
    page.locator("#lesson-next").click()
    page.get_by_text("2. Centre and edge").wait_for()
    page.locator("#copy-link").click()
    page.wait_for_function("location.search.includes('lesson=1')")
    query = parse_qs(urlsplit(page.url).query)
    assert query["tab"] == ["learn"]
    assert (query["acceleration"], query["seed"]) == (["8"], ["1"])

    other = visit(page.url.removeprefix(url), ready=False)
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


def test_a_link_to_the_lab(visit):
    query = "example=phantom&tab=sampling&lab_family=equispaced&lab_acceleration=6&lab_seed=3"
    page = visit(f"?{query}", ready=False)
    page.get_by_text("Point spread: largest").wait_for(timeout=90_000)
    page.wait_for_function(
        "document.querySelector('#lab-acceleration input[type=number]').value === '6'"
    )
    assert page.locator("#lab-family").get_by_label("Equispaced").is_checked()


def test_a_link_to_a_mask_drawn_by_hand(visit):
    lines = np.zeros(examples.load("phantom").shape[-1], bool)
    lines[::3] = True
    text = "".join(map(str, lines.astype(int)))
    page = visit(f"?example=phantom&tab=sampling&lab_mask={text}", ready=False)
    page.get_by_text(f"{lines.sum()} of {lines.size} lines").first.wait_for(timeout=90_000)
    page.locator("#copy-link").click()
    page.wait_for_function("location.search.includes('lab_seed')")
    assert parse_qs(urlsplit(page.url).query)["lab_mask"] == [text]


def test_a_link_that_finds_the_server_full_says_so_and_can_be_tried_again(visit, monkeypatch):
    import app

    monkeypatch.setattr(guard, "PATIENCE", 0.1)
    with monkeypatch.context() as full:
        full.setattr(app.demo._queue, "max_size", 0)
        page = visit("?example=phantom&acceleration=8", ready=False)
        words = page.locator("#verdict [role=alert]")
        words.get_by_text("The server is full just now").wait_for(timeout=30_000)
        assert "Head, T1" in sentence(page)
    words.get_by_role("button", name="Try again").click()
    page.locator("#verdict").get_by_text("Nominal 8x").wait_for(timeout=30_000)
    assert "Shepp-Logan" in sentence(page)
    assert words.count() == 0


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


@pytest.mark.parametrize(
    ("control", "text", "expected"),
    [
        (gr.Slider(1, 20, 8, step=1), "12", 12),
        (gr.Slider(1, 20, 8, step=1), "21", None),
        (gr.Slider(-1, 1, 0.5), "-0.25", -0.25),
        (gr.Slider(-1, 1, 0.5), "nan", None),
        (gr.Number(-1, precision=0, minimum=-1), "-5", None),
        (gr.Number(-1, precision=0, minimum=-1), "17", 17),
        (gr.Radio([("Spot", "spot"), ("Disc", "disc")]), "disc", "disc"),
        (gr.Radio([("Spot", "spot"), ("Disc", "disc")]), "<script>", None),
        (gr.CheckboxGroup([("a", 0), ("b", 1)]), "1,0", [1, 0]),
        (gr.CheckboxGroup([("a", 0), ("b", 1)]), "", []),
        (gr.CheckboxGroup([("a", 0), ("b", 1)]), "1,2", None),
        (gr.Checkbox(), "1", True),
        (gr.Checkbox(), "yes", None),
        (gr.Checkbox(), None, None),
    ],
)
def test_a_setting_is_one_that_its_control_can_have(control, text, expected):
    found = setting(control, text)
    assert found == expected
    assert type(found) is type(expected)


def test_a_code_is_a_picture_and_nothing_else():
    found = shared("https://example.org/?tab=learn&a=%3Cscript%3E")
    assert found.count("<svg") == 1
    assert "<script" not in found
    assert "tab=learn&amp;a=" in found
    assert "too long" in shared("https://example.org/?" + "x" * LONGEST)
    assert shared("") == ""


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", 'https://a"b', "<b>"])
def test_only_an_address_becomes_a_code(link):
    assert "<svg" not in shared(link)
    assert "href" not in shared(link)


def test_a_link_holds_an_experiment_and_how_the_pictures_are_looked_at(visit):
    look = '{"image":[2.5,0.25,0.75],"window":[0.1,0.6],"regions":[[10,20,40,60]]}'
    place = "tab=methods&methods=side&side_methods=zero-filled&viewer=side-panels"
    page = visit(f"?example=phantom&method=zero-filled&{place}&view={look}", ready=False)
    page.locator("#side-panels .viewer[data-state=ready]").wait_for(timeout=60_000)
    page.get_by_text("Region 1: rows 10 to 40, columns 20 to 60").wait_for()
    assert "zoom 2.5x" in page.locator("#side-panels .viewer-status").inner_text()
    assert page.locator("#side-methods input:checked").count() == 1
    page.locator("#share-link").click()
    page.locator("#share svg").wait_for(timeout=30_000)
    query = parse_qs(urlsplit(page.locator("#share a").get_attribute("href")).query)
    assert query["methods"] == ["side"]  # the tab, which is another thing than the method
    assert query["method"] == ["zero-filled"]
    assert query["side_methods"] == ["zero-filled"]
    assert query["view"] == [look]
    page.keyboard.press("Escape")
    page.locator("#share svg").wait_for(state="detached", timeout=10_000)
