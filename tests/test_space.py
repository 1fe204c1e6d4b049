"""What makes the repository a Space: its front matter, and the gauge of ``make space``."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
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


@pytest.fixture(scope="module")
def space():
    return runpy.run_path(str(ROOT / ".ci/space.py"))


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
