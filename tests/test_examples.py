"""The built-in slices, and the real scans through a folder, a local server and no internet."""

from __future__ import annotations

import dataclasses
import hashlib
import http.server
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io

from recon import examples
from recon.errors import InputError
from recon.examples import EXAMPLES, Remote, fetch, load
from recon.fourier import ifft2c
from recon.kspace import KSpace
from recon.methods import find
from recon.scan import Scan

REMOTE = [key for key, example in EXAMPLES.items() if example.remote]
BUILT_IN = [key for key in EXAMPLES if key not in REMOTE]
# Copies of the real scans, where this machine has any.
COPIES = Path(
    os.environ.get("RECON_EXAMPLES") or Path(__file__).parents[2] / "shared/data/real_kspace"
)


@pytest.fixture(autouse=True)
def no_internet(monkeypatch, tmp_path):
    """No folder of copies, an empty cache, and a host that refuses every connection."""
    monkeypatch.delenv("RECON_EXAMPLES", raising=False)
    for proxy in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(proxy, raising=False)
        monkeypatch.delenv(proxy.upper(), raising=False)
    monkeypatch.setattr(examples, "HOST", "http://127.0.0.1:9")
    monkeypatch.setattr(examples.pooch, "os_cache", lambda project: tmp_path / "cache" / project)


@pytest.fixture
def scan(tmp_path_factory, monkeypatch):
    """A small published scan in place of the real spin echo: its bytes and its example key."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("upstream") / "scan.mat"
    scipy.io.savemat(path, {"data": rng.standard_normal((16, 16, 2)) @ [1, 1j]})
    content = path.read_bytes()
    file = Remote(
        name="scan.mat",
        repository="owner/repository",
        commit="0" * 40,
        path="a folder/scan.mat",
        sha256=hashlib.sha256(content).hexdigest(),
    )
    example = dataclasses.replace(EXAMPLES["t1-spin-echo"], file=file)
    monkeypatch.setitem(EXAMPLES, "t1-spin-echo", example)
    return content, "t1-spin-echo"


@pytest.fixture
def server(monkeypatch):
    """A local server in place of GitHub: set `.content`, read `.paths`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        server: Any

        def do_GET(self):
            self.server.paths.append(self.path)
            content = self.server.content
            self.send_response(404 if content is None else 200)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *args):
            pass

    httpd: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.content, httpd.paths = None, []
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setattr(examples, "HOST", f"http://127.0.0.1:{httpd.server_port}")
    yield httpd
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def plain_sentence(error: pytest.ExceptionInfo[InputError]) -> str:
    """The message, after checking that it is one a person can read."""
    message = str(error.value)
    assert message.endswith(".")
    assert "\n" not in message
    for noise in ("http", "127.0.0.1", "/", "Error", "pooch"):
        assert noise not in message
    return message


def test_every_example_is_described():
    assert BUILT_IN == ["head", "phantom", "phantom-coils"]
    assert list(EXAMPLES)[:3] == BUILT_IN  # what works everywhere comes first
    assert len({example.title for example in EXAMPLES.values()}) == len(EXAMPLES)
    for key, example in EXAMPLES.items():
        assert example.key == key
        assert example.description.endswith(".")
        if example.remote:
            assert any(licence in example.description for licence in ("MIT", "CC0"))
            assert example.file.repository.split("/")[0] in example.description


def test_files_are_pinned():
    examples_ = [EXAMPLES[key] for key in REMOTE]
    for file in filter(None, [f for e in examples_ for f in (e.file, e.calibration)]):
        assert len(bytes.fromhex(file.sha256)) == 32
        assert len(bytes.fromhex(file.commit)) == 20
        assert file.url == f"{examples.HOST}/{file.repository}/{file.commit}/" + (
            file.path.replace(" ", "%20")
        )


@pytest.mark.parametrize("key", BUILT_IN)
def test_built_in_slices(key):
    k = load(key)
    assert isinstance(k, KSpace)
    assert k.dtype == np.complex64
    assert np.isfinite(k).all()
    assert k.source.name == key
    assert k.source.simulated
    assert k.source.notes
    np.testing.assert_array_equal(k, load(key))
    with pytest.raises(InputError, match="built in"):
        fetch(key)


def test_head_is_the_picture_of_matplotlib():
    """8-bit values in big-endian words: read the other way round the maximum is 55040."""
    image = np.abs(ifft2c(np.asarray(load("head"))))
    assert image.shape == (256, 256)
    assert image.max() == pytest.approx(215, abs=0.01)
    np.testing.assert_allclose(image, np.round(image), atol=1e-3)


def test_head_without_sample_data(monkeypatch):
    from matplotlib import cbook

    def missing(name, **kwargs):
        raise FileNotFoundError(name)

    monkeypatch.setattr(cbook, "get_sample_data", missing)
    with pytest.raises(InputError, match="matplotlib") as error:
        load("head")
    plain_sentence(error)


def test_phantom_has_detail_noise_and_phase():
    k = np.asarray(load("phantom"))
    assert k.shape == (320, 320)
    image = ifft2c(k)
    assert np.abs(image).max() > 0.9
    assert 0.002 < image[:8, :60].real.std() < 0.02  # air
    assert np.ptp(np.angle(image[np.abs(image) > 0.5])) > 1


def test_unknown_example():
    with pytest.raises(InputError, match="head, phantom") as error:
        load("knee")
    plain_sentence(error)


@pytest.mark.parametrize("key", REMOTE)
def test_without_internet(key, capfd):
    with pytest.raises(InputError, match="internet") as error:
        load(key)
    assert "RECON_EXAMPLES" in plain_sentence(error)
    assert capfd.readouterr() == ("", "")


@pytest.mark.timeout(60)
def test_silent_host_is_given_up_on(monkeypatch):
    """A host that accepts and never answers, as behind some firewalls."""
    import socket

    monkeypatch.setattr(examples, "TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(examples, "HOST", f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(InputError, match="internet"):
            load("t1-spin-echo")


def test_download_once_then_cache(scan, server, capfd):
    content, key = scan
    server.content = content
    path = fetch(key)
    assert path.read_bytes() == content
    assert server.paths == [f"/owner/repository/{'0' * 40}/a%20folder/scan.mat"]
    k = load(key)
    assert k.shape == (16, 16)
    assert not k.source.simulated
    assert len(server.paths) == 1
    assert capfd.readouterr() == ("", "")


def test_damaged_cache_is_downloaded_again(scan, server):
    content, key = scan
    server.content = content
    fetch(key).write_bytes(b"half a file")
    assert fetch(key).read_bytes() == content
    assert len(server.paths) == 2


def test_wrong_download_is_refused_and_not_kept(scan, server, tmp_path):
    _, key = scan
    server.content = b"something else"
    with pytest.raises(InputError, match="SHA-256") as error:
        fetch(key)
    plain_sentence(error)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_vanished_file(scan, server):
    server.content = None  # 404
    with pytest.raises(InputError, match="could not be downloaded") as error:
        fetch(scan[1])
    plain_sentence(error)


@pytest.mark.parametrize("folder", [".", "real_kspace", "data/real_kspace"])
def test_folder_of_copies(scan, folder, tmp_path, monkeypatch):
    content, key = scan
    copy = tmp_path / folder / "scan.mat"
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(content)
    monkeypatch.setenv("RECON_EXAMPLES", str(tmp_path))
    assert fetch(key).samefile(copy)
    assert load(key).source.name == "scan.mat"


def test_folder_with_another_file_of_that_name(scan, tmp_path, monkeypatch):
    (tmp_path / "scan.mat").write_bytes(b"something else")
    monkeypatch.setenv("RECON_EXAMPLES", str(tmp_path))
    with pytest.raises(InputError, match="SHA-256") as error:
        fetch(scan[1])
    plain_sentence(error)


def test_folder_without_the_file_falls_back_to_the_download(scan, server, tmp_path, monkeypatch):
    content, key = scan
    server.content = content
    for folder in (tmp_path / "not there", tmp_path):
        monkeypatch.setenv("RECON_EXAMPLES", str(folder))
        assert fetch(key).read_bytes() == content


def test_an_accelerated_scan_and_its_calibration_become_one(tmp_path, monkeypatch):
    """Lines of the scan stay; between them those of the other file, brought to its scale."""
    rng = np.random.default_rng(0)
    whole = rng.standard_normal((20, 40, 3, 2)) @ [1, 1j]  # readout, lines, coils
    scan = whole.copy()
    scan[:, 0::2] = 0
    files = {"scan.mat": scan, "middle.mat": whole[:, 10:28] / (1.5 * np.exp(0.3j))}
    remotes = []
    for name, data in files.items():
        scipy.io.savemat(tmp_path / name, {"data": data})
        sha256 = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        remotes.append(Remote(name, "owner/repository", "0" * 40, name, sha256))
    example = dataclasses.replace(
        EXAMPLES["accelerated-coils"], file=remotes[0], calibration=remotes[1]
    )
    monkeypatch.setitem(EXAMPLES, "accelerated-coils", example)
    monkeypatch.setattr(examples, "CALIBRATION_FROM", 10)
    monkeypatch.setenv("RECON_EXAMPLES", str(tmp_path))
    k = load("accelerated-coils")
    measured = [*range(1, 10, 2), *range(10, 28), *range(29, 40, 2)]
    assert np.flatnonzero(k.source.mask).tolist() == measured
    expected = np.zeros_like(whole)
    expected[:, measured] = whole[:, measured]
    np.testing.assert_allclose(k.data, expected.transpose(2, 0, 1), atol=1e-6)
    assert "calibration 18 lines" in k.source.notes[0]


def test_sixteen_coils_unfold_what_was_left_out(monkeypatch):
    """Beside the phantom there is air, into which every other line folds it."""
    if not COPIES.is_dir():
        pytest.skip("no copies of the real scans on this machine")
    monkeypatch.setenv("RECON_EXAMPLES", str(COPIES))
    scan = Scan.of(load("accelerated-coils"))
    assert scan.reference is None
    sampling = scan.draw()
    assert (sampling.measured_lines, scan.width, len(scan.kspace)) == (43, 64, 16)
    measurement = scan.measure(sampling.mask)
    rows, air = slice(16, 48), [*range(8), *range(58, 64)]
    folded, unfolded = (
        float(np.mean(image[rows][:, air] ** 2)) / float(np.mean(image[rows, 18:46] ** 2))
        for image in (measurement.zero_filled, find("grappa")(measurement))
    )
    assert unfolded < folded / 4


@pytest.mark.parametrize("key", [key for key in REMOTE if EXAMPLES[key].whole])
def test_real_scans(key, monkeypatch):
    if not COPIES.is_dir():
        pytest.skip("no copies of the real scans on this machine")
    monkeypatch.setenv("RECON_EXAMPLES", str(COPIES))
    assert fetch(key).name == EXAMPLES[key].file.name
    k = load(key)
    assert (
        k.shape
        == {
            "t1-spin-echo": (256, 256),
            "low-field-fse": (128, 126),
            "low-field-gre": (128, 196),
            "low-field-flair": (128, 126),
        }[key]
    )
    assert k.source.slices == (1 if key == "t1-spin-echo" else 4)
    assert not k.source.simulated
    # Nothing had to be guessed; some of the low-field columns are 1e-16 of the others.
    empty = {"low-field-fse": 1, "low-field-gre": 1, "low-field-flair": 9}.get(key)
    padded = (
        f"{empty} of {k.shape[1]} columns, at the edges, are zero: zero-padding, which was taken "
        f"as measured."
    )
    assert k.source.notes == ((padded,) if empty else ())
    # a head in the middle of the picture, and air at its left and right edge or above it
    image = np.abs(ifft2c(np.asarray(k)))
    height, width = image.shape
    middle = image[height // 4 : -height // 4, width // 4 : -width // 4]
    assert middle.mean() > 2 * image[:4].mean()
