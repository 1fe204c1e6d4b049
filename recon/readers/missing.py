"""Libraries that only some formats need: without one, a sentence says what to install."""

from __future__ import annotations

import importlib
from typing import Any

from recon.errors import InputError


def needs(module: str, what: str) -> Any:
    """An optional library.

    Parameters
    ----------
    module
        Its name, as it is imported and installed.
    what
        What needs it, in words: "Reading NIfTI files".

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise InputError(
            f"{what} needs the library '{module}', which is not installed here; "
            f"'pip install {module}' adds it."
        ) from None
