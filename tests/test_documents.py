"""Documents that hold code: they run, and what they name exists."""

import json
import re
import runpy
import time
import tomllib
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import yaml
from PIL import Image

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


@pytest.mark.parametrize("name", ["README.md", "docs/how-it-works.md", "docs/training.md"])
def test_files_that_documents_name_exist(name):
    text = (ROOT / name).read_text("utf-8")
    paths = re.findall(r"`((?:recon|docs|tests|examples|checkpoints)/[\w./-]*)`", text)
    paths += [
        str((ROOT / name).parent.joinpath(link).relative_to(ROOT))
        for link in re.findall(r"\]\((?!http)([\w./-]+)\)", text)
    ]
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


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
