"""The table of words: complete, without dead ones, and right where a word means two things."""

import ast
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

import recon
from recon import limits
from recon.errors import InputError
from recon.methods.networks import FOLDS, TOO_FEW
from recon.methods.parallel import FAR, WIDE
from recon.ui import session
from recon.ui.lessons.course import LESSONS, QUIZ
from recon.ui.words import PLACE
from recon.ui.words import german as translated

HOME = Path(recon.__file__).parent


def test_what_an_old_result_is_about_is_said_in_german():
    for words in (
        "These results are about Head, T1 (simulated), at 4x with mask seed 0.",
        "These results are about coils8.h5, slice 2, at 8x with mask seed 31.",
        "These results are about under.npz, slice 2, with its own mask, by Zero-filled.",
        "These results are about volume.h5, at 4x with mask seed 2, by Compressed sensing.",
    ):
        said = translated(words)
        assert said.startswith("Diese Ergebnisse gehören zu ")
        for english in ("slice", "about", "simulated", "with", "by ", "Zero-filled", "seed"):
            assert english not in said
    assert translated("Enlarge: All lines, all coils") == "Vergrößern: Alle Zeilen, alle Spulen"


def test_every_word_is_in_both_languages_with_the_same_places(german):
    assert len(german) > 100
    for english, words in german.items():
        assert english.strip() == english != ""
        assert words.strip() == words != ""
        assert sorted(PLACE.findall(english)) == sorted(PLACE.findall(words)), english


def test_no_word_outlives_the_page(german):
    """Every English text of the table stands in the source, or is put together there."""
    source = "\n".join(
        path.read_text("utf-8")
        for kind in ("*.py", "*.mjs", "*.css")
        for path in sorted(HOME.rglob(kind))
        if path.name != "words.mjs"
    )
    source = re.sub(r"""["']\s*\n\s*f?["']""", "", source)  # a string that goes on in the next line
    source = re.sub(r"\s+", "", source + re.sub(r"<[^>]*>", " ", source))
    pieces = {
        piece
        for english in german
        for part in PLACE.split(english)[::2]
        for piece in re.split(r"[.:,·]", part)
        if re.search(r"\w{2}", piece)
    }
    lost = {piece for piece in pieces if re.sub(r"\s+", "", piece) not in source}
    gradio = {"number input for ", "range slider for ", "Reset to default value", "processing |"}
    gradio |= {"Use via API or MCP", "Gradio footer navigation"}
    gradio |= {"File(s) exceed the maximum allowed size of "}
    assert lost == gradio


def test_why_the_zero_filled_image_stands_there_is_german(choice):
    with limits.limited(session.SPARE - 0.5):  # nothing for the method itself
        _, notice = session.attempt(replace(choice, method="cs"))
    assert notice.endswith("is quicker. The zero-filled image stands in its place.")
    assert translated(notice).endswith("schneller. An seiner Stelle steht das nullgefüllte Bild.")


def test_every_word_of_the_course_is_in_the_table(german):
    """Also those that the examples do not show."""
    for question in (*QUIZ, *(lesson.question for lesson in LESSONS)):
        texts = {question.text, question.why, *question.options} - {"", "A", "B"}
        assert texts <= german.keys()
    assert {text for one in LESSONS for text in (one.title, one.explanation)} <= german.keys()


def bad_files(folder: Path) -> dict[str, Path]:
    """Files as people have them that cannot be opened."""
    found = {}

    def put(name: str, content: bytes) -> None:
        found[name] = folder / name
        found[name].write_bytes(content)

    variable = b"\x0e\0\0\0\xff\0\0\0" + bytes(9)
    put("empty.npy", b"")
    put("letter.pdf", b"%PDF-1.4")
    put("moving.gif", b"GIF89a")
    put("notes.txt", b"hello")
    put("renamed.png", b"hello")
    put("old.mat", b"hello")
    put("packed.gz", b"\x1f\x8b\x08" + bytes(20))
    put("broken.h5", b"\x89HDF\r\n\x1a\n" + bytes(600))
    put("broken.png", b"\x89PNG\r\n\x1a\n" + bytes(40))
    put("broken.mat", b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + variable)
    arrays = {
        "short": np.zeros(64),
        "real": np.zeros((64, 64, 3, 3, 3, 3)),
        "small": np.ones((4, 4), complex),
        "words": np.array(["a"]),
        "objects": np.array([{}]),
        "zero": np.zeros((64, 64), complex),
        "endless": np.full((64, 64), np.nan + 0j),
    }
    for name, array in arrays.items():
        found[name] = folder / f"{name}.npy"
        np.save(found[name], array)
    put("cut.npy", found["zero"].read_bytes()[:2000])
    Image.new("L", (2000, 10)).save(folder / "narrow.png")
    with zipfile.ZipFile(folder / "other.zip", "w") as file:
        file.writestr("readme.txt", "hello")
    with h5py.File(folder / "other.h5", "w") as file:
        file["words"] = np.arange(3)
    with h5py.File(folder / "mask.h5", "w") as file:
        file["kspace"], file["mask"] = np.ones((1, 64, 64), np.complex64), np.arange(5)
    others = ("narrow.png", "other.zip", "other.h5", "mask.h5")
    return found | {name: folder / name for name in others}


def test_the_sentences_about_bad_files_are_german(tmp_path, foreign):
    said = {}
    for name, path in bad_files(tmp_path).items():
        with pytest.raises(InputError) as refused:
            recon.read(path)
        said[name] = str(refused.value)
    np.save(tmp_path / "good.npy", np.ones((64, 64), complex))
    with pytest.raises(InputError) as refused:
        recon.read(tmp_path / "good.npy", slice=9)
    said["slice"] = str(refused.value)
    assert len(set(said.values())) > 15
    wrong = {name: text for name, text in said.items() if foreign(translated(text) or text)}
    assert wrong == {}


def sentences(path: Path) -> set[str]:
    """What the refusals of a module say, with a number where a value is put in."""

    def text(node: ast.expr) -> str:
        if isinstance(node, ast.BinOp):
            return text(node.left) + text(node.right)
        if isinstance(node, ast.JoinedStr):
            return "".join(map(text, node.values))
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else "7"

    return {
        text(node.args[0])
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "InputError"
        and node.args
    }


@pytest.mark.parametrize("note", [TOO_FEW, FOLDS])
def test_why_coils_were_reconstructed_one_by_one_is_in_the_table(note):
    assert translated(note).startswith("Jede Spule")


def test_why_one_image_cannot_explain_all_coils_is_in_the_table():
    assert translated(WIDE).startswith("Kein einzelnes Bild erklärt")


def test_which_lines_grappa_leaves_empty_is_in_the_table():
    assert translated(FAR).startswith("Zeilen, die mehr als 8 jenseits")


def test_every_refusal_of_the_page_and_its_experiments_is_in_the_table():
    experiments = [HOME / "probes" / f"{name}.py" for name in ("coils", "lesion")]
    paths = {*(HOME / "ui").rglob("*.py"), *experiments, HOME / "export" / "common.py"}
    paths -= {HOME / "ui" / "api.py"}  # of no page
    found = {words for path in paths for words in sentences(path) if " " in words}
    found |= {"This is no link to the page.", "The weights 'x' of step 7 are missing or damaged.",
              "The weights 'x' are missing from the checkpoints folder."}  # fmt: skip
    assert len(found) > 20
    assert {words for words in found if translated(words) is None} == set()


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("Reconstruction", "Rekonstruktion"),
        ("Reconstruction with", "Rekonstruktion mit"),
        ("zero-filled image", "nullgefülltes Bild"),
        ("Error map of the zero-filled image", "Fehlerbild des nullgefüllten Bildes"),
        ("Error map of the SENSE reconstruction", "Fehlerbild der Rekonstruktion mit SENSE"),
        ("SENSE image", "Bild: SENSE"),
        (
            "SENSE reconstruction, change: rotated by 20°",
            "Rekonstruktion mit SENSE, Änderung: um 20° gedreht",
        ),
    ],
)
def test_words_that_mean_two_things_are_two(english, german):
    assert translated(english) == german


def test_every_refusal_of_a_reader_is_in_the_table():
    paths = set((HOME / "readers").glob("*.py")) - {HOME / "readers/in_memory.py"}  # of no file
    found = {words for path in paths for words in sentences(path)} - {"7"}  # said elsewhere
    assert len(found) > 100
    assert {words for words in found if translated(words) is None} == set()
