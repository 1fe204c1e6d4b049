"""Private mode in Chromium: the same numbers as PyTorch, and nothing sent."""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest

import recon
from recon import examples, phantom, weights
from recon.ui import private
from tests.helpers.page import drawn


@pytest.fixture(scope="session")
def packages(tmp_path_factory) -> Path:
    """The packages that the public host serves, from npm."""
    if shutil.which("npm") is None:
        pytest.skip("no npm on the path")
    folder = tmp_path_factory.mktemp("npm")
    done = subprocess.run(
        ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder,
         *private.PACKAGES],
        capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    if done.returncode:
        pytest.skip("the JavaScript packages could not be installed")
    return folder / "node_modules"


def test_visitors_who_come_at_once_share_one_export(monkeypatch):
    """PyTorch's export keeps its state in a place of its own, and cannot be done twice at once."""
    calls = []

    def onnx(network):
        calls.append(network)
        return export(network)

    from recon.training import export as module

    export = module.onnx
    monkeypatch.setattr(module, "onnx", onnx)
    private._exported.cache_clear()
    store = weights.default_or_shipped()[0]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: private.exported(store, "resnet-dc"), range(4)))
    assert len(calls) == 1
    assert len(set(found)) == 1


@pytest.fixture
def mode(page, packages):
    """The page with the tab open, and the public host played by a local folder."""

    def serve(route):
        for source in private.SOURCES:
            if route.request.url.startswith(source):
                name = source.removeprefix(private.HOST).strip("/").rpartition("@")[0]
                path = packages / name / route.request.url.removeprefix(source)
                route.fulfill(path=path, headers={"Access-Control-Allow-Origin": "*"})
                return
        route.abort()

    page.route(f"{private.HOST}/**", serve)
    page.get_by_role("tab", name="Private").click()
    return page


def switched_on(page):
    page.locator(".private-switch").click()
    page.locator("recon-private[data-state=on]").wait_for(timeout=120_000)
    return page.locator("recon-private")


def made(folder: Path) -> dict[str, np.ndarray]:
    """Three files, and the k-space that Python reads from each."""
    found = {"phantom.npy": phantom.kspace((128, 96), seed=1)}
    np.save(folder / "phantom.npy", found["phantom.npy"])
    head = examples.load("head")
    found["head.npz"] = np.asarray(head)
    np.savez_compressed(folder / "head.npz", kspace=found["head.npz"])
    stack = np.stack([phantom.kspace((90, 102), seed=s) for s in range(3)])
    with h5py.File(folder / "volume.h5", "w") as file:
        file["kspace"] = stack
        reference = abs(np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(stack[1])), axes=(-2, -1)))
        file.attrs["max"] = 1.2 * reference.max() * np.sqrt(90 * 102)
    found["volume.h5"] = recon.read(folder / "volume.h5")
    return found


def test_its_progress_has_a_name(page):
    page.get_by_role("tab", name="Private").click()
    bar = page.locator("recon-private progress")
    bar.wait_for(state="attached")
    assert bar.get_attribute("aria-label") == "Progress"


def test_the_same_numbers_as_in_python_and_nothing_sent(mode, tmp_path):
    files = made(tmp_path)
    element = switched_on(mode)
    sent: list[str] = []
    mode.on("request", lambda request: sent.append(f"{request.method} {request.url}"))
    pace = None
    for name, kspace in files.items():
        element.locator("input[type=file]").set_input_files(tmp_path / name)
        element.get_by_text("s on this device").wait_for()
        if pace:  # what was announced is as long as the slice before took, pixel for pixel
            expected = element.evaluate("e => e.expected")
            assert expected == pytest.approx(pace * kspace.shape[-2] * kspace.shape[-1])
        for rate in (4, 8):
            element.locator("select").select_option(str(rate))
            before = element.evaluate_handle("e => e.result")
            element.get_by_role("button", name="Reconstruct").click()
            mode.wait_for_function(  # which may take less time than anybody looks away
                "before => { const e = document.querySelector('recon-private');"
                " return e.dataset.state === 'done' && e.result !== before; }",
                arg=before,
                timeout=180_000,
            )
            scores = element.evaluate("e => e.result.scores")
            ours = recon.reconstruct(kspace, rate, 0, "resnet-dc")
            assert scores["ResNet-DC"]["ssim"] == pytest.approx(ours.metrics["ssim"], abs=1e-4)
            assert scores["ResNet-DC"]["psnr"] == pytest.approx(ours.metrics["psnr"], abs=0.01)
            assert scores["zero-filled"]["ssim"] == pytest.approx(
                ours.zero_filled_metrics["ssim"], abs=1e-4
            )
            seconds = element.evaluate("e => [e.result.seconds, e.expected]")
            pace = seconds[0] / (kspace.shape[-2] * kspace.shape[-1])
            print(f"{name} {rate}x: {seconds[0]:.1f} s, {seconds[1]:.1f} s were announced")
    assert [
        request for request in sent if "heartbeat" not in request and "blob:" not in request
    ] == []


def test_cancel_and_go_on(mode, tmp_path):
    np.save(tmp_path / "scan.npy", phantom.kspace((256, 256)))
    element = switched_on(mode)
    element.locator("input[type=file]").set_input_files(tmp_path / "scan.npy")
    element.get_by_role("button", name="Reconstruct").click()
    element.get_by_role("button", name="Cancel").click()
    element.get_by_text("Cancelled.").wait_for()
    mode.locator("recon-private[data-state=chosen]").wait_for(timeout=60_000)
    assert element.evaluate("e => e.result") is None
    np.save(tmp_path / "small.npy", phantom.kspace((48, 40)))
    element.locator("input[type=file]").set_input_files(tmp_path / "small.npy")
    element.get_by_text("48 x 40").wait_for()
    element.get_by_role("button", name="Reconstruct").click()
    mode.locator("recon-private[data-state=done]").wait_for(timeout=60_000)


def test_the_file_chosen_last_wins_whichever_is_read_first(mode, tmp_path):
    for name, size in (("slow.npy", (64, 64)), ("last.npy", (48, 40))):
        np.save(tmp_path / name, phantom.kspace(size))
    (tmp_path / "slow-text.npy").write_text("hello, this is no array")
    element = switched_on(mode)
    mode.evaluate(
        """() => {
          const read = Blob.prototype.arrayBuffer;
          Blob.prototype.arrayBuffer = async function () {
            if (this.name?.startsWith('slow')) await new Promise(done => setTimeout(done, 500));
            if (this.name?.startsWith('slow')) window.late = this.name;
            return read.call(this);
          };
        }"""
    )
    for slow in ("slow.npy", "slow-text.npy"):
        element.locator("input[type=file]").set_input_files(tmp_path / slow)
        element.locator("input[type=file]").set_input_files(tmp_path / "last.npy")
        mode.wait_for_function("name => window.late === name", arg=slow)
        drawn(mode)
        assert "48 x 40" in element.locator(".private-words").inner_text()
        assert element.evaluate("e => e.scan.height") == 48


def test_a_result_knows_its_question(mode, tmp_path):
    np.save(tmp_path / "one.npy", phantom.kspace((48, 40)))
    np.save(tmp_path / "two.npy", phantom.kspace((40, 48)))
    element = switched_on(mode)
    old = element.get_by_text("These results are from before you moved a control.")
    run = element.get_by_role("button", name="Reconstruct")
    element.locator("input[type=file]").set_input_files(tmp_path / "one.npy")
    element.get_by_text("48 x 40").wait_for()
    run.click()
    mode.locator("recon-private[data-state=done]").wait_for(timeout=60_000)
    assert not old.is_visible()
    for control, value in (("select", "8"), ("input[type=number]", "3")):
        if control == "select":
            element.locator(control).select_option(value)
        else:
            element.locator(control).fill(value)
        assert old.is_visible()
        run.click()
        mode.locator("recon-private[data-state=done]").wait_for(timeout=60_000)
        assert not old.is_visible()
    element.locator("input[type=file]").set_input_files(tmp_path / "two.npy")
    element.get_by_text("40 x 48").wait_for()
    assert element.locator("canvas").count() == 0  # those were of another file
    assert element.locator("figure").count() == 3  # which say what will be there


def test_nothing_else_can_be_asked_while_it_computes(mode, tmp_path):
    np.save(tmp_path / "scan.npy", phantom.kspace((256, 256)))
    element = switched_on(mode)
    element.locator("input[type=file]").set_input_files(tmp_path / "scan.npy")
    element.get_by_role("button", name="Reconstruct").click()
    mode.locator("recon-private[data-state=running]").wait_for()
    controls = ["input[type=file]", "select", "input[type=number]"]
    assert all(element.locator(one).is_disabled() for one in controls)
    element.get_by_role("button", name="Cancel").click()
    mode.locator("recon-private[data-state=chosen]").wait_for(timeout=60_000)
    assert all(element.locator(one).is_enabled() for one in controls)


def test_what_cannot_be_read_is_one_sentence(mode, tmp_path):
    element = switched_on(mode)
    (tmp_path / "text.npy").write_text("hello, this is no array")
    np.savez(tmp_path / "many.npz", a=np.ones(3), b=np.ones(3))
    with h5py.File(tmp_path / "empty.h5", "w") as file:
        file["other"] = np.ones(3)
    np.save(tmp_path / "flat.npy", np.ones(64))
    for name, sentence in (
        ("text.npy", "not a NumPy file"),
        ("many.npz", "none is named kspace"),
        ("empty.h5", "no dataset named kspace"),
        ("flat.npy", "K-space of a slice"),
    ):
        element.locator("input[type=file]").set_input_files(tmp_path / name)
        element.get_by_text(sentence).wait_for()
        assert element.get_by_role("button", name="Reconstruct").is_disabled()


def test_a_runtime_that_was_changed_is_refused(page, packages):
    page.route(
        f"{private.HOST}/**",
        lambda route: route.fulfill(body="alert(1)", headers={"Access-Control-Allow-Origin": "*"}),
    )
    page.get_by_role("tab", name="Private").click()
    page.locator(".private-switch").click()
    page.locator("recon-private[data-state=error]").wait_for(timeout=60_000)
    assert page.locator(".private-switch").is_enabled()
    assert page.locator("recon-private input[type=file]").is_disabled()


def test_its_file_button_speaks_the_language_of_the_page_and_fits_a_small_phone(visit):
    page = visit(locale="de", viewport={"width": 320, "height": 700})
    page.locator("#tabs > .tab-wrapper").get_by_role("tab", name="Privat").click()
    button = page.locator(".private-choose")
    button.wait_for()
    assert button.inner_text() == "Datei wählen"
    assert page.locator("recon-private").evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    field = page.locator("recon-private input[type=file]")
    field.evaluate("e => { e.disabled = false; }")
    page.locator(".private-switch").focus()
    page.keyboard.press("Tab")
    assert field.evaluate("e => e === document.activeElement")
    assert button.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
