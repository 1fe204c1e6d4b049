"""Links that hold the state of the page: whoever opens one sees the same picture and scores.

A link names an example, never an upload, and carries settings only; every value is a stranger's
word, and what is not understood is left as it is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from recon import examples, masks
from recon.errors import InputError
from recon.methods import DEFAULT, METHODS
from recon.ui import events, html
from recon.ui.lessons.course import LESSONS
from recon.ui.reconstruct import View
from recon.ui.sampling import BY_HAND, Lab, is_mask
from recon.ui.session import Choice, Origin

COPY = """
(...values) => {
  const names = NAMES;
  const query = new URLSearchParams();
  names.forEach((name, i) => {
    const value = values[i];
    if (value !== null && value !== undefined && value !== '') query.set(name, value);
  });
  for (const [name, place] of Object.entries(TABS)) {
    const open = document.querySelector(`${place} > .tab-wrapper button[aria-selected=true]`)
      ?? document.querySelector(`${place} button[role=tab][aria-selected=true]`);
    if (open) query.set(name, open.dataset.tabId || open.id.replace(/-button$/, ''));
  }
  const link = `${location.origin}${location.pathname}?${query}`;
  history.replaceState(null, '', link);
  const said = document.querySelector('#link-message');
  const tell = words => { said.textContent = words; };
  if (!query.has('example')) tell('An upload cannot be part of a link; it has the settings only.');
  else if (navigator.clipboard) navigator.clipboard.writeText(link).then(
    () => tell('Copied. The address of this page has it too.'),
    () => tell('The link is in the address of this page.'));
  else tell('The link is in the address of this page.');
}
"""

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


def copy_script(names: list[str], places: dict[str, str]) -> str:
    """What the button does in the browser.

    Parameters
    ----------
    names
        Of the values it gets, in their order.
    places
        Selectors of tabs whose open one the link says, by their name in the link.
    """
    return COPY.replace("NAMES", json.dumps(names)).replace("TABS", json.dumps(places))


def build(view: View, lab: Lab, lesson: gr.State, tabs: Sequence[TabBar]) -> None:
    """Draw the button, and set the page from the address when it opens.

    Parameters
    ----------
    view, lab, lesson
        What a link sets.
    tabs
        The page's own tabs first, then those inside of them.
    """
    c = view.controls
    with gr.Row(elem_id="links"):
        button = gr.Button("Copy a link to this", elem_id="copy-link", size="sm", scale=0)
        gr.HTML('<span id="link-message" role="status"></span>')
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
    }
    script = copy_script(list(named), {one.name: f"#{one.tabs.elem_id}" for one in tabs})
    button.click(None, list(named.values()), js=script, api_visibility="private")

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
            lesson: _number(query.get("lesson"), 0, len(LESSONS) - 1, int),
        }
        changes.update({what: value for what, value in values.items() if value is not None})
        for one in tabs:
            tab = _one_of(query.get(one.name), one.keys)
            if tab is not None:
                changes[one.tabs] = gr.Tabs(selected=tab)
        return changes or {lesson: gr.skip()}

    outputs = [*view.outputs, *vars(lab).values(), lesson, *(one.tabs for one in tabs)]
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
    """What a link asks the main view to show; None where it names no example."""
    key = _one_of(query.get("example"), examples.EXAMPLES)
    if key is None:
        return None
    acceleration = _number(query.get("acceleration"), 1, 64) or 4
    acceleration = acceleration if acceleration in (4, 8) else 4
    fraction = _number(query.get("center_fraction"), 0, 0.3)
    coils: Any = query.get("coils", "rss")
    return Choice(
        Origin(example=key),
        _number(query.get("slice"), 0, 2**16, int),
        acceleration,
        _number(query.get("seed"), 0, 2**31, int) or 0,
        _one_of(query.get("method"), METHODS) or DEFAULT,
        masks.default_center_fraction(acceleration) if fraction is None else fraction,
        coils if coils in ("rss", "svd") else (_number(coils, 0, 1024, int) or 0),
        "rows" if query.get("phase_encode") == "rows" else "columns",
    )


def _one_of(value: str | None, known: Any) -> str | None:
    return value if value is not None and value in known else None


def _number(text: str | None, low: float, high: float, kind: Callable[[float], Any] = float) -> Any:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return kind(value) if math.isfinite(value) and low <= value <= high else None
