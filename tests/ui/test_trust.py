"""The trust experiments in a real browser: each computes, and what it says is right."""

import re

import h5py
import numpy as np
import pytest

import recon
from recon import examples, phantom
from recon.measurement import picture
from recon.pipeline import reconstruct
from recon.probes.conventions import conventions
from recon.ui import session
from recon.ui.session import Choice, Origin
from recon.ui.trust.conventions import score
from tests.helpers.page import after, complete, drawn


@pytest.fixture
def trust(uploaded):
    uploaded.get_by_role("tab", name="Can I trust it?").click()
    return uploaded


def experiment(page, title: str) -> None:
    page.get_by_role("tab", name=title).click()


def numbers(page, place: str) -> list[list[str]]:
    rows = page.locator(f"{place} tbody tr")
    return [rows.nth(i).locator("th, td").all_inner_texts() for i in range(rows.count())]


def uncheck_all_but(page, place: str, label: str) -> None:
    for box in page.locator(f"{place} input[type=checkbox]").all():
        box.uncheck()
    page.locator(place).get_by_label(label, exact=True).check()


def test_lesion_is_put_where_one_clicks(trust, kspace):
    experiment(trust, "Lesion test")
    uncheck_all_but(trust, "#lesion-methods", "Zero-filled")
    complete(trust, "lesion", lambda: trust.locator("#lesion-look").click())
    (row,) = numbers(trust, "#lesion-words")
    assert row[0] == "Zero-filled"
    assert 0 < float(row[1].removesuffix("%")) < 110
    # The pictures come after the words; those of the question before had another size.
    trust.wait_for_function(
        "document.querySelector('#lesion-panels .viewer').dataset.state === 'ready'"
        " && document.querySelectorAll('#lesion-panels .panels figure').length === 2",
        timeout=30_000,
    )
    drawn(trust)
    canvas = trust.locator("#lesion-panels .panels canvas").first
    box = canvas.evaluate("canvas => canvas.getBoundingClientRect().toJSON()")
    canvas.click(position={"x": 0.5 * box["width"], "y": 0.4 * box["height"]})
    trust.wait_for_function(
        "Math.abs(document.querySelector('#lesion-row input').value - 38) <= 1"
        " && Math.abs(document.querySelector('#lesion-column input').value - 40) <= 1",
        timeout=15_000,
    )
    trust.locator("#lesion-curve").click()
    trust.locator("#lesion-chart svg circle").first.wait_for(timeout=30_000)
    trust.get_by_role("tab", name="Reconstruct").click()
    after(trust, lambda: trust.locator("#acceleration").get_by_label("8x").click())
    trust.get_by_role("tab", name="Can I trust it?").click()
    note = trust.locator("#lesion-about .stale-note")
    note.wait_for(timeout=15_000)
    assert trust.locator("#lesion-chart svg circle").count()  # the curve stays, and says of what
    assert "at 4x" in note.inner_text()


def test_a_lesion_in_the_air_is_refused(trust):
    experiment(trust, "Lesion test")
    trust.locator("#lesion-row input").fill("2")
    trust.locator("#lesion-column input").fill("2")
    trust.locator("#lesion-look").click()
    trust.locator("#lesion-message .message").wait_for(timeout=15_000)
    assert "next to nothing at this place" in trust.locator("#lesion-message").inner_text()
    assert trust.locator("#lesion-progress progress").count() == 0


def test_a_lesion_without_contrast_changes_nothing(trust):
    experiment(trust, "Lesion test")
    uncheck_all_but(trust, "#lesion-methods", "Zero-filled")
    number = trust.locator("#lesion-contrast input[type=number]")
    number.fill("0")
    number.press("Enter")
    complete(trust, "lesion", lambda: trust.locator("#lesion-look").click())
    assert numbers(trust, "#lesion-words") == [["Zero-filled", "-", "-"]]


def test_an_answer_that_was_overtaken_does_not_stay(trust):
    trust.locator("#lesion-words p").first.wait_for(timeout=15_000)
    held = []
    trust.route("**/queue/join*", lambda r: r.continue_() if held else held.append(r))
    experiment(trust, "Measured or made up")
    trust.wait_for_timeout(1000)  # what opens by itself has been asked for, and is on its way
    trust.locator("#parts-method").get_by_label("Zero-filled", exact=True).check()
    words = trust.locator("#parts-words")
    words.get_by_text("Zero-filled leaves").wait_for(timeout=30_000)
    held[0].continue_()
    words.get_by_text("ResNet-DC leaves").wait_for(timeout=30_000)
    words.get_by_text("Zero-filled leaves").wait_for(timeout=30_000)
    trust.wait_for_function("!document.querySelector('#parts-experiment.stale')")


def test_measured_lines_of_every_kind_of_method(trust):
    experiment(trust, "Measured or made up")
    said = {}
    for label in ("Zero-filled", "ResNet-DC", "ResNet"):  # the first before it opens by itself
        trust.locator("#parts-method").get_by_label(label, exact=True).check()
        said[label] = trust.wait_for_function(
            "label => { const words = document.querySelector('#parts-words').innerText;"
            " return words.includes(`${label} leaves`) && words; }",
            arg=label,
            timeout=30_000,
        ).json_value()
    assert "by less than 0.01 %" in said["Zero-filled"]
    assert "0.0% of the picture's energy" in said["Zero-filled"]
    assert "by less than 0.01 %" in said["ResNet-DC"]
    away = float(re.search(r"by ([\d.]+) % of their size", said["ResNet"])[1])
    assert away > 0.5
    number = trust.locator("#parts-weight input[type=number]")
    number.fill("1")
    number.press("Enter")
    trust.locator("#parts-look").click()
    trust.wait_for_function(
        "document.querySelector('#parts-words').innerText.includes('at 100%, by less than')",
        timeout=30_000,
    )


def test_ensemble_of_one_mask_deviates_by_nothing(trust, kspace):
    experiment(trust, "Mask ensemble")
    trust.locator("#ensemble-method").get_by_label("Zero-filled", exact=True).check()
    number = trust.locator("#ensemble-count input[type=number]")
    number.fill("1")
    number.press("Enter")
    complete(trust, "ensemble", lambda: trust.locator("#ensemble-look").click(), 0)
    expected = reconstruct(kspace, method="zero-filled").metrics["ssim"]
    text = trust.locator("#ensemble-words").inner_text()
    assert f"SSIM {expected:.3f} with this mask." in text
    canvas = trust.locator("#ensemble-panels canvas[data-panel=deviation]")
    box = canvas.bounding_box()
    trust.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert "0.0 %" in canvas.locator("xpath=ancestor::figure").inner_text()


def test_shifts_start_with_the_score_of_the_first_tab(trust, kspace):
    experiment(trust, "Out of distribution")
    uncheck_all_but(trust, "#shift-methods", "Zero-filled")
    complete(trust, "shift", lambda: trust.locator("#shift-look").click(), 6)
    rows = numbers(trust, "#shift-words")
    assert len(rows) == 6
    expected = reconstruct(kspace, method="zero-filled").metrics["ssim"]
    assert rows[0] == ["unchanged", f"{expected:.3f} (+0%)"]
    assert len({row[1] for row in rows}) == 6


def test_another_object_is_an_example(trust):
    experiment(trust, "Out of distribution")
    uncheck_all_but(trust, "#shift-methods", "Zero-filled")
    uncheck_all_but(trust, "#shift-which", "another object: Head, T1 (simulated)")
    complete(trust, "shift", lambda: trust.locator("#shift-look").click(), 2)
    rows = numbers(trust, "#shift-words")
    expected = reconstruct(examples.load("head"), method="zero-filled").metrics["ssim"]
    assert rows[1] == ["another object: Head, T1 (simulated)", f"{expected:.3f} (+0%)"]


def test_a_table_never_widens_the_page(trust):
    trust.set_viewport_size({"width": 390, "height": 844})
    experiment(trust, "Out of distribution")
    trust.locator("#drawer").click()  # the controls of a narrow screen
    trust.locator("#shift-look").click()
    trust.locator("#shift-words tbody").wait_for(timeout=60_000)
    assert trust.evaluate("document.documentElement.scrollWidth") <= 390


def test_data_crimes_and_what_the_file_says(trust):
    experiment(trust, "Data crime")
    uncheck_all_but(trust, "#crimes-methods", "Zero-filled")
    complete(trust, "crimes", lambda: trust.locator("#crimes-look").click(), 4)
    rows = numbers(trust, "#crimes-words")
    assert rows[0][0] == "k-space as it is"
    assert rows[0][1].endswith("(+0.000)")
    assert "mirror image" in trust.locator("#crimes-words ul").inner_text()


def test_all_conventions(trust, kspace):
    experiment(trust, "One pair, many SSIMs")
    trust.locator("#conventions-words tbody").wait_for(timeout=30_000)  # by itself
    result = reconstruct(kspace)
    expected = [f"{one.value:.3f}" for one in conventions(picture(kspace), result.image)]
    assert [row[1] for row in numbers(trust, "#conventions-words")] == expected


def test_the_first_convention_is_the_one_of_the_main_view(tmp_path):
    """Of a file that tells its volume's maximum, that is the data range."""
    kspace = np.asarray(phantom.kspace((64, 48)))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["kspace"] = kspace[None]
        file.attrs["max"] = 3 * float(picture(kspace).max())
    asked = Choice(Origin(upload=str(tmp_path / "a.h5")), 0, method="cs")
    (answer,) = score(asked)
    result = session.run(asked)
    assert result.data_range_from == "volume maximum"
    first = re.search(r"<tbody><tr><th[^>]*>[^<]*</th><td>([\d.]+)", answer.words)
    assert first[1] == f"{result.metrics['ssim']:.3f}"
    assert first[1] != f"{recon.reconstruct(kspace, method='cs').metrics['ssim']:.3f}"


def test_no_method_is_one_sentence(trust):
    experiment(trust, "Data crime")
    uncheck_all_but(trust, "#crimes-methods", "Zero-filled")
    trust.locator("#crimes-methods").get_by_label("Zero-filled", exact=True).uncheck()
    trust.locator("#crimes-look").click()
    trust.locator("#crimes-message .message").wait_for(timeout=15_000)
    assert "at least one method" in trust.locator("#crimes-message").inner_text()
