"""Stands before Gradio: what is reachable, who asks, may they have that file.

Gradio 6.31 offers more than this page needs: calls that go round the queue, links that write
their state to the disk, a proxy, functions inside components. What is not in `OPEN` is closed.

A browser is known by a random cookie. An event reaches Gradio only with paths of files that its
own visitor uploaded; every other path is replaced by one where nothing lies, so that an event
says the same of a stranger's file, of a file of the server and of no file at all.
"""

from __future__ import annotations

import asyncio
import math
import re
import secrets
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recon.ui.serving.browser import headers_for, visitor_of
from recon.ui.serving.costs import Costs
from recon.ui.serving.messages import JSONError, json_body, replay
from recon.ui.serving.receive import NotTakenError, take_in
from recon.ui.serving.uploads import Store, Visitor

API = "/gradio_api/"
OPEN = re.compile(
    r"(GET|HEAD) (file=.+|app_id|info|login_check|openapi\.json|startup-events|token|user"
    r"|upload_progress|heartbeat/[^/]+|queue/(data|status)|call/(v2/)?[^/]+/[^/]+)/?"
    r"|POST (upload|cancel|reset|queue/join|call/(v2/)?[^/]+|run/[^/]+)/?"
    r"|(GET|POST|DELETE) mcp/?"
    r"|OPTIONS .*",
    re.DOTALL,
)
RANGE = re.compile(rb"bytes=\d{1,15}-\d{0,15}")  # what Gradio understands
SESSIONS = 4096  # whose owners are remembered
PATIENCE = 20  # seconds an event waits for a place in a full queue


class Guard:
    """ASGI middleware around Gradio's application.

    Parameters
    ----------
    app
        What is guarded.
    store
        Whose files are whose.
    costs
        What questions cost.
    """

    def __init__(self, app: ASGIApp, store: Store, costs: Costs) -> None:
        self.app, self.store, self.costs = app, store, costs
        self._sessions: OrderedDict[str, str] = OrderedDict()  # session to the key of its visitor
        self._entering = 0  # events that were given a place and are on their way to the queue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visitor = visitor_of(scope)
        scope.setdefault("state", {})["visitor"] = visitor
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        private = path.startswith(f"{API}file=")
        send = headers_for(scope, visitor, send, private)
        try:
            if path.startswith(API):
                answer = await self._asked(path.removeprefix(API), scope, receive, visitor)
                if isinstance(answer, Response):
                    await answer(scope, receive, send)
                    return
                receive = answer
        except NotTakenError as refused:  # the page shows the body as it is
            await PlainTextResponse(refused.words, refused.status)(scope, receive, send)
            return
        except (_RefusedError, JSONError) as refused:
            seconds = getattr(refused, "after", None)
            later = {"Retry-After": str(seconds)} if seconds else None
            answer = JSONResponse({"detail": refused.words}, refused.status, later)
            await answer(scope, receive, send)
            return
        await self._passed_on(scope, receive, send)

    async def _passed_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        finally:
            self._entering -= scope["state"].pop("place", 0)

    async def _asked(
        self, path: str, scope: Scope, receive: Receive, visitor: Visitor
    ) -> Response | Receive:
        """Answer, or the body as it was understood here, for Gradio to go on with."""
        if not OPEN.fullmatch(f"{scope['method']} {path}"):
            raise _RefusedError(404, "There is nothing here.")
        if path.startswith("file="):
            self._served(path.removeprefix("file="), visitor)
            scope["headers"] = [
                (name, value)
                for name, value in scope["headers"]
                if name != b"range" or RANGE.fullmatch(value)
            ]
            return receive
        if path.rstrip("/") == "mcp":  # whose calls come back here, as a client with its own cookie
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"cookie"]
            if scope["method"] != "POST":
                return receive
            return replay(receive, await json_body(receive))
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        sessions = query.get("session_hash", [])
        if path.startswith("heartbeat/"):
            sessions = [*sessions, path.rstrip("/").split("/")[-1]]
        for session in sessions:
            self._own(session, visitor)
        if scope["method"] != "POST":
            return receive
        if path.rstrip("/") == "upload":
            if not await self._logged_in(scope):
                return receive  # Gradio says so
            largest = scope["app"].get_blocks().max_file_size or 2**63
            progress = query.get("upload_id", [None])[0]
            file = await take_in(Request(scope, receive), self.store, visitor, largest, progress)
            return JSONResponse([str(file)])
        return await self._event(path.rstrip("/"), scope, receive, visitor)

    async def _event(self, path: str, scope: Scope, receive: Receive, visitor: Visitor) -> Receive:
        """The body of an event, with no other files than the visitor's own."""
        body = await json_body(receive)
        session = body.get("session_hash")
        if session is not None:
            if not isinstance(session, str) or not 0 < len(session) <= 128:
                raise _RefusedError(400, "The session is a short text.")
            self._own(session, visitor)
        blocks = scope["app"].get_blocks()
        if path.startswith("call/"):
            _complete(blocks, path.split("/")[-1], body)
        elif path.startswith("run/"):
            _unqueued(blocks, body)
        elif path == "queue/join":
            _known(blocks, body)
        try:
            body = {key: self._replaced(value, visitor, session) for key, value in body.items()}
        except RecursionError:  # which needs more of the stack than understanding the JSON did
            raise _RefusedError(400, "The values of this event lie too deep.") from None
        if path.startswith(("call/", "queue/")):
            await self._room(blocks._queue)
            scope["state"]["place"] = 1
        return replay(receive, body)

    async def _room(self, queue: Any) -> None:
        """Take a place in the queue, for which one waits a while: a class opens its links at once.

        Who gets none is told so with a status whose sentence Gradio's page shows; it has words of
        its own for 503, which do not say when to come back.
        """
        end = time.monotonic() + PATIENCE
        while queue.max_size is not None and len(queue) + self._entering >= queue.max_size:
            if time.monotonic() > end:
                raise _full(len(queue), self.costs.waiting(queue))
            await asyncio.sleep(0.2)
        self._entering += 1

    def _own(self, session: str, visitor: Visitor) -> None:
        """A session belongs to the first visitor with a cookie that uses it."""
        owner = self._sessions.get(session)
        if owner is not None and not (
            visitor.returned and secrets.compare_digest(owner, visitor.key)
        ):
            raise _RefusedError(403, "This session is somebody else's; please load the page again.")
        if visitor.returned:
            self._sessions[session] = visitor.key
            self._sessions.move_to_end(session)
            while len(self._sessions) > SESSIONS:
                self._sessions.popitem(last=False)

    def _replaced(self, value: Any, visitor: Visitor, session: str | None) -> Any:
        """The same values, in which files are uploads of this visitor, or nowhere."""
        if isinstance(value, list):
            return [self._replaced(item, visitor, session) for item in value]
        if not isinstance(value, dict):
            return value
        if "path" not in value:
            return {key: self._replaced(item, visitor, session) for key, item in value.items()}
        allowed = self.store.opens(value["path"], visitor, session)
        return {
            "path": value["path"] if allowed else self.store.nowhere,
            "meta": {"_type": "gradio.FileData"},
        }

    def _served(self, name: str, visitor: Visitor) -> None:
        """Whether the file route may go on: Gradio's folder holds what is somebody's."""
        try:
            path = Path(name).resolve()
            somebodys = path.is_relative_to(self.store.folder.parent)
            refused = "://" in name or (somebodys and not self.store.serves(str(path), visitor))
        except (OSError, ValueError, RuntimeError):  # no path at all
            refused = True
        if refused:
            raise _RefusedError(403, "This file is not yours, or not there any more.")

    async def _logged_in(self, scope: Scope) -> bool:
        """Whether Gradio's own log-in, where one was asked for, lets this request pass."""
        status = 0

        async def nothing() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def look(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)

        path = f"{scope.get('root_path', '')}{API}login_check"
        await self.app(
            {**scope, "method": "GET", "path": path, "raw_path": path.encode()}, nothing, look
        )
        return status == 200


class _RefusedError(Exception):
    """Status of the answer, one sentence, and seconds after which to come back."""

    def __init__(self, status: int, words: str, after: int | None = None) -> None:
        super().__init__(words)
        self.status, self.words, self.after = status, words, after


def _complete(blocks: Any, name: str, body: dict[str, Any]) -> None:
    """Only what is published can be called by name; arguments left out are the defaults."""
    for function in blocks.fns.values():
        if function.api_name == name and function.api_visibility != "private":
            break
    else:
        raise _RefusedError(404, "There is no such interface.")
    data = body.get("data")
    if isinstance(data, list):
        body["data"] = data + [block.value for block in function.inputs[len(data) :]]


def _known(blocks: Any, body: dict[str, Any]) -> None:
    """The page names its events by number, and sends a value for each of their inputs."""
    number, data = body.get("fn_index"), body.get("data")
    function = blocks.fns.get(number) if type(number) is int else None
    if function is None or not isinstance(data, list) or len(data) != len(function.inputs):
        raise _unknown()
    _told(function, body)


def _told(function: Any, body: dict[str, Any]) -> None:
    """Of some events the page says what happened."""
    if function.collects_event_data and not isinstance(body.get("event_data"), dict):
        raise _unknown()


def _unknown() -> _RefusedError:
    return _RefusedError(400, "The page has no such event; please load it again.")


def _unqueued(blocks: Any, body: dict[str, Any]) -> None:
    """Around the queue goes only what the page itself sends around it, by its number."""
    function = blocks.fns.get(number) if isinstance(number := body.get("fn_index"), int) else None
    if function is None or function.queue:
        raise _RefusedError(404, "This goes through the queue.")
    _told(function, body)


def _full(waiting: int, seconds: float) -> _RefusedError:
    """How many wait, and how long they will take."""
    after = min(600, max(10, 10 * math.ceil(seconds / 10)))
    words = f"{waiting} people are waiting here already; please come back in {after} seconds."
    return _RefusedError(429, words, after)
