"""What the tests share: a notebook from a few strings, and `main.py` as a user runs it."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "Part4_SummaryQuestions.ipynb"


@pytest.fixture
def notebook(tmp_path):
    """Return a function that writes a notebook of cells {id: source}, code unless the id says otherwise, to a path."""

    def write(cells, name="hw.ipynb", metadata=None):
        made = nbformat.v4.new_notebook(metadata=metadata or {})
        for cell_id, source in cells.items():
            text = any(word in cell_id for word in ["section", "question", "answer", "note", "text"])
            new = nbformat.v4.new_markdown_cell if text else nbformat.v4.new_code_cell
            made.cells.append(new(source, id=cell_id))
        path = tmp_path / name
        nbformat.write(made, path)
        return path

    return write


@pytest.fixture
def grade(tmp_path):
    """Return a function that runs `main.py` with the arguments given, as a user does, in an empty folder.

    What was asked is what the first notebook asks, unless `reference` names another one.
    """

    def run(*arguments, reference=None, **kwargs):
        command = [sys.executable, str(ROOT / "main.py"), *map(str, arguments)]
        command += ["--reference", str(reference or arguments[0])] if arguments else []
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, **kwargs)

    return run


@pytest.fixture
def executed(tmp_path):
    """Return a function that reads the executed notebook which a run left, as {id: cell}."""

    def read(name="hw.ipynb"):
        return {cell.id: cell for cell in nbformat.read(tmp_path / "graded" / name, as_version=4).cells}

    return read
