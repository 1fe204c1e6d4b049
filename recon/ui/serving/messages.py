"""Bodies of requests: read once, checked, and handed on as they were understood."""

from __future__ import annotations

import json
from typing import Any

from starlette.types import Message, Receive

LARGEST = 2**21  # bytes of an event, which carries settings and never pictures


class JSONError(Exception):
    """The body is not what an event carries: status of the answer and one sentence."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


async def json_body(receive: Receive) -> dict[str, Any]:
    """The body of a request, which has to be one JSON object of bounded size.

    Raises
    ------
    JSONError
        If it is not.
    """
    parts: list[bytes] = []
    more, size = True, 0
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise JSONError(400, "The connection was broken off.")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST:
            raise JSONError(413, "This is more than any event of this page carries.")
        more = message.get("more_body", False)
    try:
        body = json.loads(b"".join(parts) or b"{}")
        json.dumps(body)  # so deep that it cannot be written again?
    except (ValueError, RecursionError):
        raise JSONError(400, "The body of this request is no JSON.") from None
    if not isinstance(body, dict):
        raise JSONError(400, "The body of this request is no JSON object.")
    return body


def replay(receive: Receive, body: dict[str, Any]) -> Receive:
    """Hand a body out once, then whatever else comes."""
    data = json.dumps(body).encode()
    messages: list[Message] = [{"type": "http.request", "body": data, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed
