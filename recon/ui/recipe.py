"""How to get the same numbers without the page: a few lines of Python, and a command."""

from __future__ import annotations

import shlex
from html import escape
from pathlib import Path

from recon.pipeline import Reconstruction
from recon.ui.session import Choice


def python(choice: Choice, result: Reconstruction) -> str:
    """A script that prints the scores on the page."""
    if choice.origin.example is not None and choice.origin.path() is None:
        opened = f"kspace = examples.load({choice.origin.example!r})"
        needs = "import recon\nfrom recon import examples\n"
    else:
        name = repr(_name(choice))
        axes = f", axes={_axes(choice)!r}" if _axes(choice) else ""
        # Of a file that has several.
        rate = "" if result.source.mask is None else f", acceleration={choice.acceleration!r}"
        opened = f"kspace = recon.read({name}, slice={result.source.slice}{rate}{axes})"
        needs = "import recon\n"
    options = {
        "acceleration": choice.acceleration,
        "seed": choice.seed,
        "method": result.method,
        "center_fraction": choice.center_fraction,
        "coils": choice.coils,
        "phase_encode": choice.phase_encode,
        "family": choice.family,
    }
    if not choice.crop:
        options["crop"] = False
    words = ", ".join(f"{name}={value!r}" for name, value in options.items())
    return (
        f"{needs}\n{opened}\nresult = recon.reconstruct(kspace, {words})\nprint(result.metrics)\n"
    )


def command(choice: Choice, result: Reconstruction) -> str:
    """The same for a shell; empty for an example that is no file."""
    if choice.origin.example is not None and choice.origin.path() is None:
        return ""
    words = [
        "python", "-m", "recon", "reconstruct", _name(choice),
        "--acceleration", f"{choice.acceleration:g}", "--seed", str(choice.seed),
        "--method", result.method, "--slice", str(result.source.slice),
        "--coils", str(choice.coils), "--phase-encode", choice.phase_encode,
        "--mask-family", choice.family,
    ]  # fmt: skip
    if choice.center_fraction is not None:
        words += ["--center-fraction", f"{choice.center_fraction:g}"]
    if not choice.crop:
        words.append("--no-crop")
    if _axes(choice):
        words += ["--axes", _axes(choice)]
    return shlex.join(words)


def html(choice: Choice, result: Reconstruction) -> str:
    """Both, each with a button to copy it."""
    parts = {
        "Copy as Python": python(choice, result),
        "Copy as command": command(choice, result),
    }
    blocks = "".join(
        f'<button type="button" data-copy>{title}</button>'
        f'<pre tabindex="0" role="group" aria-label="{title}"><code>{escape(text)}</code></pre>'
        for title, text in parts.items()
        if text
    )
    return f'<details class="recipe"><summary>The same in code</summary>{blocks}</details>'


def _axes(choice: Choice) -> str:
    """What has to be said of them; those of an example are known here, and not in its file."""
    if choice.origin.example is not None:
        return "slices"
    return "" if choice.axes == "auto" else choice.axes


def _name(choice: Choice) -> str:
    """Of the file, without any folder."""
    path = choice.origin.upload or choice.origin.path() or ""
    return Path(path).name
