"""Phase encoding along rows: every picture stays the way round the person's array has it."""

import base64
import io
import re
import zlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from recon.probes.many_masks import readout
from recon.probes.shift import SHIFTS
from recon.scan import Scan
from recon.ui import compare, instant, lessons, research, session, trust
from recon.ui.coils import EXPERIMENTS as COILS
from recon.ui.coils import unfold
from recon.ui.experiment import start_of
from recon.ui.lessons.course import LESSONS
from recon.ui.session import Choice, Origin
from tests.helpers import coils
from tests.helpers.answers import settings
from tests.helpers.page import after, upload

SHAPE = (96, 80)
# One shows coils that are placed around a phantom of its own.
EXPERIMENTS = [
    one
    for one in (*compare.EXPERIMENTS, *COILS, *trust.EXPERIMENTS, *research.EXPERIMENTS)
    if one.key != "place"
]


@pytest.fixture(scope="module")
def turned(tmp_path_factory) -> Choice:
    """Four coils, 96 rows of 80 pixels; every row of k-space is a phase-encode line."""
    path = tmp_path_factory.mktemp("rows") / "coils.npy"
    np.save(path, coils.seen(4, SHAPE))
    return Choice(Origin(upload=str(path)), 0, phase_encode="rows", center_fraction=0.08)


def upright(panels: dict, choice: Choice) -> None:
    """Every panel has the size of the main view's pictures, and the reference its pixels."""
    main = session.run(replace(choice, method="zero-filled")).reference
    assert main.shape == SHAPE
    for panel in panels["panels"]:
        assert (panel["height"], panel["width"]) == SHAPE, panel["name"]
        if (panel["kind"], panel["caption"]) == ("image", "reference") and "data" in panel:
            levels = np.frombuffer(zlib.decompress(base64.b64decode(panel["data"])), "<u2")
            # Alike, not equal: coils are combined in more than one way.
            assert np.corrcoef(levels, main.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda one: one.key)
def test_experiments_are_upright(turned, experiment):
    own = settings(experiment)
    for name, few in {"methods": ["zero-filled"], "changes": range(len(SHIFTS))}.items():
        own |= {name: few} if name in own else {}
    shown = 0
    for action in experiment.actions:
        for answer in action.compute(turned, **own):
            if answer.panels:
                upright(answer.panels, turned)
                shown += 1
            if experiment.key == "coil-maps":
                for picture in re.findall(r"base64,([^\"]+)", answer.chart):
                    width, height = Image.open(io.BytesIO(base64.b64decode(picture))).size
                    assert (height, width) == SHAPE
    assert shown or experiment.key in ("crimes", "conventions", "research-coils", "research-figure")


@pytest.mark.parametrize("number", range(len(LESSONS)), ids=[one.title for one in LESSONS])
def test_lessons_are_upright(turned, number):
    upright(lessons.found(number, None, turned).panels, turned)


def test_what_stands_there_before_is_upright(turned):
    upright(lessons.before(turned), turned)
    upright(start_of(turned, "Go").panels, turned)


def test_words_name_places_of_the_pictures_beside_them(turned):
    *_, found = unfold.by_hand(turned, 2, 30, 50)
    assert found.controls == {"row": 30, "column": 50}
    assert "In column 50, 2 pixels" in found.words
    assert "x₁ at row 30, x₂ at row 78" in found.words
    wave = lessons.found(0, None, turned)
    assert wave.panels["panels"][0]["title"] == "One point, 0 right and 4 down"
    spot = lessons.found(len(LESSONS) - 1, None, turned)
    mark = spot.panels["panels"][0]["marks"][0]
    assert f"row {mark['row']:.0f}, column {mark['column']:.0f}." in spot.outcome


def test_slices_for_the_browser_differ_where_their_pictures_do():
    scan = Scan.of(coils.seen(4, SHAPE), phase_encode="rows")
    narrow = replace(scan, crop=(80, 64))  # along the lines, where a header has it
    assert instant.slice_of(scan)["shown"] == 96
    assert instant.slice_of(scan)["key"] != instant.slice_of(narrow)["key"]


PIXELS = """canvas => ({size: [canvas.height, canvas.width], red: [...canvas.getContext('2d')
  .getImageData(0, 0, canvas.width, canvas.height).data].filter((_, i) => i % 4 === 0)})"""


def drawn_on(page, canvas: str) -> np.ndarray:
    found = page.locator(canvas).evaluate(PIXELS)
    return np.reshape(found["red"], found["size"])


@pytest.fixture
def rows(page, turned):
    after(page, lambda: upload(page, turned.origin.upload))
    page.locator("#advanced button").first.click()
    after(page, lambda: page.get_by_label("rows", exact=True).click())
    return page


def test_the_film_is_upright(rows, turned):
    rows.get_by_role("tab", name="Acquisition").click()
    rows.locator(".film[data-state=ready]").wait_for(timeout=30_000)
    scan = session.scan(turned)
    expected = np.clip(scan.upright(scan.truth) / np.percentile(scan.truth, 99.9), 0, 1)
    image = drawn_on(rows, ".film-image")
    assert image.shape == SHAPE
    assert np.abs(image / 255 - expected).max() < 0.05
    kspace = drawn_on(rows, ".film-kspace")
    np.testing.assert_array_equal(kspace, scan.upright(instant.log_kspace(scan)))


def test_the_lab_is_upright(rows, turned):
    rows.get_by_role("tab", name="Sampling lab").click()
    rows.locator("recon-lab[data-state=ready]").wait_for(timeout=30_000)
    strip = rows.locator("#lab-editor .lab-mask")
    strip.focus()
    for _ in range(3):  # to the line three to the right of the middle one
        strip.press("ArrowRight")
    wave = drawn_on(rows, ".lab-wave")
    assert wave.shape == SHAPE
    line = readout(session.scan(turned))[0, :, 51]  # of the first coil
    turns = np.exp(2j * np.pi * 3 * (np.arange(96) - 48) / 96)
    expected = (turns[:, None] * line).real
    assert np.abs(wave / 127.5 - 1 - expected / np.abs(expected).max()).max() < 0.02
    spread = drawn_on(rows, ".lab-square") > 0
    assert spread.any(0).sum() <= 4 < spread.any(1).sum()  # one column, along the phase encoding
