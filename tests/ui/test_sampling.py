"""The sampling lab in a real browser: masks, point spread, drawing, and how fast it follows."""

import re
import statistics

import numpy as np
import pytest

from recon import masks, phantom
from recon.fourier import fft2c
from recon.pipeline import reconstruct
from recon.probes.psf import sidelobe_level
from recon.scan import Scan
from recon.ui import sampling
from tests.helpers.page import after, drawn, until, upload


@pytest.fixture
def lab(page, tmp_path):
    """The lab, working on an uploaded slice of 320x320."""
    np.save(tmp_path / "square.npy", phantom.kspace((320, 320), seed=1))
    after(page, lambda: upload(page, tmp_path / "square.npy"))
    page.get_by_role("tab", name="Sampling lab").click()
    finished(page, "ResNet-DC")
    return page


def finished(page, label: str) -> None:
    """Wait for the second answer, with the reconstruction, and for the slice in the browser."""
    page.locator("recon-lab[data-state=ready]").wait_for(timeout=30_000)
    page.locator(f"#lab-panels canvas[aria-label^='{label} reconstruction']").wait_for(
        timeout=30_000
    )


def key(page) -> str:
    return page.locator("#lab-panels .viewer").get_attribute("data-key")


def answers(page, action) -> None:
    """Wait for the browser's own answer, and for the one with the reconstruction."""
    words, before = spread(page), key(page)
    action()
    page.wait_for_function(
        "old => document.querySelector('.lab-words').innerText !== old",
        arg=words,
        timeout=10_000,
    )
    page.wait_for_function(
        "old => { const v = document.querySelector('#lab-panels .viewer');"
        " return v.dataset.key !== old && v.dataset.state === 'ready'; }",
        arg=before,
        timeout=30_000,
    )


def spread(page) -> str:
    return page.locator(".lab-words").inner_text()


def set_slider(page, name: str, value: float) -> None:
    number = page.locator(f"#{name} input[type=number]")
    number.fill(str(value))
    number.press("Enter")


@pytest.mark.parametrize("family", masks.FAMILIES)
def test_every_family_shows_its_mask_and_point_spread(lab, family):
    if family != "random":
        answers(
            lab,
            lambda: lab.locator("#lab-family").get_by_label(masks.FAMILIES[family].title).click(),
        )
    lines = masks.FAMILIES[family](320, 4, 0.08, 0)
    expected = reconstruct(phantom.kspace((320, 320), seed=1), mask=lines, method="zero-filled")
    text = spread(lab)
    assert f"{lines.sum()} of 320 lines" in text
    assert f"sidelobe {sidelobe_level(lines):.1%}" in text
    assert f"SSIM {expected.metrics['ssim']:.3f}" in text
    assert lab.locator(".mask-used").inner_text().startswith(f"{lines.sum()} lines of at most ")


def test_a_mask_drawn_by_hand(lab):
    text = spread(lab)
    canvas = lab.locator("#lab-editor .lab-mask")
    box = canvas.bounding_box()
    measured = int(re.search(r"(\d+) of 320 lines", text)[1])

    def drag() -> None:  # across the whole mask: everything that is measured goes, but one line
        lab.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
        lab.mouse.down()
        lab.mouse.move(box["x"] + box["width"] / 2 + 60, box["y"] + 20, steps=5)
        lab.mouse.up()

    answers(lab, drag)
    assert lab.locator("#lab-family").get_by_label("By hand").is_checked()
    left = int(re.search(r"(\d+) of 320 lines", spread(lab))[1])
    assert left < measured
    assert lab.locator(".mask-used").inner_text().startswith(f"{left} lines of at most ")
    # lines that were saved may be spent elsewhere, and no more than those
    lines = masks.random_cartesian(320, 4, 0.08, 0)
    empty = int(np.flatnonzero(~lines[:150])[0])
    place = {"x": (empty + 0.5) / 320 * box["width"], "y": 20}
    answers(lab, lambda: canvas.click(position=place))
    assert f"{left + 1} of 320 lines" in spread(lab)


def test_the_point_spread_lies_along_the_lines_that_are_left_out(lab):
    square = lab.locator(".lab-square")
    assert "one row," in square.get_attribute("aria-label")
    lab.get_by_role("tab", name="Reconstruct").click()
    lab.locator("#advanced").get_by_role("button", name="Advanced").click()
    after(lab, lambda: lab.locator("#advanced").get_by_label("rows").click())
    lab.get_by_role("tab", name="Sampling lab").click()
    until(lab, lambda: "one column," in square.get_attribute("aria-label"), 30)


def test_a_mask_drawn_by_keyboard(lab):
    canvas = lab.locator("#lab-editor .lab-mask")
    measured = int(masks.random_cartesian(320, 4, 0.08, 0).sum())
    canvas.focus()
    canvas.press("ArrowLeft")
    assert canvas.get_attribute("aria-valuenow") == "159"
    answers(lab, lambda: canvas.press("Space"))
    assert f"{measured - 1} of 320 lines" in spread(lab)
    assert lab.locator("recon-lab").evaluate("lab => lab.lines[159]") == 0


def test_beat_the_random_mask(lab):
    lab.locator("#lab-beat").click()
    lab.get_by_text("of 200 random masks").wait_for(timeout=30_000)
    text = lab.locator("#lab-standing p").inner_text()
    share = float(re.search(r"better than (\d+) % of 200", text)[1])
    assert 0 <= share <= 100
    answers(lab, lambda: lab.locator("#lab-new").click())
    assert lab.locator("#lab-standing svg").count() == 0  # it was about another mask


def test_beat_the_random_mask_with_a_reconstruction(lab):
    lab.locator("#lab-method input").click()
    lab.get_by_role("option", name="Compressed sensing").click()
    finished(lab, "Compressed sensing")
    lab.locator("#lab-judge").get_by_label("reconstruction").click()
    lab.locator("#lab-beat").click()
    lab.get_by_text(f"of {sampling.FEW_RIVALS} random masks").wait_for(timeout=60_000)
    text = lab.locator("#lab-standing p").inner_text()
    lines = masks.random_cartesian(320, 4, 0.08, 0)
    expected = reconstruct(phantom.kspace((320, 320), seed=1), mask=lines, method="cs")
    assert f"SSIM {expected.metrics['ssim']:.3f}" in text


def test_a_mask_drawn_by_hand_stays_when_the_tab_is_left(lab):
    import app

    canvas = lab.locator("#lab-editor .lab-mask")
    box = canvas.bounding_box()
    answers(lab, lambda: canvas.click(position={"x": box["width"] / 2, "y": 20}))  # the middle goes
    text = spread(lab)
    before = key(lab)
    lab.get_by_role("tab", name="Methods").click()
    with lab.expect_response("**/queue/join*"):  # the lab looks whether the slice is still the same
        lab.get_by_role("tab", name="Sampling lab").click()
    queue = app.demo._queue
    until(lab, lambda: not len(queue) and not any(queue.active_jobs))
    drawn(lab)
    assert spread(lab) == text
    assert key(lab) == before
    answers(lab, lambda: lab.locator("#lab-family").get_by_label("Equispaced").click())
    assert spread(lab) != text


def test_pictures_follow_a_slider(lab):
    for rate in (5, 6, 7, 8):
        answers(lab, lambda r=rate: set_slider(lab, "lab-acceleration", r))
    held = []  # the browser answers by itself; the network's picture comes later
    lab.route("**/queue/join*", lambda route: held.append(route))
    words = spread(lab)
    set_slider(lab, "lab-acceleration", 9)
    lab.wait_for_function(
        "old => document.querySelector('.lab-words').innerText !== old", arg=words
    )
    lab.unroute("**/queue/join*")
    for route in held:
        route.continue_()
    finished(lab, "ResNet-DC")
    assert lab.locator("#lab-center input[type=number]").input_value() == "0.036"


def test_the_browser_computes_what_python_does(lab):
    """Pictures and scores of a mask, to a part in ten thousand of the maximum."""
    scan = Scan.of(phantom.kspace((320, 320), seed=1))
    for family in masks.FAMILIES:
        lines = masks.FAMILIES[family](320, 5, 0.064, 3)
        found = lab.evaluate(
            """lines => {
              const {slice} = document.querySelector('recon-lab');
              const image = slice.image(Uint8Array.from(lines));
              return {image: [...image], ssim: slice.ssim(image)};
            }""",
            lines.astype(int).tolist(),
        )
        expected = scan.measure(lines).zero_filled
        image = np.reshape(found["image"], expected.shape)
        assert np.abs(image - expected).max() < 1e-4 * scan.truth.max()
        assert found["ssim"] == pytest.approx(scan.ssim(expected), abs=1e-4)


def test_a_frame_costs_a_few_fourier_transforms_and_no_request(page):
    """256x256, everything that follows a move; the clock is what one transform takes here."""
    page.get_by_role("tab", name="Sampling lab").click()
    finished(page, "ResNet-DC")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    frames, transforms = page.evaluate(
        """async () => {
          const lab = document.querySelector('recon-lab'), frames = [], transforms = [];
          lab.rest = () => {};
          const took = (times, work) => {
            const start = performance.now();
            work();
            times.push(performance.now() - start);
          };
          for (let n = 0; n < 40; n++) {
            took(frames, () => lab.ask('center', 'random', 4, 0.08, n));
            took(transforms, () => lab.slice.image(lab.lines));
            await new Promise(requestAnimationFrame);
          }
          return [frames, transforms];
        }"""
    )
    frame, transform = statistics.median(frames), statistics.median(transforms)
    print(f"frame: median {frame:.1f} ms, of a transform {transform:.1f} ms")
    assert frame < 16 * transform
    assert not [url for url in asked if "/gradio_api/" in url and "heartbeat" not in url]


def test_impossible_wishes_get_a_sentence_and_the_pictures_stay(lab):
    answers(lab, lambda: set_slider(lab, "lab-acceleration", 8))
    before = key(lab)
    set_slider(lab, "lab-center", 0.3)
    lab.locator(".lab-lines .message:visible").wait_for()
    assert "at most 0.125" in lab.locator(".lab-lines .message").inner_text()
    assert key(lab) == before


def test_a_mask_is_drawn_with_the_keyboard(lab):
    used = lab.locator(".mask-used")
    before = int(used.inner_text().split()[0])
    lab.locator(".lab-mask").focus()
    lab.keyboard.press("ArrowRight")
    answers(lab, lambda: lab.keyboard.press("Space"))  # beside the middle: it was measured
    assert int(used.inner_text().split()[0]) == before - 1
    answers(lab, lambda: lab.keyboard.press("Space"))
    assert int(used.inner_text().split()[0]) == before


def test_data_that_arrived_undersampled_get_a_sentence(page, tmp_path):
    import h5py

    lines = masks.random_cartesian(80, 4, seed=2)
    with h5py.File(tmp_path / "test.h5", "w") as file:
        file["kspace"] = masks.apply(fft2c(np.ones((96, 80))), lines)[None].astype(np.complex64)
        file["mask"] = lines.astype(np.float32)
    after(page, lambda: upload(page, tmp_path / "test.h5"))
    page.get_by_role("tab", name="Sampling lab").click()
    page.locator(".lab-lines .message:visible").wait_for(timeout=15_000)
    assert "undersampled already" in page.locator(".lab-lines .message").inner_text()
    assert f"{lines.sum()} of 80 lines" in page.locator(".mask-used").inner_text()
    assert f"sidelobe {sidelobe_level(lines):.1%}" in spread(page)  # its own, no other file's
    assert page.locator("#lab-panels canvas[aria-label^='Fully sampled']").count() == 0
    page.locator("#lab-editor .lab-mask").click(position={"x": 5, "y": 10})
    assert f"{lines.sum()} of 80 lines" in page.locator(".mask-used").inner_text()


def test_a_used_up_budget_is_said(lab):
    answers(lab, lambda: lab.locator("#lab-new").click())
    lines = masks.random_cartesian(320, 4, 0.08, 1)
    budget = max(80, int(lines.sum()))
    box = lab.locator("#lab-editor .lab-mask").bounding_box()
    empty = np.flatnonzero(~lines)[: budget - int(lines.sum()) + 1]
    for line in empty:
        lab.mouse.click(box["x"] + (line + 0.5) / 320 * box["width"], box["y"] + 20)
    lab.locator(".lab-lines .message:visible").wait_for()
    assert f"All {budget} lines are used" in lab.locator(".lab-lines .message").inner_text()


def test_neighbouring_lines_have_no_slit_between_them(lab):
    """Measured lines side by side are one white block, whatever the width of the screen."""
    for width in (1440, 1111, 900):
        lab.set_viewport_size({"width": width, "height": 900})
        drawn(lab)
        row = lab.locator("#lab-editor .lab-mask").evaluate(
            """c => [...c.getContext('2d').getImageData(0, c.height - 5, c.width, 1).data]
                 .filter((_, i) => i % 4 === 0)"""
        )
        lines = masks.random_cartesian(320, 4, 0.08, 0)
        centre = np.flatnonzero(lines & (np.abs(np.arange(320) - 160) < 12))
        n = lab.evaluate("document.querySelector('recon-lab').seen")
        assert n == 320
        start, stop = (round(edge / 320 * len(row)) for edge in (centre[0], centre[-1] + 1))
        assert min(row[start:stop]) == 255
