"""The blank notebook, which says what was given and asked: `python -m hw4.grading.course.blank` makes it anew.

nbgrader's `ClearSolutions` leaves everything but whole answer cells in place: notes, evidence and outputs.
"""

from nbformat import NotebookNode

from ..notebook.format import read_notebook, write_notebook
from ..notebook.questions import part_of, role
from .given import BLANK, NAME, ROOT

NEEDED = ("deletable", "editable", "nbgrader")  # metadata of a cell: what protects it, and what grades it


def blank(notebook: NotebookNode) -> NotebookNode:
    """Return `notebook` without answers, evidence and outputs: each answer's cell says where to write."""
    cells = [_cell(cell) for cell in notebook.cells if role(cell) not in ("evidence", "note")]
    return NotebookNode(notebook | {"cells": cells})


def _cell(cell: NotebookNode) -> NotebookNode:
    metadata = {key: cell.metadata[key] for key in NEEDED if key in cell.metadata}
    made = NotebookNode(cell | {"metadata": metadata})
    if cell.cell_type == "code":
        made |= {"outputs": [], "execution_count": None}
    if role(cell) == "answer":
        part = f" **{part_of(cell)}.**" if part_of(cell) else ""
        made.source = f"**Answer:**{part} *Write your answer here.*"
        made.pop("attachments", None)
    return made


if __name__ == "__main__":
    full = read_notebook((ROOT / NAME).read_bytes(), NAME)
    BLANK.write_text(write_notebook(blank(full)), encoding="utf-8")
