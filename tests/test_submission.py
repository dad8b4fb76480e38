"""Files that claim to be a submission: which run, and what is said of the rest."""

import json
import os

import pytest

from hw4.grading.errors import Unusable
from hw4.grading.intake.students import find
from hw4.grading.notebook.format import read_notebook
from hw4.grading.output import safe_name
from hw4.grading.report.gradescope import gradescope
from hw4.grading.submission import collect
from tests.builders import made, submission

CELL = {"cell_type": "code", "id": "a", "metadata": {}, "source": "print(1)", "outputs": [], "execution_count": None}
BOOK = {"cells": [CELL], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
OLD = {"cells": [{"cell_type": "code", "language": "python", "input": "print(1)", "outputs": [], "metadata": {}}]}
NESTED = {"a": {}}
for _ in range(400):
    NESTED = {"a": NESTED}


def body(**changes):
    return json.dumps(BOOK | changes).encode()


READABLE = {
    "plain": body(),
    "byte order mark": b"\xef\xbb\xbf" + body(),
    "format 3": json.dumps({"worksheets": [OLD], "metadata": {}, "nbformat": 3, "nbformat_minor": 0}).encode(),
    "no ids": body(nbformat_minor=4, cells=[{key: value for key, value in CELL.items() if key != "id"}]),
    "ids that stand twice": body(cells=[CELL, CELL]),
    "sources as lists": body(cells=[CELL | {"source": ["print(", "1)"]}]),
    "a source that is a number": body(cells=[CELL | {"source": 7}, CELL]),
    "no outputs and no metadata": body(cells=[{"cell_type": "code", "source": "print(1)"}]),
    "an unknown kind of cell": body(cells=[CELL | {"cell_type": "heading"}, CELL]),
    "an unknown kernelspec": body(metadata={"kernelspec": {"name": "my-env", "display_name": "Mine"}}),
    "metadata of the wrong kind": body(
        metadata={"kernelspec": 7, "language_info": [], "hw4": "x", "widgets": {"a": 1}}
    ),
    "metadata nested too deeply": body(metadata=NESTED, cells=[CELL | {"metadata": NESTED}]),
    "half a character": b'{"nbformat":4,"cells":[{"cell_type":"code","source":"print(1) # \\ud800","id":"\\ud800"}]}',
    "outputs that are nonsense": body(cells=[CELL | {"outputs": [7], "execution_count": "x"}]),
}
UNREADABLE = {
    "empty": (b"", "empty"),
    "blank": (b" \n", "empty"),
    "text": (b"hello", "not JSON: damaged or cut off in line 1"),
    "truncated": (body()[:-20], "not JSON: damaged or cut off in line 1"),
    "NUL bytes": (body() + b"\0\0", "not JSON"),
    "merge conflict": (b"<<<<<<< HEAD\n" + body() + b"\n=======\n>>>>>>> b\n", "holds the markers of a merge conflict"),
    "latin-1": (b'{"x": "\xe9"}', "not UTF-8 text"),
    "UTF-16": (json.dumps(BOOK).encode("utf-16"), "not UTF-8 text"),
    "a picture": (b"\x89PNG\r\n\x1a\n", "not UTF-8 text"),
    "a list": (b"[]", "not a Jupyter notebook"),
    "cells that are a dictionary": (body(cells={"a": 1}), "not a Jupyter notebook"),
    "cells that are texts": (body(cells=["x"]), "not a Jupyter notebook"),
    "format 5": (body(nbformat=5), "notebook format 5, which nothing here reads"),
    "brackets without end": (b'{"nbformat": 4, "cells": [], "metadata": ' + b"[" * 200_000, "not a Jupyter notebook"),
}


@pytest.mark.parametrize("content", READABLE.values(), ids=READABLE)
def test_what_leaves_the_cells_readable_runs(grade, tmp_path, content):
    (tmp_path / "hw.ipynb").write_bytes(content)
    assert grade("hw.ipynb").returncode == 0
    executed = json.loads((tmp_path / "graded" / "hw.ipynb").read_text())
    assert any(output.get("text") == ["1\n"] for cell in executed["cells"] for output in cell.get("outputs", []))
    assert (tmp_path / "hw.ipynb").read_bytes() == content


@pytest.mark.parametrize(("content", "said"), UNREADABLE.values(), ids=UNREADABLE)
def test_the_rest_gets_one_line(content, said):
    with pytest.raises(Unusable) as problem:
        read_notebook(content, "hw.ipynb")
    assert str(problem.value).startswith(f"hw.ipynb: {said}")
    assert len(str(problem.value).splitlines()) == 1


def test_what_cannot_be_graded_leaves_results_and_exits_two(grade, tmp_path):
    (tmp_path / "hw.ipynb").write_text("{")
    (tmp_path / "graded").mkdir()
    (tmp_path / "graded" / "report.html").write_text("of an earlier run")
    run = grade("hw.ipynb", reference=None)
    assert run.returncode == 2
    results = json.loads((tmp_path / "graded" / "results.json").read_text())
    assert (results["score"], results["tests"]) == (0, [])
    assert results["output"].startswith("hw.ipynb: not JSON")
    assert not (tmp_path / "graded" / "report.html").exists()


@pytest.mark.parametrize(
    "name", ["with space.ipynb", "new\nline.ipynb", "ünï.ipynb", "=1+2.ipynb", "-x.ipynb", "a;b&c.ipynb"]
)
def test_any_name_will_do_and_none_leaves_the_output_folder(notebook, grade, tmp_path, name):
    notebook({"a": "print(1)"}, name=name)
    run = grade("--", name, reference=name)
    assert run.returncode == 0
    assert safe_name(name) in {path.name for path in (tmp_path / "graded").iterdir()}
    assert all(line.isprintable() for line in run.stdout.splitlines())


def test_a_pipe_is_no_submission_and_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "hw.ipynb")
    with pytest.raises(Unusable, match="not a file"):
        collect(*find([tmp_path / "hw.ipynb"], tmp_path / "hw.ipynb", tmp_path).submissions)


def test_a_file_without_permission_is_said(tmp_path, monkeypatch):
    path = tmp_path / "hw.ipynb"
    path.write_text("{}")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    found = find([path], path, tmp_path).submissions
    monkeypatch.setattr(os, "open", refuse)  # root would be let through
    with pytest.raises(Unusable, match=r"hw\.ipynb: Permission denied"):
        collect(*found)


def test_a_link_inside_a_submission_is_not_followed(notebook, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "link").symlink_to(tmp_path / "secret")
    notebook({"a": "1"}, name="s/hw.ipynb")
    assert set(collect(*find([tmp_path / "s"], tmp_path / "hw.ipynb", tmp_path).submissions).files) == {"hw.ipynb"}


def test_a_folder_is_a_submission_with_its_own_answers(notebook, grade, tmp_path):
    (tmp_path / "s" / "hw4").mkdir(parents=True)
    (tmp_path / "s" / "hw4" / "answers.py").write_text("part4_affine_backward = 'mine'")
    path = notebook({"a": "from hw4.answers import part4_affine_backward as f; print(f)"}, name="s/hw.ipynb")
    assert grade("s", reference=path).returncode == 0
    assert "mine" in (tmp_path / "graded" / "hw.ipynb").read_text()


def test_neither_the_original_nor_another_submission_can_be_changed(notebook, grade, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("as it was")
    attack = f"for name in ('hw.ipynb', {str(other)!r}, {str(tmp_path / 'hw.ipynb')!r}):\n    try:\n"
    attack += "        open(name, 'w').write('x')\n    except OSError: pass"
    path = notebook({"attack": attack})
    before = path.read_bytes()
    grade(path)
    assert (path.read_bytes(), other.read_text()) == (before, "as it was")


def test_a_class_is_found_by_its_notebooks(notebook, tmp_path):
    for name in [
        "ann/hw.ipynb",
        "bob/deep/er/hw.ipynb",
        "eve/one.ipynb",
        "eve/two.ipynb",
        "flat.ipynb",
        ".git/x.ipynb",
    ]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        notebook({"a": "1"}, name=name)
    (tmp_path / "dan").mkdir()
    found = {each.name: each for each in find([tmp_path], tmp_path / "reference.ipynb", tmp_path).submissions}
    assert list(found) == ["ann", "bob", "dan", "eve/one.ipynb", "eve/two.ipynb", "flat.ipynb"]
    with pytest.raises(Unusable, match="no notebook in it"):
        collect(found["dan"])


def test_results_have_gradescopes_keys_and_only_our_checks_score(result):
    cells = {"q-1-question": "### Why?", "q-1-check": "assert True", "q-1-answer": "**Answer:**"}
    found = gradescope(result(cells))
    assert set(found) == {"score", "execution_time", "output", "output_format", "stdout_visibility", "tests"}
    part, check = found["tests"]
    assert part == {"name": "Why?", "status": "failed", "output": "No answer was found."}
    assert check == {"name": "Why? (check)", "score": 1, "max_score": 1, "status": "passed", "output": "Right."}


def test_what_nbformat_writes_is_read_back(notebook):
    path = notebook({"a": "x"})
    assert read_notebook(path.read_bytes(), "hw.ipynb").cells == made({"a": "x"}).cells


def test_the_texts_of_a_submission_are_its_notebook_and_the_modules_that_it_names():
    files = {"hw4/answers.py": "answers", "hw4/figures.py": "figures", "hw4/other.py": "other", "a.csv": "hw4.other"}
    notebook, *modules = submission({"a": "import hw4.figures, hw4.unknown"}, files).texts()
    assert "import hw4.figures" in notebook and modules == ["figures"]
