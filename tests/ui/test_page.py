"""The page as a person uses it: a real browser, real clicks, real files."""

import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from recon import examples, masks, phantom
from recon.scan import Scan
from recon.ui import instant
from tests.helpers.page import (
    SETTLED,
    after,
    bar,
    drawn,
    key,
    picture,
    sentence,
    ssim,
    until,
    upload,
)

PICTURES = (
    "Sampling mask",
    "Zero-filled image",
    "ResNet-DC reconstruction",
    "Fully sampled reference",
    "Masked k-space",
    "Error map of the zero-filled",
    "Error map of the ResNet",
)


def test_first_page_shows_a_scored_example_without_a_click(page):
    for alt in PICTURES:
        assert picture(page, alt).count() == 1, alt
        assert picture(page, alt).bounding_box()["width"] >= 150
    text = sentence(page)
    assert "SIMULATED" in text.upper()
    assert "Nominal 4x, achieved" in text
    before, after_ = ssim(text)
    assert after_ > before
    caption = picture(page, "ResNet").locator("xpath=ancestor::figure").inner_text()
    for score in ("SSIM", "PSNR", "NMSE"):
        assert score in caption


def test_upload_of_a_measured_slice(page, tmp_path):
    np.save(tmp_path / "mine.npy", phantom.kspace((128, 96), seed=4))
    after(page, lambda: upload(page, tmp_path / "mine.npy"))
    text = sentence(page)
    assert "mine.npy" in text
    assert "SIMULATED" not in text.upper()
    lines = masks.random_cartesian(96, 4, seed=0).sum()
    assert f"{lines} of 96 lines" in text


@pytest.mark.parametrize("wait", [0, 300])
def test_clicks_before_an_answer_are_about_what_the_controls_say(page, wait):
    """Each asks with all that was chosen before, though no answer has come yet."""
    head = Scan.of(examples.load("head"))
    lines = int(head.draw(8, 2).mask.sum())
    page.locator("#method").get_by_label("GAN").click()
    page.locator("#new-mask").click()
    page.wait_for_timeout(wait)
    page.locator("#acceleration").get_by_label("8x").click()
    page.wait_for_timeout(wait)
    page.locator("#new-mask").click()
    page.wait_for_timeout(wait)
    page.locator("#method").get_by_label("Compressed sensing").click()
    page.wait_for_function(
        "() => document.querySelector('#panels .viewer').dataset.state === 'ready'"
        " && document.querySelector('#verdict').innerText.includes('Compressed sensing')"
    )
    page.wait_for_function(SETTLED)
    assert page.locator("#seed input").input_value() == "2"
    assert f"{lines} of {head.width} lines" in sentence(page)
    assert "Compressed sensing" in sentence(page)
    scored = head.ssim(head.measure(head.draw(8, 2).mask, 8).zero_filled)
    assert ssim(sentence(page))[0] == pytest.approx(scored, abs=6e-4)


def test_a_method_chosen_while_a_file_is_opened_is_for_that_file(page, tmp_path):
    np.save(tmp_path / "volume.npy", np.stack([phantom.kspace((64, 64), seed=n) for n in range(7)]))
    np.save(tmp_path / "odd.npy", phantom.kspace((97, 81), seed=4))
    after(page, lambda: upload(page, tmp_path / "volume.npy"))
    upload(page, tmp_path / "odd.npy")
    page.wait_for_timeout(50)
    page.locator("#method").get_by_label("Compressed sensing").click()
    until(page, lambda: all(one in sentence(page) for one in ("odd.npy", "Compressed sensing")))
    assert not page.locator("#control-message").inner_text().strip()
    assert not page.locator("#file-message").inner_text().strip()


def test_acceleration_mask_seed_and_advanced_controls(page):
    four = sentence(page)
    after(page, lambda: page.locator("#acceleration").get_by_label("8x").click())
    eight = sentence(page)
    assert "Nominal 8x" in eight
    assert ssim(eight)[0] < ssim(four)[0]
    after(page, lambda: page.locator("#new-mask").click())
    assert page.locator("#seed input").input_value() == "1"
    assert sentence(page) != eight
    page.locator("#advanced button").first.click()
    after(page, lambda: page.get_by_label("rows", exact=True).click())
    page.get_by_role("radio", name="Zero-filled", exact=True).click()
    page.wait_for_function("document.querySelector('#verdict').innerText.includes('Zero-filled')")


def test_tabs_follow_the_bar_above_them(page, tmp_path):
    """Replay, lab and lesson show the slice that the bar names, as soon as it names it."""
    volume = np.stack([phantom.kspace((96, 80), seed=s) for s in range(3)])
    with h5py.File(tmp_path / "volume.h5", "w") as file:
        file["kspace"] = volume
    after(page, lambda: upload(page, tmp_path / "volume.h5"))
    keys = [instant.slice_of(Scan.of(one))["key"] for one in volume]
    number = page.locator("#slice input[type=number]")
    for tab, tag in (("Acquisition", "recon-film"), ("Sampling lab", "recon-lab")):
        page.get_by_role("tab", name=tab).click()
        for wish in (0, 2):
            number.fill(str(wish))
            number.press("Enter")
            page.wait_for_function(
                "([tag, key]) => document.querySelector(tag).key === key",
                arg=[tag, keys[wish]],
                timeout=30_000,
            )
    page.get_by_role("tab", name="Learn").click()
    panels = page.locator("#lesson-panels .viewer")
    panels.wait_for()
    pictures = set()
    for wish in (1, 0):
        number.fill(str(wish))
        number.press("Enter")
        until(page, lambda: panels.get_attribute("data-key") not in pictures)
        drawn(page)
        pictures.add(panels.get_attribute("data-key"))
    page.locator("#lesson-show").click()
    page.locator("#lesson-meaning p").first.wait_for(timeout=30_000)
    assert page.locator("#view-learn .stale-note").count() == 0
    number.fill("2")
    number.press("Enter")
    page.locator("#view-learn .stale-note").get_by_text("These results are about").wait_for()
    assert page.locator("#lesson-meaning p").count()  # the answer stays, and is marked
    page.locator("#view-learn .stale-note button").click()
    page.locator("#view-learn .stale-note").wait_for(state="detached", timeout=30_000)


def test_volume_gets_a_slice_slider_at_its_middle(page, tmp_path):
    volume = np.stack([phantom.kspace((96, 80), seed=s) for s in range(5)])
    with h5py.File(tmp_path / "volume.h5", "w") as file:
        file["kspace"] = volume
    assert page.locator("#slice").count() == 0
    after(page, lambda: upload(page, tmp_path / "volume.h5"))
    assert "slice 2 (0 to 4)" in sentence(page)
    number = page.locator("#slice input[type=number]")
    assert number.input_value() == "2"

    def choose():
        number.fill("4")
        number.press("Enter")

    after(page, choose)
    assert "slice 4 (0 to 4)" in sentence(page)
    number.fill("99")  # gives way to the nearest slice
    number.blur()
    expect(number).to_have_value("4")
    number.fill("")
    number.blur()
    expect(number).to_have_value("4")
    assert "slice 4 (0 to 4)" in sentence(page)
    # The menu, left without a choice, and then an example with fewer slices.
    page.locator("#example input").click()
    page.locator("ul[role=listbox] li").first.wait_for()
    page.locator("#title").click()
    page.locator("ul[role=listbox]").wait_for(state="detached")
    page.locator("#example input").click()
    after(page, lambda: page.locator("ul[role=listbox] li").first.click())
    drawn(page)
    assert "Head" in sentence(page)
    assert page.locator(".message").count() == 0
    assert page.locator(".toast-body").count() == 0


def test_undersampled_file_has_no_reference_and_no_scores(page, tmp_path):
    lines = masks.random_cartesian(80, 4, seed=2)
    with h5py.File(tmp_path / "test.h5", "w") as file:
        file["kspace"] = masks.apply(phantom.kspace((96, 80)), lines)[None]
        file["mask"] = lines.astype(np.float32)
    after(page, lambda: upload(page, tmp_path / "test.h5"))
    assert f"own mask: {lines.sum()} of 80 lines" in sentence(page)
    assert picture(page, "Fully sampled").count() == 0
    assert picture(page, "Error map").count() == 0
    assert "SSIM" not in page.locator("#panels").inner_text()
    assert page.locator("#seed input").is_disabled()


def test_image_is_badged_as_simulated(page, tmp_path):
    Image.fromarray(np.uint8(255 * abs(phantom.image((120, 100))).clip(0, 1))).save(
        tmp_path / "i.png"
    )
    after(page, lambda: upload(page, tmp_path / "i.png"))
    assert page.locator("#bar .badge").count() == 1
    assert "i.png" in sentence(page)


def wrong_files(folder: Path) -> list[Path]:
    np.save(folder / "rgb.npy", np.ones((40, 40, 3)))
    np.save(folder / "nan.npy", np.full((40, 40), np.nan, np.complex64))
    np.save(folder / "zeros.npy", np.zeros((40, 40), np.complex64))
    np.save(folder / "one.npy", np.ones((1, 1), np.complex64))
    with h5py.File(folder / "whole.h5", "w") as file:
        file["kspace"] = phantom.kspace((64, 64))[None]
    (folder / "short.h5").write_bytes((folder / "whole.h5").read_bytes()[:3000])
    (folder / "text.npy").write_text("this is not an array")
    with (folder / "huge.npy").open("wb") as file:
        header = {"descr": "<c8", "fortran_order": False, "shape": (20000, 20000)}
        np.lib.format.write_array_header_1_0(file, header)
    names = ("rgb.npy", "nan.npy", "zeros.npy", "one.npy", "short.h5", "text.npy", "huge.npy")
    return [folder / name for name in names]


def test_wrong_files_get_one_sentence_and_the_pictures_stay(page, tmp_path):
    before = key(page)
    text = sentence(page)
    seen = ""
    for path in wrong_files(tmp_path):
        upload(page, path)
        page.wait_for_function(
            "old => { const m = document.querySelector('#file-message .message');"
            " return m && m.innerText && m.innerText !== old; }",
            arg=seen,
            timeout=15_000,
        )
        seen = page.locator("#file-message .message").inner_text()
        assert seen.endswith("."), seen
        assert "Traceback" not in seen
        assert str(tmp_path) not in seen
        assert key(page) == before
        assert sentence(page) == text
        assert page.locator(".toast-body").count() == 0
        page.locator("#upload button[aria-label='Clear']").first.click()
        page.wait_for_function("!document.querySelector('#file-message .message')")
        seen = ""
    # and the page still works
    after(page, lambda: page.locator("#acceleration").get_by_label("8x").click())


def test_impossible_center_fraction_is_said_beside_the_controls(page):
    after(page, lambda: page.locator("#acceleration").get_by_label("8x").click())
    page.locator("#advanced button").first.click()
    before = key(page)
    number = page.locator("#center-fraction input[type=number]")
    expect(number).to_have_value("0.04")
    number.fill("0.3")
    number.press("Enter")
    page.locator("#control-message .message").wait_for()
    assert "at most 0.125" in page.locator("#control-message").inner_text()
    assert key(page) == before


def test_an_impossible_center_fraction_keeps_nobody_from_opening_something(page, tmp_path):
    page.locator("#advanced button").first.click()
    number = page.locator("#center-fraction input[type=number]")
    number.fill("0.3")
    number.press("Enter")
    page.locator("#control-message .message").wait_for()
    np.save(tmp_path / "other.npy", phantom.kspace((96, 80)))
    after(page, lambda: upload(page, tmp_path / "other.npy"))
    assert page.locator(".message").count() == 0
    expect(number).to_have_value("0.08")


def test_download_holds_pictures_arrays_and_numbers(page, tmp_path):
    with page.expect_download(timeout=30_000) as download:
        page.locator("#download").click()
    download.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as pack:
        names = set(pack.namelist())
        numbers = json.loads(pack.read("numbers.json"))
        pack.extract("arrays.npz", tmp_path)
    assert {"mask.png", "zero_filled.png", "reconstruction.png", "reference.png"} <= names
    with np.load(tmp_path / "arrays.npz") as arrays:
        assert arrays["reconstruction"].dtype == np.float32
        assert arrays["reconstruction"].shape == arrays["reference"].shape == (256, 256)
    assert round(numbers["ssim"], 3) == ssim(sentence(page))[1]


def test_picture_enlarges_by_click_and_by_keyboard(page):
    figure = page.locator("#panels figure").nth(2)
    frame, button = figure.locator(".frame"), figure.locator(".viewer-enlarge")
    small = frame.bounding_box()["width"]
    frame.hover()
    button.click()
    until(page, lambda: frame.bounding_box()["width"] > 2 * small)
    button.press("Enter")
    until(page, lambda: frame.bounding_box()["width"] == pytest.approx(small, abs=2))


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_at_any_width(visit, width, scheme):
    page = visit(viewport={"width": width, "height": 844}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut = page.evaluate(
        """() => [...document.querySelectorAll('#verdict *, #panels *, #title *, button, label')]
        .filter(e => e.offsetParent && getComputedStyle(e).position !== 'absolute')
        .filter(e => !e.closest('pre'))
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1
                  || (e.scrollWidth > e.clientWidth + 2 && e.clientWidth > 0
                      && getComputedStyle(e).overflow === 'hidden'))
        .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert cut == []


def test_the_last_click_wins_however_long_its_request_takes(page):
    after(page, lambda: page.locator("#acceleration").get_by_label("8x").click())
    held = []
    page.route("**/queue/join*", lambda r: r.continue_() if held else held.append(r))
    page.locator("#acceleration").get_by_label("4x").click()
    page.wait_for_timeout(500)  # the request is on its way
    assert len(held) == 1
    after(page, lambda: page.locator("#method").get_by_label("Zero-filled").click())
    shown = bar(page)
    assert "Zero-filled" in shown
    assert "63 of 256 lines" in shown
    with page.expect_response("**/queue/join*"):
        held[0].continue_()
    page.wait_for_timeout(2000)  # time for an answer, were there one
    assert bar(page) == shown
    after(page, lambda: page.locator("#method").get_by_label("Compressed sensing").click())
    assert "Compressed sensing" in bar(page)
