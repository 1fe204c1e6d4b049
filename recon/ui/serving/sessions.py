"""What Gradio remembers of a visit, made small, and forgotten when the visitor has left."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable
from copy import copy
from typing import Any

from gradio.state_holder import SessionState, StateHolder
from gradio.utils import LRUCache

from recon.ui.serving.uploads import AGE

CAPACITY = 1000  # visits at a time
ANSWERS = 256  # visits whose answers may wait to be fetched; at most 64 wait in the queue
WAITING = 256  # answers that wait, of all visits together; with pictures each is about a megabyte


class Session(SessionState):
    """State of one visit, without the copy of the whole page that Gradio keeps for its links.

    That copy is 0.6 to 0.9 MiB, among it every picture the visitor was shown.
    """

    def __init__(self, blocks: Any) -> None:
        self.blocks_config = copy(blocks.default_config)
        self.config_values: dict[int, Any] = {}
        self.state_data: dict[int, Any] = {}
        self._state_ttl: dict[int, Any] = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = AGE

    def __setitem__(self, key: int, value: Any) -> None:
        super().__setitem__(key, value)
        self.config_values.clear()

    def _update_config(self, key: int) -> None:
        pass

    def _update_value_in_config(self, key: int, value: Any) -> None:
        pass


class Sessions(StateHolder):
    """The states of all visits, by session."""

    def __init__(self, blocks: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.set_blocks(blocks)
        self.capacity = CAPACITY
        queue = blocks._queue
        queue.pending_messages_per_session = LRUCache(ANSWERS)
        queue.ANALYTICS_MAX_EVENTS = 1  # nobody looks at them, and they are tallied at every event
        queue.ANAYLTICS_CACHE_FREQUENCY = 2**62
        queue.send_message = functools.partial(_send, queue, queue.send_message)

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = Session(self.blocks)
        return super().__getitem__(session_id)


def _send(queue: Any, send: Callable[[Any, Any], None], event: Any, message: Any) -> None:
    """Put an answer where it is fetched; who asks and never fetches loses the oldest ones.

    Gradio's queue ends, for everybody, at an answer for a visit that is no longer remembered.
    """
    if event.session_hash not in queue.pending_messages_per_session:
        return
    send(event, message)
    waiting = queue.pending_messages_per_session.values()
    if sum(one.qsize() for one in waiting) > WAITING:
        max(waiting, key=lambda one: one.qsize()).get_nowait()


def leave_behind(app: Any, store: Any) -> None:
    """Forget visits that ended or slept for longer than files are kept, and names of files."""
    holder, queue = app.state_holder, app.get_blocks()._queue
    now = datetime.datetime.now()
    lines = [line.queue for line in queue.event_queue_per_concurrency_id.values()]
    busy = {event.session_hash for line in (*lines, *queue.active_jobs) for event in line or ()}
    for session, used in list(holder.time_last_used.items()):
        if (now - used).total_seconds() > AGE and session not in busy:
            holder.session_data.pop(session, None)
            holder.time_last_used.pop(session, None)
            queue.pending_messages_per_session.pop(session, None)
    for session in list(queue.pending_event_ids_session):
        if session not in queue.pending_messages_per_session:
            queue.pending_event_ids_session.pop(session, None)
    for names in app.get_blocks().temp_file_sets:
        names.intersection_update({name for name in set(names) if store.known(name)})
