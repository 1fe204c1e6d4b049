"""How long those who wait will take, judging by what the same questions took before.

A question is as dear as its kind (the event, and the methods that it names) and as the slice that
it is about: seconds grow with its samples, coils x height x width, where those are known. What was
never asked before counts as the dearest of what is most like it, and as no less than one that is
being answered has taken so far.
"""

from __future__ import annotations

import functools
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from recon.examples import EXAMPLES
from recon.methods import METHODS
from recon.ui import session
from recon.ui.session import Origin

KINDS = 256  # that are remembered
RECENT = 32  # answers of a kind that count

Kind = tuple[str, int, tuple[str, ...]]  # line, event, methods: from the most general on


@dataclass(frozen=True)
class Asked:
    """A question: its kind, and what it is about where that is known."""

    kind: Kind
    origin: Origin | None = None


@dataclass
class Past:
    """What answers of a kind took: running means of seconds and of samples."""

    seconds: float = 0.0
    samples: float = 0.0  # 0 where they are unknown
    count: int = 0

    def add(self, seconds: float, samples: int | None) -> None:
        """Count one more."""
        self.count = min(self.count + 1, RECENT)
        self.seconds += (seconds - self.seconds) / self.count
        if samples:
            self.samples += (samples - self.samples) / (self.count if self.samples else 1)

    def of(self, samples: int | None) -> float:
        """Seconds that one of so many samples will take."""
        return self.seconds * (samples / self.samples if samples and self.samples else 1)


class Costs:
    """Of one queue.

    Parameters
    ----------
    clock
        Seconds.
    samples
        Of one slice of what is open, where they are known.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        samples: Callable[[Origin], int | None] = session.samples,
    ) -> None:
        self._clock, self._samples = clock, samples
        self._past: OrderedDict[Kind, Past] = OrderedDict()
        self._running: dict[object, tuple[Asked, float]] = {}

    def watch(self, app: Any) -> None:
        """Time every event of a page that is served, from now on."""
        queue = app.get_blocks()._queue
        queue.process_events = functools.partial(self.timed, queue, queue.process_events)

    async def timed(
        self,
        queue: Any,
        process: Callable[..., Awaitable[None]],
        events: Sequence[Any],
        *arguments: Any,
    ) -> None:
        """Let Gradio's `process` answer `events`, and remember what that took."""
        if not events[0].alive:  # who asked is gone, and nothing will be done
            return await process(events, *arguments)
        asked, start, place = question(queue, events[0]), self._clock(), object()
        self._running[place] = asked, start
        try:
            await process(events, *arguments)
        finally:
            del self._running[place]
            self.note(asked, self._clock() - start)

    def note(self, asked: Asked, seconds: float) -> None:
        """Remember what an answer took."""
        self._past.setdefault(asked.kind, Past()).add(seconds, self._size(asked))
        self._past.move_to_end(asked.kind)
        while len(self._past) > KINDS:
            self._past.popitem(last=False)

    def expected(self, asked: Asked) -> float:
        """Seconds that an answer will take; 0 where nothing is known at all."""
        so_far = [self._clock() - start for one, start in self._running.values() if one == asked]
        return max([*so_far, self._usual(asked)])

    def _usual(self, asked: Asked) -> float:
        size = self._size(asked)
        for known in range(len(asked.kind), 0, -1):
            alike = [p for kind, p in self._past.items() if kind[:known] == asked.kind[:known]]
            if alike:
                return max(past.of(size) for past in alike)
        return 0.0

    def _size(self, asked: Asked) -> int | None:
        return None if asked.origin is None else self._samples(asked.origin)

    def waiting(self, queue: Any) -> float:
        """Seconds until everybody who waits now has an answer; lines move side by side."""
        longest = 0.0
        for name, line in queue.event_queue_per_concurrency_id.items():
            seconds = sum(self.expected(question(queue, event)) for event in line.queue)
            for asked, start in self._running.values():
                if asked.kind[0] == name:
                    seconds += max(0.0, self._usual(asked) - (self._clock() - start))
            longest = max(longest, seconds / (line.concurrency_limit or 1))
        return longest


def question(queue: Any, event: Any) -> Asked:
    """What an event in the queue asks."""
    values = list(_values(queue, event))
    words = [one for value in values for one in (value if isinstance(value, list) else [value])]
    words = [one for one in words if isinstance(one, str)]
    methods = tuple(sorted(set(words) & set(METHODS)))
    kind = (event.concurrency_id, event.fn._id, methods)
    for value in values:
        if isinstance(value, dict) and isinstance(value.get("path"), str):
            return Asked(kind, Origin(upload=value["path"]))
    for word in words:
        if word in EXAMPLES:
            return Asked(kind, Origin(example=word))
    return Asked(kind, next((one for one in values if isinstance(one, Origin)), None))


def _values(queue: Any, event: Any) -> Iterator[Any]:
    """What an event is given; what a visit has open is known to the server alone."""
    visit = queue.server_app.state_holder.session_data.get(event.session_hash)
    states = {} if visit is None else visit.state_data
    for block, value in zip(event.fn.inputs, event.data.data, strict=False):
        yield states.get(block._id, block.value) if isinstance(block, gr.State) else value
