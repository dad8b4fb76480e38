"""References without our ids: another course's numbered or headed homework, and which of its checks can be rerun."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from hw4.grading.errors import Unusable
from hw4.grading.notebook.checks import given_checks
from hw4.grading.notebook.comparison import compare
from hw4.grading.notebook.format import read_notebook
from hw4.grading.notebook.labelling import read_reference
from hw4.grading.notebook.questions import role
from tests.builders import ROOT

ASSIGNMENT = ROOT.parent / "shared" / "assignment.md"
# Three homework notebooks in the habits of other courses; a text that begins with "%" is code.
INLINE = [
    "# Assignment 2: image features\n\nComplete this notebook and hand it in. 1. Run all cells. 2. Save it.",
    "%import math\n\nSIDE = 4",
    "## k-nearest neighbours\n\nWe compare each picture with all others.",
    "%def distance(a, b):\n    # TODO: your code here\n    pass",
    "%assert distance(1, 3) == 2",
    "**Inline Question 1**\n\nWhich rows of the matrix of distances are bright, and what is the cause of that?",
    "*Your Answer:*",
    "**Inline Question 2**\n\nWhich of these leave the result as it was?\n\n1. Subtracting the mean.\n"
    "2. Dividing by the deviation.\n3. Rotating the axes.",
    "$\\color{blue}{\\textit{Your Answer:}}$",
    "%assert math.isclose(SIDE**0.5, 2)",
]
EXERCISES = [
    "# Übungsblatt 3",
    "## Aufgabe 1 (4 Punkte)\n\nZeigen Sie, dass jede Teilfolge einer konvergenten Folge konvergiert.",
    "## Aufgabe 2 (6 Punkte)\n\nBerechnen Sie:\n\n(a) die Ableitung des Sinus,\n\n(b) das Integral des Kosinus.",
    "Ihre Antwort hier",
    "## Aufgabe 3\n\nWas ist ein Körper mit zwei Elementen?",
]
HEADED = [
    "# Lab 4",
    "### Why does ice float?\n\nUse the density in your explanation.",
    "### Measure the density\n\nEnter your figures below.",
    "%density = None  # YOUR CODE",
    "%assert density is not None",
    "### What would happen to lakes otherwise?",
]


def notebook_of(texts):
    cells = [new_code_cell(text[1:]) if text.startswith("%") else new_markdown_cell(text) for text in texts]
    return nbformat.writes(new_notebook(cells=cells)).encode()


def compared(reference, texts):
    """Return {question: (missing, perhaps)} of a notebook of `texts` beside the `reference`, and the remarks."""
    submitted = read_notebook(notebook_of(texts), "hw.ipynb")
    found = compare(submitted, read_reference(notebook_of(reference), "reference.ipynb"))
    return {each.id: (each.missing, each.perhaps) for each in found.questions}, [each.text for each in found.remarks]


def answered(texts, **added):
    """Return `texts` with a text after each one that holds a key of `added`, as a student adds cells."""
    found = []
    for text in texts:
        found.append(text)
        found += [answer for key, answer in added.items() if key.replace("_", " ") in text]
    return found


@pytest.mark.parametrize("texts", [INLINE, EXERCISES, HEADED])
def test_a_blank_copy_of_the_reference_misses_all_and_has_no_remarks(texts):
    questions, remarks = compared(texts, texts)
    assert len(questions) == {10: 2, 5: 3, 6: 3}[len(texts)]
    assert all(missing and not perhaps for missing, perhaps in questions.values())
    assert remarks == []


def test_inline_questions_and_their_numbered_parts_are_found():
    texts = answered(INLINE, Question_1="Those of noise.", Question_2="1. True\n2. True\n3. False")
    questions, remarks = compared(INLINE, texts)
    assert list(questions.values()) == [([], []), ([], [])]
    assert remarks == []
    first, second = compared(INLINE, answered(INLINE, Question_2="2. True"))[0].values()
    assert first == ([""], [])


def test_exercises_in_another_language_and_their_lettered_parts_are_found():
    questions, _ = compared(EXERCISES, answered(EXERCISES, Ableitung="(a) cos(x)", Körper="Antwort: die Menge {0, 1}"))
    assert questions == {"question-1": ([""], []), "question-2": (["B"], []), "question-3": ([], [])}


def test_questions_that_are_headings_are_found_and_code_answers_them():
    texts = [text.replace("None  # YOUR CODE", "0.917  # measured") for text in HEADED]
    questions, _ = compared(HEADED, answered(texts, otherwise="They would freeze from below."))
    assert list(questions.values()) == [([""], []), ([], []), ([], [])]


def test_a_reference_that_is_answered_asks_what_it_answers():
    texts = answered(EXERCISES, Teilfolge="**Antwort:** Nach der Definition.", Körper="**Antwort:** {0, 1}")
    questions, remarks = compared(texts, texts)
    assert questions["question-1"] == questions["question-3"] == ([], [])
    assert remarks == []


@pytest.mark.parametrize("texts", [["# A title", "Some text."], ["%x = 1"], []])
def test_a_reference_without_a_question_is_refused_with_what_was_looked_for(texts):
    with pytest.raises(
        Unusable, match=r"\Ahw\.ipynb: no question found .*cnn-1-question.*'Question 1'.*'1\.'.*heading"
    ):
        read_reference(notebook_of(texts), "hw.ipynb")


def test_only_checks_that_need_nothing_of_the_students_are_rerun():
    reference = read_reference(notebook_of(INLINE), "hw.ipynb").notebook
    checks = [cell.source for cell in reference.cells if role(cell) == "check"]
    assert checks == ["assert math.isclose(SIDE**0.5, 2)"]


def test_a_check_is_rerun_with_all_that_it_needs_and_no_more():
    cells = {"q-1-question": "Why?", "q-1-snippet": "import math\nunused = 1", "q-2-question": "How?"}
    cells |= {"q-2-snippet": "half = math.pi / 2", "q-2-snippet-b": "other = 1", "q-2-check": "assert half > 1"}
    made = [new_markdown_cell(s, id=i) if i.endswith("question") else new_code_cell(s, id=i) for i, s in cells.items()]
    kept = given_checks(new_notebook(cells=[new_code_cell("import os", id="setup"), *made]))
    assert [name for name, _ in kept] == ["setup", "q-1-snippet", "q-2-snippet", "q-2-check"]
    namespace: dict[str, object] = {}
    for _, source in kept:
        exec(source, namespace)  # no NameError


def test_cells_of_an_older_format_compare_with_themselves_without_remarks():
    notebook = new_notebook(cells=[new_code_cell("x = 1"), new_code_cell("x = 1"), new_markdown_cell("1. Why so?")])
    notebook.nbformat_minor = 4
    for cell in notebook.cells:
        del cell["id"]
    body = nbformat.writes(notebook).encode()
    assert compare(read_notebook(body, "a"), read_reference(body, "b")).remarks == []
    assert [cell.id for cell in read_notebook(body, "a").cells] == ["cell-1", "cell-2", "cell-3"]


def assignment():
    """Return the cells of the homework as the course words it, which are not ours to copy."""
    text = ASSIGNMENT.read_text(encoding="utf-8").split("\n---\n", 1)[1]
    cells = []
    for number, block in enumerate(re.split(r"```python\n(.*?)```", text, flags=re.DOTALL)):
        pieces = [f"%{block}"] if number % 2 else re.split(r"\n(?=#+ )|\n(?=\d+\. )", block)
        cells += [re.sub(r"Output: .*|<answer>", "", piece).strip() for piece in pieces]
    return [text for text in cells if text]


@pytest.mark.skipif(not ASSIGNMENT.exists(), reason="the assignment lies beside the project's clone")
def test_the_courses_own_wording_is_found_and_read():
    blank = assignment()
    reference = read_reference(notebook_of(blank), "hw.ipynb")
    assert (len(reference.questions), sum(len(each.parts) for each in reference.questions.values())) == (27, 51)
    questions, remarks = compared(blank, blank)
    assert remarks == [] and sum(not missing for missing, _ in questions.values()) == 1  # the function
    from tests.notebook.test_answers import REFERENCE

    ours = compare(read_notebook(notebook_of(blank), "hw.ipynb"), REFERENCE)
    said = "this is another edition: 27 of 27 questions found, 0 not in it, 27 in other words"
    assert [each.text for each in ours.remarks] == [said]
    assert [each.id for each in ours.questions if each.missing != each.parts] == ["backprop-2"]


@pytest.mark.parametrize(
    ("snippet", "comes"),
    [
        ("import math\nslow = math.factorial(9)", False),
        ("import math as m\nimport math", False),
        ("from math import *\nmath = None", True),
        ("import cmath as math", True),
        ("import math\nSIDE = 3", True),
    ],
)
def test_a_snippet_that_only_imports_what_the_setup_imports_comes_with_no_check(snippet, comes):
    check = "assert math.e < SIDE" if "SIDE" in snippet else "assert math.e < 3"
    sources = {"setup": "import math", "a-1-snippet": snippet, "a-1-check": check}
    kept = given_checks(new_notebook(cells=[new_code_cell(text, id=name) for name, text in sources.items()]))
    assert ("a-1-snippet" in dict(kept)) == comes


def test_a_heading_alone_above_deeper_ones_is_a_section_and_no_question():
    texts = ["# Lab 2", "## Part I: Data", "### Loading\nDescribe how the data are loaded.", "### Why?\nSay so."]
    reference = [*texts, "## Part II: Model", "### Choice\nWhich model would you choose?"]
    found, _ = compared(reference, [*reference[:3], "by a loader", *reference[3:], "a tree"])
    assert list(found.values()) == [([], []), ([""], []), ([], [])]


def test_an_answer_below_the_marker_that_stands_under_the_statements_is_one_to_all_of_them():
    blue = "$\\color{blue}{\\textit Your Answer:}$"
    asked = f"**Inline Question 1**\n\nWhich are true?\n1. The boundary is linear.\n2. The error is less.\n\n{blue}"
    assert compared([asked], [f"{asked} 2"])[0] == {"question-1": ([], [])}
    assert compared([asked], [f"{asked} since 1-NN memorises"])[0] == {"question-1": ([], [])}
    assert compared([asked], [asked])[0] == {"question-1": (["A", "B"], [])}


def test_a_question_that_is_a_heading_alone_is_missing_where_it_was_deleted():
    reference = ["# Lab", "## Question 1", "What is the gradient of a linear layer?", "## Question 2", "Why?"]
    found, _ = compared(reference, ["# Lab", "My answer to all of the questions is that it is zero"])
    assert list(found.values()) == [([""], []), ([""], [])]
