"""What can go wrong through no fault of the program."""

from __future__ import annotations


class InputError(ValueError):
    """Something is wrong with what a person gave us.

    The message is one sentence that says what is wrong and what would be accepted. It is
    shown to that person as it is, so it never contains a path, a traceback or raw file text.
    """
