"""Calls to the served app as a stranger makes them, without the client library's own checks."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx


def api(path: str) -> str:
    return f"/gradio_api/{path}"


def upload(visitor: httpx.Client, file: Path) -> str:
    """The path under which the server knows a file."""
    answer = visitor.post(api("upload"), files={"files": (file.name, file.read_bytes())})
    answer.raise_for_status()
    return answer.json()[0]


def call(visitor: httpx.Client, arguments: list[Any], name: str = "reconstruct") -> str:
    """What the interface answers, as it came."""
    kind = {"content-type": "application/json"}
    content = json.dumps({"data": arguments})  # which may hold a NaN
    event = visitor.post(api(f"call/{name}"), content=content, headers=kind)
    return visitor.get(api(f"call/{name}/{event.json()['event_id']}"), timeout=60).text


def event(
    visitor: httpx.Client,
    name: str,
    values: Mapping[str, Any] | list[Any],
    session: str = "",
    config: dict[str, Any] | None = None,
) -> list[Any]:
    """What an event of the page answers.

    `values` are of its first inputs, or of inputs by their element's id; others are as drawn, as
    `config` of the page says where it is known.
    """
    session = session or uuid.uuid4().hex
    config = config or visitor.get("/config").json()
    one = next(dep for dep in config["dependencies"] if dep["api_name"] == name)
    parts = {part["id"]: part["props"] for part in config["components"]}
    drawn = [parts.get(number, {}) for number in one["inputs"]]
    if isinstance(values, list):
        data = [*values, *(part.get("value") for part in drawn[len(values) :])]
    else:
        data = [values.get(part.get("elem_id"), part.get("value")) for part in drawn]
    body = {"session_hash": session, "fn_index": one["id"], "data": data}
    visitor.post(api("queue/join"), json=body).raise_for_status()
    with visitor.stream("GET", api("queue/data"), params={"session_hash": session}) as lines:
        for line in lines.iter_lines():
            message = json.loads(line.removeprefix("data: ")) if line else {}
            if message.get("msg") == "process_completed":
                return message["output"]["data"] if message["success"] else [message]
    raise AssertionError("the event did not end")
