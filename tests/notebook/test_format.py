"""What is read from a notebook, and what is written back into it."""

import json

import nbformat
import pytest

from hw4.grading.errors import Unusable
from hw4.grading.notebook.comparison import questions
from hw4.grading.notebook.format import read_notebook, with_outputs, write_notebook
from hw4.grading.notebook.questions import is_check, role
from tests.builders import NOTEBOOK


def asked(notebook, cells):
    path = notebook({"q-1-question": "Why?", **cells})
    return read_notebook(path.read_bytes(), path.name)


def missing(notebook, cells, reference=None):
    submitted = asked(notebook, cells)
    found, _ = questions(submitted, asked(notebook, reference or cells))
    return found[0].missing


def test_a_blank_answer_is_missing(notebook):
    assert missing(notebook, {"q-1-answer": "**Answer:**"}) == [""]


def test_no_answer_cell_is_missing(notebook):
    assert missing(notebook, {"q-1-snippet": "x = 1"}) == [""]


def test_a_text_after_the_marker_answers(notebook):
    assert missing(notebook, {"q-1-answer": "**Answer:** **Because.**"}) == []


def test_a_part_without_an_answer_is_missing_by_its_letter(notebook):
    cells = {
        "q-1-answer-a": "**Answer:** A. **True.**",
        "q-1-answer-b": "**Answer:** B. ",
        "q-1-answer-c": "**Answer:**",
    }
    assert missing(notebook, cells) == ["B", "C"]


def test_a_cell_that_the_student_added_answers(notebook):
    assert missing(notebook, {"q-1-answer": "**Answer:**", "text-of-mine": "Because it is."}) == []


def test_a_blank_cell_that_the_student_added_does_not_answer(notebook):
    assert missing(notebook, {"q-1-answer": "**Answer:**", "text-of-mine": "**Answer:**\n"}) == [""]


def test_a_section_ends_the_block_of_the_question_before_it(notebook):
    cells = {
        "q-1-question": "Why?",
        "q-1-answer": "**Answer:**",
        "r-section": "## R",
        "mine": "x = 1",
        "r-1-question": "",
    }
    made = asked(notebook, cells)
    found, owners = questions(made, made)
    assert [question.id for question in found] == ["q-1", "r-1"]
    assert owners == ["q-1", "q-1", None, None, "r-1"]


def test_the_id_tells_the_role():
    cells = nbformat.from_dict(
        [{"id": i} for i in ["cnn-3-question", "opt-4-answer-b", "q-evidence-b-1", "7f3a", "answer"]]
    )
    assert [role(cell) for cell in cells] == ["question", "answer", "evidence", None, None]


@pytest.mark.parametrize(
    ("source", "expected"),
    {
        "assert x": True,
        "if x:\n    assert y": True,
        "x = f(); assert x": True,
        "for y in x: assert y": True,
        "%%time\nassert x": True,
        "%matplotlib inline\nassert x": True,
        "# assert x": False,
        "reassert = 1": False,
        "x = 1": False,
        's = """\nassert x\n"""': False,
        "this is no Python\nassert x": False,
    }.items(),
)
def test_a_check_is_a_code_cell_that_asserts(source, expected):
    assert is_check(nbformat.v4.new_code_cell(source)) is expected


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"3", b'{"cells": []}', b"\xff\xfe\x00", b'{"nbformat": 4, "cells": 7}', b"\x89PNG\r\n"],
)
def test_what_is_no_notebook_is_unusable_and_says_so_in_one_line(content):
    with pytest.raises(Unusable, match=r"\Abad\.ipynb: (not |empty)[^\n]*\Z"):
        read_notebook(content, "bad.ipynb")


METADATA = {
    "jupytext": {"formats": "ipynb,py"},
    "colab": {"name": "hw"},
    "toc": {"base": 1},
    "title": 3,
    "signature": "x",
}
CELLS = [
    {"cell_type": "markdown", "metadata": {"tags": ["x"]}, "source": "# Title"},
    {"cell_type": "code", "source": ["x = 1\n", "x"], "outputs": [], "execution_count": 7,
     "metadata": {"tags": ["raises-exception"], "name": "one", "collapsed": "no", "nbgrader": {"points": 3}}},
]  # fmt: skip


def original(indent=2):
    content = {"nbformat": 4, "nbformat_minor": 4, "metadata": METADATA, "cells": CELLS}
    return json.dumps(content, indent=indent).encode() + b"\n"


def executed(body):
    notebook = read_notebook(body, "hw.ipynb")
    notebook.cells[1].outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "1\n2"}, execution_count=1)]
    notebook.cells[1].execution_count = 1
    return notebook


def test_metadata_are_kept_but_for_what_the_format_forbids():
    notebook = read_notebook(original(), "hw.ipynb")
    assert notebook.metadata == {"jupytext": {"formats": "ipynb,py"}, "colab": {"name": "hw"}, "toc": {"base": 1}}
    kept = {"tags": ["raises-exception"], "name": "one", "nbgrader": {"points": 3}}
    assert [cell.metadata for cell in notebook.cells] == [{"tags": ["x"]}, kept]
    nbformat.validate(notebook)


@pytest.mark.parametrize("indent", [1, 2, None])
def test_only_outputs_and_counts_are_written_back(indent):
    body = original(indent)
    text = with_outputs(body, executed(body))
    content, before = json.loads(text), json.loads(body)
    assert content["cells"][1].pop("outputs") == [
        {"data": {"text/plain": ["1\n", "2"]}, "execution_count": 1, "metadata": {}, "output_type": "execute_result"}
    ]
    assert content["cells"][1].pop("execution_count") == 1
    del before["cells"][1]["outputs"], before["cells"][1]["execution_count"]
    assert content == before
    assert text == json.dumps(json.loads(text), indent=indent) + "\n"


def test_points_are_stamped_only_when_told():
    body = original().replace(b'"jupytext"', b'"hw4": {"points_per_part": 2}, "jupytext"')
    points = [
        json.loads(with_outputs(body, executed(body), stamped))["cells"][1]["metadata"]["nbgrader"]["points"]
        for stamped in (False, True)
    ]
    assert points == [3, 2]


def test_what_is_written_back_into_our_own_notebook_is_what_is_kept_of_its_run():
    body = NOTEBOOK.read_bytes()
    stored = nbformat.reads(body.decode(), as_version=4)
    notebook = read_notebook(body, NOTEBOOK.name)
    for cell, ran in zip(notebook.cells, stored.cells, strict=True):
        cell.update({name: ran[name] for name in ("outputs", "execution_count") if name in ran})
    assert with_outputs(body, notebook, stamped=True) == write_notebook(notebook) == body.decode()


def test_a_format_older_than_4_is_written_in_the_present_one():
    old = nbformat.v3.new_notebook(worksheets=[nbformat.v3.new_worksheet(cells=[nbformat.v3.new_code_cell("x = 1")])])
    body = nbformat.v3.writes_json(old).encode()
    notebook = read_notebook(body, "hw.ipynb")
    assert [cell.id for cell in notebook.cells] == ["cell-1"]
    assert nbformat.reads(with_outputs(body, notebook), as_version=4).cells[0].source == "x = 1"


def test_an_id_that_comes_a_second_time_is_replaced_by_the_position():
    cells = [nbformat.v4.new_code_cell("x", id="a"), nbformat.v4.new_code_cell("y", id="a")]
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    notebook = read_notebook(json.dumps(content).encode(), "hw.ipynb")
    assert [cell.id for cell in notebook.cells] == ["a", "cell-2"]
