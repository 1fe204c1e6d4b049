"""Whole volumes on the command line: scores, a kill, several processes, several ranks."""

import json
import os
import re
import signal
import subprocess
import sys
import termios
import time
from contextlib import redirect_stderr, redirect_stdout, suppress
from io import StringIO
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import pytest

import recon
from recon import batch, batch_names, batch_processes, batch_results, cli
from recon.batch import Plan, Question, Task
from tests.helpers.files import kspace, write_h5

SLICES, FEWER = 4, 2
# The command line, killed once three records are in the file.
KILLED = """
import os, signal, sys
from recon import cli
from recon.batch_results import Results
save = Results.save
def killed(self, complete=False):
    save(self, complete)
    if len(self.records) >= 3:
        os.kill(os.getpid(), signal.SIGKILL)
Results.save = killed
cli.main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two files of one name, and one that is broken."""
    tmp_path = tmp_path_factory.mktemp("files")
    stack = kspace(SLICES, 1, 40, 36)[:, 0] * np.arange(1, SLICES + 1)[:, None, None]
    for name in ("one", "two"):
        (tmp_path / "in" / name).mkdir(parents=True)
        write_h5(tmp_path / "in" / name / "a.h5", {"acquisition": "CORPD_FBK"}, kspace=stack)
        stack = stack[::-1][:FEWER]
    (tmp_path / "in/broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n nothing more")
    return tmp_path / "in"


def words(folder, out, *more) -> list[str]:
    methods = ("--method", "zero-filled", "cs", "--slice", "all")
    return [str(word) for word in (folder, "--out", out, *methods, *more)]


def command(*start) -> list[str]:
    return [sys.executable, "-m", *start]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd())}


def results(out) -> tuple[list[dict], list[dict], set[str]]:
    """Everything of a run but how long it took."""
    records, volumes = (
        [{**one, "seconds": 0} for one in json.loads((out / name).read_text())]
        for name in ("metrics.json", "volumes.json")
    )
    return records, volumes, {path.name for path in out.iterdir()}


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory):
    """A folder with the results of one run in one process."""
    out = tmp_path_factory.mktemp("whole")
    with redirect_stderr(StringIO()) as errors, redirect_stdout(StringIO()) as printed:
        assert cli.main(words(folder, out)) == 1  # one file is broken
    assert errors.getvalue().count("\n") == 1
    assert "broken.h5" in errors.getvalue()
    assert printed.getvalue().count("volume of") == 4
    return out


@pytest.fixture
def expected(whole):
    found = results(whole)
    assert len(found[0]) == 2 * (SLICES + FEWER)
    return found


def test_volume_scores_are_those_of_the_library(folder, expected):
    volumes = expected[1]
    assert [(one["method"], one["slices"]) for one in volumes] == [
        ("zero-filled", SLICES), ("cs", SLICES), ("zero-filled", FEWER), ("cs", FEWER),
    ]  # fmt: skip
    run = recon.reconstruct_volume(folder / "one/a.h5", method="cs")
    list(run)
    assert volumes[1].items() >= run.scores.record().items()
    assert "volume" in volumes[1]["definition"]


def test_a_killed_run_that_is_resumed_gives_what_one_run_gives(folder, expected, tmp_path):
    out = tmp_path / "killed"
    run = subprocess.run(
        [sys.executable, "-c", KILLED, *words(folder, out)],
        env=environment(), stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    assert run.returncode == -signal.SIGKILL, run.stderr
    before = left(out)
    assert 3 <= len(before) < len(expected[0])
    assert cli.main(words(folder, out, "--resume")) == 1
    assert results(out) == expected
    after = json.loads((out / "metrics.json").read_text())
    kept = [one for one in before if one["method"] == "cs"]  # done with all methods
    assert [one for one in after if one in kept] == kept  # how long they took, too


def left(out) -> list[dict]:
    return json.loads((out / "metrics.json").read_text())


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_is_one_line_and_what_was_done_is_kept(tmp_path, jobs):
    write_h5(tmp_path / "a.h5", {"acquisition": "CORPD_FBK"}, kspace=kspace(60, 1, 40, 36)[:, 0])
    out, more = tmp_path / "out", ("--jobs", jobs)
    run = subprocess.Popen(
        command("recon", *words(tmp_path / "a.h5", out, *more)), env=environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        # As in a terminal, also where these tests were started in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    while run.poll() is None and not (out / "metrics.json").is_file():
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to all of them
    said = run.communicate(timeout=60)[1].splitlines()
    assert run.returncode == 130, said
    said = [line for line in said if "slice" not in line]  # the bar
    assert said == ["Interrupted; --resume goes on."]
    assert left(out)


def test_a_process_whose_parent_is_gone_ends_quietly(folder, tmp_path, capfd, monkeypatch):
    ours, theirs = Pipe(duplex=False)
    ours.close()
    monkeypatch.setattr("torch.set_num_threads", lambda _: None)  # of this process
    question = Question(methods=("zero-filled",))
    task = Task(folder / "one/a.h5", "a", 4.0, SLICES, (0,))
    batch_processes._process(question, [task], tmp_path, theirs)
    assert capfd.readouterr() == ("", "")


def test_another_question_is_not_resumed(folder, expected, whole, capsys):
    assert cli.main(words(folder, whole, "--resume", "--seed", 3)) == 1
    printed = capsys.readouterr()
    assert "seed 0, not 3" in printed.err
    assert results(whole) == expected


def test_a_terminal_shows_how_far_it_is_and_how_long_it_takes(folder, tmp_path):
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 120))
    run = subprocess.Popen(
        command("recon", *words(folder / "two", tmp_path / "out")),
        env=environment(), stdout=subprocess.DEVNULL, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # how a terminal ends whose other side is gone
        while part := os.read(ours, 4096):
            shown += part
    os.close(ours)
    assert run.wait() == 0
    assert b"a.h5: 100%|" in shown
    assert re.search(rb"1/4 \[\d\d:\d\d<\d\d:\d\d", shown), shown


def test_jobs(folder, expected, tmp_path, capfd):
    assert cli.main(words(folder, tmp_path / "jobs", "--jobs", 2)) == 1
    assert results(tmp_path / "jobs") == expected
    assert capfd.readouterr().err.count("\n") == 1


def test_two_ranks_of_a_launcher(folder, expected, tmp_path):
    launcher = command("torch.distributed.run", "--standalone", "--nproc-per-node", 2, "-m")
    out = tmp_path / "ranks"
    run = subprocess.run(
        [*map(str, launcher), "recon", *words(folder / "one", out)],
        env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("volume of") == 2  # one of the two says it
    records, volumes, names = results(out)
    assert records == expected[0][: 2 * SLICES]
    assert volumes == expected[1][:2]
    assert len([name for name in names if name.endswith(".png")]) == 2 * SLICES
    assert not [name for name in names if "rank" in name or "part" in name]


@pytest.mark.parametrize("world", [1, 2, 3, 5, 40])
@pytest.mark.parametrize("files", [1, 2, 7])
def test_shares_are_everything_once(tmp_path, world, files):
    tasks = [Task(tmp_path / f"{n}", f"{n}", 4.0, n + 3, tuple(range(n + 3))) for n in range(files)]
    dealt = [
        (task.stem, number)
        for rank in range(world)
        for task in batch.share_of(tasks, rank, world)
        for number in task.numbers
    ]
    assert sorted(dealt) == sorted((t.stem, n) for t in tasks for n in t.numbers)


def test_ranks_wait_for_each_other_and_leave_nothing(tmp_path):
    """The rank that ends last brings all shares together, in the order of the plan."""
    question = Question(slice="all")
    task = Task(tmp_path / "a.h5", "a", 4.0, 4, (0, 1, 2, 3))
    whole = Plan(question, [task])
    shares = [batch_results.Results(tmp_path, whole, rank, 2) for rank in range(2)]
    for rank, share in enumerate(shares):
        batch_results.begin(share, False)
        for number in (3 - rank, 1 - rank):
            share.add(
                {"file": str(task.file), "asked_acceleration": 4.0, "slice": number,
                 "method": "resnet-dc", "in_volume": None}
            )  # fmt: skip
    shares[0].save()
    shares[1].save(complete=True)
    assert shares[1].merged() is None
    assert not (tmp_path / "metrics.json").exists()
    assert len(batch_results.done(tmp_path, question)) == 4  # a killed run is resumed from shares
    shares[0].save(complete=True)
    (tmp_path / batch_results.CLAIM).mkdir()  # another that ended at the same moment is at it
    assert shares[1].merged() is None
    (tmp_path / batch_results.CLAIM).rmdir()
    merged = shares[0].merged()
    assert shares[1].merged() is None
    assert [record["slice"] for record in merged.records] == [0, 1, 2, 3]
    assert {path.name for path in tmp_path.iterdir()} == {
        "metrics.json", "volumes.json", "question.json",
    }  # fmt: skip


@pytest.mark.parametrize("spoilt", ["[]", "{}", "3", "null", '"records"', "[3]", '[{"file": "a"}]'])
@pytest.mark.parametrize(
    "name", ["question.json", "metrics.json", "metrics-rank0of2.json", "metrics-rank1of2.json"]
)
def test_spoilt_results_are_none(tmp_path, name, spoilt):
    question, task = Question(slice="all"), Task(tmp_path / "a.h5", "a", 4.0, 4, (0, 1, 2, 3))
    shares = [batch_results.Results(tmp_path, Plan(question, [task]), r, 2) for r in range(2)]
    for share in shares:
        batch_results.begin(share, False)
        share.save(complete=True)
    if name == "question.json" and spoilt == "{}":
        return  # which asks nothing, and so something else
    (tmp_path / name).write_text(spoilt)
    batch_results.names(tmp_path)
    assert batch_results.done(tmp_path, question) == []
    merged = shares[0].merged()
    assert (merged is None) == ("rank" in name)


def saved(out) -> dict[str, int]:
    """Volumes by name, and how many slices each has."""
    return {path.name: len(np.load(path)) for path in out.glob("*/*.npy")}


def run(*words) -> int:
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        return cli.main([str(word) for word in words])


ALL = ("--method", "zero-filled", "--slice", "all", "--axes", "slices", "--save", "npy")


def test_a_file_that_comes_later_takes_no_name_that_is_taken(tmp_path):
    scans, out = tmp_path / "s", tmp_path / "out"
    for name, count in (("z", 3), ("a", 2)):
        (scans / name).mkdir(parents=True)
        np.save(scans / name / "scan.npy", kspace(count, 1, 40, 36)[:, 0])
        if name == "z":
            assert run(scans, *ALL, "--out", out) == 0
    assert run(scans, *ALL, "--out", out, "--resume") == 0
    assert saved(out) == {"scan.npy": 3, "scan-2.npy": 2}
    records = json.loads((out / "metrics.json").read_text())
    assert [Path(one["file"]).parent.name for one in records] == ["a"] * 2 + ["z"] * 3
    figures = {path.name for path in out.glob("*.png")}
    assert {f"scan-slice{n}-zero-filled-4x.png" for n in range(3)} < figures


def test_records_of_files_that_are_not_named_again_stay(tmp_path):
    for name in ("a", "b"):
        np.save(tmp_path / f"{name}.npy", kspace(1, 1, 40, 36)[0, 0])
        words = ("--method", "zero-filled", "--out", tmp_path / "out", "--resume")
        assert run(tmp_path / f"{name}.npy", *words) == 0
    records = json.loads((tmp_path / "out/metrics.json").read_text())
    assert [Path(one["file"]).name for one in records] == ["a.npy", "b.npy"]


def test_what_a_file_gave_before_it_broke_is_not_left(tmp_path):
    scans, out = tmp_path / "s", tmp_path / "out"
    scans.mkdir()
    for name in ("v", "v-slice1"):
        np.save(scans / f"{name}.npy", kspace(2, 1, 40, 36)[:, 0])
    assert run(scans, *ALL, "--out", out) == 0
    (scans / "v.npy").write_bytes(b"broken")
    assert run(scans, *ALL, "--out", out) == 1
    assert saved(out) == {"v-slice1.npy": 2}
    assert sorted(path.name for path in out.glob("*.png")) == [
        f"v-slice1-slice{n}-zero-filled-4x.png" for n in range(2)
    ]


def test_results_among_the_scans_are_no_scans(tmp_path):
    np.save(tmp_path / "a.npy", kspace(2, 1, 40, 36)[:, 0])
    for _ in range(2):
        assert run(tmp_path, *ALL, "h5", "--out", f"{tmp_path}/../{tmp_path.name}") == 0
        records = json.loads((tmp_path / "metrics.json").read_text())
        assert [Path(one["file"]).name for one in records] == ["a.npy"] * 2


def test_linked_folders_are_looked_into_once(tmp_path):
    scans = tmp_path / "scans"
    for place in ("scans", "elsewhere"):
        (tmp_path / place).mkdir()
        np.save(tmp_path / place / f"{place}.npy", kspace(1, 1, 40, 36)[0, 0])
    (scans / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/back").symlink_to(scans)
    assert run(scans, "--method", "zero-filled", "--out", tmp_path / "out") == 0
    records = json.loads((tmp_path / "out/metrics.json").read_text())
    assert [Path(one["file"]).name for one in records] == ["elsewhere.npy", "scans.npy"]


def test_packed_nifti_files_are_named_without_both_endings():
    assert batch_names.free(Path("head.nii.gz"), set()) == "head"
    assert batch_names.free(Path("head.1.nii"), set()) == "head.1"
