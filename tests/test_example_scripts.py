"""The scripts that newcomers copy from run as they stand."""

import re
import runpy
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script_prints_a_score(script, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", [str(script)])
    runpy.run_path(str(script), run_name="__main__")
    scores = [float(x) for x in re.findall(r"SSIM (\d\.\d+)", capsys.readouterr().out)]
    assert scores
    assert all(0 < score < 1 for score in scores)
