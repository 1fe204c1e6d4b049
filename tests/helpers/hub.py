"""A Hugging Face Hub on this machine: the parts of its HTTP API that `huggingface_hub` uses.

Repositories with commits, branches and large files, collections, tokens, and everything that
can go wrong on the way: `Hub.fail`, `Hub.cut`, `Hub.corrupt`, `Hub.delay`. Paths and headers
are those of https://huggingface.co as huggingface_hub 2.4 calls them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from huggingface_hub import constants

from recon.weights import checkpoint

TOKEN = "hf_loopback"
LARGE = (".safetensors", ".png")


class Repository:
    """Files by path of every commit; branches point at commits."""

    def __init__(self, private: bool) -> None:
        self.private = private
        self.commits: dict[str, dict[str, bytes]] = {}
        self.branches: dict[str, str] = {}
        self.commit("main", {})

    def commit(self, branch: str, files: dict[str, bytes]) -> str:
        before = self.commits.get(self.branches.get(branch, ""), {})
        now = {path: data for path, data in {**before, **files}.items() if data is not None}
        words = json.dumps([len(self.commits), {k: _oid(v) for k, v in now.items()}])
        sha = hashlib.sha1(words.encode()).hexdigest()
        self.commits[sha], self.branches[branch] = now, sha
        return sha

    def resolve(self, revision: str) -> str | None:
        sha = self.branches.get(revision, revision)
        return sha if sha in self.commits else None


class Hub:
    """The server's state; `requests` lists method and path of all that was asked."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.collections: dict[str, dict[str, Any]] = {}
        self.large: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.url = ""
        self._failures: list[tuple[str, int, int, dict[str, str]]] = []
        self._changes: dict[str, Any] = {}
        self._delay: tuple[str, float] = ("(?!)", 0.0)

    def fail(self, pattern: str, status: int, times: int = 10**6, **headers: str) -> None:
        """Answer requests whose "METHOD path" matches with a status, so many times."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self._failures.append((pattern, status, times, names))

    def cut(self, name: str, length: int) -> None:
        """End the line after so many bytes of a file, every time."""
        self._changes[name] = lambda data: data[:length]

    def corrupt(self, name: str) -> None:
        """Send a file of the right size with one bit changed, every time."""
        self._changes[name] = lambda data: data[:-1] + bytes([data[-1] ^ 1])

    def delay(self, name: str, seconds: float) -> None:
        """Send a file in ten pieces with a pause after each."""
        self._delay = (name, seconds)

    def mend(self) -> None:
        """Undo everything that goes wrong."""
        self._failures, self._changes, self._delay = [], {}, ("(?!)", 0.0)

    def _failure(self, request: str) -> tuple[int, dict[str, str]] | None:
        for i, (pattern, status, times, headers) in enumerate(self._failures):
            if times and re.search(pattern, request):
                self._failures[i] = (pattern, status, times - 1, headers)
                return status, headers
        return None


@contextmanager
def serve() -> Iterator[Hub]:
    """A Hub on a free port of the loopback interface."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def connect(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the client to a Hub, with an empty cache and no token, as its variables would."""
    monkeypatch.setattr(constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(folder / "no token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    # The client waits ever longer between tries, which is its own matter.
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
    checkpoint.load.cache_clear()


def _oid(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _is_large(path: str) -> bool:
    return path.endswith(LARGE)


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._route()

    do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815

    def _route(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        if self.headers.get("Transfer-Encoding") == "chunked":
            self.body = self._chunks()
        path = unquote(urlsplit(self.path).path)
        request = f"{self.command} {path}"
        self.hub.requests.append(request)
        if failure := self.hub._failure(request):
            self._json({"error": "made to fail"}, *failure)
            return
        for methods, pattern, action in ROUTES:
            if self.command in methods and (match := re.fullmatch(pattern, path)):
                action(self, *match.groups())
                return
        self._json({"error": f"no such path: {request}"}, 404)

    def _chunks(self) -> bytes:
        data = b""
        while size := int(self.rfile.readline(), 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def _json(self, content: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._send(json.dumps(content).encode(), status, headers or {}, "application/json")

    def _send(self, data: bytes, status: int, headers: dict[str, str], kind: str) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(data)),
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _refused(self, code: str, status: int) -> None:
        self._json({"error": code}, status, {"X-Error-Code": code, "X-Error-Message": code})

    def _signed_in(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _writable(self) -> bool:
        if not self._signed_in():
            self._json({"error": "Invalid username or password."}, 401)
        return self._signed_in()

    def _repository(self, name: str) -> Repository | None:
        """As on the Hub, a private repository and a missing one look alike from outside."""
        found = self.hub.repositories.get(name)
        if found is None or (found.private and not self._signed_in()):
            self._refused("RepoNotFound", 404 if self._signed_in() else 401)
            return None
        return found

    def _files(self, name: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        repository = self._repository(name)
        if repository is None:
            return None
        sha = repository.resolve(revision)
        if sha is None:
            self._refused("RevisionNotFound", 404)
            return None
        return sha, repository.commits[sha]

    # What is asked, and the answers.

    def whoami(self) -> None:
        if self._writable():
            self._json({"type": "user", "name": "org", "auth": {"accessToken": {"role": "write"}}})

    def create(self) -> None:
        if not self._writable():
            return
        wish = json.loads(self.body)
        name = f"{wish.get('organization') or 'org'}/{wish['name']}"
        private = wish.get("visibility") == "private" or bool(wish.get("private"))
        status = 409 if name in self.hub.repositories else 200
        self.hub.repositories.setdefault(name, Repository(private))
        self._json({"url": f"{self.hub.url}/{name}", "name": name, "id": name}, status)

    def info(self, name: str, revision: str | None = None) -> None:
        if (found := self._files(name, revision or "main")) is None:
            return
        sha, files = found
        siblings = [
            {"rfilename": path, "size": len(data), "blobId": _oid(data)}
            for path, data in files.items()
        ]
        private = self.hub.repositories[name].private
        self._json({"id": name, "sha": sha, "private": private, "siblings": siblings})

    def preupload(self, name: str, revision: str) -> None:
        if not self._writable() or (found := self._files(name, revision)) is None:
            return
        modes = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if _is_large(file["path"]) else "regular",
                "shouldIgnore": False,
                "oid": _oid(found[1][file["path"]]) if file["path"] in found[1] else None,
            }
            for file in json.loads(self.body)["files"]
        ]
        self._json({"files": modes})

    def batch(self, name: str) -> None:
        if not self._writable():
            return
        objects = [
            {
                "oid": o["oid"],
                "size": o["size"],
                "actions": {"upload": {"href": f"{self.hub.url}/lfs/{o['oid']}"}},
            }
            for o in json.loads(self.body)["objects"]
        ]
        self._json({"transfer": "basic", "objects": objects})

    def store(self, sha256: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != sha256:
            self._json({"error": "wrong hash"}, 422)
            return
        self.hub.large[sha256] = self.body
        self._json({})

    def commit(self, name: str, branch: str) -> None:
        if not self._writable() or (repository := self._repository(name)) is None:
            return
        files: dict[str, Any] = {}
        for line in self.body.splitlines():
            item = json.loads(line)
            key, value = item["key"], item["value"]
            if key == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
            elif key == "deletedFile":
                files[value["path"]] = None
        sha = repository.commit(branch, files)
        self._json({"commitUrl": f"{self.hub.url}/{name}/commit/{sha}", "commitOid": sha})

    def file(self, name: str, revision: str, path: str) -> None:
        if (found := self._files(name, revision)) is None:
            return
        sha, files = found
        if path not in files:
            self._json({}, 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": sha})
            return
        data = files[path]
        etag = hashlib.sha256(data).hexdigest() if _is_large(path) else _oid(data)
        headers = {"X-Repo-Commit": sha, "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
        size, status = len(data), 200
        data = self.hub._changes.get(path, lambda same: same)(data)
        if asked := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            start, status = int(asked[1]), 206
            headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
            data, size = data[start:], size - start
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(size)}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        slow, pause = self.hub._delay
        pieces = 10 if path == slow else 1
        step = max(1, -(-len(data) // pieces))
        for i in range(0, len(data), step):
            self.wfile.write(data[i : i + step])
            if path == slow:
                time.sleep(pause)
        self.close_connection = len(data) < size

    def collection(self) -> None:
        if not self._writable():
            return
        wish = json.loads(self.body)
        slug = f"{wish['namespace']}/{wish['title'].lower().replace(' ', '-')}-0123456789abcdef"
        status = 409 if slug in self.hub.collections else 200
        made = {
            "slug": slug, "items": [], "owner": {"name": wish["namespace"]}, "position": 0,
            "lastUpdated": "2026-01-01T00:00:00.000Z", "theme": "blue", "upvotes": 0, **wish,
        }  # fmt: skip
        self._json(self.hub.collections.setdefault(slug, made), status)

    def one_collection(self, slug: str) -> None:
        self._json(self.hub.collections[slug])

    def add_item(self, slug: str) -> None:
        if not self._writable():
            return
        wish = json.loads(self.body)
        items = self.hub.collections[slug]["items"]
        known = any(item["id"] == wish["item"]["id"] for item in items)
        if not known:
            note = {"text": wish["note"]} if wish.get("note") else None
            position = len(items)
            items.append(
                {"_id": f"{position:024}", "position": position, "note": note, **wish["item"]}
            )
        self._json(self.hub.collections[slug], 409 if known else 200)


NAME = r"([\w.-]+/[\w.-]+)"
KIND = r"/api/(?:models|spaces)"
ROUTES = (
    (("GET",), r"/api/whoami-v2", _Handler.whoami),
    (("POST",), r"/api/repos/create", _Handler.create),
    (("POST",), r"/api/validate-yaml", lambda self: self._json({"errors": [], "warnings": []})),
    (("GET",), rf"{KIND}/{NAME}(?:/revision/(.+))?", _Handler.info),
    (("POST",), rf"{KIND}/{NAME}/preupload/(.+)", _Handler.preupload),
    (("POST",), rf"(?:/spaces)?/{NAME}\.git/info/lfs/objects/batch", _Handler.batch),
    (("PUT",), r"/lfs/([0-9a-f]{64})", _Handler.store),
    (("POST",), rf"{KIND}/{NAME}/commit/(.+)", _Handler.commit),
    (("GET", "HEAD"), rf"(?:/spaces)?/{NAME}/resolve/([^/]+)/(.+)", _Handler.file),
    (("POST",), r"/api/collections", _Handler.collection),
    (("GET",), rf"/api/collections/{NAME}", _Handler.one_collection),
    (("POST",), rf"/api/collections/{NAME}/items", _Handler.add_item),
)  # fmt: skip
