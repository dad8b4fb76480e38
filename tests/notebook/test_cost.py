"""What a comparison costs, counted: the calls of Python functions, so that no clock decides."""

import sys
from collections import Counter

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from hw4.grading.notebook.comparison import compare
from hw4.grading.notebook.format import read_notebook
from hw4.grading.notebook.labelling import read_reference
from tests.builders import NOTEBOOK

REFERENCE = read_reference(NOTEBOOK.read_bytes(), NOTEBOOK.name)


def calls(cells):
    """Return how many functions are called to compare a notebook of `cells` with our own, C functions included."""
    notebook = read_notebook(nbformat.writes(new_notebook(cells=cells)).encode(), "hw.ipynb")
    counts: Counter[str] = Counter()
    sys.setprofile(lambda frame, event, argument: counts.update([event]))
    try:
        compare(notebook, REFERENCE)
    finally:
        sys.setprofile(None)
    return counts["call"] + counts["c_call"]


def copies(count):
    """Return `count` cells: the reference's given text, edited, again and again, with answers and code between."""
    given = [cell for cell in REFERENCE.notebook.cells if cell.id.endswith("-question")]
    made = []
    for number in range(count // 4):
        source = given[number % len(given)].source
        made += [
            new_markdown_cell(f"{source}\n\nNumber {number}."),
            new_markdown_cell(f"{number}. because of {number}"),
        ]
        made += [new_markdown_cell(f"Answer {number}: A. yes B. no"), new_code_cell(f"x = {number}")]
    return made


def test_the_comparison_is_linear_in_the_number_of_cells():
    few, many = calls(copies(500)), calls(copies(2000))
    assert many < 4.4 * few, (few, many)


def test_our_own_notebook_costs_few_calls():
    cells = [nbformat.from_dict(cell) for cell in REFERENCE.notebook.cells]
    assert calls(cells) < 150_000


def test_a_long_cell_costs_no_more_than_its_length():
    given = next(cell for cell in REFERENCE.notebook.cells if cell.id == "opt-4-question").source
    few, many = (
        calls([new_markdown_cell("\n\n".join([given] * 5 + ["the same words again"] * n))]) for n in (250, 1000)
    )
    assert many < 4.4 * few, (few, many)
