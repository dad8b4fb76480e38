"""The blank notebook: what is left of the full one, and that it says what was given and asked."""

import nbformat
import pytest

from hw4.grading.course.blank import blank
from hw4.grading.course.given import BLANK, assignment
from hw4.grading.grade import planned
from hw4.grading.notebook.comparison import questions
from hw4.grading.notebook.format import read_notebook, write_notebook
from hw4.grading.notebook.questions import role
from tests.builders import NOTEBOOK, PARTS, QUESTIONS


@pytest.fixture(scope="module")
def empty():
    return read_notebook(BLANK.read_bytes(), BLANK.name)


@pytest.fixture(scope="module")
def full():
    return read_notebook(NOTEBOOK.read_bytes(), NOTEBOOK.name)


def test_it_is_the_projection_of_the_full_notebook(full):
    assert BLANK.read_text(encoding="utf-8") == write_notebook(blank(full))


def test_its_given_cells_are_those_of_the_full_one_and_it_has_no_evidence_and_no_outputs(full, empty):
    def given(notebook):
        return [(cell.id, cell.source) for cell in notebook.cells if role(cell) not in ("answer", "evidence", "note")]

    assert given(empty) == given(full)
    assert {role(cell) for cell in empty.cells} == {None, "section", "question", "snippet", "check", "answer"}
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in empty.cells)


def test_an_answers_cell_says_where_to_write_and_names_its_part(empty):
    sources = {cell.id: cell.source for cell in empty.cells if role(cell) == "answer"}
    assert sources["cnn-1-answer"] == "**Answer:** *Write your answer here.*"
    assert sources["opt-4-answer-b"] == "**Answer:** **B.** *Write your answer here.*"
    assert len(sources) == PARTS


def test_nothing_is_answered_in_it_and_all_is_in_the_full_one(full, empty):
    missing = [len(question.missing) for question in questions(empty, empty)[0]]
    assert sum(missing) == PARTS - 1  # the function is the answer to one part, which only a run can tell
    assert not any(question.missing or question.perhaps for question in questions(full, empty)[0])


def test_a_part_that_is_answered_in_it_is_the_only_one_that_is(empty):
    for part in [cell for cell in empty.cells if role(cell) == "answer" and cell.id != "backprop-2-answer"]:
        tried = nbformat.from_dict(empty)
        cell = next(cell for cell in tried.cells if cell.id == part.id)
        cell.source = cell.source.replace("*Write your answer here.*", "The gradient vanishes in depth.")
        left = sum(len(question.missing) for question in questions(tried, empty)[0])
        assert left == PARTS - 2, part.id


def test_a_notebooks_own_questions_do_not_count_where_most_were_deleted(full):
    gone = [cell for cell in full.cells if cell.id.startswith(("opt", "unsup", "cnn"))]
    kept = [cell for cell in full.cells if cell not in gone]
    half = nbformat.from_dict(full | {"cells": kept})
    given = assignment()
    plan = planned((write_notebook(half).encode(), "hw.ipynb"), (given.files[given.notebook], given.notebook), {})
    states = [row.answer() for row in plan.result.rows.values()]
    deleted = sum(role(cell) == "question" for cell in gone)
    assert (len(states), states.count("deleted")) == (QUESTIONS, deleted)


def test_pictures_in_a_question_are_given_and_those_in_an_answer_are_not(full):
    changed = nbformat.from_dict(full)
    picture = {"p.png": {"image/png": "iVBORw0KGgo="}}
    for cell in changed.cells:
        if cell.id in ("cnn-1-question", "cnn-1-answer"):
            cell.attachments = picture
    left = {cell.id: cell.get("attachments") for cell in blank(changed).cells}
    assert (left["cnn-1-question"], left["cnn-1-answer"]) == (picture, None)
