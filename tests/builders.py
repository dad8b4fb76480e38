"""What the tests share: the project's own paths, and notebooks and submissions made from a few strings."""

from pathlib import Path

import nbformat

from hw4.grading.notebook.questions import role
from hw4.grading.submission import Submission

ROOT = Path(__file__).resolve().parent.parent
JUDGED = {"hw4": {"judged": ["q-1", "hw4.answers", "part4_affine_backward"]}}  # metadata of a reference
NOTEBOOK = ROOT / "Part4_SummaryQuestions.ipynb"
ROLES = [str(role(cell)) for cell in nbformat.read(NOTEBOOK, as_version=4).cells]
QUESTIONS, PARTS = ROLES.count("question"), ROLES.count("answer")  # a part has one cell for its answer


def made(cells, metadata=None):
    """Return a notebook of cells {id: source}, code unless the id says otherwise."""
    notebook = nbformat.v4.new_notebook(metadata=metadata or {})
    for cell_id, source in cells.items():
        text = any(word in cell_id for word in ["section", "question", "answer", "note", "text"])
        new = nbformat.v4.new_markdown_cell if text else nbformat.v4.new_code_cell
        notebook.cells.append(new(source, id=cell_id))
    return notebook


def submission(notebook, files=None, name="hw.ipynb"):
    """Return the submission of `notebook` (what `made` takes, or returns) and of `files` {path: text}."""
    notebook = made(notebook) if isinstance(notebook, dict) and "cells" not in notebook else notebook
    texts = {name: nbformat.writes(notebook)} | (files or {})
    return Submission(name, name, {path: text.encode() for path, text in texts.items()})
