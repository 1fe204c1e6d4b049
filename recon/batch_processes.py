"""A batch on several processes of one machine, each on one core."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from recon import weights
from recon.batch import Question, Task, Told, share_of, work
from recon.weights import Store

DIED = "A process of --jobs ended before its time; --resume does what it left."


def work_in_processes(
    question: Question, tasks: Sequence[Task], out: Path, jobs: int, tell: Told
) -> None:
    """As `recon.batch.work`, in so many processes; what they tell is told here."""
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    running: dict[Connection, SpawnProcess] = {}
    try:
        for number in range(jobs):
            share = share_of(tasks, number, jobs)
            if share:
                ours, theirs = context.Pipe(duplex=False)
                process = context.Process(
                    target=_process, args=(question, share, out, theirs), daemon=True
                )
                with _without_interrupts():
                    process.start()
                theirs.close()
                running[ours] = process
        while running:
            for ready in wait(list(running)):
                assert isinstance(ready, Connection)
                try:
                    message = ready.recv()
                except EOFError:
                    process = running.pop(ready)
                    process.join()
                    if process.exitcode:
                        tell("problem", (str(out), DIED))
                else:
                    tell(*message)
    finally:
        for process in running.values():
            process.terminate()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ignore Ctrl-C, as a process that starts meanwhile always does: we end it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _process(question: Question, share: list[Task], out: Path, pipe: Connection) -> None:
    import torch

    torch.set_num_threads(1)
    if question.weights:
        weights.use(Store.of(question.weights))
    with suppress(BrokenPipeError):  # who started us is gone
        work(question, share, out, lambda *message: pipe.send(message))
