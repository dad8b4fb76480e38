"""The table of marks: a row per submission, a column per question, and room for a mark and a comment per part."""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from ..notebook.comparison import questions
from ..text import last_line

FILE = "results.csv"
# What makes a spreadsheet take a text for a formula (OWASP, "CSV Injection").
FORMULA = re.compile(r"\A[=+\-@\t\r]")


@dataclass(frozen=True)
class Row:
    """A submission: its name, its folder, its status (None: not graded in this run), its answers and its last line."""

    name: str
    folder: str
    status: str | None
    answers: dict[str, str]
    summary: str


def table(rows: Iterable[Row], reference: NotebookNode, path: Path) -> str:
    """Return the text of the table. The marks and comments in the file that stands at `path` already are kept."""
    asked, _ = questions(reference, reference)
    marks = [
        f"{kind} {question.id}{'-' * bool(part)}{part}"
        for question in asked
        for part in question.parts
        for kind in ("mark", "comment")
    ]
    old = {}
    if path.exists():
        with open(path, encoding="utf-8-sig", newline="") as file:
            old = {row.get("folder"): row for row in csv.DictReader(file)}
    text = io.StringIO()
    columns = ["submission", "folder", "status", *(question.id for question in asked), "summary", *marks]
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        if row.status is not None:
            values = {"submission": row.name, "folder": row.folder, "status": row.status, **row.answers}
            values = {key: literal(value) for key, value in (values | {"summary": row.summary}).items()}
            writer.writerow(values | {mark: old.get(row.folder, {}).get(mark) or "" for mark in marks})
        elif row.folder in old:
            writer.writerow(old[row.folder])
    return text.getvalue()


def literal(text: str) -> str:
    """Return `text` on one line, and so that no spreadsheet computes it."""
    text = last_line(text)
    return f"'{text}" if FORMULA.match(text) else text
