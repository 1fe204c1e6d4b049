"""The linked viewer: what the server sends, and what a browser does with it."""

import base64
import re
import zlib

import numpy as np
import pytest

from recon import metrics, phantom
from recon.pipeline import reconstruct
from recon.ui import html
from recon.ui.viewer import Panel, viewer
from tests.helpers.page import after, drawn, key, picture, sentence, until, upload


def test_numbers_survive_the_way_to_the_browser():
    rng = np.random.default_rng(0)
    reference, image = rng.random((9, 14)).astype(np.float32), rng.random((9, 14)) * 1.7
    sent = viewer(
        [
            Panel("image", "a", "", "a", "image", image.astype(np.float32)),
            Panel("reference", "b", "", "b", "image", reference),
            Panel("error", "c", "", "c", "error", of="image", against="reference"),
        ],
        0.8,
        None,
    )
    for panel, expected in zip(sent["panels"], (image, reference), strict=False):
        values = np.frombuffer(zlib.decompress(base64.b64decode(panel["data"])), "<u2")
        values = values.reshape(panel["height"], panel["width"]) * sent["scale"] / 65535
        np.testing.assert_allclose(values, expected, atol=sent["scale"] / 65535)
    assert sent["largest"] == sent["range"] == pytest.approx(reference.max())
    assert (sent["panels"][2]["height"], sent["panels"][2]["width"]) == (9, 14)
    assert len(zlib.decompress(base64.b64decode(sent["colors"]))) == 3 * 256


def test_equal_pictures_are_sent_once():
    result = reconstruct(phantom.kspace((64, 48)), method="zero-filled")
    panels = {p["name"]: p for p in html.panels(result)["panels"]}
    assert panels["reconstruction"]["same"] == "zero_filled"
    assert "data" not in panels["reconstruction"]
    assert "data" in panels["zero_filled"]
    assert "data" in panels["reference"]


def test_white_is_that_of_the_reference_unless_it_is_given():
    image, reference = np.full((8, 8), 3.0), np.linspace(0, 2, 64).reshape(8, 8)
    panels = [
        Panel("image", "a", "", "a", "image", image),
        Panel("reference", "b", "", "b", "image", reference),
    ]
    assert (viewer(panels))["window"] == pytest.approx(np.percentile(reference, 99.9))
    assert (viewer(panels, 0.5))["window"] == 0.5
    assert (viewer(panels[:1]))["window"] == 3.0


def test_hostile_names_stay_text(page):
    """The browser is given text, and never takes it for HTML."""
    page.evaluate(
        """async () => {
          const viewer = document.querySelector('#panels recon-viewer'), content = viewer.wish;
          const panels = content.panels.map(panel => (
            {...panel, title: '<img class=evil>', caption: '<b class=evil>', alt: '"><i>'}));
          viewer.value = {...content, panels, legend: ['<u class=evil>'], key: 'hostile'};
        }"""
    )
    page.locator("#panels .viewer[data-key=hostile][data-state=ready]").wait_for()
    assert page.locator(".evil").count() == 0
    assert "<img class=evil>" in page.locator("#panels figcaption").first.inner_text()


def test_every_result_has_its_panels():
    result = reconstruct(phantom.kspace((64, 48)), method="zero-filled")
    names = [panel["name"] for panel in html.panels(result)["panels"]]
    assert names == [
        "mask", "zero_filled", "reconstruction", "reference", "kspace",
        "zero_filled_error", "reconstruction_error",
    ]  # fmt: skip


@pytest.fixture
def opened(page, tmp_path):
    """The page with a known slice of 96x80 pixels, and its reconstruction in Python."""
    np.save(tmp_path / "known.npy", phantom.kspace((96, 80), seed=2))
    after(page, lambda: upload(page, tmp_path / "known.npy"))
    return page


def readout(page, alt: str) -> str:
    figure = picture(page, alt).locator("xpath=ancestor::figure")
    return figure.locator(".readout").inner_text()


def move(page, alt: str, x: float = 0.5, y: float = 0.5) -> tuple[float, float]:
    """Put the pointer on a share of a panel's width and height."""
    picture(page, alt).scroll_into_view_if_needed()
    box = picture(page, alt).bounding_box()
    place = box["x"] + x * box["width"], box["y"] + y * box["height"]
    page.mouse.move(*place)
    return place


def status(page) -> str:
    return page.locator("#panels .viewer-status").inner_text()


def test_hover_reads_row_column_and_every_value(opened):
    result = reconstruct(phantom.kspace((96, 80), seed=2))
    move(opened, "Fully sampled")
    found = re.match(r"row (\d+), column (\d+): ([\d.]+) %", readout(opened, "Fully sampled"))
    row, column, value = int(found[1]), int(found[2]), float(found[3])
    assert abs(row - 48) <= 1
    assert abs(column - 40) <= 1
    largest = result.reference.max()
    assert value == pytest.approx(100 * result.reference[row, column] / largest, abs=0.06)
    other = float(readout(opened, "Zero-filled image").removesuffix(" %"))
    assert other == pytest.approx(100 * result.zero_filled[row, column] / largest, abs=0.06)
    error = float(readout(opened, "Error map of the zero-filled").removesuffix(" %"))
    assert error == pytest.approx(abs(other - value), abs=0.11)
    assert readout(opened, "Masked k-space") == ""  # another domain
    move(opened, "Sampling mask")
    assert "measured" in readout(opened, "Sampling mask")
    assert "dB" in readout(opened, "Masked k-space")


def test_wheel_zooms_every_image_at_the_pointer_and_drag_pans(opened):
    x, y = move(opened, "Fully sampled", 0.3, 0.6)
    for _ in range(6):  # nobody asked for the picture: the page scrolls
        opened.mouse.wheel(0, -100)
    drawn(opened)
    assert status(opened) == ""
    opened.mouse.click(*move(opened, "Fully sampled", 0.3, 0.6))
    before = readout(opened, "Fully sampled").split(":")[0]
    for _ in range(6):
        opened.mouse.wheel(0, -100)
    until(opened, lambda: "zoom 3.8x" in status(opened))
    x, y = move(opened, "Fully sampled", 0.3, 0.6)
    assert readout(opened, "Fully sampled").split(":")[0] == before
    opened.mouse.down()
    opened.mouse.move(x + 40, y - 30, steps=4)
    opened.mouse.up()
    assert readout(opened, "Fully sampled").split(":")[0] == before  # it came along
    # the other panels show the same place
    move(opened, "Zero-filled image", 0.5, 0.5)
    centre = readout(opened, "Zero-filled image").split(":")[0]
    move(opened, "Error map of the ResNet", 0.5, 0.5)
    assert readout(opened, "Error map of the ResNet").split(":")[0] == centre
    opened.mouse.dblclick(*move(opened, "Fully sampled"))
    assert status(opened) == ""


def pixels(page, alt: str) -> list[int]:
    return picture(page, alt).evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    )


def test_shift_drag_windows_all_images_alike(opened):
    before = {alt: pixels(opened, alt) for alt in ("Fully sampled", "Zero-filled image")}
    x, y = move(opened, "Fully sampled")
    opened.keyboard.down("Shift")
    opened.mouse.down()
    opened.mouse.move(x + 60, y + 20, steps=3)
    opened.mouse.up()
    opened.keyboard.up("Shift")
    assert "window" in status(opened)
    for alt, old in before.items():
        assert pixels(opened, alt) != old
    opened.locator("#panels [data-do=reset]").click()
    assert status(opened) == ""


def test_number_key_flickers_in_place(opened):
    move(opened, "Zero-filled image")
    canvas = picture(opened, "Zero-filled image")
    opened.keyboard.down("4")
    assert canvas.get_attribute("data-shows") == "reference"
    opened.keyboard.up("4")
    assert canvas.get_attribute("data-shows") == "zero_filled"
    opened.keyboard.press("1")  # a mask has nothing to do with an image
    assert canvas.get_attribute("data-shows") == "zero_filled"


def test_region_is_magnified_and_scored_as_scikit_image_does(opened):
    opened.locator("#panels .viewer-region").click()
    move(opened, "Fully sampled", 0.35, 0.4)
    start = re.match(r"row (\d+), column (\d+)", readout(opened, "Fully sampled"))
    opened.mouse.down()
    move(opened, "Fully sampled", 0.6, 0.7)
    end = re.match(r"row (\d+), column (\d+)", readout(opened, "Fully sampled"))
    opened.mouse.up()
    opened.mouse.move(5, 5)
    top, left, bottom, right = (int(v) for v in (*start.groups(), *end.groups()))
    result = reconstruct(phantom.kspace((96, 80), seed=2))
    from skimage.metrics import structural_similarity

    _, everywhere = structural_similarity(
        result.reference, result.zero_filled, data_range=result.data_range, full=True
    )
    expected = everywhere[top : bottom + 1, left : right + 1].mean()
    shown = float(readout(opened, "Zero-filled image").removeprefix("region SSIM "))
    assert shown == pytest.approx(expected, abs=1.5e-3)
    assert "zoom" in status(opened)
    whole = metrics.ssim(result.reference, result.zero_filled, result.data_range)
    assert abs(whole - expected) > 2e-3  # the region is not the whole


def test_a_region_by_keyboard(opened):
    canvas = picture(opened, "Fully sampled")
    canvas.focus()
    opened.keyboard.press("r")
    assert "Enter sets it" in status(opened)
    opened.keyboard.press("ArrowRight")
    assert status(opened) == "Rows 24 to 71, columns 20 to 59"
    for name in ("ArrowDown", "ArrowLeft", "Shift+ArrowUp", "Shift+ArrowRight"):
        opened.keyboard.press(name)
    assert status(opened) == "Rows 27 to 71, columns 17 to 59"
    opened.keyboard.press("Enter")
    caption = opened.locator("#panels .viewer-table caption").inner_text()
    assert caption == "Region 1: rows 27 to 71, columns 17 to 59"
    opened.keyboard.press("r")
    opened.keyboard.press("Escape")  # leaves what is being drawn, and nothing else
    assert "Enter sets it" not in status(opened)
    assert opened.locator("#panels .viewer-table caption").count() == 1


def test_keyboard_zooms_pans_and_resets(opened):
    canvas = picture(opened, "Fully sampled")
    canvas.focus()
    opened.keyboard.press("ArrowLeft")  # to another panel, as long as nothing is magnified
    assert opened.evaluate("document.activeElement.dataset.panel") == "reconstruction"
    canvas.focus()
    for name in ("+", "+", "ArrowLeft", "]"):
        opened.keyboard.press(name)
    assert "zoom 1.6x" in status(opened)
    assert "window" in status(opened)
    opened.keyboard.press("0")
    assert status(opened) == ""


def test_zoom_stays_while_the_mask_changes(opened):
    opened.mouse.click(*move(opened, "Fully sampled"))
    opened.mouse.wheel(0, -100)
    until(opened, lambda: "zoom" in status(opened))
    before, text = status(opened), sentence(opened)
    old = key(opened)
    after(opened, lambda: opened.locator("#new-mask").click())
    assert key(opened) != old
    assert sentence(opened) != text
    assert status(opened) == before


def test_two_fingers_zoom(visit):
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    canvas = picture(page, "Fully sampled")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    client = page.context.new_cdp_session(page)

    def touch(kind: str, apart: float) -> None:
        points = [{"x": x - apart, "y": y}, {"x": x + apart, "y": y}] if apart else []
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 20)
    for apart in (30, 40, 50, 60):
        touch("touchMove", apart)
    touch("touchEnd", 0)
    until(page, lambda: "zoom" in status(page))
    drawn(page)
    zoom = float(re.search(r"zoom ([\d.]+)x", status(page))[1])
    assert 2 < zoom < 4
