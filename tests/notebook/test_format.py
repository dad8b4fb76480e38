"""What is read from a notebook: its questions, their parts, what is answered and what is a check."""

import nbformat
import pytest

from hw4.grading.errors import Unusable
from hw4.grading.notebook.format import read_notebook
from hw4.grading.notebook.comparison import questions
from hw4.grading.notebook.questions import is_check, role


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
    {"assert x": True, "if x:\n    assert y": True, "# assert x": False, "reassert = 1": False, "x = 1": False}.items(),
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
