"""Links that hold the state of the page: whoever opens one sees the same picture and scores.

A link names an example, never an upload, and carries settings only; every value is a stranger's
word, and what is not understood is left as it is.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import gradio as gr
import segno

from recon import examples, masks
from recon.errors import InputError
from recon.methods import DEFAULT, METHODS
from recon.ui import events, html
from recon.ui.lessons.course import LESSONS
from recon.ui.reconstruct import FIRST, View
from recon.ui.sampling import BY_HAND, Lab, is_mask
from recon.ui.session import Choice, Origin

# What a link says of the main view, beside an example and its slice.
MAIN = {"acceleration", "seed", "method", "center_fraction", "coils", "phase_encode"}
LONGEST = 1800  # characters of a link that still make a code which a telephone can read

LINK = "reconLinks.link(NAMES, USUAL, TABS, values)"
COPY = f"(...values) => {{ reconLinks.copy({LINK}); }}"
SHARE = f"(...values) => reconLinks.opened() ? '' : {LINK}"

# Where the event did not even get into the queue, nothing else says that this is not the link's.
NOT_OPENED = """
() => {
  const shown = document.querySelector('#verdict .verdict');
  if (!location.search || !shown) return;
  const words = document.createElement('p');
  words.className = 'message';
  words.setAttribute('role', 'alert');
  words.textContent = 'The server is full just now, so this is not what the link shows. ';
  const again = document.createElement('button');
  again.textContent = 'Try again';
  again.onclick = () => location.reload();
  words.append(again);
  shown.prepend(words);
}
"""


@dataclass(frozen=True)
class TabBar:
    """Tabs, the keys of theirs, and what a link calls them."""

    name: str
    tabs: gr.Tabs
    keys: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)  # controls of what is in the tabs


def script(text: str, named: Mapping[str, Any], usual: Mapping[str, str], places: Any) -> str:
    """What a button does in the browser.

    Parameters
    ----------
    text
        `COPY` or `SHARE`.
    named
        Components by their name in the link, in the order of the values it gets.
    usual
        Values that a link need not name.
    places
        Selectors of tabs whose open one the link says, by their name in the link.
    """
    for word, value in (("NAMES", list(named)), ("USUAL", usual), ("TABS", places)):
        text = text.replace(word, json.dumps(value))
    return text


def shared(link: str) -> str:
    """A link as HTML: itself, and a code that a telephone reads; nothing for an empty one."""
    if not link:
        return ""
    if not re.match(r"https?://[^\s<>\"]+$", link):
        return html.message("This is no link to the page.")
    code = "<p>This link is too long for a code.</p>"
    if len(link) <= LONGEST:
        drawn = segno.make(link, error="l", micro=False, boost_error=False)
        code = drawn.svg_inline(omitsize=True, border=3, dark="#000", light="#fff")
    return (
        f'<div class="share" role="dialog" aria-label="Share">{code}<p><a href="{escape(link)}" '
        f'target="_blank" rel="noopener">{escape(link)}</a></p>'
        '<button type="button" data-close-share>Close</button></div>'
    )


def build(view: View, lab: Lab, lesson: gr.State, room: gr.Textbox, tabs: Sequence[TabBar]) -> None:
    """Draw the button, and set the page from the address when it opens.

    Parameters
    ----------
    view, lab, lesson, room
        What a link sets; `room` is the code of a class.
    tabs
        The page's own tabs first, then those inside of them.
    """
    c = view.controls
    with gr.Row(elem_id="links"):
        button = gr.Button("Copy a link to this", elem_id="copy-link", size="sm", scale=0)
        share = gr.Button("Share", elem_id="share-link", size="sm", scale=0)
        gr.HTML('<span id="link-message" role="status"></span>')
    panel = gr.HTML(elem_id="share")
    address = gr.Textbox(visible="hidden", elem_id="share-address")
    lesson_number = gr.Number(0, visible="hidden", elem_id="lesson-number")
    lesson.change(lambda at: at, lesson, lesson_number, api_visibility="private")
    named: dict[str, Any] = {
        "example": c.example,
        "slice": c.slice,
        "acceleration": c.acceleration,
        "seed": c.seed,
        "method": c.method,
        "center_fraction": c.center_fraction,
        "coils": c.coils,
        "phase_encode": c.phase_encode,
        "lab_family": lab.family,
        "lab_acceleration": lab.acceleration,
        "lab_center_fraction": lab.center,
        "lab_seed": lab.seed,
        "lab_method": lab.method,
        "lab_mask": lab.hand,
        "lesson": lesson_number,
        "class": room,
    }
    settings: dict[str, Any] = {}
    for one in tabs:
        settings |= one.settings
    named |= settings
    places = {one.name: f"#{one.tabs.elem_id}" for one in tabs}
    usual = {name: _text(control.value) for name, control in settings.items()}
    button.click(
        None,
        list(named.values()),
        js=script(COPY, named, usual, places),
        api_visibility="private",
    )
    share.click(
        None,
        list(named.values()),
        address,
        js=script(SHARE, named, usual, places),
        **events.quiet(),
    ).then(shared, address, panel, **events.quiet(queue=False))

    def restore(request: gr.Request) -> dict[Any, Any]:
        query = dict(request.query_params)
        changes: dict[Any, Any] = {}
        wish = choice(query)
        if wish is not None:
            try:
                with events.TURNS.short(), events.TURNS.piece():
                    changes.update(view.restored(wish))
            except InputError as error:
                changes[c.message] = html.message(str(error))
        values: dict[Any, Any] = {
            lab.family: _one_of(query.get("lab_family"), [*masks.FAMILIES, BY_HAND]),
            lab.acceleration: _number(query.get("lab_acceleration"), 2, 16),
            lab.center: _number(query.get("lab_center_fraction"), 0, 0.3),
            lab.seed: _number(query.get("lab_seed"), 0, 2**31, int),
            lab.method: _one_of(query.get("lab_method"), METHODS),
            lab.hand: text if is_mask(text := query.get("lab_mask")) else None,
            room: code if re.fullmatch("[A-Z2-9]{6}", code := query.get("class", "")) else None,
            lesson: _number(query.get("lesson"), 0, len(LESSONS) - 1, int),
        }
        for name, control in settings.items():
            values[control] = setting(control, query.get(name))
        changes.update({what: value for what, value in values.items() if value is not None})
        for one in tabs:
            tab = _one_of(query.get(one.name), one.keys)
            if tab is not None:
                changes[one.tabs] = gr.Tabs(selected=tab)
        return changes or {lesson: gr.skip()}

    outputs = [*view.outputs, *vars(lab).values(), lesson, room, *settings.values()]
    outputs += [one.tabs for one in tabs]
    opening = gr.on(
        None,
        restore,
        None,
        [*dict.fromkeys(outputs)],
        show_progress="hidden",
        show_progress_on=[lesson_number],  # else a clock runs over every output
        api_visibility="private",
        **events.SHORT,
    )
    opening.failure(None, js=NOT_OPENED, api_visibility="private")


def choice(query: Mapping[str, str]) -> Choice | None:
    """What a link asks the main view to show; None where it asks nothing of it.

    One that was made of an upload names no example: its settings are shown on the first one.
    """
    key = _one_of(query.get("example"), examples.EXAMPLES)
    if key is None and not MAIN & query.keys():
        return None
    acceleration = {"4": 4, "8": 8}.get(query.get("acceleration", ""), 4)
    fraction = _number(query.get("center_fraction"), 0, 0.3)
    coils, number = query.get("coils"), _number(query.get("coils"), 0, 1024, int)
    return Choice(
        FIRST if key is None else Origin(example=key),
        None if key is None else _number(query.get("slice"), 0, 2**16, int),
        acceleration,
        _number(query.get("seed"), 0, 2**31, int) or 0,
        _one_of(query.get("method"), METHODS) or DEFAULT,
        masks.default_center_fraction(acceleration) if fraction is None else fraction,
        "svd" if coils == "svd" else "rss" if number is None else number,
        "rows" if query.get("phase_encode") == "rows" else "columns",
    )


def setting(control: Any, text: str | None) -> Any:
    """What a link says of a control, as a value that it can have; None where it says nothing."""
    if text is None:
        return None
    if isinstance(control, gr.CheckboxGroup):
        known = {_text(value): value for _, value in control.choices}
        wanted = [part for part in text.split(",") if part]
        return [known[part] for part in wanted] if set(wanted) <= known.keys() else None
    if isinstance(control, gr.Radio | gr.Dropdown):
        return {_text(value): value for _, value in control.choices}.get(text)
    if isinstance(control, gr.Checkbox):
        return {"1": True, "0": False}.get(text)
    low, high = control.minimum, control.maximum
    low, high = -(2**31) if low is None else low, 2**31 if high is None else high
    # Whole numbers stay so: rows, columns, how many.
    precise = getattr(control, "precision", None) == 0 or isinstance(control.value, int)
    return _number(text, low, high, int if precise and text.lstrip("-").isdigit() else float)


def _text(value: Any) -> str:
    """A value as the browser writes it into a link."""
    if isinstance(value, list):
        return ",".join(map(_text, value))
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _one_of(value: str | None, known: Any) -> str | None:
    return value if value is not None and value in known else None


def _number(text: str | None, low: float, high: float, kind: Callable[[float], Any] = float) -> Any:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return kind(value) if math.isfinite(value) and low <= value <= high else None
