"""The replay of a scan in a real browser: what it sends, and how it plays."""

import re

import numpy as np
import pytest

from recon import masks, phantom
from recon.errors import InputError
from recon.pipeline import reconstruct
from recon.scan import Scan
from recon.ui import instant
from recon.ui.acquisition import reel
from recon.ui.session import Choice, Origin
from tests.helpers.page import after, upload


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
    assert words(film).startswith("320 of 320 lines · scan time 2 min 40 s · SSIM 1.000 · 100.0 %")
    film.locator(".film-scrub").fill("0")
    count = int(re.match(r"(\d+) of 320", words(film))[1])
    assert 1 <= count <= 320 / 60 + 1
    film.locator(".film-tr").fill("1000")
    assert f"scan time {count:.1f} s" in words(film)
    film.locator(".film-tr").fill("-5")  # there is no such time
    assert "scan time unknown" in words(film)
    assert "above 0" in film.locator(".film .message").inner_text()


def curve(page) -> tuple[list[int], list[float]]:
    film = page.locator("recon-film")
    return film.evaluate("f => f.counts"), film.evaluate("f => f.ssim")


ORDERS = {
    "linear": np.arange(320),
    "centric": np.argsort(np.abs(np.arange(320) - 160), kind="stable"),
    "random": np.random.default_rng(0).permutation(320),
}


@pytest.mark.parametrize("order", ORDERS)
def test_every_frame_is_the_zero_filled_image_of_its_lines(film, order):
    if order != "linear":
        film.locator("#film-order").get_by_label(order.capitalize()).click()
    film.wait_for_function(
        "order => { const f = document.querySelector('recon-film');"
        " return f.dataset.state === 'ready' && f.order.join() === order; }",
        arg=",".join(map(str, ORDERS[order])),
        timeout=30_000,
    )
    counts, ssim = curve(film)
    assert counts == [-(-320 * n // 60) for n in range(1, 61)]
    scan = Scan.of(phantom.kspace((320, 320), seed=1))
    measured = [np.isin(np.arange(320), ORDERS[order][:count]) for count in counts]
    expected = [scan.ssim(scan.measure(mask).zero_filled) for mask in measured]
    np.testing.assert_allclose(ssim, expected, atol=1e-4)


def test_it_draws_every_frame_in_time_without_the_server(film):
    """By a clock of its own, a browser that draws 60 times a second; a busy machine is slower."""
    asked = []
    film.on("request", lambda request: asked.append(request.url))
    film.evaluate(
        "() => { const own = requestAnimationFrame; let now = 0;"
        "  window.requestAnimationFrame = draw => own(() => draw(now += 1000 / 60)); }"
    )
    film.locator(".film-play").click()
    film.wait_for_function(
        "document.querySelector('.film-play').textContent === 'Play'", timeout=60_000
    )
    speed = float(film.locator(".film-speed").input_value())
    assert speed >= 15
    rate = float(film.locator(".film-play").get_attribute("data-rate"))  # of different frames
    assert rate == pytest.approx(speed, rel=0.05)
    assert not [url for url in asked if "/gradio_api/" in url and "heartbeat" not in url]
    film.locator(".film-scrub").fill("3")
    film.locator(".film-play").click()
    film.wait_for_function("Number(document.querySelector('.film-scrub').value) > 3")
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
    film.locator("#film-order").get_by_label("Centric").click()
    film.wait_for_function(
        "document.querySelector('recon-film').order[0] === 160"
        " && document.querySelector('recon-film').ready",
        timeout=15_000,
    )
    assert early() > linear + 0.1


def test_lines_of_the_mask(film):
    before = words(film)
    film.locator("#film-lines").get_by_label("Those of the mask").click()
    film.wait_for_function(
        "old => document.querySelector('.film-words').innerText !== old",
        arg=before,
        timeout=15_000,
    )
    expected = reconstruct(phantom.kspace((320, 320), seed=1), method="zero-filled")
    text = words(film)
    assert text.startswith(f"{expected.sampling.measured_lines} of 320 lines")
    assert f"SSIM {expected.metrics['ssim']:.3f}" in text


@pytest.mark.parametrize("direction", ["columns", "rows"])
def test_the_film_is_told_which_way_lines_run(direction):
    sent = reel(Choice(Origin(example="head"), phase_encode=direction), "linear", "all")
    assert sent["rows"] == (direction == "rows")


def test_a_slice_too_large_for_the_browser_gets_a_sentence(monkeypatch):
    head = Choice(Origin(example="head"))
    monkeypatch.setattr(instant, "LARGEST", 2**17)
    with pytest.raises(InputError, match="up to 0 MiB; this one has 0 MiB"):
        reel(head, "linear", "all")


def test_of_data_that_arrived_undersampled_their_own_lines_are_replayed(page, tmp_path):
    lines = masks.random_cartesian(80, 4, seed=2)
    kspace = masks.apply(phantom.kspace((96, 80)), lines).astype(np.complex64)
    np.savez(tmp_path / "under.npz", kspace=kspace, mask=lines)
    after(page, lambda: upload(page, tmp_path / "under.npz"))
    page.get_by_role("tab", name="Acquisition").click()
    page.locator(".film[data-state=ready]").wait_for(timeout=30_000)
    assert words(page) == (
        f"{lines.sum()} of 80 lines · scan time {lines.sum() / 2:.1f} s "
        "· 100.0 % of the measured energy"
    )
    assert page.locator(".film-key").inner_text().strip() == "share of the measured energy"
    assert page.locator("#film-message").inner_text().strip() == ""
    shown = page.locator("recon-film").evaluate(
        "f => [...f.slice.image(Uint8Array.from(f.wish.lines, Number))]"
    )
    expected = Scan.of(kspace, mask=lines).measure(lines).zero_filled
    np.testing.assert_allclose(np.reshape(shown, (96, 80)), expected, atol=1e-4 * expected.max())
    page.locator(".film-scrub").fill("0")
    first = kspace[:, np.flatnonzero(lines)[0]]
    share = (np.abs(first) ** 2).sum() / (np.abs(kspace) ** 2).sum()
    assert words(page).endswith(f"{100 * share:.1f} % of the measured energy")
