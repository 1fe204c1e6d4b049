"""How Gradio is launched here, and what is deleted and forgotten while it runs."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import ctypes
import functools
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import gradio as gr
from gradio.context import LocalContext
from gradio.utils import _parse_file_size, get_upload_folder
from starlette.middleware import Middleware

from recon.errors import InputError
from recon.ui import private, session
from recon.ui.serving.costs import Costs
from recon.ui.serving.guard import Guard
from recon.ui.serving.sessions import Sessions, leave_behind
from recon.ui.serving.uploads import Store, Visitor

SWEEP = 60  # seconds between looks for what is to be deleted
TRIM = 5  # seconds between returns of free memory, of which a dear upload leaves much
M_ARENA_MAX, ARENAS = -8, 2  # glibc's name for an option of mallopt; heaps, of 16 on two cores

_store: Store | None = None


def options(**given: Any) -> dict[str, Any]:
    """Arguments for Gradio's ``launch`` that put the guard in front; `given` ones are kept.

    ``RECON_MAX_UPLOAD`` (default 1gb) bounds one file, ``RECON_UPLOAD_QUOTA`` (default 10gb) all
    of them together.
    """
    global _store
    quota = _parse_file_size(os.environ.get("RECON_UPLOAD_QUOTA", "10gb"))
    assert quota is not None
    _store = Store(Path(get_upload_folder()).resolve() / "recon", quota)
    _store.forgotten.append(session.forget)
    costs = Costs()
    _few_heaps()
    # A server with pages open does not wait for them when it is stopped, and skips its lifespan.
    atexit.register(close)
    return {
        "max_file_size": os.environ.get("RECON_MAX_UPLOAD", "1gb"),
        "app_kwargs": {
            "middleware": [Middleware(Guard, store=_store, costs=costs)],
            "routes": [private.ROUTE],
            "lifespan": functools.partial(_lifespan, store=_store, costs=costs),
        },
        **given,
    }


def close() -> None:
    """Delete every file of every visitor."""
    if _store is not None:
        _store.close()


def checked(path: object) -> str:
    """The path of an upload, as an event was given it.

    Raises
    ------
    InputError
        If it is none, as every path is where the page is served without the guard.
    """
    if _store is None or not isinstance(path, str) or not _store.known(path):
        raise session.GoneError
    return str(path)


def visitor() -> Visitor:
    """Whose event this is.

    Raises
    ------
    InputError
        If nobody can tell, as where the page is served without the guard, or to a browser that
        keeps no cookies.
    """
    request = LocalContext.request.get(None)
    scope = getattr(getattr(request, "request", None), "scope", {})
    found = scope.get("state", {}).get("visitor")
    if not isinstance(found, Visitor) or not found.returned:
        raise InputError("A class knows its members by a cookie; please allow this page to set it.")
    return found


def produce(name: str, data: bytes) -> str:
    """Write a file for the visitor whose event this is, and nobody else: its path.

    Raises
    ------
    InputError
        If the server has no room for it.
    """
    request = LocalContext.request.get(None)
    assert _store is not None
    assert isinstance(request, gr.Request)
    assert request.request is not None
    return _store.produce(name, data, request.request.scope["state"]["visitor"])


@asynccontextmanager
async def _lifespan(app: Any, store: Store, costs: Costs) -> AsyncIterator[None]:
    app.state_holder = Sessions(app.get_blocks())
    costs.watch(app)
    task = asyncio.create_task(_sweep(app, store))
    try:
        yield
    finally:
        task.cancel()
        store.close()


async def _sweep(app: Any, store: Store) -> None:
    while True:
        await anyio.to_thread.run_sync(store.sweep)
        leave_behind(app, store)
        end = time.monotonic() + SWEEP
        while time.monotonic() < end:
            await anyio.to_thread.run_sync(_give_back)
            await asyncio.sleep(min(TRIM, SWEEP))


def _few_heaps() -> None:
    """Let threads share heaps: each keeps what was free in it when it was largest (glibc)."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)


def _give_back() -> None:
    """Return memory that is free to the system, where the C library keeps it otherwise (glibc)."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
