"""The page's words in German, for what the server writes into files.

The table is the browser's (`web/words.mjs`), and so are its rules (`translator` in
`web/language.mjs`): a name in braces stands for whatever is there, and is translated itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal

from recon.ui.web import HERE

Language = Literal["en", "de"]
PLACE = re.compile(r"\{(\w+)\}")
_SPECIAL = re.compile(r"[.*+?^${}()|[\]\\]")


def known(language: Any) -> Language:
    """A stranger's word for a language; English where it is none of ours."""
    return "de" if language == "de" else "en"


def speaker(language: Language) -> Callable[[str], str]:
    """What puts a text of the page into a language; what the table lacks stays as it is."""
    if language == "en":
        return str
    return lambda text: german(text) or text


def german(text: str) -> str | None:
    """A text of the page in German; None for what the table does not hold."""
    exact, patterns = _table()
    words = " ".join(text.split())
    if not words or words in exact:
        return exact.get(words)
    for shape, names, to in patterns:
        if found := shape.fullmatch(words):
            parts = zip(names, found.groups(), strict=True)
            return to.format(**{name: german(part) or part for name, part in parts})
    return None


def pairs() -> list[tuple[str, str]]:
    """The table as it is written: English, German."""
    text = (HERE / "words.mjs").read_text("utf-8")
    found: list[tuple[str, str]] = json.loads(
        text[text.index("{\n") :].rstrip().rstrip(";"), object_pairs_hook=list
    )
    return found


@lru_cache(maxsize=1)
def _table() -> tuple[dict[str, str], list[tuple[re.Pattern[str], list[str], str]]]:
    table, patterns = dict(pairs()), []
    for english, to in table.items():
        literal = [_SPECIAL.sub(r"\\\g<0>", part) for part in PLACE.split(english)[::2]]
        if len(literal) > 1:
            shape = re.compile("(.+?)".join(literal), re.DOTALL)
            patterns.append((shape, PLACE.findall(english), to))
    # The most exact one first: one that begins with words of its own, and of those the longest.
    patterns.sort(key=lambda one: (one[0].pattern.startswith("(.+?)"), -len(one[0].pattern)))
    return {words: to for words, to in table.items() if not PLACE.search(words)}, patterns
