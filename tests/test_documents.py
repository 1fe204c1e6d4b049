"""Documents that hold code: they run, and what they name exists."""

import ast
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import h5py
import matplotlib
import numpy as np
import pytest
import yaml
from PIL import Image

from recon import cli, phantom
from recon.training.recipes import RECIPES

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_tour_runs_from_top_to_bottom_without_a_line(monkeypatch, capsys):
    """All cells in one namespace, as a notebook does; under three minutes on two idle cores."""
    matplotlib.use("agg")
    monkeypatch.setattr("matplotlib.pyplot.show", lambda: None)
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("asked the network"))
    cells = json.loads((ROOT / "docs/tour.ipynb").read_text("utf-8"))["cells"]
    names: dict = {}
    start = time.monotonic()
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            exec(compile("".join(cell["source"]), "tour.ipynb", "exec"), names)
    with capsys.disabled():
        print(f"the tour took {time.monotonic() - start:.0f} s")
    assert "resnet-dc" in capsys.readouterr().out


@pytest.mark.slow
def test_the_figure_is_what_its_command_makes(tmp_path, monkeypatch, capsys):
    committed = ROOT / "docs/how-it-works.png"
    assert committed.stat().st_size < 150_000
    monkeypatch.setattr("sys.argv", ["every_step.py", str(tmp_path / "made.png")])
    runpy.run_path(str(ROOT / "examples/every_step.py"), run_name="__main__")
    made, kept = (
        np.asarray(Image.open(path), float) for path in (tmp_path / "made.png", committed)
    )
    assert made.shape == kept.shape
    assert abs(made - kept).mean() < 4  # fonts differ from machine to machine


@pytest.mark.slow
def test_python_of_the_readme_runs(tmp_path, monkeypatch):
    """As it stands, on a volume of so many slices that it finds the one it asks for."""
    monkeypatch.chdir(tmp_path)
    with h5py.File("file.h5", "w") as file:
        file["kspace"] = np.stack([phantom.kspace((48, 40), seed=s) for s in range(13)])
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    names: dict = {}
    exec(compile(code, "README.md", "exec"), names)
    assert names["kspace"].source.slice == 12
    assert names["result"].image.shape == (48, 40)
    assert {path.name for path in Path("out").iterdir()} == {"file.h5", "file.nii"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["README.md", "docs/command-line.md", "docs/tour.ipynb"])
def test_documented_reconstructions_run(name, tmp_path):
    np.save(tmp_path / "scan.npy", phantom.kspace((48, 40)))
    text = (ROOT / name).read_text("utf-8")
    (words,) = re.findall(r"python -m recon (FILE[^`\n]*)", text)
    places = {"FILE_OR_FOLDER...": tmp_path, "FILE": tmp_path / "scan.npy", "DIR": tmp_path / "out"}
    assert cli.main([str(places.get(word, word)) for word in words.split()]) == 0
    records = json.loads((tmp_path / "out/metrics.json").read_text())
    assert "resnet-dc" in {record["method"] for record in records}


@pytest.mark.slow
def test_installed_the_package_finds_its_weights_and_its_command(tmp_path):
    """``pip install .`` without what it depends on, which is here."""
    source, place = tmp_path / "source", tmp_path / "place"
    for name in ("recon", "checkpoints"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", place, source], check=True, timeout=200)
    np.save(tmp_path / "scan.npy", phantom.kspace((48, 40)))
    done = subprocess.run(
        [place / "bin/recon", "scan.npy", "--method", "resnet-dc", "--out", "out"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(place)}, timeout=200,
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "resnet-dc" in done.stdout
    assert (tmp_path / "out/metrics.json").is_file()


DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))),
]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_that_documents_name_exist(name):
    text = (ROOT / name).read_text("utf-8")
    paths = re.findall(r"`((?:recon|docs|tests|examples|checkpoints)/[\w./-]*)`", text)
    paths += [
        str((ROOT / name).parent.joinpath(link).relative_to(ROOT))
        for link in re.findall(r"\]\((?!http)([\w./-]+)\)", text)
    ]
    paths = [path for path in paths if "NAME" not in path]  # of what somebody adds
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_stage_of_a_training_is_named():
    """Whoever leaves one out is told that weights are missing."""
    training = (ROOT / "docs/training.md").read_text("utf-8")
    rows = (ROOT / "README.md").read_text("utf-8").splitlines()
    ordinals = (
        *("first", "second", "third", "fourth", "fifth"),
        *("sixth", "seventh", "eighth", "ninth", "tenth", "eleventh"),
    )
    stages = [name for name in RECIPES if name.endswith(ordinals)]
    assert len(stages) > 8
    for stage in stages:
        last, _, word = stage.rpartition("-")
        assert f"python train.py {stage} " in training
        (row,) = (row for row in rows if row.startswith(f"| [`{last}`]"))
        assert re.search(rf"-{word}\b", row)


def test_comments_in_scripts_name_files_that_exist():
    paths = [
        path
        for script in (ROOT / "recon/ui/web").glob("*.mjs")
        for path in re.findall(r"\brecon/[\w/]+(?:\.\w+)?", script.read_text("utf-8"))
    ]
    assert len(paths) > 5
    assert [path for path in paths if not (ROOT / path).exists()] == []


CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def imports(path: Path) -> set[str]:
    """What a file imports, anywhere in it, by full names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{one.name}" for one in node.names}
    return found


def room(name: str) -> str:
    """``batch`` of ``batch_results.py``."""
    return name.removesuffix(".py").split("_")[0]


def test_no_arrow_runs_upward():
    (picture,) = re.findall(r"```\n(app\.py.*?)```", CONTRIBUTING, re.DOTALL)
    floor = {}
    for height, line in enumerate(reversed(picture.splitlines())):
        names = re.split(r" {4,}", line)[0].replace("recon/", "")
        floor |= dict.fromkeys(re.findall(r"\w+", names), height)
    upward = set()
    for path in (ROOT / "recon").rglob("*.py"):
        start = room(path.relative_to(ROOT / "recon").parts[0])
        if start:  # not `recon/__init__.py`, the sign at the door
            assert start in floor
            ends = {room(name.split(".")[1]) for name in imports(path) if name.startswith("recon.")}
            upward |= {(start, end) for end in ends & set(floor) if floor[end] > floor[start]}
    assert upward == set()


@pytest.mark.parametrize(
    ("package", "rooms"), [("gradio", "ui"), ("gradio_client", "loadtest"), ("torch", None)]
)
def test_who_knows_a_package(package, rooms):
    """Only these rooms know Gradio, and the page knows no PyTorch."""
    knows = {
        path.relative_to(ROOT / "recon").parts[0]
        for path in (ROOT / "recon").rglob("*.py")
        if any(name.split(".")[0] == package for name in imports(path))
    }
    assert "ui" not in knows if rooms is None else rooms in knows <= {rooms, "ui"}


def test_what_is_added_has_the_place_that_the_table_names():
    rows = re.findall(r"^\| an? (.+?) \|(.*)\|(.*)\| (.*) \|$", CONTRIBUTING, re.MULTILINE)
    assert len(rows) == 8
    for what, file, line, example in rows:
        for table, place in re.findall(r"`(\w+)` in `([\w/.]+)`", line):
            path = next(filter(Path.exists, (ROOT / place, ROOT / "recon/ui/web" / place)))
            assert re.search(rf"\b{table}\b.*[=(]", path.read_text("utf-8")), (what, table)
        if example.endswith(".py`"):
            (folder,) = re.findall(r"`(recon/[\w/]+)/NAME\.py`", file)[:1]
            assert (ROOT / folder / example.strip("`")).is_file(), what


def test_names_that_the_explanation_uses_exist():
    import importlib

    text = (ROOT / "docs/how-it-works.md").read_text("utf-8")
    names = set(re.findall(r"`(recon(?:\.\w+)+)`", text))
    assert len(names) > 8
    for name in names:
        parts = name.split(".")
        for cut in range(len(parts), 0, -1):
            try:
                found = importlib.import_module(".".join(parts[:cut]))
                break
            except ImportError:
                continue
        for part in parts[cut:]:
            found = getattr(found, part)


def test_the_versions_of_python_that_are_tried_are_those_that_are_promised():
    tried = re.search(r"^VERSIONS := (.+)$", (ROOT / "Makefile").read_text(), re.M)[1].split()
    matrix = yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text())
    assert matrix["jobs"]["check"]["strategy"]["matrix"]["python"] == tried
    promised = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert promised == f">={tried[0]}"
    space = (ROOT / "README.md").read_text("utf-8").partition("python_version: ")[2]
    assert space.partition("\n")[0].rpartition(".")[0] in tried
