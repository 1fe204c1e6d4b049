"""What visitors ask, and whether the answers are right."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from gradio_client.utils import QueueError

from recon import examples, phantom, readers
from recon.pipeline import reconstruct

SCORES = ("ssim", "psnr", "nmse", "zero_filled_ssim", "zero_filled_psnr", "achieved_acceleration")
METHODS = ("resnet-dc", "resnet-dc", "zero-filled")
EXAMPLES = ("head", "phantom")
PATIENCE = 120.0  # seconds
TOLERANCE = 1e-5  # of a score; the order of additions may differ between processes


@dataclass(frozen=True)
class Question:
    """One reconstruction: a file of ours or an example, and how it is asked for."""

    file: str = ""
    example: str = ""
    acceleration: float = 4
    seed: int = 0
    method: str = "resnet-dc"


@dataclass
class Answers:
    """What came of many questions; filled from many threads."""

    seconds: list[float] = field(default_factory=list)
    right: int = 0
    wrong: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # sentences
    failed: list[str] = field(default_factory=list)  # anything else
    lock: threading.Lock = field(default_factory=threading.Lock)
    given: list[tuple[Question, dict[str, Any]]] = field(default_factory=list)

    def ask(self, client: Client, question: Question) -> None:
        """One question, timed; what it was answered is judged by `judge`."""
        start = time.monotonic()
        try:
            asked = asdict(question)
            asked["file"] = handle_file(question.file) if question.file else None
            answer = client.predict(**asked, api_name="/reconstruct")
        except (AppError, QueueError) as error:
            with self.lock:
                self.refused.append(str(error))
        except httpx.HTTPStatusError as error:
            with self.lock:
                said = _detail(error.response)
                (self.refused if said else self.failed).append(said or str(error))
        except Exception as error:  # whatever a client library stumbles over is a failure
            with self.lock:
                self.failed.append(f"{type(error).__name__}: {error}"[:300])
        else:
            with self.lock:
                self.seconds.append(time.monotonic() - start)
                self.given.append((question, answer))

    def judge(self) -> None:
        """Compare what was answered with what is computed here."""
        for question, answer in self.given:
            expected = computed(question)
            if all(np.isclose(answer[k], expected[k], rtol=0, atol=TOLERANCE) for k in SCORES):
                self.right += 1
            else:
                self.wrong.append(f"{question}: {answer['ssim']} instead of {expected['ssim']}")
        self.given.clear()

    def report(self) -> dict[str, Any]:
        """Numbers for people, after `judge`."""
        p50, p95 = np.percentile(self.seconds, [50, 95]) if self.seconds else (0.0, 0.0)
        return {
            "answered": len(self.seconds),
            "right": self.right,
            "mixed_up": len(self.wrong),
            "refused": len(self.refused),
            "failed": len(self.failed),
            "p50_s": round(float(p50), 2),
            "p95_s": round(float(p95), 2),
            "sentences": sorted(set(self.refused))[:5],
            "failures": sorted(set(self.failed + self.wrong))[:5],
        }


def _detail(response: httpx.Response) -> str:
    """The sentence of a refusal, which of an upload is the whole answer; none of a failure."""
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return response.text if response.text.endswith(".") else ""


@cache
def computed(question: Question) -> dict[str, Any]:
    """The same scores without the page."""
    kspace = readers.read(question.file) if question.file else examples.load(question.example)
    result = reconstruct(kspace, question.acceleration, question.seed, question.method)
    return result.record()


def connected(url: str) -> Client:
    """A client of the app, as patient as a browser."""
    return Client(url, verbose=False, httpx_kwargs={"timeout": PATIENCE})


def slices(folder: Path, count: int, size: int) -> list[str]:
    """K-space that belongs to nobody else: a file for each visitor."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        path = folder / f"visitor{number}.npy"
        np.save(path, phantom.kspace((size, size - 16), seed=number))
        paths.append(str(path))
    return paths


def crowd(url: str, files: Sequence[str], seconds: float, pause: float, answers: Answers) -> None:
    """A visitor for each file, who asks, looks at the answer for a while, and asks again.

    Parameters
    ----------
    url
        Of the server.
    files
        A slice for each of them, who uploads it or looks at an example.
    seconds
        After which nobody asks again.
    pause
        Seconds of looking, on average.
    answers
        Where what they get is kept.
    """
    end = time.monotonic() + seconds

    def visit(number: int, file: str) -> None:
        rng = np.random.default_rng(number)
        time.sleep(float(rng.uniform(0, pause)))  # people do not come at once
        try:
            client = connected(url)
        except Exception as error:  # as in `ask`
            with answers.lock:
                answers.failed.append(f"did not get in: {type(error).__name__}: {error}"[:300])
            return
        while time.monotonic() < end:
            asked: dict[str, Any] = {
                "acceleration": (4, 8)[rng.integers(2)],
                "seed": int(rng.integers(2)),
                "method": METHODS[rng.integers(len(METHODS))],
            }
            if rng.random() < 0.6:
                asked["file"] = file
            else:
                asked["example"] = EXAMPLES[rng.integers(len(EXAMPLES))]
            answers.ask(client, Question(**asked))
            time.sleep(float(rng.uniform(0.5, 1.5)) * pause)

    together([lambda n=n, f=f: visit(n, f) for n, f in enumerate(files)])  # type: ignore[misc]


def together(work: Sequence[Callable[[], None]]) -> None:
    """Do things at the same time, and wait for all of them."""
    threads = [threading.Thread(target=one, daemon=True) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
