"""What a notebook asks, gives and answers: all read from the notebook, nothing known beforehand.

A cell's id says what it is: `<question>-<role>`, then for an answer the letter of its part, for several cells of one
kind a number: `opt-4-question`, `opt-4-answer-b`, `opt-4-evidence-b-1`, `cnn-3-snippet`. A question's block runs from
its question cell to the next one or the next section; what stands in it and was not given is its answer.
"""

import json
import re
import warnings
from dataclasses import dataclass, field

import nbformat

from . import Unusable

GIVEN = {"section", "question", "snippet", "check"}
CELL_ID = re.compile(rf"(?P<question>.+?)-(?P<role>{'|'.join(GIVEN)}|answer|evidence|note)(?:-(?P<detail>.+))?")
MARKER = re.compile(r"[*_\s]*answer\s*:?[*_\s]*(?:[A-Z]\.)?[*_\s]*", re.IGNORECASE)
ASSERTION = re.compile(r"^\s*assert\b", re.MULTILINE)


def read(path):
    """Return the notebook at `path`, format 4; raise `Unusable` when there is none."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Unusable(f"{path}: not UTF-8 text") from None
    except OSError as problem:
        raise Unusable(f"{path}: {problem.strerror}") from None
    try:
        json.loads(text)["nbformat"]  # which nbformat would make up
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about cells without ids, which nbformat then gives
            notebook = nbformat.reads(text, as_version=4)
            nbformat.validate(notebook, relax_add_props=True)
    except Exception as problem:  # nbformat lets KeyError, TypeError and more through, by what is wrong with the file
        raise Unusable(f"{path}: not a Jupyter notebook ({type(problem).__name__})") from None
    return notebook


def role(cell):
    """Return what the id of `cell` says it is, such as "question" or "answer"; None for a cell that somebody added."""
    match = CELL_ID.fullmatch(cell.get("id", ""))
    return match["role"] if match else None


def is_check(cell):
    """Return whether `cell` asserts something when it is run."""
    return cell.cell_type == "code" and bool(ASSERTION.search(cell.source))


@dataclass
class Question:
    """A question with its block of cells, by their positions in the notebook."""

    id: str
    cells: list[int] = field(default_factory=list)
    parts: int = 1  # answered one by one
    missing: list[str] = field(default_factory=list)  # the letters of the parts without an answer; [""] without parts


def questions(notebook):
    """Return the notebook's questions in order, and for each cell the id of its question or None."""
    found, owners, current = [], [], None
    for index, cell in enumerate(notebook.cells):
        match = CELL_ID.fullmatch(cell.get("id", ""))
        if match and match["role"] == "section":
            current = None
        elif match and match["role"] == "question":
            current = Question(match["question"])
            found.append(current)
        if current:
            current.cells.append(index)
        owners.append(current and current.id)
    for question in found:
        block = [notebook.cells[index] for index in question.cells]
        question.parts = max(1, sum(role(cell) == "answer" for cell in block))
        question.missing = _missing(block)
    return found, owners


def _missing(block):
    """Return the letters of the parts that nobody answered.

    An answer in a cell that somebody added may answer every part at once, so with one such cell nothing is missing.
    """
    if any(_says_something(cell) for cell in block if role(cell) is None):
        return []
    answers = [cell for cell in block if role(cell) == "answer"]
    empty = [CELL_ID.fullmatch(cell.id)["detail"] or "" for cell in answers if not _says_something(cell)]
    return [letter.upper() for letter in empty] if answers else [""]


def _says_something(cell):
    return bool(MARKER.sub("", cell.source, count=1).strip())


def set_points(notebook):
    """Give every cell that nbgrader grades the notebook's `hw4.points_per_part`, but where it is worth nothing."""
    points = notebook.metadata.get("hw4", {}).get("points_per_part")
    for cell in notebook.cells:
        if points is not None and cell.metadata.get("nbgrader", {}).get("points"):
            cell.metadata.nbgrader.points = points
