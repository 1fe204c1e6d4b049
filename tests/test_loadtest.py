"""The load test, short: everything right, every refusal a sentence, nothing left behind."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from recon.loadtest import __main__ as loadtest
from recon.loadtest.scenes import sentence
from recon.loadtest.server import Server
from recon.loadtest.visitors import Answers, Question, connected, slices


@pytest.mark.parametrize(
    "url",
    ["http://example.org:7860", "http://127.0.0.1.example.org", "https://10.0.0.1", "ftp://x"],
)
def test_other_hosts_are_refused(url, capsys):
    assert loadtest.main(["--url", url]) == 2
    assert "this machine alone" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--visitors", "0"], ["--seconds", "99999"]])
def test_it_is_bounded(words, capsys):
    assert loadtest.main(words) == 2
    assert "is from 1 to" in capsys.readouterr().err


def report() -> dict:
    """Of a test in which everything went as it should."""
    fine = {"failed": 0, "mixed_up": 0}
    return {
        "crowd": fine, "uploads": fine, "leavers": fine, "queue": {"afterwards": fine},
        "weights": {"removed": "No weights.", "damaged": "Damaged.", "others": "right",
                    "put_back": ["right", "right"]},
        "disk": {"upload": "The disk is full.", "example": "right", "afterwards": "right"},
        "server": {"alive": True, "files_after": 0, "tracebacks": 0},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("spoilt", "complaint"),
    [
        ({}, []),
        ({"crowd": {"failed": 1}}, ["crowd"]),
        ({"queue": {"afterwards": {"failed": 0, "mixed_up": 1}}}, ["queue"]),
        ({"weights": {"others": "wrong"}}, ["weights"]),
        ({"weights": {"put_back": ["right", "wrong"]}}, ["weights"]),
        ({"weights": {"removed": "right"}}, ["weights"]),
        ({"disk": {"upload": "right"}}, ["disk"]),
        ({"disk": {"example": "wrong"}}, ["disk"]),
        ({"server": {"alive": False}}, ["server died"]),
        ({"server": {"files_after": 2}}, ["files left behind"]),
        ({"server": {"tracebacks": 1}}, ["tracebacks"]),
    ],
)
def test_nothing_that_goes_wrong_is_passed_over(spoilt, complaint):
    found = report()
    for name, change in spoilt.items():
        found[name] = found[name] | change
    assert loadtest.complaints(found) == complaint


@pytest.fixture
def heard():
    """Programs that are started hear Ctrl-C; a shell's background jobs have it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_uploads_go_with_the_app_however_it_is_stopped(tmp_path, heard, how):
    (file,) = slices(tmp_path / "slices", 1, 48)
    with Server(tmp_path) as server:
        answers = Answers()
        answers.ask(connected(server.url), Question(file=file, method="zero-filled"))
        assert server.left() == 1
        server.process.send_signal(how)
        server.process.wait(120)
    assert server.left() == 0


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_small_crowd(tmp_path, capsys):
    small = {"visitors": 3, "seconds": 6, "pause": 1, "uploads": 6, "queue": 4, "size": 64}
    words = [word for name, value in small.items() for word in (f"--{name}", str(value))]
    status = loadtest.main([*words, "--out", str(tmp_path / "report.json")])
    report = json.loads((tmp_path / "report.json").read_text())
    assert status == 0, report
    assert json.loads(capsys.readouterr().out) == report
    for scene in (report["crowd"], report["uploads"], report["leavers"]):
        assert scene["answered"] == scene["right"] > 0
        assert scene["mixed_up"] == scene["failed"] == 0
    assert report["uploads"]["answered"] == 6
    assert report["queue"]["afterwards"]["right"] == 1
    assert report["weights"]["others"] == "right"
    assert report["weights"]["put_back"] == ["right", "right"]
    assert sentence(report["weights"]["removed"])
    assert sentence(report["weights"]["damaged"])
    assert report["disk"]["example"] == report["disk"]["afterwards"] == "right"
    assert sentence(report["disk"]["upload"])
    assert report["server"]["alive"]
    assert report["server"]["files_after"] == report["server"]["tracebacks"] == 0


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform != "linux", reason="reads memory and sets limits as on Linux")
def test_a_few_visitors_come_and_go():
    """As docs/reliability.md has it, of whom only the numbers are smaller."""
    text = (Path(__file__).parents[1] / "docs/reliability.md").read_text("utf-8")
    (module,) = re.findall(r"python -m (tests\.helpers\.visitors) \d+ \d+ \d+", text)
    command = [sys.executable, "-m", module, "4", "2", "20"]  # seconds: longer than uploads take
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    report = json.loads(done.stdout)
    assert report["problems"] == report["files after their age"] == []
    assert report["full disk"]["upload"][0] >= 400
    assert report["full disk"]["download"]
    assert all(report["full disk"]["examples shown"].values())
