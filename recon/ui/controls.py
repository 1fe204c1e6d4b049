"""What is open, how it is undersampled and reconstructed: the bar above and the rail beside."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from recon import examples, masks, readers
from recon.errors import InputError
from recon.export import EXPORTS
from recon.methods import DEFAULT
from recon.ui.components import Slices, Upload, method_choices
from recon.ui.events import Values
from recon.ui.session import Choice
from recon.ui.web import component


@dataclass(frozen=True)
class Controls:
    """The components of the bar and of the rail beside the pictures."""

    language: gr.State
    origin: gr.State
    opened: gr.State
    serial: gr.Number
    newest: gr.State
    made: gr.Number
    info: gr.HTML
    file: gr.File
    file_message: gr.HTML
    example: gr.Dropdown
    slice: gr.Slider
    acceleration: gr.Radio
    seed: gr.Number
    new_mask: gr.Button
    message: gr.HTML
    method: gr.Radio
    center_fraction: gr.Slider
    phase_encode: gr.Radio
    crop: gr.Checkbox
    axes: gr.Dropdown
    coils: gr.Dropdown
    download_as: gr.Dropdown
    download: gr.Button
    archive: gr.DownloadButton

    @property
    def inputs(self) -> set[Any]:
        """The components that `choice` reads."""
        return {
            self.language,
            self.origin,
            self.opened,
            self.serial,
            self.slice,
            self.acceleration,
            self.seed,
            self.method,
            self.center_fraction,
            self.coils,
            self.phase_encode,
            self.crop,
            self.axes,
        }

    def choice(self, values: Values) -> Choice:
        """What a person has chosen.

        Raises
        ------
        InputError
            If the seed or the slice field was emptied.
        """
        slice_, seed, opened = values[self.slice], values[self.seed], values[self.opened]
        if seed is None or slice_ is None:
            name = "mask seed" if seed is None else "slice"
            raise InputError(f"The {name} is a whole number from 0 upwards.")
        wish = Choice(
            origin=values[self.origin],
            slice=int(slice_),
            acceleration=values[self.acceleration],
            seed=int(seed),
            method=values[self.method],
            center_fraction=values[self.center_fraction],
            coils=values[self.coils],
            phase_encode=values[self.phase_encode],
            crop=bool(values[self.crop]),
            axes=values[self.axes] or "auto",
            language=values[self.language],
        )
        if values[self.serial] == opened.serial:
            return wish
        # Clicked before the browser knew what is open now: these were of another scan.
        first = opened.wish
        return replace(wish, slice=first.slice, coils=first.coils, crop=first.crop, axes=first.axes)


SERIALS = itertools.count(1)


@dataclass(frozen=True)
class Opened:
    """What was opened last, with the first wish about it; the browser knows its number."""

    serial: int
    wish: Choice


@dataclass
class Newest:
    """When the newest wish was made, kept on the server: requests overtake each other."""

    made: float = 0.0

    def overtook(self, made: float) -> bool:
        """Whether there was a newer wish than this one."""
        self.made = max(self.made, made)
        return made < self.made


@dataclass(frozen=True)
class Bar:
    """What every tab shows above it: what is open, with slice and acceleration."""

    info: gr.HTML
    slice: gr.Slider
    acceleration: gr.Radio


def bar() -> Bar:
    """Draw the bar; call it above the tabs."""
    with gr.Row(elem_id="bar", equal_height=True):
        info = component("recon-bar", None, elem_id="bar-info")
        slice_ = Slices(0, 1, 0, step=1, label="Slice", visible=False, elem_id="slice")
        acceleration = gr.Radio(
            [("4x", 4), ("8x", 8)],
            value=4,
            label="Acceleration",
            elem_id="acceleration",
            container=False,
        )
    return Bar(info, slice_, acceleration)


def build(first: Choice, above: Bar, language: gr.State) -> Controls:
    """Draw the rail; call it inside the column it belongs to."""
    origin = gr.State(first.origin)
    opened = gr.State(Opened(0, first))
    serial, made = gr.Number(0, visible=False), gr.Number(0, visible=False)
    newest = gr.State(Newest())
    file = Upload(
        label="Your k-space or image file",
        file_types=list(readers.SUFFIXES),
        height=110,
        elem_id="upload",
    )
    file_message = gr.HTML(elem_id="file-message")
    example = gr.Dropdown(
        [(e.title, key) for key, e in examples.EXAMPLES.items()],
        value=first.origin.example,
        label="Or an example",
        filterable=False,  # what is shown may be German, what would be searched is English
        elem_id="example",
    )
    with gr.Row():
        seed = gr.Number(0, label="Mask seed", precision=0, minimum=0, min_width=70, elem_id="seed")
        new_mask = gr.Button("New mask", min_width=80, elem_id="new-mask")
    message = gr.HTML(elem_id="control-message")
    method = gr.Radio(
        method_choices(),
        value=DEFAULT,
        label="Method",
        elem_id="method",
    )
    with gr.Accordion("Advanced", open=False, elem_id="advanced"):
        center_fraction = gr.Slider(
            0,
            0.3,
            masks.default_center_fraction(4),
            step=0.01,
            label="Centre fraction",
            info="Lines in the middle that are always measured",
            elem_id="center-fraction",
        )
        phase_encode = gr.Radio(
            ["columns", "rows"], value="columns", label="Phase-encode lines are"
        )
        crop = gr.Checkbox(
            True,
            label="Cut pictures to the size that the file asks for",
            visible=False,
            elem_id="crop",
        )
        axes = gr.Dropdown(
            [],
            label="Axes of this array",
            info="H rows, W columns, S slices, C coils, T time",
            allow_custom_value=True,
            visible=False,
            elem_id="axes",
        )
        coils = gr.Dropdown(
            coil_choices(1),
            value="rss",
            label="Coils",
            filterable=False,
            visible=False,
            elem_id="coils",
        )
    download_as = gr.Dropdown(
        [
            ("Everything: pictures, arrays, numbers (.zip)", "all"),
            *((one.label, one.name) for one in EXPORTS.values()),
        ],
        value="all",
        label="Result as a file",
        filterable=False,
        elem_id="download-as",
    )
    download = gr.Button("Download", elem_id="download")
    archive = gr.DownloadButton(visible="hidden", elem_id="archive")
    return Controls(
        language=language,
        origin=origin,
        opened=opened,
        serial=serial,
        newest=newest,
        made=made,
        info=above.info,
        file=file,
        file_message=file_message,
        example=example,
        slice=above.slice,
        acceleration=above.acceleration,
        seed=seed,
        new_mask=new_mask,
        message=message,
        method=method,
        center_fraction=center_fraction,
        phase_encode=phase_encode,
        crop=crop,
        axes=axes,
        coils=coils,
        download_as=download_as,
        download=download,
        archive=archive,
    )


ORDERS = {
    3: ("SHW", "CHW", "HWS", "HWC"),
    4: ("SCHW", "CSHW", "HWCS", "HWSC", "SHWC", "CHWS"),
    5: ("TSCHW", "HWCST"),
}


def axes_choices(letters: str) -> list[str]:
    """Orders that arrays of as many axes usually have, that of the open one first."""
    return list(dict.fromkeys((letters, *ORDERS.get(len(letters), ()))))


def coil_choices(coils: int) -> list[tuple[str, str | int]]:
    """Labels and values of the coil menu."""
    combined: list[tuple[str, str | int]] = [
        ("all, root-sum-of-squares", "rss"),
        ("few virtual coils (SVD)", "svd"),
    ]
    return combined + [(f"coil {number} alone", number) for number in range(coils)]
