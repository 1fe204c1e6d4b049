"""All slices of a file on the page: as they come, their scores, and what a press opens."""

import json
import re
from dataclasses import replace

import h5py
import numpy as np
import pytest

import recon
from recon import limits, masks
from recon.errors import InputError
from recon.ui import session, volume
from recon.ui.session import Choice, Origin
from tests.helpers.files import kspace
from tests.helpers.page import after, bar, complete, sentence, ssim, upload

SLICES = 4


def write(path, stack, **more):
    with h5py.File(path, "w") as file:
        file["kspace"] = stack
        file.attrs["acquisition"] = "CORPD_FBK"
        for name, array in more.items():
            file[name] = array
    return path


@pytest.fixture
def scan(tmp_path):
    brightness = np.array([1, 3, 9, 2])[:, None, None]
    return write(tmp_path / "scan.h5", kspace(SLICES, 1, 48, 40)[:, 0] * brightness)


def choice(path) -> Choice:
    return Choice(Origin(upload=str(path)), 0, method="zero-filled")


@pytest.mark.parametrize("crop", [True, False])
def test_slices_are_cut_as_the_main_view_cuts_them(tmp_path, crop):
    stack = kspace(SLICES, 1, 96, 48)[:, 0]
    rss = np.ones((SLICES, 48, 40), np.float32)  # whose size is what is asked for
    scan = write(tmp_path / "long.h5", stack, reconstruction_rss=rss)
    wish = replace(choice(scan), crop=crop)
    run = session.volume(wish)
    assert run is not None
    for number, result in enumerate(run):
        alone = session.run(replace(wish, slice=number))
        assert result.image.shape == ((48, 40) if crop else (96, 48))
        np.testing.assert_array_equal(result.image, alone.image)
        assert result.metrics == alone.metrics


def downloads(words: str) -> tuple[list[str], dict]:
    import base64

    csv, whole = (
        base64.b64decode(found).decode()
        for found in re.findall(r'href="data:[a-z/]+;base64,([^"]+)"', words)
    )
    return csv.splitlines(), json.loads(whole)


def test_slices_come_one_by_one_and_then_the_volume(scan):
    found = list(volume.all_slices(choice(scan)))
    assert [one.done for one in found if one.chart] == [1, 2, 3, 3, SLICES]
    assert sum("Looking for the maximum" in (one.words or "") for one in found) == SLICES
    run = recon.reconstruct_volume(scan, method="zero-filled")
    results = list(run)
    # The pictures are of the same question as the table.
    assert found[0].panels == volume.EXPERIMENT.first(choice(scan), "").panels
    assert "slice 0 of 0 to 3" in json.dumps(found[0].panels)
    last = found[-1]
    assert f"<td>{run.scores.metrics['ssim']:.3f}</td>" in last.words
    csv, whole = downloads(last.words)
    assert whole["volume"] == run.scores.record()
    assert [one["ssim"] for one in whole["slices"]] == [r.metrics["ssim"] for r in results]
    assert csv[0].startswith("slice,ssim,psnr,nmse,zero_filled_ssim")
    assert csv[1].split(",")[1] == str(results[0].metrics["ssim"])
    for number in range(SLICES):
        assert last.words.count(f'data-slice="{number}"') == 1
        assert last.chart.count(f'data-slice="{number}"') == 6  # three plots of two curves


def test_one_slice_and_no_reference_are_said(tmp_path):
    np.save(tmp_path / "one.npy", kspace(1, 1, 40, 36)[0, 0])
    assert "holds one slice" in list(volume.all_slices(choice(tmp_path / "one.npy")))[-1].words
    assert "one slice" in list(volume.all_slices(Choice(Origin(example="head"))))[-1].words
    lines = masks.random_cartesian(36, 4, seed=1)
    under = masks.apply(kspace(3, 1, 40, 36)[:, 0], lines)
    with pytest.raises(InputError, match="undersampled already"):
        list(volume.all_slices(choice(write(tmp_path / "under.h5", under, mask=lines))))


def test_before_the_button_the_open_slice_is_shown_as_the_main_view_scores_it(scan, tmp_path):
    wish = replace(choice(scan), slice=2)
    result = session.run(wish)
    shown = volume.EXPERIMENT.first(wish, "Score all slices")
    assert f"One of {SLICES} slices" in shown.words
    assert f"<td>{result.metrics['ssim']:.3f}</td>" in shown.words
    assert 'data-slice="2"' in shown.words
    assert [one["title"] for one in shown.panels["panels"]] == [
        "Zero-filled", "Zero-filled", "Fully sampled",
    ]  # fmt: skip
    lines = masks.random_cartesian(36, 4, seed=1)
    under = write(tmp_path / "under.h5", masks.apply(kspace(3, 1, 40, 36)[:, 0], lines), mask=lines)
    shown = volume.EXPERIMENT.first(choice(under), "")
    assert "undersampled already" in shown.words
    assert len(shown.panels["panels"]) == 2


def test_slices_that_cannot_be_read_are_named(tmp_path):
    stack = kspace(3, 1, 40, 36)[:, 0]
    stack[1] = 0
    words = list(volume.all_slices(choice(write(tmp_path / "gap.h5", stack))))[-1].words
    assert "1 slices left out" in words
    assert "slice 1: This slice is zero everywhere" in words
    stack[0, :, 5::4] = 0
    words = list(volume.all_slices(choice(write(tmp_path / "lacking.h5", stack))))[-1].words
    assert "2 slices left out" in words
    assert "slice 0: Lines of this slice are missing" in words
    assert re.findall('data-slice="(.)"', words) == ["2"]


def test_what_was_done_stays_when_the_time_is_over(scan):
    work = volume.all_slices(choice(scan))
    for _ in range(8):
        next(work)
    with limits.limited(-1):
        last = next(work)
    assert "Stopped after" in last.words
    assert 'data-slice="0"' in last.words
    assert last.done == last.of
    assert list(work) == []


def test_the_result_is_about_every_slice(scan):
    keys = {volume.EXPERIMENT.question(Choice(Origin(upload=str(scan)), n)) for n in range(3)}
    assert len(keys) == 1


def test_on_the_page(page, scan):
    after(page, lambda: upload(page, scan))
    page.get_by_role("tab", name="All slices").first.click()
    page.get_by_text(f"One of {SLICES} slices").wait_for()
    page.locator("#volume-panels .viewer[data-state=ready]").wait_for()
    complete(page, "volume", lambda: page.locator("#volume-run").click(), rows=SLICES + 2)
    with page.expect_download() as download:
        page.locator("#volume-words a[download$=csv]").click()
    assert len(download.value.path().read_text().splitlines()) == 1 + SLICES
    after(page, lambda: page.locator("#volume-words button[data-slice='1']").click())
    assert "1 of 0 to 3" in bar(page)
    assert page.locator("#panels").is_visible()
    page.get_by_role("tab", name="All slices").first.click()
    assert not page.locator("#volume-experiment.stale").count()
    point = page.locator("#volume-chart circle[data-slice='3']").last
    after(page, lambda: point.dispatch_event("click"))
    assert "3 of 0 to 3" in bar(page)
    assert session.volume(Choice(Origin(example="head"))) is None


def test_an_example_of_one_slice_is_shown_and_nothing_else_is_said(page):
    for again in (False, True):  # a second visitor finds what was kept for the first
        if again:
            page.reload()
            page.locator("#panels .viewer[data-state=ready]").wait_for(timeout=30_000)
        page.get_by_role("tab", name="All slices").first.click()
        page.get_by_text("What is open holds one slice").wait_for()
        page.locator("#volume-panels .viewer[data-state=ready]").wait_for()
    assert not page.get_by_text("Computed earlier").count()
    assert f"{ssim(sentence(page))[1]:.3f}" in page.locator("#volume-words").inner_text()
