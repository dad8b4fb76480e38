"""What is said of the given cells of a submission, and how questions and answers are found without their ids."""

import copy

import nbformat
import pytest

from hw4.grading.notebook.comparison import compare
from hw4.grading.notebook.reference import Reference
from hw4.grading.report.console import failure_lines
from tests.builders import NOTEBOOK, made

GIVEN = {
    "s-section": "## Shapes",
    "s-1-question": "### Question 1\n\nHow many corners has a square?",
    "s-1-snippet": "corners = 4\nprint(corners)\nassert corners > 3",
    "s-1-answer": "**Answer:**",
    "s-2-question": "### Question 2\n\n**A.** And a cube?\n\n**B.** And a ball?",
    "s-2-answer-a": "**Answer:**",
    "s-2-answer-b": "**Answer:**",
    "t-section": "## Tones",
    "t-1-question": "### Question 1\n\nWhat is a fifth?",
    "t-1-check": "assert 3 / 2 == 1.5",
    "t-1-answer": "**Answer:**",
}


@pytest.fixture
def reference():
    return made(GIVEN)


def said(notebook, reference):
    return [remark.text for remark in compare(notebook, Reference(reference)).remarks]


def missing(notebook, reference):
    found = compare(notebook, Reference(reference)).questions
    return {question.id: question.missing for question in found if question.missing}


def answered(**answers):
    return made(GIVEN | {name.replace("_", "-"): text for name, text in answers.items()})


def without_ids(notebook):
    for number, cell in enumerate(notebook.cells):
        cell.id = f"{number:08x}"
        cell.metadata = {}
    return notebook


def test_a_notebook_with_its_given_cells_intact_leaves_nothing_to_say(reference):
    assert said(answered(s_1_answer="**Answer:** Four."), reference) == []


def test_what_editors_change_by_themselves_is_no_edit(reference):
    assert said(made(GIVEN | {"s-1-snippet": GIVEN["s-1-snippet"].replace("\n", "  \n") + "\n\n"}), reference) == []


def test_an_edited_cell_is_said_with_its_difference(reference):
    (remark,) = compare(made(GIVEN | {"t-1-check": "assert True"}), Reference(reference)).remarks
    assert remark.text == "the given cell t-1-check is edited"
    assert (remark.question, remark.cell) == ("t-1", 9)
    assert "-assert 3 / 2 == 1.5\n+assert True" in remark.diff


def test_a_deleted_cell_is_said(reference):
    cells = {name: text for name, text in GIVEN.items() if name != "t-1-check"}
    assert said(made(cells), reference) == ["the given cell t-1-check is deleted"]


def test_questions_that_are_not_in_it_are_said_in_one_line(reference):
    few = {name: text for name, text in GIVEN.items() if name.startswith("t-1")}
    assert said(made(few), reference) == ["this submission holds 1 of 3 questions: s-1, s-2 not in it"]
    most = {name: text for name, text in GIVEN.items() if not name.startswith("s-1")}
    assert said(made(most), reference) == ["this submission holds 2 of 3 questions: s-1 not in it"]
    assert said(made(most | {"t-1-check": "assert True"}), reference)[1:] == ["the given cell t-1-check is edited"]


def test_a_long_list_of_questions_that_are_not_in_it_is_cut(reference):
    many = {
        f"m-{number}-question": f"### Question {number}\n\nWhat is {number} times three?" for number in range(1, 15)
    }
    remarks = said(made(GIVEN), made({"m-section": "## Many"} | many | GIVEN))
    assert remarks == [
        "this submission holds 3 of 17 questions: m-1, m-2, m-3, m-4, m-5, m-6, m-7, m-8 and 6 more not in it"
    ]


def test_a_copied_cell_is_said_where_the_copy_stands(reference):
    notebook = made(GIVEN)
    notebook.cells.insert(6, copy.deepcopy(notebook.cells[2]))
    (remark,) = compare(notebook, Reference(reference)).remarks
    assert (remark.text, remark.cell) == ("the given cell s-1-snippet stands here a second time", 6)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


def test_a_moved_cell_is_said_and_not_those_that_it_passed(reference):
    notebook = made(GIVEN)
    notebook.cells.append(notebook.cells.pop(2))
    assert said(notebook, reference) == ["the given cell s-1-snippet is moved"]


def test_lost_ids_are_said_once_and_the_cells_are_found_by_what_they_say(reference):
    notebook = without_ids(answered(t_1_answer="**Answer:** Seven semitones."))
    assert said(notebook, reference) == ["7 given cells have lost their ids and were found by what they say"]
    assert missing(notebook, reference) == {"s-1": [""], "s-2": ["A", "B"]}


def test_an_edited_cell_without_an_id_is_found_by_likeness(reference):
    notebook = without_ids(made(GIVEN | {"s-1-snippet": GIVEN["s-1-snippet"].replace("> 3", ">= 4")}))
    assert "the given cell s-1-snippet is edited" in said(notebook, reference)


def test_questions_in_other_words_are_found_by_section_and_number(reference):
    cells = ["# Home work", "### Shapes", "1. Corners of a square?", "Four.", "2. Of a cube? Of a ball?", "A. 8"]
    cells += ["### Tones:", "**1.** A fifth?", "**Answer:**"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text) for text in cells])
    assert missing(notebook, reference) == {"s-2": ["B"], "t-1": [""]}


def test_a_number_that_comes_a_second_time_counts_on(reference):
    cells = ["## Shapes", "1. How many corners has a square?", "Four.", "1. And a cube? And a ball?", "Eight, none."]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text) for text in cells])
    assert missing(notebook, reference) == {"t-1": [""]}


@pytest.mark.parametrize(
    ("text", "left"),
    {
        "**Answer:**\n\nA. Eight.\n\nB. None.": [],
        "**Answer (a)**: Eight.": ["B"],
        "(B) None.": ["A"],
        "A) Eight.\n* b. None": [],
        "Eight, and none.": [],
        "**Answer:**": ["A", "B"],
        "*Your answer here*": ["A", "B"],
    }.items(),
)
def test_one_cell_may_answer_several_parts(reference, text, left):
    notebook = made(GIVEN)
    notebook.cells.insert(7, nbformat.v4.new_markdown_cell(text, id="mine"))
    assert missing(notebook, reference).get("s-2", []) == left


def test_an_answer_inside_the_question_cell_counts(reference):
    notebook = made(GIVEN | {"t-1-question": GIVEN["t-1-question"] + "\n\nSeven semitones."})
    assert "t-1" not in missing(notebook, reference)


def test_an_answer_in_code_counts_where_there_is_no_text(reference):
    notebook = made(GIVEN)
    notebook.cells.insert(4, nbformat.v4.new_code_cell("corners == 4", id="mine"))
    assert "s-1" not in missing(notebook, reference)


@pytest.mark.parametrize("change", [without_ids, lambda notebook: notebook])
def test_our_own_notebook_is_found_whole_with_and_without_ids(change):
    reference, notebook = nbformat.read(NOTEBOOK, as_version=4), nbformat.read(NOTEBOOK, as_version=4)
    remarks = said(change(notebook), reference)
    assert len(remarks) <= 1
    assert missing(notebook, reference) == {}


def test_the_original_checks_run_whatever_became_of_them(result):
    cells = {"q-1-question": "", "q-1-check": "import math\nassert math.pi < 3", "q-1-answer": ""}
    from tests.builders import submission

    found = result(cells | {"q-1-check": "assert True"}, reference=submission(cells))
    assert found.finding.verdict.given == {"q-1-check": "AssertionError"}
    assert failure_lines(found) == ["failed as given: q-1-check: AssertionError"]
    assert found.exit_code() == 1
