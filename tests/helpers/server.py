"""Calls to the served app as a stranger makes them, without the client library's own checks."""

from __future__ import annotations

import json
import uuid
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
    visitor: httpx.Client, name: str, values: list[Any], session: str | None = None
) -> list[Any]:
    """What an event of the page answers: values of its first inputs, the others as drawn."""
    session = session or uuid.uuid4().hex
    config = visitor.get("/config").json()
    parts = {part["id"]: part["props"] for part in config["components"]}
    one = next(dep for dep in config["dependencies"] if dep["api_name"] == name)
    parts.update({n: {} for n in one["inputs"] if n not in parts})
    drawn = [parts[number].get("value") for number in one["inputs"][len(values) :]]
    body = {"session_hash": session, "fn_index": one["id"], "data": [*values, *drawn]}
    visitor.post(api("queue/join"), json=body).raise_for_status()
    with visitor.stream("GET", api("queue/data"), params={"session_hash": session}) as lines:
        for line in lines.iter_lines():
            message = json.loads(line.removeprefix("data: ")) if line else {}
            if message.get("msg") == "process_completed":
                return message["output"]["data"] if message["success"] else [message]
    raise AssertionError("the event did not end")
