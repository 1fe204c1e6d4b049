"""What makes the repository a Space: its front matter, what is pushed, and ``make space``."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image

from tests.helpers.hub import TOKEN, Repository, connect, serve

ROOT = Path(__file__).parents[1]
# What the Hub's "Spaces Configuration Reference" lists, and the licence of any repository.
KEYS = {
    "title", "emoji", "colorFrom", "colorTo", "sdk", "python_version", "sdk_version",
    "suggested_hardware", "suggested_storage", "app_file", "app_build_command", "app_port",
    "base_path", "fullWidth", "header", "short_description", "models", "datasets", "tags",
    "thumbnail", "pinned", "hf_oauth", "hf_oauth_scopes", "hf_oauth_expiration_minutes",
    "hf_oauth_authorized_org", "disable_embedding", "startup_duration_timeout", "custom_headers",
    "preload_from_hub", "license",
}  # fmt: skip
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
VERSION_1 = """\
cache 300
rss 5
shmem 1
mapped_file 200
total_cache 3000000
total_rss 500
total_shmem 20
total_mapped_file 2000000
total_inactive_file 2000000
"""
VERSION_2 = """\
anon 700
file 4000000
kernel 60
kernel_stack 3
pagetables 4
shmem 50
file_mapped 2000000
slab_reclaimable 6000
slab_unreclaimable 2
"""


def front_matter(text: str) -> dict:
    return yaml.safe_load(text.split("---\n", 2)[1])


@pytest.fixture(scope="module")
def files():
    return runpy.run_path(str(ROOT / ".ci/space_files.py"))


@pytest.fixture(scope="module")
def space():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / ".ci")  # as Python does for a script
        return runpy.run_path(str(ROOT / ".ci/space.py"))


def test_the_front_matter_is_what_the_hub_takes(files):
    given = front_matter((ROOT / "README.md").read_text("utf-8"))
    assert set(given) <= KEYS
    assert {given["colorFrom"], given["colorTo"]} <= COLOURS
    assert len(given["short_description"]) <= 60
    assert given["sdk"] == "gradio"
    pin = re.search(r"^gradio\S*==(\S+)$", (ROOT / "requirements.txt").read_text(), re.M)
    assert given["sdk_version"] == pin[1]
    assert re.fullmatch(r"3\.\d+(\.\d+)?", given["python_version"])
    assert given["suggested_hardware"] == "cpu-basic"
    assert given["license"] == "mit"
    assert (ROOT / given["app_file"]).is_file()
    assert all(isinstance(tag, str) for tag in given["tags"])
    # These are known when it is pushed, and weights that ship need not be fetched before.
    assert not {"thumbnail", "models", "preload_from_hub"} & set(given)


def test_pushed_it_names_its_thumbnail_and_its_models(files):
    readme = (ROOT / "README.md").read_text("utf-8")
    before = front_matter(readme)
    after = files["filled"](readme, "user/space", ["org/one", "org/two"])
    assert after.partition("\n# ")[2] == readme.partition("\n# ")[2]
    added = {k: v for k, v in front_matter(after).items() if before.get(k) != v}
    place = "https://huggingface.co/spaces/user/space/resolve/main/"
    assert added == {
        "thumbnail": place + files["THUMBNAIL"], "models": ["org/one", "org/two"],
    }  # fmt: skip
    assert "models" not in front_matter(files["filled"](readme, "user/space", []))
    assert min(Image.open(ROOT / files["THUMBNAIL"]).size) >= 600  # of a card of 1200 x 630


@pytest.mark.slow
def test_the_two_commands_push_what_is_committed(files, tmp_path, monkeypatch, capsys):
    folder, models = tmp_path / "push", ["org/model"]
    with serve() as hub:
        connect(hub.url, tmp_path, monkeypatch)
        with pytest.raises(SystemExit):
            files["main"](["org/space", *models, "--out", str(folder)])
        assert "no model org/model" in capsys.readouterr().err
        assert not folder.exists()
        hub.repositories["org/model"] = Repository(private=False)
        files["main"](["org/space", *models, "--out", str(folder)])
        command = capsys.readouterr().out.split()
        subprocess.run(
            [Path(sys.executable).with_name("hf"), *command[1:]],
            env={**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN,
                 "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(tmp_path / "home")},
            check=True, capture_output=True, timeout=200,
        )  # fmt: skip
        pushed = hub.repositories["org/space"]
        content = pushed.commits[pushed.branches["main"]]
    listed = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", "-z", "HEAD"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert set(content) == set(listed.stdout.split("\0")) - {""}
    assert front_matter(content["README.md"].decode())["models"] == models


@pytest.mark.parametrize(("text", "size"), [(VERSION_1, 520), (VERSION_2, 759)])
def test_memory_leaves_the_page_cache_of_files_out(space, text, size):
    assert space["own_memory"](text) == size


def test_the_most_that_was_held_counts_not_the_last(space, tmp_path):
    memory = space["PeakMemory"](tmp_path)
    for rss in (100, 500, 200):
        text = VERSION_1.replace("total_rss 500", f"total_rss {rss}")
        (tmp_path / "memory.stat").write_text(text)
        memory.look()
    assert memory.peak == 520
