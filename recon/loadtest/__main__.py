"""``python -m recon.loadtest``: send a crowd to the app on this machine, and write what it saw."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recon.errors import InputError
from recon.loadtest import scenes
from recon.loadtest.server import Server, local
from recon.loadtest.visitors import EXAMPLES, METHODS, Answers, Question, connected, crowd, slices

MOST = {"visitors": 200, "seconds": 1800, "uploads": 5000}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the load test; 1 if anything was not as it should be; 2 if refused."""
    options = _parser().parse_args(arguments)
    try:
        for name, most in MOST.items():
            if not 1 <= getattr(options, name) <= most:
                raise InputError(f"The number of {name} is from 1 to {most}.")
        if options.url:
            local(options.url)
        with tempfile.TemporaryDirectory(prefix="recon-loadtest-") as folder:
            place = Path(folder)
            files = slices(place / "slices", options.visitors, options.size)
            if options.url:
                report = _served(options.url, files, options)
            else:
                report = _own(place, files, options)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    text = json.dumps(report, indent=1)
    if options.out:
        options.out.write_text(text + "\n", "utf-8")
    print(text)
    wrong = complaints(report)
    if wrong:
        print(f"Not as it should be: {', '.join(wrong)}.", file=sys.stderr)
    return int(bool(wrong))


def complaints(report: dict[str, Any]) -> list[str]:
    """Names of what went wrong; of an app that ran here already, less is known."""
    answered = {name: report[name] for name in ("crowd", "uploads", "leavers")}
    answered["queue"] = report["queue"]["afterwards"]
    wrong = [name for name, one in answered.items() if one["failed"] or one["mixed_up"]]
    if "server" in report:
        weights, disk, server = report["weights"], report["disk"], report["server"]
        checks = {
            "weights": {weights["others"], *weights["put_back"]} == {"right"}
            and scenes.sentence(weights["removed"])
            and scenes.sentence(weights["damaged"]),
            "disk": disk["example"] == disk["afterwards"] == "right"
            and scenes.sentence(disk["upload"]),
            "server died": server["alive"],
            "files left behind": not server["files_after"],
            "tracebacks": not server["tracebacks"],
        }
        wrong += [name for name, right in checks.items() if not right]
    return wrong


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m recon.loadtest",
        description="Start the app on this machine, send visitors to it, compare what they are "
        "answered with what is computed here, and print what became of it as JSON.",
    )
    parser.add_argument("--visitors", type=int, default=40, metavar="N")
    parser.add_argument("--seconds", type=int, default=180, metavar="S", help="of the crowd")
    parser.add_argument("--uploads", type=int, default=500, metavar="N", help="in a row")
    parser.add_argument("--pause", type=float, default=20, metavar="S",
                        help="that a visitor looks at an answer, on average")  # fmt: skip
    parser.add_argument(
        "--size", type=int, default=128, metavar="PIXELS", help="of what they bring"
    )
    parser.add_argument("--queue", type=int, default=160, metavar="N", help="who come at once")
    parser.add_argument("--url", help="an app that runs here already; its weights are left alone")
    parser.add_argument("--out", type=Path, metavar="FILE")
    return parser


def _served(url: str, files: list[str], options: argparse.Namespace) -> dict[str, Any]:
    """What can be done to any app of this machine."""
    start, before = time.monotonic(), os.getloadavg()[0]
    answers = Answers()
    crowd(url, files, options.seconds, options.pause, answers)
    seconds = time.monotonic() - start
    answers.judge()
    report = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load": [round(one, 1) for one in (before, os.getloadavg()[0])],
        "visitors": options.visitors,
        "seconds": round(seconds),
        "crowd": answers.report(),
    }
    _so_far(report)
    report["leavers"] = scenes.leavers(url, 10)
    _so_far(report)
    report["queue"] = scenes.full_queue(url, options.queue)
    _so_far(report)
    report["uploads"] = scenes.uploads(url, files, options.uploads)
    return report


def _so_far(report: dict[str, Any]) -> None:
    """The scenes take minutes, and somebody may end them."""
    print(json.dumps(report), file=sys.stderr)


def warm(url: str, file: str) -> None:
    """Everything is asked for once, so that later growth is growth."""
    client, answers = connected(url), Answers()
    for acceleration in (4, 8):
        for method in (*METHODS, "resnet", "unet"):
            for asked in (*({"example": key} for key in EXAMPLES), {"file": file}):
                question = Question(acceleration=acceleration, method=method, seed=99, **asked)
                answers.ask(client, question)


def _own(place: Path, files: list[str], options: argparse.Namespace) -> dict[str, Any]:
    """What is done to an app of our own, which is started and stopped here."""
    with Server(place) as server:
        warm(server.url, files[0])
        begin = server.memory()
        report = _served(server.url, files, options)
        report["weights"] = scenes.weights(server)
        report["disk"] = scenes.full_disk(server, files[0])
        report["server"] = {
            "alive": server.alive,
            "memory_start_mib": begin and round(begin),
            "memory_end_mib": (end := server.memory()) and round(end),
            "files_while_running": server.left(),
        }
    report["server"] |= {"files_after": server.left(), "tracebacks": server.tracebacks()}
    return report


if __name__ == "__main__":
    sys.exit(main())
