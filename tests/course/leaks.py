"""What a hand-out must not say: rows of words of the answers, the evidence, and the function."""

import ast
import functools
import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from hw4.grading.notebook.format import read_notebook
from hw4.grading.notebook.questions import role
from tests.builders import NOTEBOOK, ROOT

ROW = 8
TOKEN = re.compile(r"\\[A-Za-z]+|[^\W\d_]+|\d")  # a command of TeX, a word, a digit: x_1 and x_{1} are the same
LOOKS = re.compile(r"\\(?:boldsymbol|math\w+|text\w*|left|right|q?quad|displaystyle)\b")
COUNTING = "1 2 3 4 5 6 7 8 9"
SECRET = ("answer", "note", "evidence")
FONT = ROOT / "hw4" / "grading" / "report" / "math.woff2"


def rows(text: str) -> set[tuple[str, ...]]:
    """Return the rows of eight tokens in `text`: formulas count by their commands, letters and numbers."""
    plain = re.sub(r"\\[dt]frac\b", r"\\frac", LOOKS.sub(" ", unicodedata.normalize("NFKC", text)))
    found = [token.casefold() for token in TOKEN.findall(plain)]
    return {tuple(found[at : at + ROW]) for at in range(len(found) - ROW + 1)}


@functools.cache
def given_cells() -> list[NotebookNode]:
    """Return the cells that every student is given."""
    notebook = read_notebook(NOTEBOOK.read_bytes(), NOTEBOOK.name)
    return [cell for cell in notebook.cells if role(cell) not in SECRET]


def given_rows() -> set[tuple[str, ...]]:
    """Return the rows of what every student is given."""
    given = [cell.source for cell in given_cells()]
    return set().union(*map(rows, [*given, COUNTING, (ROOT / "hw4" / "figures.py").read_text(encoding="utf-8")]))


@functools.cache
def secrets() -> dict[str, set[tuple[str, ...]]]:
    """Return the rows of each answer, note and piece of evidence, and of the function, without the given ones."""
    notebook, given = read_notebook(NOTEBOOK.read_bytes(), NOTEBOOK.name), given_rows()
    texts = {cell.id: cell.source for cell in notebook.cells if role(cell) in SECRET}
    texts |= {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "hw4" / "evidence").glob("*.py")}
    source = (ROOT / "hw4" / "answers.py").read_text(encoding="utf-8")
    function = next(node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    texts["answers.py"] = "\n".join(source.splitlines()[function.body[0].lineno - 1 :])
    return {name: rows(text) - given for name, text in texts.items()}


def strings(content: Any) -> Iterator[str]:
    """Yield every string in the content of a JSON file, the keys included; the lines of a list are joined."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from (key, *strings(value))
    elif isinstance(content, list):
        yield "".join(each for each in content if isinstance(each, str))
        yield from (text for each in content if not isinstance(each, str) for text in strings(each))
    else:
        yield str(content)


def read(path: Path) -> set[str]:
    """Return the texts in a file; raise `ValueError` where something in it is no text, and no given picture."""
    text = path.read_bytes().decode()
    texts = set(strings(json.loads(text))) if path.suffix == ".ipynb" else {text}
    if any("\0" in each or re.search(r"[A-Za-z0-9+/]{100}", each) for each in texts - set(strings(given_cells()))):
        raise ValueError("encoded")
    return texts


def leaks(folder: Path) -> list[str]:
    """Return a line for each row of tokens of a secret text that a file below `folder` has, its name included.

    What cannot be read as text has a line, too, but for the font of the pages.
    """
    found, hidden = [], secrets()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        place = path.relative_to(folder)
        if path.read_bytes() == FONT.read_bytes():
            continue
        try:
            said = set().union(*map(rows, [str(place), *read(path)]))
        except ValueError:
            found.append(f"{place} holds something that cannot be read as text")
            continue
        for name, secret in hidden.items():
            found += [f"{place} has of {name}: {' '.join(row)}" for row in sorted(said & secret)]
    return found
