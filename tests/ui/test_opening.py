"""What the controls become when something is opened."""

import gradio as gr
import pytest

from recon.ui import controls, reconstruct
from recon.ui.session import Choice, Origin


@pytest.fixture(scope="module")
def view() -> reconstruct.View:
    with gr.Blocks():
        return reconstruct.build(controls.bar(), gr.State("en"))


@pytest.mark.parametrize(
    ("example", "coils", "count", "chosen"),
    [
        ("phantom-coils", "rss", 8, "rss"),
        ("phantom-coils", 3, 8, 3),
        ("phantom-coils", 8, 8, "rss"),  # there is no ninth
        ("head", 3, 1, "rss"),
    ],
)
def test_the_menu_offers_the_coils_that_there_are(view, example, coils, count, chosen):
    wish = Choice(Origin(example=example), method="zero-filled", coils=coils)
    menu = view.restored(wish)[view.controls.coils]
    assert [value for _, value in menu.choices] == ["rss", "svd", *range(count)]
    assert menu.value == chosen
    assert menu.visible == (count > 1)
