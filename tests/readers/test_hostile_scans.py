"""Attacks in scanners' and laboratories' formats: an array or one sentence, whatever they say.

Read as uploads are, by a process that holds one file; `test_hostile_files` has those of the
formats that came first.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.helpers.hostile import scanners
from tests.helpers.hostile.apart import in_own_process

ROOT = Path(__file__).parents[2]
MAX_RISE = 200  # MiB of the process that asks
SECRETS = ("Traceback", "/tmp", "passwd", "Secret", "root:")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, dict[str, int]]:
    folder = tmp_path_factory.mktemp("scans") / "attacks"
    return folder, scanners.files(folder)


@pytest.fixture(scope="module")
def found(made) -> dict:
    return in_own_process("probe", made[0])


def test_there_are_enough_of_every_format(made, found):
    folder, counts = made
    assert sum(counts.values()) >= 100
    assert min(counts.values()) >= 15
    assert {path.name for path in folder.iterdir()} <= set(found)


def test_each_ends_in_an_array_or_one_sentence(made, found):
    for name, result in found.items():
        sentence = result["sentence"]
        if sentence == "read":
            continue
        assert not sentence.startswith("ESCAPED"), (name, sentence)
        assert sentence.endswith("."), (name, sentence)
        assert ". " not in sentence, (name, sentence)
        assert not any(one in sentence for one in (*SECRETS, str(made[0]))), (name, sentence)


def test_most_are_refused(found):
    """What is read is harmless: an odd word in a field that is not used, an affine of zeros."""
    read = [name for name, result in found.items() if result["sentence"] == "read"]
    assert len(read) < len(found) / 5, read


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("twix_endless_sync.dat", "no imaging readouts"),
        ("twix_channels_many.dat", "no imaging readouts"),
        ("twix_line.dat", "at most 34 million samples"),
        ("twix_partition.dat", "partitions"),
        ("twix_nan.dat", "not finite"),
        ("bruker_matrix_repeated.zip", "does not say how large"),
        ("bruker_NR_99.zip", "readouts; up to"),
        ("bruker_bomb.zip", "compressed at most 100 times"),
        ("mrd_xml_entities.mrd", "declarations"),
        ("mrd_xml_outside.mrd", "declarations"),
        ("mrd_xml_huge.mrd", "65535 x 20"),
        ("mrd_heap_endless.mrd", "damaged or incomplete"),
        ("nifti_huge.nii", "MiB of voxels"),
        ("nifti_bomb.nii.gz", "MiB of voxels"),
        ("dicom_jpeg.dcm", "compressed.*dcmdjpeg"),
        ("dicom_frames.dcm", "2147483647 frames"),
        ("cfl_encrypted.zip", "encrypted"),
        ("pt_code.pt", "more than tensors"),
        ("pt_system.pt", "more than tensors"),
        ("pt_old.pt", "never loaded"),
        ("pt_shape.pt", "larger than its storage"),
    ],
)
def test_the_sentence_says_what_is_wrong(found, name, words):
    assert re.search(words, found[name]["sentence"]), found[name]


def test_no_code_ran(made, found):
    assert found["pt_code.pt"]["sentence"] != "read"
    for folder in (ROOT, made[0], made[0].parent, Path.cwd()):
        assert not (folder / "ran-code").exists()


def test_time_and_memory_stay_bounded(found):
    before = 0.0
    for name, result in found.items():
        if name == "control":
            continue
        assert result["seconds"] < 10, (name, result)
        assert result["rise"] < MAX_RISE, f"{name} after {before:.0f} MiB: {result['rise']:.0f}"
        before = result["rise"]
