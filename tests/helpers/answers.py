"""What tests read from the answers of experiments."""

from __future__ import annotations

import re
from collections.abc import Iterable

from recon.ui.experiment import Answer


def last(answers: Iterable[Answer]) -> Answer:
    """The complete one."""
    *_, complete = answers
    assert complete.done >= complete.of
    return complete


def numbers(text: str, pattern: str = r"\d\.\d+") -> list[float]:
    return [float(x) for x in re.findall(pattern, text)]
