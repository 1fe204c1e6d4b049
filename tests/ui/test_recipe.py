"""Code and a command to copy give the same numbers."""

import ast
import contextlib
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

import recon
from recon import examples, masks, phantom
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


@pytest.fixture
def variants(tmp_path) -> Choice:
    """A file with a variant for 4x and one for 8x, each with its own mask."""
    with h5py.File(tmp_path / "variants.h5", "w") as file:
        for rate in (4, 8):
            mask = masks.random_cartesian(64, rate, seed=0)
            file[f"kspace_{rate}af"] = (phantom.kspace((64, 64)) * mask)[None].astype(np.complex64)
            file[f"mask_{rate}af"] = mask
    return Choice(Origin(upload=str(tmp_path / "variants.h5")), 0, 8, method="zero-filled")


def test_code_to_copy_takes_the_variant_that_is_open(variants, tmp_path, monkeypatch):
    result = session.run(variants)
    text = recipe.python(variants, result)
    monkeypatch.chdir(tmp_path)
    found: dict = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(text, found)
    np.testing.assert_array_equal(found["result"].line_mask, result.line_mask)
    assert variants.words() == "variants.h5, with its own mask"


@pytest.mark.parametrize(
    "name", ["scan\N{GRINNING FACE}.npy", "it's.npy", 'a"b.npy', "ä\u2028b.npy"]
)
def test_code_to_copy_has_the_name_of_the_file(tmp_path, name):
    np.save(tmp_path / name, np.asarray(phantom.kspace((32, 32))))
    wish = Choice(Origin(upload=str(tmp_path / name)), 0, method="zero-filled")
    text = recipe.python(wish, session.run(wish))
    named = re.search(r"recon\.read\((.*), slice=", text)
    assert ast.literal_eval(named[1]) == name


def test_code_to_copy_reads_an_example_as_the_page_does(choice, monkeypatch):
    wish = Choice(Origin(example="low-field-fse"), 1)
    monkeypatch.setattr(examples, "fetch", lambda key: Path(choice.origin.upload))
    result = session.run(replace(choice, method="zero-filled"))
    assert "slice=0, axes='slices')" in recipe.python(wish, result)
    assert "--axes slices" in recipe.command(wish, result)


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
