"""Results that are remembered for a while, and forgotten with the file they came from."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import numpy as np

Value = TypeVar("Value")
Result = TypeVar("Result", covariant=True)


class Remembered(Protocol[Result]):
    """A function of one `Choice` that remembers its last results."""

    def __call__(self, choice: Any, /) -> Result: ...

    def forget(self, files: set[str]) -> None:
        """Drop what came from these uploads."""


LARGEST = 2**27  # bytes of all results of one function together, but for the last one


def remembered(most: int) -> Callable[[Callable[[Any], Value]], Remembered[Value]]:
    """Remember the last `most` results of a function of a `Choice`, fewer where they are large.

    Unlike `functools.lru_cache` it first asks whether the upload is still there, and it can
    forget.
    """

    def decorate(function: Callable[[Any], Value]) -> Remembered[Value]:
        results: OrderedDict[Any, Value] = OrderedDict()
        lock = threading.Lock()

        @functools.wraps(function)
        def remember(choice: Any, /) -> Value:
            if choice.origin.upload is not None:
                choice.origin.path()  # raises where it is gone
            with lock:
                if choice in results:
                    results.move_to_end(choice)
                    return results[choice]
            value = function(choice)
            with lock:
                results[choice] = value
                while len(results) > most or (len(results) > 1 and _bytes(results) > LARGEST):
                    results.popitem(last=False)
            if choice.origin.upload is not None and choice.origin.gone:  # while it was computed
                forget({choice.origin.upload})
            return value

        def forget(files: set[str]) -> None:
            with lock:
                for choice in [one for one in results if one.origin.upload in files]:
                    del results[choice]

        remember.forget = forget  # type: ignore[attr-defined]
        return remember  # type: ignore[return-value]

    return decorate


def _bytes(results: Mapping[Any, Any]) -> int:
    """Bytes of the arrays that results hold themselves."""
    # Another thread may look at a result for the first time, which adds what it is asked for.
    arrays = (one for result in results.values() for one in list(vars(result).values()))
    return sum(one.nbytes for one in arrays if isinstance(one, np.ndarray))
