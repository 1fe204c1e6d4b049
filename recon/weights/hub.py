"""Checkpoints on the Hugging Face Hub: a repository holds one, as a folder does.

What was downloaded stays in the Hub's cache, so a full revision is asked for once and found
there ever after, without a connection. `huggingface_hub` does the work; what it raises becomes
one sentence.
"""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from huggingface_hub import HfApi, hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from recon.weights import checkpoint
from recon.weights.checkpoint import WeightsError

REFERENCE = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")  # ORG/NAME or ORG/NAME@REVISION
COMMIT = re.compile("[0-9a-f]{40}")
FILES = re.compile(r"config\.json|record\.json|model(-\d+)?\.safetensors")
HEAVIEST = 1_000_000_000  # bytes of a checkpoint that anybody here could want to load
TIMEOUT = 10  # seconds without an answer
BUSY = (429, 500, 502, 503, 504)
TRIES, LONGEST_WAIT = 4, 30  # of a busy Hub, and seconds it may ask to wait

# Of the HTTP library below huggingface_hub, whichever that is: no answer, a broken line.
HTTPError: type[BaseException] = HfHubHTTPError.__bases__[0]
ERRORS = (OSError, ValueError, HTTPError)  # what may be raised on the way to the Hub
BROKEN = ("RemoteProtocolError", "ReadError", "ReadTimeout")

T = TypeVar("T")


class NoCheckpointError(ValueError):
    """A repository without the files of a checkpoint."""


def fetch(repo: str, revision: str | None = None) -> tuple[Path, str]:
    """A checkpoint's folder in the Hub's cache, and its full revision; downloaded if need be.

    Parameters
    ----------
    repo
        ``ORG/NAME``.
    revision
        A full one is first looked for in the cache, and needs no connection if it is there. A
        branch or tag is looked up on the Hub, and without a connection in the cache.

    Raises
    ------
    WeightsError
        If it is not there, cannot be had, or its files are not those of its configuration.
    """
    try:
        if not (revision and COMMIT.fullmatch(revision)):
            revision = _commit(repo, revision or "main")
        folder = _cached(repo, revision)
        if folder is None or not checkpoint.intact(folder):
            folder = _download(repo, revision, again=folder is not None)
    except ERRORS as error:
        raise WeightsError(sentence(error, repo, revision)) from error
    if not checkpoint.intact(folder):
        raise WeightsError(
            f"The weights of {repo} on the Hub are not those whose SHA-256 its config.json holds; "
            f"they are not used."
        )
    return folder, revision


def _commit(repo: str, revision: str) -> str:
    """The commit a branch or tag points at; the last one known, where the Hub cannot say."""
    return Path(_file(repo, "config.json", revision)).parent.name


def _cached(repo: str, commit: str) -> Path | None:
    """Where the cache has a revision, if it has all that is needed."""
    found = try_to_load_from_cache(repo, "config.json", revision=commit)
    if not isinstance(found, str):
        return None
    folder = Path(found).parent
    return folder if checkpoint.weight_files(folder) else None


def _download(repo: str, commit: str, again: bool) -> Path:
    info = _patiently(
        lambda: HfApi().model_info(repo, revision=commit, timeout=TIMEOUT, files_metadata=True)
    )
    files = {f.rfilename: f.size or 0 for f in info.siblings or [] if FILES.fullmatch(f.rfilename)}
    if "config.json" not in files or not any(name.startswith("model") for name in files):
        raise NoCheckpointError
    if sum(files.values()) > HEAVIEST:
        raise WeightsError(
            f"The weights of {repo} have {sum(files.values()) / 1e9:.1f} GB; "
            f"up to {HEAVIEST / 1e9:.0f} GB are loaded."
        )
    for name in sorted(files):
        path = _file(repo, name, commit, again)
    return Path(path).parent


def _file(repo: str, name: str, revision: str, again: bool = False) -> str:
    return _patiently(
        lambda: hf_hub_download(
            repo, name, revision=revision, etag_timeout=TIMEOUT, force_download=again
        )
    )


def _patiently(ask: Callable[[], T]) -> T:
    """Ask again a few times where the Hub is busy, after the pause that it wishes for."""
    for attempt in range(TRIES):
        try:
            return ask()
        except OSError as error:
            response = _response(error)
            if response is None or response.status_code not in BUSY or attempt == TRIES - 1:
                raise
            said = response.headers.get("retry-after", "")
            wait = int(said) if said.isdigit() else 1
            if wait > LONGEST_WAIT:
                raise
            time.sleep(wait)
    raise AssertionError


def _response(error: BaseException | None) -> Any:
    """What the Hub answered, from whichever error it caused first; None if it did not."""
    while error is not None:
        if getattr(error, "response", None) is not None:
            return error.response  # type: ignore[attr-defined]
        error = error.__cause__ or error.__context__
    return None


def sentence(
    error: BaseException, repo: str, revision: str | None = None, writing: bool = False
) -> str:
    """What went wrong between us and the Hub, for the person."""
    response = _response(error)
    status = 0 if response is None else response.status_code
    if isinstance(error, HFValidationError):
        return f"'{repo}' names no repository of the Hub; write ORG/NAME or ORG/NAME@REVISION."
    if writing and status in (401, 403, 404):
        return (
            f"The Hub does not let you write to {repo}; 'hf auth login' or the environment "
            f"variable HF_TOKEN with a token that may write is needed."
        )
    if isinstance(error, RevisionNotFoundError):
        return f"{repo} has no revision '{revision}' on the Hub."
    if isinstance(error, RepositoryNotFoundError) or status in (401, 403):
        return (
            f"There is no {repo} on the Hub for you: it does not exist, or it is private and "
            f"needs 'hf auth login' or the environment variable HF_TOKEN."
        )
    if isinstance(error, NoCheckpointError) or status == 404:
        return f"{repo} on the Hub is no checkpoint: that has config.json and model.safetensors."
    if status == 429:
        return "The Hub is asked too often at the moment; try again in a few minutes."
    if status:
        return f"The Hub cannot answer at the moment (HTTP status {status}); try again later."
    if "Consistency check failed" in str(error) or type(error).__name__ in BROKEN:
        return f"The download of {repo} from the Hub broke off; try again."
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EROFS, errno.EACCES):
        return f"{repo} cannot be kept in the Hub's cache on this machine: {error.strerror}."
    if writing:
        return "The Hub cannot be reached; nothing was published."
    return (
        f"{repo} is not in the Hub's cache on this machine, and the Hub cannot be reached; it "
        f"needs an internet connection once."
    )
