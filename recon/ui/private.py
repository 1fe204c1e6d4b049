"""Private mode: the network goes to the visitor's browser, and the visitor's file stays there.

The page's part is `web/private.mjs`. The network is exported when the first visitor asks for it;
its runtime and the HDF5 reader come from a public package host, at a pinned version, checked by
the browser against the hashes below, and only when the mode is switched on.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from recon import weights
from recon.ui.web import component
from recon.weights import Store, WeightsError

HOST = "https://cdn.jsdelivr.net/npm"
PACKAGES = ("onnxruntime-web@1.30.0", "h5wasm@0.10.3")
SOURCES = tuple(f"{HOST}/{package}/" for package in PACKAGES)  # for the content security policy
MODEL = "private/resnet-dc.onnx"
_EXPORTING = threading.Lock()  # PyTorch exports one network at a time, and it is wanted once
BYTES = 17_300_000  # of the model, about, for the bar that shows progress

PARTS: dict[str, dict[str, Any]] = {
    "runtime": {
        "url": f"{SOURCES[0]}dist/ort.wasm.bundle.min.mjs",
        "integrity": "sha384-PLWz+nHEVHpjwBsO0YVdvQj6n5814Iv8E3b8FG0Rp/uIAtjFMCKOpP66iPzedrIG",
        "bytes": 73_054,
    },
    "wasm": {
        "url": f"{SOURCES[0]}dist/ort-wasm-simd-threaded.wasm",
        "integrity": "sha384-vjBJ1z7qrhkTyYsNqKeF6c7N+nOJSU94czEo+tvZcu8G75JparGq9kB+kTnEUNVM",
        "bytes": 14_239_897,
    },
    "h5wasm": {
        "url": f"{SOURCES[1]}dist/iife/h5wasm.js",
        "integrity": "sha384-aTwh/FuQtcJd8ZKNGmoaUAXO8xDHXruMNlIXSL5FcavrkZ17sYyYy+oosr/yDsnf",
        "bytes": 5_737_386,
    },
    "model": {"url": MODEL, "bytes": BYTES},
}


def build() -> None:
    """Draw the element; within a tab of the page."""
    component("recon-private", {"parts": PARTS}, elem_id="private")


async def serve(request: Request) -> Response:
    """The exported network, the same for everybody."""
    try:
        store = weights.default_or_shipped()[0]
        data = await run_in_threadpool(exported, store, store.nearest("resnet-dc", 4))
    except (WeightsError, ImportError):
        return JSONResponse({"detail": "The network cannot be exported here."}, 503)
    return Response(data, media_type="application/octet-stream")


def exported(store: Store, name: str) -> bytes:
    """The content of the ``.onnx`` file of a checkpoint.

    Raises
    ------
    WeightsError
        If it is missing or no ResNet-DC.
    ImportError
        If the package onnx is not installed.
    """
    with _EXPORTING:
        return _exported(store, name)


@lru_cache(maxsize=1)
def _exported(store: Store, name: str) -> bytes:
    import onnx  # noqa: F401  PyTorch needs it, and says so less clearly

    from recon.training import export  # takes seconds that the start of the page should not

    return export.onnx(store.load(name))


ROUTE = Route(f"/{MODEL}", serve)
