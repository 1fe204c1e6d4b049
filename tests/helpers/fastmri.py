"""fastMRI's own evaluation, which volumes and pictures are checked against."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def evaluation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module ``fastmri.evaluate``; its running statistics are not needed here."""
    pytest.importorskip("fastmri", reason="fastmri is not installed")
    if importlib.util.find_spec("runstats") is None:
        stub = types.ModuleType("runstats")
        stub.Statistics = object  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "runstats", stub)
    monkeypatch.delitem(sys.modules, "fastmri.evaluate", raising=False)
    yield importlib.import_module("fastmri.evaluate")
    sys.modules.pop("fastmri.evaluate", None)  # it holds on to the stub
