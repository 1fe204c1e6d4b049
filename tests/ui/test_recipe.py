"""Code and a command to copy give the same numbers."""

import contextlib
import io
import json
import re
from dataclasses import replace

import numpy as np

import recon
from recon import phantom
from recon.ui import recipe, session
from recon.ui.session import Choice, Origin


def test_code_to_copy_prints_the_same_numbers():
    wish = Choice(Origin(example="phantom"), 0, 8, 3, "zero-filled", 0.05)
    result = session.run(wish)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(recipe.python(wish, result), {})
    assert said.getvalue().strip() == str(result.metrics)
    assert recipe.command(wish, result) == ""


def test_the_command_to_copy_gives_the_same_numbers(choice, tmp_path, monkeypatch, capsys):
    from recon.cli import main

    wish = replace(choice, method="zero-filled", seed=4, axes="auto")
    words = recipe.command(wish, session.run(wish)).split()
    assert words[:3] == ["python", "-m", "recon"]
    monkeypatch.chdir(tmp_path)
    assert main([*words[3:], "--out", "out"]) in (0, None)
    (record,) = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert record["ssim"] == session.run(wish).metrics["ssim"]


def test_a_name_that_would_be_code_stays_a_name(tmp_path):
    name = "a'; import os #.npy"
    np.save(tmp_path / name, phantom.kspace((32, 32)))
    wish = Choice(
        Origin(upload=str(tmp_path / name)), 0, method="zero-filled", center_fraction=0.08
    )
    result = session.run(wish)
    assert json.dumps(name) in recipe.python(wish, result)
    assert re.search(r"'a'\"'\"'; import os #\.npy'", recipe.command(wish, result))
    assert recon.__name__ in recipe.html(wish, result)
