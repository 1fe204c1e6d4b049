"""The research view: phase, coils, figures; and what the browser does with it."""

import base64
import re
from dataclasses import replace

import h5py
import numpy as np
import pytest
from matplotlib.text import Text

from recon import examples, figures, phantom
from recon.errors import InputError
from recon.pipeline import reconstruct
from recon.ui.research import coils, figure, phase
from recon.ui.session import Choice, Origin
from recon.version import VERSION
from tests.helpers.answers import last
from tests.helpers.page import after, drawn, picture, sentence, upload

HEAD = Choice(Origin(example="head"), method="zero-filled")
COILS = Choice(Origin(example="phantom-coils"), method="zero-filled")
FIGURE = (["zero_filled", "reference"], "gray", "size", 0.2)


def test_phase_panels_and_the_words_on_them():
    found = last(phase.look(Choice(Origin(example="phantom"), method="cs")))
    kinds = [panel["kind"] for panel in found.panels["panels"]]
    assert kinds == ["phase"] * 3 + ["share"] * 2 + ["image"]
    assert re.search(r"Zero-filled is off by [\d.]+°.*Compressed sensing is off by", found.words)
    once = last(phase.look(HEAD)).panels["panels"]  # the method is the zero-filled image itself
    assert [panel["kind"] for panel in once] == ["phase"] * 2 + ["share", "image"]


def test_phase_without_a_reference(undersampled):
    found = last(phase.look(replace(undersampled, method="zero-filled")))
    assert [panel["kind"] for panel in found.panels["panels"]] == ["phase", "image"]
    assert "off by" not in found.words


def test_a_figure_names_the_panels_that_are_in_it(undersampled):
    wish = replace(undersampled, method="zero-filled")
    found = last(figure.draw(wish, list(figure.PANELS), "gray", "size", 0.2, "PNG"))
    assert 'alt="The figure: Mask, Measured k-space, Zero-filled, Reconstruction"' in found.chart


def test_coils_of_one_and_of_several():
    assert "has one coil" in last(coils.look(HEAD)).words
    assert "Coil 2 alone was chosen" in last(coils.look(replace(COILS, coils=2))).words
    found = last(coils.look(COILS))
    assert found.words.startswith("<p>8 coils.")
    assert found.chart.count("<img") == 3 * 8


@pytest.fixture
def volume(tmp_path):
    """Five slices."""
    with h5py.File(tmp_path / "volume.h5", "w") as file:
        file["kspace"] = np.stack([phantom.kspace((64, 48), seed=s) for s in range(5)])
    return tmp_path / "volume.h5"


@pytest.mark.parametrize(
    ("kind", "start"), [("PNG", b"\x89PNG"), ("SVG", b"<?xml"), ("PDF", b"%PDF")]
)
def test_figure_is_saved_by_a_link(kind, start):
    found = last(figure.draw(HEAD, *FIGURE, kind))
    data = re.search(r'download="figure\.\w+" href="data:[\w/+]+;base64,([^"]+)"', found.words)[1]
    assert base64.b64decode(data).startswith(start)
    assert found.chart.startswith('<img class="plate" src="data:image/png;base64,')


def test_the_caption_is_in_the_language_that_is_read(monkeypatch, foreign):
    plates, plate = [], figures.plate
    monkeypatch.setattr(
        figures, "plate", lambda *a, **o: plates.append(plate(*a, **o)) or plates[0]
    )
    choice = replace(HEAD, language="de")
    found = last(figure.draw(choice, [*figure.PANELS], "gray", "size", 0.2, "PNG"))
    assert 'alt="Die Abbildung: Maske, ' in found.chart
    texts = [one.get_text() for one in plates[0].findobj(Text)]
    assert any("Startwert 0" in text and "Schichtmaximum" in text for text in texts)
    caption = " ".join(max(texts, key=len).split())
    titles = [line for text in texts for line in text.split("\n") if text != max(texts, key=len)]
    sentences = re.split(r"(?<=\.) (?=[A-Zm])", caption)
    assert sentences.pop() == f"mri-recon {VERSION}."
    assert sentences.pop(0) == "Kopf, T1 (simuliert)."
    assert [text for text in (*titles, *sentences) if text and foreign(text)] == []


def test_figure_of_nothing_is_refused():
    with pytest.raises(InputError, match="Choose a panel"):
        last(figure.draw(HEAD, [], "gray", "size", 0.2, "PNG"))


# ---- in the browser ---------------------------------------------------------------------------


def research(page):
    page.locator("#panels [data-do=research]").click()


def open_tab(page, number):
    page.locator("#research-tabs > .tab-wrapper button[role=tab]").nth(number).click()


def number(page, end, axis):
    return page.locator(f"#panels [data-end={end}][data-axis={axis}]")


def test_profile_follows_the_line_and_the_keyboard(page):
    research(page)
    label = "#panels .viewer-profile"
    result = reconstruct(examples.load("head"))
    largest = result.reference.max()

    def said():
        words = page.locator(label).get_attribute("aria-label")
        return [int(v) for v in re.search(r"Fully sampled (\d+) to (\d+)", words).groups()]

    row = result.reference[128] / largest
    assert said() == [round(100 * row.min()), round(100 * row.max())]
    for end in ("from", "to"):  # with the keyboard alone
        number(page, end, "row").fill("60")
    row = result.reference[60] / largest
    assert said() == [round(100 * row.min()), round(100 * row.max())]
    # Alt drag draws another, and its end can be dragged
    box = picture(page, "Fully sampled").bounding_box()

    def at(x, y):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])

    page.keyboard.down("Alt")
    at(0.3, 0.4)
    page.mouse.down()
    at(0.7, 0.4)
    page.mouse.up()
    page.keyboard.up("Alt")
    ends = [(end, axis) for end in ("from", "to") for axis in ("row", "column")]
    drawn = [int(number(page, *one).input_value()) for one in ends]
    assert np.abs(np.array(drawn) - [102, 77, 102, 179]).max() <= 2
    at(0.7, 0.4)
    page.mouse.down()
    at(0.7, 0.6)
    page.mouse.up()
    assert abs(int(number(page, "to", "row").input_value()) - 153) <= 2
    assert int(number(page, "from", "row").input_value()) == drawn[0]


def shades(page):
    return picture(page, "Fully sampled").evaluate(
        "c => { const d = c.getContext('2d').getImageData(c.width >> 1, c.height >> 1, 1, 1).data;"
        " return [d[0], d[1], d[2]]; }"
    )


def test_colours_of_the_pictures(page):
    gray = shades(page)
    assert gray[0] == gray[1] == gray[2]
    research(page)
    page.locator("#panels [data-set=map]").select_option("viridis")
    assert len(set(shades(page))) > 1


def test_slices_by_wheel_and_keys(page, volume):
    after(page, lambda: upload(page, volume))
    assert "slice 2" in sentence(page)

    def opened(wanted):
        page.wait_for_function(
            "n => document.querySelector('#verdict').innerText.includes(`slice ${n}`)", arg=wanted
        )

    canvas = picture(page, "Fully sampled")
    canvas.focus()
    page.keyboard.press("PageDown")
    opened(3)
    research(page)
    canvas.scroll_into_view_if_needed()
    canvas.hover()
    canvas.focus()
    page.mouse.wheel(0, -120)
    opened(2)


def test_figure_downloads(page, tmp_path):
    research(page)
    open_tab(page, 2)
    link = page.locator("#research-figure-words a.save")
    link.wait_for(timeout=30_000)
    with page.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "figure.png")
    assert download.value.suggested_filename == "figure.png"
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_projector_by_one_key_with_two_or_three_panels(page):
    viewer = page.locator("#panels recon-viewer")
    picture(page, "Fully sampled").focus()
    page.keyboard.press("p")
    page.wait_for_function("document.querySelector('#panels recon-viewer.presenting')")
    shown = viewer.locator("figure:visible")
    titles = [one.locator(".panel-title").inner_text() for one in shown.all()]
    assert titles == ["Zero-filled", "ResNet-DC", "Fully sampled"]
    for words in shown.locator("figcaption").all():
        assert float(words.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")) >= 18
    assert viewer.locator(".viewer-bar").is_hidden()
    page.mouse.move(300, 300)
    viewer.get_by_label("Zero-filled", exact=True).uncheck()
    assert shown.count() == 2
    page.keyboard.press("p")
    page.wait_for_function("!document.querySelector('#panels recon-viewer.presenting')")
    assert viewer.locator(".viewer-bar").is_visible()


def test_a_letter_away_from_the_pictures_does_nothing(page):
    page.locator("#new-mask").focus()
    page.mouse.move(1, 1)
    page.keyboard.press("p")
    drawn(page)
    assert not page.evaluate("!!document.querySelector('recon-viewer.presenting')")
    picture(page, "Zero-filled").hover()
    page.keyboard.press("p")
    page.wait_for_function("document.querySelector('#panels recon-viewer.presenting')")


def test_the_projector_takes_the_focus_and_gives_it_back(page):
    button = page.locator("#panels [data-do=present]")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.matches('.presenting .chosen canvas')")
    page.keyboard.press("p")
    page.wait_for_function("!document.querySelector('recon-viewer.presenting')")
    assert button.evaluate("e => e === document.activeElement")


def test_examples_have_thumbnails(page):
    page.locator("#example input").click()
    images = page.locator("#example li").evaluate_all(
        "items => items.map(e => getComputedStyle(e, '::before'))"
        ".map(s => s.backgroundImage.startsWith('url') || s.content.length > 2)"
    )
    assert len(images) == len(examples.EXAMPLES)
    assert all(images)


def test_narrow_screen_has_a_drawer(visit):
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    # the choice and the result are on the first screen
    assert page.locator("#acceleration").bounding_box()["y"] < 844
    box = picture(page, "ResNet").bounding_box()
    assert box["y"] + box["height"] / 2 < 844
    method = page.locator("#method")
    assert method.is_hidden()
    page.locator("#drawer").click()
    assert method.is_visible()
    page.keyboard.press("Escape")
    assert method.is_hidden()
