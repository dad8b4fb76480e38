"""What a student sees at Gradescope: rows with names that mean something, points where a check decides, own errors."""

import jsonschema
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from hw4.grading.affine.judge import Verdict
from hw4.grading.execution.run import Execution
from hw4.grading.notebook.questions import Remark
from hw4.grading.report.gradescope import gradescope
from hw4.grading.result import Result
from tests.builders import JUDGED

TEXT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
SEEN = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
# gradescope-autograders.readthedocs.io, "Autograder Specifications": a score stands on top, or with each test.
TEST = {
    "score": {"type": "number", "minimum": 0},
    "max_score": {"type": "number", "minimum": 0},
    "status": {"enum": ["passed", "failed"]},
    "name": {"type": "string", "minLength": 3, "maxLength": 200},
    "name_format": TEXT,
    "number": {"type": "string"},
    "output": {"type": "string"},
    "output_format": TEXT,
    "tags": {"type": "array", "items": {"type": "string"}},
    "visibility": SEEN,
    "extra_data": {"type": "object"},
}
SCHEMA = {
    "type": "object",
    "required": ["score", "tests"],
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number", "minimum": 0},
        "execution_time": {"type": "number", "minimum": 0},
        "output": {"type": "string"},
        "output_format": TEXT,
        "test_output_format": TEXT,
        "test_name_format": TEXT,
        "visibility": SEEN,
        "stdout_visibility": SEEN,
        "extra_data": {"type": "object"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": TEST,
                "required": ["name", "output"],
                "additionalProperties": False,
            },
        },
        "leaderboard": {"type": "array"},
    },
}
RIGHT = {"shapes": None, "upstream": None}
WRONG = RIGHT | {"shapes": "dL/dX is 2 times the right one"}


def homework():
    """Return a reference: a function, a question with two parts, and one that a given check decides, of 3 points."""
    check = new_code_cell("assert 1", id="q-3-check", metadata={"nbgrader": {"points": 3}})
    cells = [
        new_markdown_cell("## Backpropagation", id="a-section"),
        new_markdown_cell("### Question 1: write the backward function", id="q-1-question"),
        new_code_cell("assert 1", id="q-1-check"),
        new_markdown_cell("### Question 2: two statements\n\n**A.** One.\n\n**B.** Two.", id="q-2-question"),
        new_markdown_cell("**Answer:** A. True.", id="q-2-answer-a"),
        new_code_cell("1 / 1", id="q-2-evidence-a"),
        new_markdown_cell("**Answer:** B. False.", id="q-2-answer-b"),
        new_markdown_cell("### Question 3: a number", id="q-3-question"),
        new_markdown_cell("**Answer:** Four.", id="q-3-answer"),
        check,
    ]
    return new_notebook(cells=cells, metadata=JUDGED)


@pytest.fixture
def one():
    result = Result(homework())
    result.finding.verdict = Verdict({"q-1-check": None, "q-3-check": None}, RIGHT, {"needs": "is given"})
    return result


def rows(result):
    found = gradescope(result)
    jsonschema.validate(found, SCHEMA)
    return found, {test["name"].removeprefix("Backpropagation, Question "): test for test in found["tests"]}


def test_a_row_has_a_score_only_where_a_check_decides(one):
    found, by_name = rows(one)
    scores = {name: (row.get("score"), row.get("max_score")) for name, row in by_name.items()}
    assert scores == {
        "2: two statements, part A": (None, None),
        "2: two statements, part B": (None, None),
        "3: a number": (None, None),
        "1: write the backward function (function)": (1, 1),
        "3: a number (check)": (3, 3),
    }
    assert found["score"] == 4


@pytest.mark.parametrize(
    ("verdict", "points"),
    [
        (Verdict({"q-1-check": None, "q-3-check": None}, WRONG), 3),
        (Verdict({"q-1-check": "AssertionError", "q-3-check": None}, RIGHT), 3),
        (Verdict({"q-1-check": None, "q-3-check": "AssertionError"}, RIGHT), 1),
        (Verdict({"q-1-check": None, "q-3-check": None}, problem="cannot be imported"), 3),
        (Verdict({"q-1-check": None, "q-3-check": None}, RIGHT, {"needs": "is lacking"}), 4),
    ],
)
def test_each_check_decides_its_own_points(one, verdict, points):
    one.finding.verdict = verdict
    assert rows(one)[0]["score"] == points


def test_a_function_without_a_given_check_is_one_point():
    cells = [new_markdown_cell("### Why?", id="q-1-question")]
    one = Result(new_notebook(cells=cells, metadata=JUDGED))
    one.finding.verdict = Verdict(asked=RIGHT)
    found, by_name = rows(one)
    assert (found["score"], list(by_name)) == (1, ["Why? (function)"])


def test_what_is_wrong_with_the_function_is_said_gradient_by_gradient(one):
    one.finding.verdict = Verdict({"q-1-check": None}, WRONG)
    assert (
        "shapes: dL/dX is 2 times the right one" in rows(one)[1]["1: write the backward function (function)"]["output"]
    )


def test_the_error_of_a_failing_cell_stands_with_its_part_and_no_other(one):
    one.add(Execution(5, "failed", 1.0, "ZeroDivisionError: division by zero"))
    by_name = rows(one)[1]
    assert "Cell 6 failed: ZeroDivisionError: division by zero" in by_name["2: two statements, part A"]["output"]
    assert by_name["2: two statements, part A"]["status"] == "failed"
    assert not any("ZeroDivision" in row["output"] for name, row in by_name.items() if "part A" not in name)


def test_the_error_of_a_cell_of_no_question_stands_on_top():
    one = Result(new_notebook(cells=[new_code_cell("import nothing"), *homework().cells]))
    one.add(Execution(0, "timed out", 1.0, "stopped after 2 s"))
    assert "Cell 1 timed out: stopped after 2 s" in rows(one)[0]["output"]


def test_a_person_marks_what_was_found_and_nothing_says_that_it_passed(one):
    part = rows(one)[1]["2: two statements, part B"]
    assert "status" not in part and part["output"] == "Your answer was found in cell 7; a person marks it."


def test_a_student_sees_nothing_that_is_for_the_grader(one):
    one.finding.machinery = [Remark("q-2", 5, "cell 6: changes torch.allclose")]
    one.finding.layers, one.finding.function = ["no network"], "SECRET = 1"
    found = gradescope(one)
    assert not any(word in str(found) for word in ("torch.allclose", "no network", "SECRET"))
    assert found["stdout_visibility"] == "hidden"


def test_a_run_that_was_interrupted_decides_nothing(one):
    one.finding.verdict, one.finding.interrupted = Verdict(), True
    assert rows(one)[0]["score"] == 0 and not any("score" in row for row in rows(one)[1].values())
