"""An upload, from the network to a place of its own in the folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anyio
from gradio.route_utils import GradioMultiPartParser
from gradio.routes import file_upload_statuses
from gradio_client.utils import strip_invalid_filename_characters
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request

from recon.ui.serving.uploads import FullError, Store, Visitor

FORM = 2**20  # bytes that the form around a file may take


class NotTakenError(Exception):
    """The upload was not taken: status of the answer and one sentence."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


async def take_in(
    request: Request, store: Store, visitor: Visitor, largest: int, progress: str | None
) -> Path:
    """Take one file of a form in; broken off, nothing of it is left.

    Parameters
    ----------
    request
        With the form as its body.
    store, visitor
        Where it goes, and whose it is.
    largest
        Bytes of the largest file that is taken.
    progress
        Name under which the browser asks how far the upload is.

    Raises
    ------
    NotTakenError
        If it is too large, there is no room, or it is no such form.
    """
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > largest + FORM:
        raise _too_large(largest)
    place, path = None, None
    try:
        place = store.begin()
        path = await _written(request, store, place, largest, progress)
        store.finish(place, [path], visitor)
        return path
    except (FullError, OSError):
        raise NotTakenError(507, str(FullError())) from None
    except MultiPartException as error:
        if "maximum allowed size" in error.message:
            raise _too_large(largest) from None
        raise NotTakenError(400, "An upload is a form with one file, named files.") from None
    except ClientDisconnect:
        raise NotTakenError(400, "The upload was broken off.") from None
    finally:
        if place is not None and path is None:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(store.discard, place)
        if progress:  # who watches has been told by then
            loop = asyncio.get_running_loop()
            loop.call_later(10, file_upload_statuses.stop_tracking, progress)
            loop.call_later(10, file_upload_statuses._signals.pop, progress, None)


def _too_large(largest: int) -> NotTakenError:
    words = f"This file is too large; up to {largest / 2**20:.0f} MiB are accepted."
    return NotTakenError(413, words)


async def _written(
    request: Request, store: Store, place: Path, largest: int, progress: str | None
) -> Path:
    parser = GradioMultiPartParser(
        Headers({"content-type": request.headers.get("content-type", "")}),
        _counted(request, store, place, largest + FORM),
        max_files=1,
        max_fields=0,  # they would be kept in memory
        upload_dir=place,
        max_file_size=largest,
        upload_id=progress,
        upload_progress=file_upload_statuses if progress else None,
    )
    if progress:
        file_upload_statuses.track(progress)
    try:
        form = await parser.parse()
        file: Any = form["files"]
    except KeyError:
        raise MultiPartException("no file") from None
    finally:
        for written in parser._files_to_close_on_error:
            written.close()
    name = strip_invalid_filename_characters(Path(file.filename or "").name)
    return Path(file.file.name).rename(place / (name if name.strip(". ") else "file"))


async def _counted(
    request: Request, store: Store, place: Path, limit: int
) -> AsyncGenerator[bytes, None]:
    """The body, no more of it than `limit`, and than there is room for."""
    async for part in request.stream():
        limit -= len(part)
        if limit < 0:
            raise MultiPartException("more than the maximum allowed size")
        store.grow(place, len(part))
        yield part
