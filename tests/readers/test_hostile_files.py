"""Files that attack: refused in one sentence, without code run, memory taken or secrets told.

They are read in a process of their own, whose memory is measured and which may crash without
taking the tests with it; once with the walls of `recon.readers.isolated`, and once without, since
the readers' own checks must hold by themselves wherever they can.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.helpers import files, hostile
from tests.helpers.hostile.apart import in_own_process
from tests.helpers.hostile.behind import behind, lookup3, structures

MAX_RISE = 200  # MiB above a process that has read valid files


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "attacks"
    folder.mkdir()
    for attack in hostile.ATTACKS:
        attack(folder)
    return folder


@pytest.fixture(scope="module", params=[True, False], ids=["walls", "no walls"])
def found(request, folder) -> dict:
    return in_own_process("probe", folder, walls=request.param)


def test_attack_files_are_what_they_claim(folder):
    """Without the guard, each would have worked."""
    with h5py.File(folder / "external_storage.h5") as file:
        assert file["kspace"][...].tobytes()[:7] == b"secret-"
    for name in ("virtual_dataset", "external_link", "soft_link"):
        with h5py.File(folder / f"{name}.h5") as file:
            assert np.abs(file["kspace"][...]).max() > 0
    small = {
        "npy_declares.npy": 228,
        "declared_only.h5": 8000,
        "gzip_bomb.h5": 700_000,
        "lying_chunk.h5": 700_000,
        "npz_bomb.npz": 1_200_000,
        "mat_zeros.mat": 300_000,
        "huge_chunk.h5": 8000,
    }
    for name, most in small.items():
        assert (folder / name).stat().st_size <= most, name


def test_every_attack_is_refused_in_one_sentence(found, folder):
    assert len(found) >= len(hostile.ATTACKS)
    for name, result in found.items():
        sentence = result["sentence"]
        assert sentence != "read", name
        assert not sentence.startswith("ESCAPED"), (name, sentence)
        assert sentence.endswith("."), name
        assert ". " not in sentence, name
        for leak in ("secret", str(folder), "Traceback", "xxxx", "/tmp"):
            assert leak not in sentence, (name, sentence)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("external_storage.h5", "outside itself"),
        ("virtual_dataset.h5", "outside itself"),
        ("external_link.h5", "outside itself"),
        ("external_mask.h5", "outside itself"),
        ("external_group.h5", "outside itself"),
        ("soft_link.h5", "through a link"),
        ("v73_external_link.mat", "outside itself"),
        ("declared_only.h5", "stores hardly any"),
        ("gzip_bomb.h5", "stores hardly any"),
        ("lying_chunk.h5", "does not unpack to its declared size"),
        ("huge_chunk.h5", "chunk of this HDF5 file is larger than 64 MiB"),
        ("wide_compound.h5", "no array that can be k-space"),
        ("endless_heap.h5", "damaged or incomplete"),
        ("odd_floats.h5", "no array that can be k-space"),
        ("npy_declares.npy", "declares 305175.8 MiB but 0.1 KiB are there"),
        ("npy_pickle.npy", "pickled Python objects"),
        ("npz_pickle.npz", "pickled Python objects"),
        ("npz_bomb.npz", "unpacks to 1024 MiB"),
        ("zip_in_disguise.npy", "no NumPy array"),
        ("mat_zeros.mat", "4096 x 4096"),
        ("mat_zeros_within_limits.mat", "unpacks to 256 MiB"),
        ("mat_many_variables.mat", "too many variables"),
        ("png_text_chunks.png", "damaged or incomplete"),
        ("heaps_in_heaps.h5", "damaged or incomplete"),
        ("jpeg_scans.jpg", "5006 scans; up to 100"),
        ("tiff_tile.tif", "tile of 46336 x 46336"),
        ("png_bomb.png", "4096 x 4096"),
        ("png_bomb_smaller.png", "4096 x 4096"),
        ("tiff_frames.tif", "more than 512 frames"),
    ],
)
def test_the_sentence_says_what_is_wrong(found, name, words):
    assert words in found[name]["sentence"]


def test_pickles_ran_no_code(found, folder):
    assert "npy_pickle.npy" in found
    assert not (folder / "ran-code").exists()


def test_memory_stays_bounded(found):
    before = 0.0
    assert found["control"]["rise"] > 250, "the gauge does not move"
    for name, result in found.items():
        if name == "control":
            continue
        assert result["rise"] < MAX_RISE, f"{name} after {before:.0f} MiB: {result['rise']:.0f} MiB"
        before = result["rise"]


@pytest.mark.slow
def test_no_answer_holds_bytes_that_are_not_the_files_own(tmp_path):
    """Memory is full of a marker, and chunks declare more bytes than they store."""
    found = in_own_process("leak", tmp_path / "chunks", walls=False)
    assert found["files"] > 1000
    assert found["read"] > 50
    assert found["leaks"] == []
    assert found["escaped"] == []


def test_no_file_holds_the_reader(found):
    for name, result in found.items():
        assert result.get("seconds", 0) < 20, (name, result)


def test_damage_behind_checksums_passes_them(tmp_path):
    """Or the damaged files below would all end at the checksum."""
    assert lookup3(b"Four score and seven years ago") == 0x17770551  # from lookup3.c
    paths = files.one_of_each(tmp_path / "each") + files.indexes(tmp_path / "indexes")
    passed = set()
    for path in paths:
        content, rng = path.read_bytes(), np.random.default_rng(0)
        copy = behind(content, lambda part: bytes([part[0] ^ 128]) + part[1:], rng)
        if copy is None:
            continue
        assert copy != content
        passed.add("".join(path.suffixes))
        if path.suffix in (".zip", ".npz", ".pt"):
            with zipfile.ZipFile(io.BytesIO(copy)) as archive:
                assert archive.testzip() is None
        elif path.suffix == ".gz":
            assert gzip.decompress(copy)
        elif path.suffix == ".h5":
            assert 0 <= len(structures(content)) - len(structures(copy)) <= 1  # no signature there
        assert behind(content, lambda part: part, rng) is not None
    assert passed == {".zip", ".npz", ".pt", ".nii.gz", ".png", ".mat", ".h5"}


@pytest.mark.slow
def test_damaged_files_are_read_or_refused(tmp_path):
    # Nine of ten damaged TWIX files can be read, since nearly all of their bytes are samples.
    found = in_own_process("fuzz", tmp_path, 48)
    assert len(found) >= 12
    for name, ends in found.items():
        assert ends.pop("rise") < MAX_RISE, (name, ends)
        assert ends.pop("seconds") < 20, (name, ends)
        ends.pop("died")
        assert set(ends) == {"read", "refused"}, (name, ends)
        assert ends["refused"] > 0, name
