"""The interface for programs: every documented call, by every documented client."""

from __future__ import annotations

import ast
import asyncio
import base64
import contextlib
import io
import json
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

import recon
from recon import examples, masks, phantom
from recon.probes import psf

ENDPOINTS = {"/reconstruct", "/describe", "/mask", "/psf", "/methods", "/examples"}
DOCUMENT = Path(__file__).parents[2] / "docs/api.md"
CLIENT_JS = "@gradio/client@2.7.0"
KSPACE = phantom.kspace((96, 80), seed=2)
SCORES = ("ssim", "psnr", "nmse", "zero_filled_ssim", "closed_share", "achieved_acceleration")


@pytest.fixture(scope="module")
def client(url):
    return Client(url, verbose=False)


@pytest.fixture(scope="module")
def scan(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("scan") / "scan.npy"
    np.save(path, KSPACE)
    return path


def documented(language: str, url: str) -> str:
    """The first block of a language in docs/api.md, with the address of the app under test."""
    code = re.search(rf"```{language}\n(.*?)```", DOCUMENT.read_text("utf-8"), re.S)[1]
    return code.replace("http://127.0.0.1:7860", url.rstrip("/"))


def expected(**wish) -> dict:
    return recon.reconstruct(KSPACE, **wish).record()


def test_nothing_else_is_public(client, url):
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(named) == ENDPOINTS
    table = DOCUMENT.read_text("utf-8")
    for name, endpoint in named.items():
        assert f"| `{name}` |" in table
        assert endpoint["description"]
        if name != "/psf":  # which says "as /mask"
            row = next(line for line in table.splitlines() if line.startswith(f"| `{name}` |"))
            for argument in endpoint["parameters"]:
                assert f"`{argument['parameter_name']}`" in row


@pytest.mark.parametrize(
    "wish",
    [
        {"acceleration": 8, "seed": 3, "method": "zero-filled"},
        {"acceleration": 4, "family": "equispaced", "method": "resnet-dc"},
        {"center_fraction": 0.2, "phase_encode": "rows", "method": "cs"},
    ],
    ids=str,
)
def test_the_same_numbers_as_in_python(client, scan, wish):
    answer = client.predict(handle_file(scan), api_name="/reconstruct", **wish)
    ours = expected(**wish)
    for name in SCORES:
        assert answer[name] == pytest.approx(ours[name], rel=1e-6)
    assert answer["version"] == 1
    assert answer["file"] == "scan.npy"


def test_coils_and_slices(client, tmp_path):
    stack = np.stack([phantom.kspace((48, 40), seed=s) for s in range(6)]).reshape(3, 2, 48, 40)
    np.save(tmp_path / "stack.npy", stack)
    file = handle_file(tmp_path / "stack.npy")
    held = client.predict(file, api_name="/describe")
    assert (held["slices"], held["coils"], held["height"], held["width"]) == (3, 2, 48, 40)
    for coils, said in (("rss", "rss"), ("svd", "svd"), (1, "1"), (0, 0)):
        answer = client.predict(
            file, method="zero-filled", slice=2, coils=said, api_name="/reconstruct"
        )
        ours = recon.reconstruct(stack[2], method="zero-filled", coils=coils).record()
        assert answer["ssim"] == pytest.approx(ours["ssim"], rel=1e-6)
        assert answer["slice"] == 2


def test_pictures_and_arrays_come_as_files(client, scan):
    answer = client.predict(
        handle_file(scan), method="zero-filled", files=True, api_name="/reconstruct"
    )
    with np.load(answer["arrays"]) as arrays:
        ours = recon.reconstruct(KSPACE, method="zero-filled")
        np.testing.assert_array_equal(arrays["reconstruction"], ours.image)
        np.testing.assert_array_equal(arrays["reference"], ours.reference)
    for path in answer["pictures"].values():
        assert Path(path).read_bytes().startswith(b"\x89PNG")
    assert "arrays" not in client.predict(
        handle_file(scan), method="zero-filled", api_name="/reconstruct"
    )


def test_examples_serve_as_files_do(client):
    listed = client.predict(api_name="/examples")["examples"]
    assert [one["key"] for one in listed] == list(examples.EXAMPLES)
    answer = client.predict(example="phantom", method="zero-filled", api_name="/reconstruct")
    ours = recon.reconstruct(examples.load("phantom"), method="zero-filled").record()
    assert answer["ssim"] == pytest.approx(ours["ssim"], rel=1e-6)


@pytest.mark.parametrize("key", [key for key, e in examples.EXAMPLES.items() if not e.remote])
def test_built_in_examples_are_described_as_they_are(client, key):
    kspace = examples.load(key)
    held = client.predict(example=key, api_name="/describe")
    sizes = held["coils"], held["height"], held["width"]
    assert sizes == (kspace.data.shape if kspace.data.ndim == 3 else (1, *kspace.data.shape))
    assert held["format"] == kspace.source.format
    assert held["slices"] == 1


def test_methods_are_the_librarys(client):
    listed = client.predict(api_name="/methods")["methods"]
    assert [one["name"] for one in listed] == recon.methods()


@pytest.mark.parametrize("family", masks.FAMILIES)
def test_masks_and_their_point_spread(client, family):
    wish = {"width": 129, "acceleration": 5, "seed": 7, "family": family}
    answer = client.predict(**wish, api_name="/mask")
    lines = masks.FAMILIES[family](129, 5, None, 7)
    assert answer["lines"] == "".join("01"[int(line)] for line in lines)
    assert answer["measured"] == lines.sum()
    for spread in (
        client.predict(**wish, api_name="/psf"),
        client.predict(lines=answer["lines"], api_name="/psf"),
        client.predict(lines=answer["lines"], width=129, api_name="/psf"),
    ):
        ours = np.abs(psf.point_spread(lines))
        np.testing.assert_allclose(spread["magnitude"], ours / ours[64], atol=1e-12)
        assert spread["incoherence"] == pytest.approx(psf.incoherence(lines))


def call(url: str, endpoint: str, arguments: dict) -> str:
    """Call as a stranger would, without the client's own checks."""
    address = f"{url.rstrip('/')}/gradio_api/call"
    event = httpx.post(f"{address}/v2{endpoint}", json=arguments).json()["event_id"]
    return httpx.get(f"{address}{endpoint}/{event}", timeout=60).text


WRONG: dict[str, list[dict[str, Any]]] = {
    "/reconstruct": [
        {},
        {"example": "none"},
        {"example": ["head"]},
        {"example": "head", "acceleration": "4"},
        {"example": "head", "acceleration": 0},
        {"example": "head", "acceleration": True},
        {"example": "head", "seed": -1},
        {"example": "head", "seed": 1.5},
        {"example": "head", "seed": 1e30},
        {"example": "head", "method": "none"},
        {"example": "head", "method": {}},
        {"example": "head", "slice": "a"},
        {"example": "head", "family": []},
        {"example": "head", "center_fraction": 2},
        {"example": "head", "coils": 10**6},
        {"example": "head", "coils": False},
        {"example": "head", "crop": "no"},
        {"example": "head", "files": "yes"},
        {"example": "head", "files": 1},
        {"example": "head", "phase_encode": "diagonal"},
        {"file": {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}},
        {"file": "/etc/passwd"},
        {"file": 5},
    ],
    "/mask": [
        {"width": 0},
        {"width": 10**9},
        {"width": "wide"},
        {"width": 10.5},
        {"acceleration": -4},
        {"family": "none"},
    ],
    "/psf": [
        {"lines": "01" * 32, "width": 320},
        {"width": 7},
        {"lines": "102"},
        {"lines": "01" * 10**4},
        {"lines": [1, 0]},
        {"lines": "0" * 64},
    ],
    "/describe": [{}, {"file": {"path": 5}}],
}


@pytest.mark.parametrize(
    ("endpoint", "arguments"),
    [(endpoint, wrong) for endpoint, all_ in WRONG.items() for wrong in all_],
    ids=str,
)
def test_what_is_wrong_is_one_sentence(url, endpoint, arguments, capsys):
    answer = call(url, endpoint, arguments)
    assert "event: error" in answer
    for word in ("Traceback", "root:", "site-packages"):
        assert word not in answer
    if "file" not in arguments:  # Gradio itself refuses files that were not uploaded
        assert json.loads(answer.partition("data: ")[2])["error"].endswith(".")


def test_a_file_and_an_example_together_are_refused(client, scan):
    for endpoint in ("/reconstruct", "/describe"):
        with pytest.raises(AppError, match="a file or an example, not both"):
            client.predict(handle_file(scan), example="head", api_name=endpoint)


def test_python_as_documented(url, scan, monkeypatch):
    monkeypatch.chdir(scan.parent)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(documented("python", url), "docs/api.md", "exec"), {})
    scores = [float(word) for word in printed.getvalue().split()[:2]]
    ours = expected(acceleration=8, seed=3)
    assert scores == pytest.approx([ours["ssim"], ours["zero_filled_ssim"]], rel=1e-6)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on the path")
def test_curl_as_documented(url, scan):
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", documented("bash", url)],
        cwd=scan.parent, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    answer = json.loads(done.stdout.partition("data: ")[2].partition("\n")[0])[0]
    assert answer["ssim"] == pytest.approx(expected(acceleration=8, seed=3)["ssim"], rel=1e-6)


@pytest.fixture(scope="module")
def node(tmp_path_factory) -> Path:
    """A folder with the JavaScript client."""
    if shutil.which("npm") is None:
        pytest.skip("no npm on the path")
    folder = tmp_path_factory.mktemp("node")
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, CLIENT_JS],
        capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    if done.returncode:
        pytest.skip("the JavaScript client could not be installed")
    return folder


def test_javascript_as_documented(url, scan, node):
    (node / "call.mjs").write_text(documented("javascript", url))
    shutil.copy(scan, node)
    done = subprocess.run(
        ["node", "call.mjs"], cwd=node, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    ours = expected(acceleration=8, seed=3)
    scores = [float(word) for word in done.stdout.split()]
    assert scores == pytest.approx([ours["ssim"], ours["zero_filled_ssim"]], rel=1e-6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tools_for_language_models(url, scan):
    """By the MCP client, on the same server."""
    pytest.importorskip("mcp", reason="the package mcp is not installed")
    with ThreadPoolExecutor(1) as other:  # a browser of other tests may have a loop in this one
        tools, answers = other.submit(asyncio.run, _ask_as_a_model(url, scan)).result()
    assert {"/" + name for name in tools} == ENDPOINTS
    about = tools["reconstruct"]
    for words in ("never for diagnosis", "SSIM (0 to 1", "PSNR (dB)"):
        assert words in about.description
    properties = about.inputSchema["properties"]
    assert all(one.get("description") for one in properties.values())
    assert "phase-encode lines" in properties["acceleration"]["description"]
    ours = recon.reconstruct(examples.load("phantom"), 8, 3, "zero-filled").record()
    assert isinstance(answers["example"], dict), answers["example"]
    assert answers["example"]["ssim"] == pytest.approx(ours["ssim"], rel=1e-6)
    assert isinstance(answers["file"], dict), answers["file"]
    assert answers["file"]["ssim"] == pytest.approx(
        expected(method="zero-filled")["ssim"], rel=1e-6
    )
    assert answers["mask"]["measured"] == masks.random_cartesian(64, 4).sum()
    assert "from 1 to 64" in answers["wrong"]


async def _ask_as_a_model(url: str, scan: Path) -> tuple[dict, dict]:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    inline = base64.b64encode(scan.read_bytes()).decode()
    uploaded = f"data:application/octet-stream;base64,{inline}"
    wishes = {
        "example": (
            "reconstruct",
            {"example": "phantom", "acceleration": 8, "seed": 3, "method": "zero-filled"},
        ),
        "file": (
            "reconstruct",
            {"file": uploaded, "method": "zero-filled"},
        ),
        "mask": ("mask", {"width": 64}),
        "wrong": ("mask", {"acceleration": 0}),
    }
    answers = {}
    address = f"{url}gradio_api/mcp/"
    async with (
        streamable_http_client(address) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        for name, (tool, arguments) in wishes.items():
            answer = await session.call_tool(tool, arguments)
            text = answer.content[0].text
            answers[name] = text if answer.isError else ast.literal_eval(text)
    return tools, answers
