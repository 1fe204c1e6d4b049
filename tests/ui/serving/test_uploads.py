"""The folder of uploads: its room, its age, and what is forgotten with a file."""

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from recon import phantom
from recon.errors import InputError
from recon.ui import memory, session
from recon.ui.serving.uploads import AGE, RESERVE, UNUSED, FullError, Store, Visitor
from recon.ui.session import Choice, Origin

ROOT = Path(__file__).parents[3]
ME, YOU = Visitor("a" * 43, True), Visitor("b" * 43, True)
NOBODY = Visitor("c" * 43, False)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "gradio" / "recon", quota=10_000)


def test_documents_say_how_long_files_stay():
    assert (AGE, UNUSED) == (3600, 600)
    api, readme = (
        " ".join((ROOT / name).read_text("utf-8").split()) for name in ("docs/api.md", "README.md")
    )
    assert "uploads are deleted after an hour" in readme
    assert "deleted after an hour, unused ones after ten minutes" in api


def put(store, owner=ME, name="k.npy", data=b"data", upload=True):
    place = store.begin()
    store.grow(place, len(data))
    (place / name).write_bytes(data)
    store.finish(place, [place / name], owner, upload)
    return str(place / name)


def test_an_upload_is_its_visitors(store):
    path = put(store)
    assert store.opens(path, ME, "one")
    assert store.opens(path, ME, "two")
    assert store.opens(path, ME, None)
    for stranger in (YOU, NOBODY, Visitor("a" * 43, False)):
        assert not store.opens(path, stranger, "one")
        assert not store.serves(path, stranger)
    assert store.serves(path, ME)


@pytest.mark.parametrize("path", [None, 5, "", ".", "/etc/passwd", ["x"], {"path": "x"}])
def test_other_things_are_no_uploads(store, path):
    put(store)
    assert not store.opens(path, ME, "one")


def test_without_cookies_the_first_session_has_it(store):
    path = put(store, NOBODY)
    assert not store.opens(path, ME, "one")
    assert store.opens(path, Visitor("d" * 43, False), "one")
    assert store.opens(path, Visitor("e" * 43, False), "one")
    assert not store.opens(path, Visitor("f" * 43, False), "two")
    assert not store.opens(path, Visitor("f" * 43, False), None)
    assert not store.serves(path, NOBODY)


def test_who_turns_out_to_keep_cookies_is_told_by_them(store):
    path = put(store, NOBODY)
    assert store.opens(path, Visitor(NOBODY.key, True), "one")
    assert not store.opens(path, Visitor("d" * 43, False), "one")


def test_what_was_made_is_no_upload(store):
    for owner in (ME, NOBODY):
        path = store.produce("answer.zip", b"PK", owner)
        assert not store.opens(path, owner, "one")
        assert not store.known(path)
        assert store.serves(path, owner)
    assert store.serves(path, ME)  # a link that a program was given, opened in a browser
    assert not store.serves(store.produce("answer.zip", b"PK", ME), YOU)


def test_the_quota_counts_what_is_not_finished(store):
    put(store, data=b"x" * 6000)
    place = store.begin()
    store.grow(place, 3000)
    with pytest.raises(FullError, match="no room"):
        store.grow(place, 2000)
    with pytest.raises(FullError):
        store.produce("answer.zip", b"x" * 2000, ME)
    store.discard(place)
    assert len(list(store.folder.iterdir())) == 1
    assert store.produce("answer.zip", b"x" * 2000, ME)


def test_some_of_the_disk_is_left_to_others(store, monkeypatch):
    usage = shutil.disk_usage(store.folder.parent.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=RESERVE + 10))
    place = store.begin()
    store.grow(place, 10)
    with pytest.raises(FullError):
        store.grow(place, 11)


def test_a_full_disk_is_one_sentence(store, monkeypatch):
    from pathlib import Path

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    store.begin()
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match="no room"):
        store.produce("answer.zip", b"PK", ME)
    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(InputError, match="no room"):
        store.begin()


def test_everything_goes_after_its_age(store):
    used, unused, made = put(store), put(store), store.produce("answer.zip", b"PK", ME)
    store.opens(used, ME, "one")
    writing = store.begin()
    (writing / "part").write_bytes(b"x")
    gone: list[str] = []
    store.forgotten.append(gone.extend)
    now = time.time()
    store.sweep(now + UNUSED + 1)
    assert gone == [unused]
    store.sweep(now + AGE + 1)
    assert sorted(gone) == sorted([used, unused, made])
    assert list(store.folder.iterdir()) == [writing]  # still being written
    store.discard(writing)
    assert not store.known(used)
    assert not store.opens(used, ME, "one")
    assert list(store.folder.iterdir()) == []


def test_what_a_killed_server_left_goes_too(store):
    left = [store.folder / "ab", store.folder / "tmpfile", store.folder.parent / ("0" * 64)]
    others = [store.folder.parent / "other", store.folder.parent / ("0" * 63)]
    for path in (*left, *others):
        path.mkdir(parents=True)
        (path / "k.npy").write_bytes(b"x")
        old = time.time() - AGE - 10
        os.utime(path, (old, old))
    fresh = store.folder / "cd"
    fresh.mkdir()
    store.sweep()
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in (*others, fresh))


def test_at_the_end_everything_is_deleted(store):
    put(store)
    store.close()
    assert list(store.folder.iterdir()) == []


def test_results_are_forgotten_with_their_file(tmp_path):
    path = tmp_path / "k.npy"
    np.save(path, phantom.kspace((48, 40)))
    choice = Choice(Origin(upload=str(path)), 0, method="zero-filled")
    assert session.run(choice) is session.run(choice)
    assert session.scan(choice) is session.scan(choice)
    example = Choice(Origin(example="phantom"), method="zero-filled")
    kept = session.run(example)
    path.unlink()
    for function in (session.run, session.read, session.scan, session.describe):
        with pytest.raises(InputError, match="upload the file again"):
            function(choice)
    session.forget({str(path)})
    np.save(path, phantom.kspace((48, 40), seed=5))  # another file in the same place
    assert session.run(choice).metrics != kept.metrics
    assert session.run(example) is kept


def test_large_results_are_remembered_for_a_shorter_time(monkeypatch):
    choices = [Choice(Origin(example="phantom"), seed=s, method="zero-filled") for s in range(4)]
    first = session.run(choices[0])
    size = sum(one.nbytes for one in vars(first).values() if isinstance(one, np.ndarray))
    monkeypatch.setattr(memory, "LARGEST", 2.5 * size)
    results = [session.run(one) for one in choices]
    assert session.run(choices[3]) is results[3]
    assert session.run(choices[2]) is results[2]
    assert session.run(choices[0]) is not results[0]
    monkeypatch.setattr(memory, "LARGEST", 0)
    last = session.run(choices[1])
    assert session.run(choices[1]) is last


def test_nothing_of_a_forgotten_file_stays_in_memory(tmp_path):
    import gc
    import weakref

    path = tmp_path / "k.npy"
    np.save(path, phantom.kspace((48, 40)))
    choice = Choice(Origin(upload=str(path)), 0, method="zero-filled")
    kept = [weakref.ref(session.run(choice)), weakref.ref(session.scan(choice))]
    assert all(one() is not None for one in kept)
    session.forget({str(path)})
    gc.collect()
    assert [one() for one in kept] == [None, None]
