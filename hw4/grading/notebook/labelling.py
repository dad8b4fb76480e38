"""Ids for a reference that has none of ours, such as another course's homework of numbered or headed questions."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from ..errors import Unusable
from .checks import is_complete
from .format import read_notebook
from .questions import JUDGED, is_check, role
from .reference import Reference, statements
from .tokens import ALPHABET, lines, read_label, says_something

HEADING = re.compile(r"\s*(#{1,6})\s+\S")
LOOKED_FOR = "ids such as cnn-1-question, then lines such as 'Question 1', texts that begin with '1.', headings"


def read_reference(body: bytes, name: str, must_ask: bool = True) -> Reference:
    """Return the reference in the file `name` with the content `body`, its cells labelled if they have no ids of ours.

    Raises `Unusable` when it is no notebook or, if it `must_ask` something, when no question can be found in it.
    """
    notebook = read_notebook(body, name)
    if not any(role(cell) == "question" for cell in notebook.cells):
        texts = [line for cell in notebook.cells if cell.cell_type == "markdown" for _, line in lines(cell.source)]
        begins = next((begins for begins in (named, numbered, headed) if any(map(begins, texts))), None)
        if begins:
            label_cells(notebook, begins)
        elif must_ask:
            raise Unusable(f"{name}: no question found in this reference; looked for {LOOKED_FOR}")
    return Reference(notebook)


def named(line: str) -> bool:
    """Return whether `line` begins as "Question 1" does."""
    label = read_label(line)
    return label.named == "question" and label.number is not None


def numbered(line: str) -> bool:
    """Return whether `line` begins with a number alone, as "1. Explain" does."""
    label = read_label(line)
    return label.number is not None and not label.named and line[:1] not in " \t-+>|"


def headed(line: str) -> bool:
    """Return whether `line` is a heading below that of a notebook's title."""
    return level(line) > 1


def level(text: str) -> int:
    """Return the level of the heading that `text` begins with; 0 for none."""
    heading = HEADING.match(text)
    return len(heading[1]) if heading else 0


def label_cells(notebook: NotebookNode, begins: Callable[[str], bool]) -> None:
    """Give each cell of `notebook` an id that says what it is; a question stands where a line `begins` one."""
    section, question, count, parts = "", "", 0, Counter[str]()
    judged = list(JUDGED)
    notebook.cells = [piece for cell in notebook.cells for piece in _pieces(cell, begins)]
    for position, cell in enumerate(notebook.cells):
        text = cell.cell_type != "code"
        first = next((line for _, line in lines(cell.source)), "")
        alone = text and not says_something(cell.source.replace(first, "", 1))
        below = "".join(each.source for each in notebook.cells[position + 1 : position + 2])
        chapter = begins is headed and alone and level(below) > level(cell.source)
        cell.id = f"given-{position}"
        if text and begins(first) and not chapter:
            count += 1
            question = f"{section or 'question'}-{count}"
            cell.id = f"{question}-question"
        elif alone and level(first) > (0 if position else 1):
            title = re.findall(r"[a-z0-9]+", first.lower())
            section, question, count = "_".join(title)[:40] or f"section_{position}", "", 0
            section += f"_{position}" * any(each.id == f"{section}-section" for each in notebook.cells)
            cell.id = f"{section}-section"
        elif text and question and (not says_something(cell.source) or read_label(first).named == "answer"):
            cell.id = f"{question}-answer-{position}"
        elif question:
            earlier = [each for each in notebook.cells[:position] if each.cell_type == "code"]
            check = is_check(cell) and is_complete(cell, earlier)
            cell.id = f"{question}-{'check' if check else 'snippet'}-{position}"
        if question and text and role(cell) in ("question", "snippet"):
            stated = statements(cell.source, ALPHABET, role(cell) == "question")
            parts[question] = max(parts[question], len(stated))
        if JUDGED[-1] in cell.source and cell.cell_type == "markdown" and question:
            judged = [question, *JUDGED[1:]]
    letters = {name: ALPHABET[:count] for name, count in parts.items() if count > 1}
    notebook.metadata["hw4"] = notebook.metadata.get("hw4", {}) | {"parts": letters, "judged": judged, "labelled": True}


def _pieces(cell: NotebookNode, begins: Callable[[str], bool]) -> Iterator[NotebookNode]:
    """Yield `cell`, cut before each line that begins a question; numbers must count on, or they are a list's."""
    cuts, last = [0], None
    for at, line in lines(cell.source) if cell.cell_type == "markdown" else ():
        number = read_label(line).number
        if begins(line) and (number is None or last is None or number == last + 1):
            cuts.append(at)
            last = number
        elif level(line) and last is None:
            cuts.append(at)
    texts = [cell.source[start:end].strip() for start, end in pairwise([*cuts, len(cell.source)])]
    if sum(map(bool, texts)) < 2:
        yield cell
        return
    for text in filter(None, texts):
        yield new_markdown_cell(text, metadata=cell.metadata, attachments=cell.get("attachments", {}))
