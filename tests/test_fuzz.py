"""Files near a notebook, by the thousand: each is read, matched with the reference and counted, or refused."""

import json
from itertools import pairwise

import nbformat
import pytest

from hw4.grading.errors import Unusable
from hw4.grading.notebook.comparison import compare, questions
from hw4.grading.notebook.format import read_notebook, write_notebook
from hw4.grading.notebook.reference import Reference
from hw4.grading.result import Result
from tests.builders import NOTEBOOK

hypothesis = pytest.importorskip("hypothesis")
st = hypothesis.strategies
SLOW = [hypothesis.HealthCheck.too_slow]  # on a busy machine, which says nothing of what is tested
BYTES = NOTEBOOK.read_bytes()
REFERENCE = read_notebook(BYTES, NOTEBOOK.name)
for cell in REFERENCE.cells:
    cell.source = cell.source[:2000]
READ = Reference(REFERENCE)
IDS = [cell.id for cell in REFERENCE.cells]
SOURCES = [cell.source for cell in REFERENCE.cells]

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
cells = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw"]) | anything},
    optional={
        "id": st.sampled_from(IDS) | anything,
        "source": st.sampled_from(SOURCES) | st.text() | st.lists(st.text()) | anything,
        "metadata": anything,
        "outputs": anything,
        "attachments": anything,
    },
)
books = st.fixed_dictionaries(
    {"cells": st.lists(cells, max_size=8) | anything, "nbformat": st.sampled_from([3, 4, 4, 4, 5]) | anything},
    optional={"metadata": anything, "nbformat_minor": anything, "worksheets": anything},
)


def survives(body):
    try:
        notebook = read_notebook(body, "hw.ipynb")
    except Unusable as problem:
        refusal = str(problem)
    else:
        refusal = ""
    if refusal:
        return refusal.isprintable() or pytest.fail(refusal)
    found = compare(notebook, READ)
    result = Result(notebook, REFERENCE, "fuzz", comparison=found)
    for cell, reading in zip(notebook.cells, found.cells, strict=True):
        spans = sorted(reading.given + reading.added)
        assert all(start < end <= len(cell.source) for start, end in spans)
        assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    for question in found.questions:
        assert set(question.missing).isdisjoint(question.perhaps)
        assert all(answer.end <= len(notebook.cells[answer.cell].source) for answer in question.answers)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert set(result.rows) == {question.id for question in questions(REFERENCE, REFERENCE)[0]}
    nbformat.validate(notebook)
    assert nbformat.reads(write_notebook(notebook), as_version=4) == notebook


@pytest.mark.slow
@hypothesis.settings(max_examples=1200, deadline=None, derandomize=True, database=None, suppress_health_check=SLOW)
@hypothesis.given(books)
def test_no_structure_breaks_the_reading(book):
    survives(json.dumps(book).encode())


@pytest.mark.slow
@hypothesis.settings(max_examples=800, deadline=None, derandomize=True, database=None, suppress_health_check=SLOW)
@hypothesis.given(
    st.lists(st.tuples(st.integers(0, len(BYTES) - 1), st.binary(max_size=8), st.integers(0, 9)), max_size=4)
)
def test_no_damage_to_our_own_notebook_breaks_the_reading(damages):
    body = BYTES
    for place, inserted, lost in damages:
        body = body[:place] + inserted + body[place + lost :]
    survives(body)


@hypothesis.settings(max_examples=300, deadline=None, derandomize=True, database=None, suppress_health_check=SLOW)
@hypothesis.given(st.binary(max_size=200))
def test_no_bytes_break_the_reading(body):
    survives(body)
