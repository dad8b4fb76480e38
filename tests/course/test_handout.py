"""The hand-out: what is in it, what is not, and that it runs as it is."""

import base64
import gzip
import json
import py_compile
import re
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import nbformat
import pytest

from hw4.grading.course.given import BLANK, NAME
from hw4.grading.notebook.questions import role
from tests.builders import NOTEBOOK, QUESTIONS, ROOT
from tests.course.leaks import leaks


def main(*arguments, folder, cwd=None):
    return subprocess.run(
        [sys.executable, str(folder / "main.py"), *map(str, arguments)], cwd=cwd, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def handed_out(tmp_path_factory):
    """Return the folder of a hand-out."""
    folder = tmp_path_factory.mktemp("course") / "handout"
    done = main("handout", folder, folder=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    return folder


@pytest.fixture
def copied(handed_out, tmp_path):
    """Return a copy of the hand-out that a test may change."""
    return shutil.copytree(handed_out, tmp_path / "mine")


def test_it_has_what_a_student_writes_into_and_what_runs_it(handed_out):
    top = {path.name for path in handed_out.iterdir()}
    assert top == {NAME, "README.md", "hw4", "main.py", "requirements", "requirements.txt", "tests", ".github"}
    assert (handed_out / NAME).read_bytes() == BLANK.read_bytes()
    assert "raise NotImplementedError" in (handed_out / "hw4" / "answers.py").read_text()
    assert not (handed_out / "hw4" / "evidence").exists()


def test_it_says_nothing_of_the_answers(handed_out):
    assert leaks(handed_out) == []


def answer(name):
    return next(cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.id == name)


FUNCTION = (ROOT / "hw4" / "answers.py").read_text(encoding="utf-8").partition("def ")[2]
LEFT_IN = {
    "a sentence of an answer": ("README.md", answer("loss-2-answer").split("\n\n")[2]),
    "a number of a note, in a test": ("tests/test_answers.py", "# " + answer("cnn-2-note-2")),
    "a note": (NAME, answer("dropout-2-note-1")),
    "the function, in a comment": ("main.py", "\n".join(f"# {line}" for line in FUNCTION.splitlines())),
    "its docstring, in the stub": ("hw4/answers.py", FUNCTION.split('"""')[1]),
    "a formula of an answer": ("requirements.txt", answer("backprop-2-answer").split("$$")[1].replace("\n", " ")),
    "a line of evidence": ("hw4/grading/names.py", answer("gnn-2-evidence-2")),
}


@pytest.mark.parametrize("what", LEFT_IN)
def test_what_was_left_in_is_found(copied, what):
    name, text = LEFT_IN[what]
    path = copied / name
    if path.suffix == ".ipynb":
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[9].source += f"\n\n{text}"
        nbformat.write(notebook, path)
    else:
        path.write_text(path.read_text(encoding="utf-8") + "\n" + text, encoding="utf-8")
    assert leaks(copied)


def picture(text):
    """Return a picture that has `text` in its metadata."""
    from PIL import Image, PngImagePlugin

    info, file = PngImagePlugin.PngInfo(), BytesIO()
    info.add_text("Comment", text, zip=True)
    Image.new("L", (9, 9)).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def in_metadata(notebook, text):
    notebook.metadata["notes"] = text


def in_a_cells_metadata(notebook, text):
    notebook.cells[5].metadata["tags"] = [text]


def in_an_output(notebook, text):
    notebook.cells[2].outputs = [nbformat.v4.new_output("stream", text=text)]


def in_an_attachment(notebook, text):
    content = base64.b64encode(picture(text)).decode()
    notebook.cells[4].attachments = {"p.png": {"image/png": content}}


def in_a_formula_written_otherwise(notebook, text):
    text = text.replace("\\boldsymbol", "\\mathbf").replace("{", " { ").replace("}", "}\\,").replace("frac", "tfrac")
    notebook.cells[4].source += text.replace(r"\tfrac { 1 }\, { 2 }\,", r"\tfrac12 ")


IN_THE_NOTEBOOK = [in_metadata, in_a_cells_metadata, in_an_output, in_an_attachment, in_a_formula_written_otherwise]


@pytest.mark.parametrize("put", IN_THE_NOTEBOOK)
def test_what_was_left_in_another_place_of_the_notebook_is_found(copied, put):
    notebook = nbformat.read(copied / NAME, as_version=4)
    put(notebook, answer("backprop-2-answer").split("$$")[1])
    nbformat.write(notebook, copied / NAME)
    assert leaks(copied)


@pytest.mark.parametrize("name", ["hw4/answers.pyc", "figure.png", "old.zip", "answers.py.gz", "notes.txt"])
def test_a_file_that_is_no_text_is_found(copied, name, tmp_path):
    (tmp_path / "answers.py").write_text(FUNCTION)
    body = {
        "pyc": lambda: Path(py_compile.compile(str(ROOT / "hw4/answers.py"), str(tmp_path / "a.pyc"))).read_bytes(),
        "png": lambda: picture(FUNCTION),
        "zip": lambda: Path(shutil.make_archive(str(tmp_path / "x"), "zip", tmp_path, "answers.py")).read_bytes(),
        "gz": lambda: gzip.compress(FUNCTION.encode()),
        "txt": lambda: base64.b64encode(FUNCTION.encode()),
    }[name.rpartition(".")[2]]()
    (copied / name).write_bytes(body)
    assert leaks(copied)


def test_what_tools_left_in_the_project_is_not_handed_out(tmp_path):
    project = shutil.copytree(ROOT, tmp_path / "project", ignore=shutil.ignore_patterns(".git", "graded", ".venv"))
    for name in (".course.py.swp", "names.py~", "names.pyc", "names.py.orig", "__pycache__/x.pyc"):
        (project / "hw4" / "grading" / name).parent.mkdir(exist_ok=True)
        (project / "hw4" / "grading" / name).write_text(FUNCTION)
    assert main("handout", tmp_path / "made", folder=project).returncode == 0
    assert leaks(tmp_path / "made") == []


def test_its_notebook_has_no_outputs_and_only_the_metadata_that_grading_needs(handed_out):
    notebook = nbformat.read(handed_out / NAME, as_version=4)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
    assert {key for cell in notebook.cells for key in cell.metadata} == {"deletable", "editable", "nbgrader"}
    assert set(notebook.metadata) == {"hw4", "kernelspec", "language_info"}


def test_the_first_cell_says_where_to_write_how_to_run_what_is_checked_and_how_to_hand_in(handed_out):
    first = nbformat.read(handed_out / NAME, as_version=4).cells[0].source
    for phrase in (
        "answer cells below",
        '"**Answer:**"',
        "--only cnn-3",
        "What is checked",
        "is not checked",
        "hand in",
    ):
        assert phrase in first


@pytest.mark.slow
def test_it_runs_as_it_is_with_no_error_but_the_checks(copied):
    done = main(folder=copied, cwd=copied)
    assert done.returncode == 1
    code = [role(cell) for cell in nbformat.read(BLANK, as_version=4).cells if cell.cell_type == "code"]
    ran, checks = f"{len(code) - 1} of {len(code)} cells ran without error", code.count("check")
    assert f"0 of {QUESTIONS} questions answered, {ran}, {checks - 1} of {checks} checks passed" in done.stdout
    assert re.findall(r"^(?:failed|timed out|died|not run)[^:]*: (?!backprop-2)", done.stdout, re.MULTILINE) == []
    assert "not judged: part4_affine_backward is not written yet" in done.stdout
    tests = json.loads((copied / "graded" / "results.json").read_text())["tests"]
    assert sum(test.get("score", 0) for test in tests) == 0


def test_each_question_cell_stands_in_it_as_it_was_asked(handed_out):
    full, notebook = nbformat.read(NOTEBOOK, as_version=4), nbformat.read(handed_out / NAME, as_version=4)
    asked = [[cell.source for cell in each.cells if role(cell) == "question"] for each in (full, notebook)]
    assert asked[0] == asked[1] and len(asked[0]) == QUESTIONS


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("kept")
    done = main("handout", tmp_path, folder=ROOT)
    assert done.returncode == 2 and "not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_folder_of_that_name_is_still_graded(tmp_path):
    (tmp_path / "handout").mkdir()
    done = main("./handout", folder=ROOT, cwd=tmp_path)
    assert done.returncode == 2 and "no notebook in it" in done.stderr
