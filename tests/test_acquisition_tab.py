"""The replay of a scan in a real browser: what it sends, and how it plays."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from recon import phantom
from recon.pipeline import reconstruct
from recon.probes.acquisition import replay
from recon.scan import Scan
from recon.ui.acquisition import content
from tests.helpers.page import after, upload


def test_frames_are_the_replay():
    kspace = phantom.kspace((64, 48), seed=1)
    scan = Scan.of(kspace)
    done = replay(scan, order="centric", frames=12)
    sent = content(scan, done)
    assert len(sent["frames"]) == len(sent["ssim"]) == len(sent["counts"]) == 12
    assert sorted(sent["order"]) == list(range(48))
    assert sent["ssim"][-1] == pytest.approx(1, abs=1e-4)
    last = np.asarray(Image.open(io.BytesIO(base64.b64decode(sent["frames"][-1]))))
    assert np.abs(last / 255 - done.images[-1]).mean() < 0.01


@pytest.fixture
def film(page, tmp_path):
    np.save(tmp_path / "square.npy", phantom.kspace((320, 320), seed=1))
    after(page, lambda: upload(page, tmp_path / "square.npy"))
    page.get_by_role("tab", name="Acquisition").click()
    page.locator(".film[data-state=ready]").wait_for(timeout=30_000)
    return page


def words(page) -> str:
    return page.locator(".film-words").inner_text()


def test_it_starts_with_the_whole_scan_and_can_be_scrubbed(film):
    assert words(film).startswith("320 of 320 lines · scan time 2 min 40 s · SSIM 1.000")
    film.locator(".film-scrub").fill("0")
    count = int(re.match(r"(\d+) of 320", words(film))[1])
    assert 1 <= count <= 320 / 60 + 1
    film.locator(".film-tr").fill("1000")
    assert f"scan time {count:.1f} s" in words(film)


def test_it_plays_smoothly_without_the_server(film):
    asked = []
    film.on("request", lambda request: asked.append(request.url))
    film.locator(".film-play").click()
    film.wait_for_function(
        "document.querySelector('.film-play').textContent === 'Play'", timeout=15_000
    )
    rate = float(film.locator(".film-play").get_attribute("data-rate"))
    print(f"replay: {rate:.1f} frames a second")
    assert rate >= 15
    assert not [url for url in asked if "/gradio_api/" in url and "heartbeat" not in url]
    film.locator(".film-scrub").fill("3")
    film.locator(".film-play").click()
    film.wait_for_timeout(300)
    film.locator(".film-play").click()
    assert film.locator(".film-play").inner_text() == "Play"  # paused


def test_it_plays_when_the_frame_began_before_the_click(film):
    """Browsers give `requestAnimationFrame` the time the frame began, which a click can follow."""
    film.evaluate(
        """() => {
          const ask = window.requestAnimationFrame.bind(window);
          window.requestAnimationFrame = then => ask(now => then(now - 200));
        }"""
    )
    film.locator(".film-play").click()
    film.wait_for_function("document.querySelector('.film-scrub').value >= 10", timeout=15_000)
    film.locator(".film-play").click()
    assert film.locator(".film-play").inner_text() == "Play"


def test_centric_order_is_useful_sooner_than_linear(film):
    def early() -> float:
        film.locator(".film-scrub").fill("12")
        return float(re.search(r"SSIM ([\d.]+)", words(film))[1])

    linear = early()
    before = words(film)
    film.locator("#film-order").get_by_label("Centric").click()
    film.wait_for_function(
        "old => document.querySelector('.film-words').innerText !== old", arg=before
    )
    assert early() > linear + 0.1


def test_lines_of_the_mask(film):
    before = words(film)
    film.locator("#film-lines").get_by_label("Those of the mask").click()
    film.wait_for_function(
        "old => document.querySelector('.film-words').innerText !== old", arg=before
    )
    expected = reconstruct(phantom.kspace((320, 320), seed=1), method="zero-filled")
    text = words(film)
    assert text.startswith(f"{expected.sampling.measured_lines} of 320 lines")
    assert f"SSIM {expected.metrics['ssim']:.3f}" in text
