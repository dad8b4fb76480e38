"""What a notebook asks, gives and answers.

A cell's id says what it is: `<question>-<role>`, then for an answer the letter of its part, for several cells of one
kind a number: `opt-4-question`, `opt-4-answer-b`, `opt-4-evidence-b-1`, `cnn-3-snippet`. A question's block runs from
its question cell to the next one or the next section; what stands in it and was not given is its answer.
"""

import re
from dataclasses import dataclass, field

GIVEN = {"section", "question", "snippet", "check"}
CELL_ID = re.compile(rf"(?P<question>.+?)-(?P<role>{'|'.join(GIVEN)}|answer|evidence|note)(?:-(?P<detail>.+))?")
MARKER = re.compile(r"[*_\s]*(?:your )?answer(?: here)?\s*:?[*_\s]*(?:[A-Z]\.)?[*_\s]*", re.IGNORECASE)
LETTER = re.compile(r"^\W*(?:(?:answer|part)\W*)?([A-Z])\W*[.):]", re.MULTILINE | re.IGNORECASE)
ASSERTION = re.compile(r"^\s*assert\b", re.MULTILINE)


def role(cell):
    """Return what the id of `cell` says it is, such as "question" or "answer"; None for a cell that somebody added."""
    match = CELL_ID.fullmatch(cell.get("id", ""))
    return match["role"] if match else None


def question_of(cell):
    """Return the id of the question that the id of `cell` names; None where it names none."""
    match = CELL_ID.fullmatch(cell.get("id", ""))
    return match["question"] if match and match["role"] != "section" else None


def is_check(cell):
    """Return whether `cell` asserts something when it is run."""
    return cell.cell_type == "code" and bool(ASSERTION.search(cell.source))


@dataclass
class Question:
    """A question with its block of cells, by their positions in the notebook."""

    id: str
    parts: list[str] = field(default_factory=lambda: [""])  # their letters, answered one by one; one "" without parts
    cells: list[int] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)  # the parts without an answer


def questions(notebook, reference):
    """Return the questions of `reference` as `notebook` answers them, and for each cell the id of its question or None.

    `compare.match` has given the cells of `notebook` the reference's ids.
    """
    asked = {cell.id: cell for cell in reference.cells if role(cell) == "question"}
    parts = _parts(reference)
    found = {name: Question(question_of(cell), parts.get(question_of(cell), [""])) for name, cell in asked.items()}
    owners, current = [], None
    for index, cell in enumerate(notebook.cells):
        if role(cell) == "section":
            current = None
        elif cell.id in found:
            current = found[cell.id]
        if current:
            current.cells.append(index)
        owners.append(current and current.id)
    for name, question in found.items():
        block = [notebook.cells[index] for index in question.cells]
        answered = _answered(block, asked[name].source, question.parts)
        question.missing = [part for part in question.parts if part not in answered]
    return list(found.values()), owners


def _parts(reference):
    """Return the letters of the parts of each question that has several."""
    letters = {}
    for cell in reference.cells:
        if role(cell) == "answer":
            letters.setdefault(question_of(cell), []).append(_letter(cell))
    return {question: each for question, each in letters.items() if len(each) > 1}


def _letter(answer):
    return (CELL_ID.fullmatch(answer.id)["detail"] or "").upper()


def _answered(block, asked, parts):
    """Return the parts that somebody answered: in the part's own cell, in cells that were added, or in the question's.

    An added text answers the parts whose letters begin its lines, and all of them when there is no letter.
    """
    answered, free = set(), []
    for cell in block:
        kind, source = role(cell), cell.source
        if kind == "question":
            given = {line.strip() for line in asked.splitlines()}
            lines = [line.strip() for line in source.splitlines()]
            source = "\n".join(line for line in lines if line not in given) if given <= set(lines) else ""
        elif kind == "answer":
            detail = _letter(cell)
            if detail in parts and _says_something(source):
                answered |= {detail, *_letters(source, parts)}
                continue
        elif kind is not None:
            continue
        if _says_something(source):
            free.append((cell.cell_type, source))
    texts = [source for kind, source in free if kind != "code"]
    for source in texts:
        answered |= _letters(source, parts) or set(parts)
    return answered or (set(parts) if free else set())


def _letters(source, parts):
    return {letter.upper() for letter in LETTER.findall(source)} & set(parts)


def _says_something(source):
    return bool(MARKER.sub("", source, count=1).strip())
