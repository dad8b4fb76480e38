"""What a notebook asks, gives and answers.

A cell's id says what it is: `<question>-<role>`, then for an answer the letter of its part, for several cells of one
kind a number: `opt-4-question`, `opt-4-answer-b`, `opt-4-evidence-b-1`, `cnn-3-snippet`. A question's block runs from
its question cell to the next one or the next section; what stands in it and was not given is its answer.
"""

import re
from dataclasses import dataclass, field

from nbformat import NotebookNode

GIVEN = {"section", "question", "snippet", "check"}
CELL_ID = re.compile(rf"(?P<question>.+?)-(?P<role>{'|'.join(GIVEN)}|answer|evidence|note)(?:-(?P<detail>.+))?")
MARKER = re.compile(r"[*_\s]*(?:your )?answer(?: here)?\s*:?[*_\s]*(?:[A-Z]\.)?[*_\s]*", re.IGNORECASE)
LETTER = re.compile(r"^\W*(?:(?:answer|part)\W*)?([A-Z])\W*[.):]", re.MULTILINE | re.IGNORECASE)
ASSERTION = re.compile(r"^\s*assert\b", re.MULTILINE)


def role(cell: NotebookNode) -> str | None:
    """Return what the id of `cell` says it is, such as "question" or "answer"; None for a cell that somebody added."""
    match = CELL_ID.fullmatch(cell.get("id", ""))
    return match["role"] if match else None


def question_of(cell: NotebookNode) -> str | None:
    """Return the id of the question that the id of `cell` names; None where it names none."""
    match = CELL_ID.fullmatch(cell.get("id", ""))
    return match["question"] if match and match["role"] != "section" else None


def is_check(cell: NotebookNode) -> bool:
    """Return whether `cell` asserts something when it is run."""
    return cell.cell_type == "code" and bool(ASSERTION.search(cell.source))


@dataclass
class Question:
    """A question with its block of cells, by their positions in the notebook."""

    id: str
    parts: list[str] = field(default_factory=lambda: [""])  # their letters, answered one by one; one "" without parts
    cells: list[int] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)  # the parts without an answer


def questions(notebook: NotebookNode, reference: NotebookNode) -> tuple[list[Question], list[str | None]]:
    """Return the questions of `reference` as `notebook` answers them, and for each cell the id of its question or None.

    `comparison.restore_ids` has given the cells of `notebook` the reference's ids.
    """
    asked = {cell.id: cell for cell in reference.cells if role(cell) == "question"}
    parts = _parts(reference)
    ids = {name: name.removesuffix("-question") for name in asked}
    found = {name: Question(id, parts.get(id, [""])) for name, id in ids.items()}
    owners: list[str | None] = []
    current = None
    for index, cell in enumerate(notebook.cells):
        if role(cell) == "section":
            current = None
        elif cell.id in found:
            current = found[cell.id]
        if current:
            current.cells.append(index)
        owners.append(current.id if current else None)
    for name, question in found.items():
        block = [notebook.cells[index] for index in question.cells]
        answered = _answered(block, asked[name].source, question.parts)
        question.missing = [part for part in question.parts if part not in answered]
    return list(found.values()), owners


def _parts(reference: NotebookNode) -> dict[str, list[str]]:
    """Return the letters of the parts of each question that has several."""
    letters: dict[str, list[str]] = {}
    for cell in reference.cells:
        if role(cell) == "answer" and (question := question_of(cell)):
            letters.setdefault(question, []).append(_letter(cell))
    return {question: each for question, each in letters.items() if len(each) > 1}


def _letter(answer: NotebookNode) -> str:
    """Return the letter of the part that the id of the cell `answer` names; "" where it names none."""
    match = CELL_ID.fullmatch(answer.id)
    return (match["detail"] or "").upper() if match else ""


def _answered(block: list[NotebookNode], asked: str, parts: list[str]) -> set[str]:
    """Return the parts that `block`, the cells of one question, answers; `asked` is the question's own text.

    A part is answered in its own cell. Any other text of the student's answers the parts whose letters begin its lines,
    and all of them when there is no letter; code answers them all where nothing else answers any.
    """
    own = {_letter(cell): cell.source for cell in block if role(cell) == "answer" and _letter(cell) in parts}
    texts = [cell.source for cell in block if role(cell) is None and cell.cell_type != "code"]
    texts += [cell.source for cell in block if role(cell) == "answer" and _letter(cell) not in parts]
    texts += [_added(cell.source, asked) for cell in block if role(cell) == "question"]
    answered = {letter for letter, source in own.items() if _says_something(source)}
    for letter in list(answered):
        answered |= _letters(own[letter], parts)
    for source in filter(_says_something, texts):
        answered |= _letters(source, parts) or set(parts)
    code = any(role(cell) is None and cell.cell_type == "code" and _says_something(cell.source) for cell in block)
    return answered or (set(parts) if code else set())


def _added(source: str, asked: str) -> str:
    """Return the lines of a question's cell that are not in `asked`; "" where lines of `asked` are gone."""
    given, lines = ({line.strip(): None for line in text.splitlines()} for text in (asked, source))
    return "\n".join(line for line in lines if line not in given) if given.keys() <= lines.keys() else ""


def _letters(source: str, parts: list[str]) -> set[str]:
    return {letter.upper() for letter in LETTER.findall(source)} & set(parts)


def _says_something(source: str) -> bool:
    return bool(MARKER.sub("", source, count=1).strip())
