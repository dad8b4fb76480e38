"""What a hand-out must not say: rows of words of the answers, the evidence, and the function."""

import ast
import re
from pathlib import Path

from hw4.grading.notebook.format import read_notebook
from hw4.grading.notebook.questions import role
from tests.builders import NOTEBOOK, ROOT

ROW = 8
TOKEN = re.compile(r"\\[A-Za-z]+|[^\W_]+(?:_[^\W_]+)*")  # a command of TeX, a word, a number
SECRET = ("answer", "note", "evidence")


def rows(text: str) -> set[tuple[str, ...]]:
    """Return the rows of eight tokens in `text`: formulas count by their commands, letters and numbers."""
    found = [token.lower() for token in TOKEN.findall(text)]
    return {tuple(found[at : at + ROW]) for at in range(len(found) - ROW + 1)}


def given_rows() -> set[tuple[str, ...]]:
    """Return the rows of what every student is given."""
    notebook = read_notebook(NOTEBOOK.read_bytes(), NOTEBOOK.name)
    given = [cell.source for cell in notebook.cells if role(cell) not in SECRET]
    return set().union(*map(rows, [*given, (ROOT / "hw4" / "figures.py").read_text(encoding="utf-8")]))


def secrets() -> dict[str, set[tuple[str, ...]]]:
    """Return the rows of each answer, note and piece of evidence, and of the function, without the given ones."""
    notebook, given = read_notebook(NOTEBOOK.read_bytes(), NOTEBOOK.name), given_rows()
    texts = {cell.id: cell.source for cell in notebook.cells if role(cell) in SECRET}
    texts |= {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "hw4" / "evidence").glob("*.py")}
    source = (ROOT / "hw4" / "answers.py").read_text(encoding="utf-8")
    function = next(node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    texts["answers.py"] = "\n".join(source.splitlines()[function.body[0].lineno - 1 :])
    return {name: rows(text) - given for name, text in texts.items()}


def leaks(folder: Path) -> list[str]:
    """Return a line for each row of tokens of a secret text that a file below `folder` has, its name included."""
    found, hidden = [], secrets()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        text = path.read_bytes().decode(errors="replace")
        if path.suffix == ".ipynb":
            text = "\n\n".join(cell.source for cell in read_notebook(text.encode(), path.name).cells)
        said = rows(f"{path.relative_to(folder)}\n{text}")
        for name, secret in hidden.items():
            found += [f"{path.relative_to(folder)} has of {name}: {' '.join(row)}" for row in sorted(said & secret)]
    return found
