"""The table of marks: a row per submission, a column per question, and room for a mark and a comment per part."""

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path

from nbformat import NotebookNode

from ..errors import Unusable
from ..notebook.comparison import questions
from ..text import last_line

FILE = "results.csv"
LONGEST_COMMENT = 10_000_000  # characters of a cell
# What makes a spreadsheet take a text for a formula (OWASP, "CSV Injection"): also after what another one separates
# columns with, and in full width. A quote as the first character is doubled, so that no two texts become one.
FORMULA = re.compile(r"(?:\A|(?<=[;|]))(?=\s*['=+\-@＝＋－＠])")


def updated(rows: Mapping[str, dict[str, str]], reference: NotebookNode, path: Path) -> str:
    """Return the text of the table: of each submission, by its name, what stands in the columns.

    {} is one that was not graded in this run. The marks and comments in the file that stands at `path` are kept.
    """
    asked, _ = questions(reference, reference)
    marks = [
        f"{kind} {question.id}{'-' * bool(part)}{part}"
        for question in asked
        for part in question.parts
        for kind in ("mark", "comment")
    ]
    old = kept(path)
    text = io.StringIO()
    columns = ["submission", "folder", "status", *(question.id for question in asked), "summary", *marks]
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for submission, row in rows.items():
        name = FORMULA.sub("'", submission)  # all of it: what is kept is found by it
        known = old.get(name, {})
        if row:
            values = {column: literal(value) for column, value in row.items()} | {"submission": name}
            writer.writerow(values | {mark: known.get(mark) or "" for mark in marks})
        elif known:
            writer.writerow(known)
    return text.getvalue()


def kept(path: Path) -> dict[str, dict[str, str]]:
    """Return the rows of the table at `path` by the exact name of their submission; {} where there is none.

    Raises `Unusable` where a spreadsheet saved it in another form: the marks in it would be lost.
    """
    csv.field_size_limit(LONGEST_COMMENT)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return {row["submission"]: row for row in csv.DictReader(file)}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, csv.Error):
        raise Unusable(f"{path}: not UTF-8 text with commas between columns: save it so, or move it away") from None


def literal(text: str) -> str:
    """Return `text` on one line, and so that no spreadsheet computes it."""
    return FORMULA.sub("'", last_line(text))
