"""What runs in the browser: JavaScript modules and styles as plain files, put into the page.

A component is a custom element: the browser tells it when it comes and goes. Its Gradio side is
`component`: a static template, so Gradio never touches what the element draws, and a value that
is handed over as it is. The modules become one inline script, since a page behind a proxy or on
a Space should not need another address to load them from.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import gradio as gr

HERE = Path(__file__).parent
# The bar before what listens to it; everything else in the order it imports.
MODULES = (
    "fourier", "random", "masks", "scores", "levels", "geometry", "slice", "words", "language",
    "plot", "profile", "curves", "regions", "projector", "marking", "overlay", "linked", "share",
    "gestures", "viewer", "lab", "film", "page", "keyboard", "volume", "arrays", "centred",
    "private",
)  # fmt: skip
STYLES = (
    "page", "viewer", "research", "lab", "film", "plots", "coils", "private", "class", "touch",
)  # fmt: skip

# `trigger` sends an event to the server, `store` sets what goes with it; a new value arrives
# without the element being replaced.
ATTACH = """
const part = element.firstElementChild;
part.send = trigger;
part.store = value => { props.value = value; };
customElements.whenDefined(part.localName).then(() => {
  const take = () => { part.value = props.value; };
  watch('value', take);
  take();
});
"""
_IMPORT = re.compile(r"^import (?:\* as (\w+)|(\{.*?\})) from '\./(\w+)\.mjs';$", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def script() -> str:
    """All modules as one script."""
    parts = []
    for name in MODULES:
        text = (HERE / f"{name}.mjs").read_text("utf-8")
        names = _EXPORT.findall(text)
        text = _EXPORT.sub("", text)
        text = _IMPORT.sub(lambda m: f"const {m[1] or m[2]} = modules.{m[3]};", text)
        parts.append(f"modules.{name} = (() => {{\n{text}\nreturn {{{', '.join(names)}}};\n}})();")
    return "(() => {\nconst modules = {};\n" + "\n".join(parts) + "\n})();"


CSS = "\n".join((HERE / f"{name}.css").read_text("utf-8") for name in STYLES)
# Of what lies around Gradio's container; its own style sheets end there.
AROUND = (HERE / "drawer.css").read_text("utf-8")
HEAD = f"<style>\n{AROUND}</style>\n<script>\n{script()}\n</script>"


def component(tag: str, value: Any = None, **options: Any) -> gr.HTML:
    """A custom element as a component of the page.

    Parameters
    ----------
    tag
        Name of the element.
    value
        Plain data that JSON can hold, handed to the element's `value`.
    options
        Of `gr.HTML`.
    """
    return gr.HTML(
        value,
        html_template=f"<{tag}></{tag}>",
        js_on_load=ATTACH,
        apply_default_css=False,
        **options,
    )
