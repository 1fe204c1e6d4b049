"""Methods side by side, the steps of one, and the training of another, in a real browser."""

import re

import numpy as np
import pytest

from recon import weights
from recon.coils.simulate import narrowed
from recon.measurement import measure, picture
from recon.methods.parallel import WIDE
from recon.methods.simple import CompressedSensing
from recon.metrics import ssim
from recon.pipeline import reconstruct
from recon.ui.compare import LEARNER, STRENGTHS, side_by_side
from recon.ui.session import Choice, Origin
from tests.helpers.answers import last
from tests.helpers.coils import seen
from tests.helpers.page import after, complete


@pytest.fixture
def methods(uploaded):
    uploaded.get_by_role("tab", name="Methods").click()
    return uploaded


def table(page) -> dict[str, list[str]]:
    rows = page.locator("#side-words tbody tr")
    texts = [rows.nth(i).locator("th, td").all_inner_texts() for i in range(rows.count())]
    return {row[0]: row[1:] for row in texts}


def test_a_control_that_moves_while_it_computes_makes_the_answer_an_old_one(page):
    # With a mask that nobody has asked for: answers that are known take no time to move in.
    after(page, lambda: page.locator("#seed input").fill("4711"))
    page.get_by_role("tab", name="Methods").click()
    page.locator("#side-words").get_by_text("press").wait_for(timeout=60_000)
    page.locator("#side-look").click()
    page.locator("#side-progress progress").wait_for(timeout=120_000)
    page.locator("#side-methods").get_by_label("Symmetry (POCS)").click()
    page.wait_for_function(
        "() => !document.querySelector('#side-progress progress')"
        " && document.querySelectorAll('#side-words tbody tr').length === 4",
        timeout=90_000,
    )
    assert "before you moved a control" in page.locator("#side-about").inner_text()
    page.locator("#side-about button").click()
    page.locator("#side-words tbody tr").nth(4).wait_for(timeout=90_000)
    page.wait_for_function("() => !document.querySelector('#side-progress progress')")
    assert page.locator("#side-about").inner_text().strip() == ""


def test_side_by_side_is_what_each_method_gives_alone(methods, kspace):
    complete(methods, "side", lambda: methods.locator("#side-look").click(), 4)
    shown = table(methods)
    names = {"Zero-filled": "zero-filled", "Compressed sensing": "cs", "U-Net": "unet",
             "ResNet-DC": "resnet-dc"}  # fmt: skip
    assert shown.keys() == names.keys()
    for label, name in names.items():
        expected = reconstruct(kspace, method=name)
        assert shown[label][0] == f"{expected.metrics['ssim']:.3f}"
        assert shown[label][1] == f"{expected.closed_share:.0%}"
    panels = methods.locator("#side-panels .panels canvas")
    panels.nth(4 + 1 + 4 - 1).wait_for()
    assert panels.count() == 4 + 1 + 4


def test_every_error_stands_below_its_image_with_all_methods(methods):
    alone = ("ResNet-DC", "ResNet", "U-Net", "Plain CNN", "GAN", "Compressed sensing",
             "Zero-filled")  # fmt: skip
    for label in alone:  # the others need several coils
        methods.locator("#side-methods").get_by_label(label, exact=True).check()
    complete(methods, "side", lambda: methods.locator("#side-look").click(), len(alone))
    methods.locator(f"#side-panels canvas[data-panel=method{len(alone) - 1}]").wait_for()
    methods.locator("#side-panels .viewer[data-state=ready]").wait_for(timeout=60_000)
    shown = methods.locator("#side-panels")
    assert len(table(methods)) == len(alone)
    for n in range(len(alone)):
        image = shown.locator(f"canvas[data-panel=method{n}]").bounding_box()
        error = shown.locator(f"canvas[data-panel=method{n}_error]").bounding_box()
        assert error["x"] == pytest.approx(image["x"], abs=2)
        assert 0 < error["y"] - image["y"] < 2 * image["height"]


def test_what_is_to_know_of_a_method_stands_below(tmp_path):
    np.save(tmp_path / "narrow.npy", narrowed(seen(8, (64, 72)), 36))
    origin = Origin(upload=str(tmp_path / "narrow.npy"))
    upload = Choice(origin, acceleration=2, center_fraction=0.4, axes="coils")
    found = last(side_by_side(upload, ["sense", "grappa"], 3)).words
    assert f"<p><b>SENSE:</b> {WIDE}</p>" in found
    one = Choice(Origin(example="phantom"))
    refused = last(side_by_side(one, ["zero-filled", "sense"], 3)).words
    assert re.findall(r"<p><b>SENSE:</b> SENSE uses [^<]+ has one coil\.</p>", refused)


def test_regularisation_of_compressed_sensing(methods, kspace):
    complete(methods, "side", lambda: methods.locator("#side-look").click(), 4)
    number = methods.locator("#side-strength input[type=number]")
    number.fill(str(len(STRENGTHS) - 1))
    number.press("Enter")
    assert methods.locator("#side-about .stale-note").count() == 1  # of another strength
    complete(methods, "side", lambda: methods.locator("#side-look").click(), 4)
    assert methods.locator("#side-about .stale-note").count() == 0
    methods.get_by_text(f"Regularisation {STRENGTHS[-1]:g} of").wait_for(timeout=30_000)
    lines = reconstruct(kspace, method="zero-filled").line_mask
    image = CompressedSensing(STRENGTHS[-1])(measure(kspace, lines, 4))
    expected = f"{ssim(picture(kspace), image):.3f}"
    assert table(methods)["Compressed sensing"][0] == expected


def test_steps_end_with_the_reconstruction(methods, kspace):
    methods.get_by_role("tab", name="Step by step").click()
    methods.locator("#steps-look").click()
    methods.locator("#steps-panels .viewer[data-state=ready]").wait_for(timeout=30_000)
    captions = methods.locator("#steps-panels .panels figcaption").all_inner_texts()
    scores = [float(re.search(r"SSIM ([\d.]+)", text)[1]) for text in captions[:-1]]
    expected = reconstruct(kspace, method="resnet-dc")
    assert scores[0] == pytest.approx(expected.zero_filled_metrics["ssim"], abs=6e-4)
    assert scores[-1] == pytest.approx(expected.metrics["ssim"], abs=6e-4)


def test_training_time_lapse(methods):
    moments = weights.Store().snapshots(LEARNER)
    assert len(moments) >= 8
    methods.get_by_role("tab", name="Training time-lapse").click()
    methods.get_by_text("After 0 steps of training").wait_for(timeout=30_000)  # by itself
    first = float(re.search(r"SSIM (-?\d\.\d+)", methods.locator("#lapse-words p").inner_text())[1])
    number = methods.locator("#lapse-moment input[type=number]")
    number.fill(str(len(moments) - 1))
    number.press("Enter")
    methods.locator("#lapse-look").click()
    methods.get_by_text(f"After {moments[-1]} steps of training").wait_for(timeout=30_000)
    last = float(re.search(r"SSIM (-?\d\.\d+)", methods.locator("#lapse-words p").inner_text())[1])
    assert last > first
    assert methods.locator("#lapse-chart svg").count() == 2
