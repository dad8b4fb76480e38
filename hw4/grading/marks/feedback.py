"""What students get back: a page each with marks, comments and their own cells, and tables for Moodle and Canvas.

`python main.py feedback [FOLDER]`, where FOLDER is what a run on a class has written.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from html import escape
from pathlib import Path

from nbformat import NotebookNode

from .. import bounded, output
from ..errors import ExitCode, Unusable
from ..notebook.labelling import read_reference
from ..notebook.questions import GIVEN, role
from ..report.cells import Cells as DrawnHere
from ..report.cells import mark
from ..report.layout import anchor, document, table
from ..report.markup import text
from ..report.submission_page import Drawn
from ..result import Result, part_names
from . import spreadsheet
from .table import FILE, Cells, Known, Table, number, reference_path

FOLDER = "feedback"  # in the output folder
PICTURE_LINK = re.compile(r'<a href="pictures/[^"]*">(.*?)</a>', re.DOTALL)  # to a file that is not given back
# The names of what their "Download all submissions" gives, in which the number of the participant or user stands.
MOODLE_NAME = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_")
CANVAS_NAME = re.compile(r"(?P<name>[^_]+)_(?:late_)?(?P<id>\d+)_\d+_", re.IGNORECASE)
# The columns by which Moodle's "Upload grading worksheet" and Canvas's "Import grades" know a student
MOODLE = ("Identifier", "Full name", "Email address")
CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")

Shown = tuple[Result, Drawn]


def run(arguments: Sequence[str]) -> ExitCode:
    """Write the feedback that the arguments ask for."""
    parser = argparse.ArgumentParser(prog="main.py feedback", description=__doc__)
    add = parser.add_argument
    add("folder", nargs="?", type=Path, default="graded", help="where a class was graded; default: %(default)s/")
    add("--with-answers", action="store_true", help="show the reference's answers, too")
    add("--reference", type=Path, metavar="NOTEBOOK", help="default: the one against which the class was graded")
    add("--assignment", metavar="NAME", help='in the table for Canvas, as in its own export: "Homework 4 (123)"')
    options = parser.parse_args(arguments)
    folder, path = options.folder, options.reference or reference_path(options.folder)
    try:
        given = read_reference(path.read_bytes(), path.name, True).notebook
    except OSError as problem:
        raise Unusable(f"{path}: {problem.strerror}: name a --reference") from None
    bounded.start()
    with spreadsheet.alone(folder):
        marks = Table(folder / FILE, given)
        marks.update({})
        said = marks.write(path)
        (folder / FOLDER).mkdir(exist_ok=True)
        reference = Result(given)
        answers = (reference, DrawnHere(reference)) if options.with_answers else None
        for owner, row in marks.rows.items():
            known = marks.known[owner]
            output.replace(folder / FOLDER / f"{known['folder']}.html", page(marks, row, known, answers, given))
        for name, rows in (("moodle", moodle(marks)), ("canvas", canvas(marks, options.assignment or path.stem))):
            said.append(str(output.replace(folder / FOLDER / f"{name}.csv", spreadsheet.encoded(rows))))
    print(*said, f"{len(marks.rows)} pages in {folder / FOLDER}", sep="\n")
    return ExitCode.CLEAN


def page(marks: Table, row: Cells, known: Known, answers: Shown | None, given: NotebookNode) -> str:
    """Return the page of the student with that `row`; `answers` are the reference's cells, where they are shown."""
    folder = marks.path.parent / known["folder"]
    drawn: Shown | None = None
    if output.kept(folder).get("name") == known["name"]:  # and not what somebody else has left there
        drawn = bounded.call(output.draw_cells, folder, given, known["name"])
    unmarked = sum(not row[f"mark {part}"] for part in marks.parts)
    facts = [f"{row['sum'] or 0} of {marks.most} points"]
    facts += [f"with an adjustment of {row['adjustment']}"] * bool(row["adjustment"])
    facts += [f"{unmarked} of {len(marks.parts)} parts not marked"] * bool(unmarked)
    points, sections = [], []
    for question in marks.asked:
        parts, name, place = part_names(question), text(question.id), anchor(question.id)
        got = text(" + ".join(row[f"mark {part}"] or "-" for part in parts))
        cells = f'<th scope="row"><a href="#{place}">{name}</a></th><td>{got}</td><td>{marks.points * len(parts)}</td>'
        points.append(f"<tr>{cells}</tr>")
        body = "".join(_mark(part, row, marks.points) for part in parts)
        if drawn:
            body += _folded("The question", _cells(question.id, *drawn, asked=True)) + _cells(question.id, *drawn)
        if answers:
            body += _folded("The reference answer", _cells(question.id, *answers))
        sections.append(f'<section id="{place}"><h3>{name}</h3>{body}</section>')
    return document(
        known["name"],
        f"<header><h1>{text(known['name'])}</h1>{mark('', text(', '.join(facts)))}</header>"
        f"<nav><h2>Points</h2>{table(['Question', 'Points', 'Of'], points)}</nav><main>{''.join(sections)}</main>",
    )


def _mark(part: str, row: Cells, points: Decimal) -> str:
    """Return the mark and the comment of a part as HTML."""
    value = number(row[f"mark {part}"])
    kind = "" if value is None else "ok" if value >= points else "warn" if value > 0 else "bad"
    word = f"{part}: {row[f'mark {part}'] or 'no mark'} of {points}"
    return mark(kind, text(word), "<br>".join(map(text, row[f"comment {part}"].splitlines())))


def _cells(name: str, result: Result, cells: Drawn, asked: bool = False) -> str:
    """Return the cells that ask a question, or else all that was added to them or beside them, as HTML."""
    question, html = result.rows[name].question, ""
    for index in sorted({*question.cells, *(answer.cell for answer in question.answers)}):
        kind = role(result.notebook.cells[index])
        if asked:
            html += cells.html[index] * (kind == "question")
        elif cells.added[index] or kind not in GIVEN:
            html += cells.added[index] or cells.html[index]
    # Without the ids of cells, which may stand on the page a second time
    return PICTURE_LINK.sub(r"\1", html).replace(' id="cell-', ' data-cell="')


def _folded(summary: str, html: str) -> str:
    return f"<details><summary>{summary}</summary>{html}</details>" if html else ""


def _students(marks: Table, form: re.Pattern[str]) -> Iterator[tuple[Cells, str, str, str]]:
    """Yield of each student the row, the name and the number in a platform's `form` of names, and the sum."""
    for owner, row in marks.rows.items():
        found = form.match(marks.known[owner]["file"])
        name, own_number = found.group("name", "id") if found else (row["submission"], "")
        yield row, name, own_number, row["sum"] if number(row["sum"]) is not None else ""


def moodle(marks: Table) -> list[list[str]]:
    """Return the rows of the grading worksheet of an assignment in Moodle; a column of that name comes first."""
    rows = [[*MOODLE, "Grade", "Maximum grade", "Last modified (grade)", "Feedback comments"]]
    for row, name, participant, total in _students(marks, MOODLE_NAME):
        own = {"Identifier": f"Participant {participant}" * bool(participant), "Full name": name}
        said = [f"{part}: {row[f'mark {part}']} {row[f'comment {part}']}".strip() for part in marks.parts]
        comments = "<br>".join(escape(each).replace("\n", "<br>") for each in said if not each.endswith(":"))
        told = [row.get(column) or own.get(column, "") for column in MOODLE]
        rows.append([*told, total, str(marks.most), "", comments])
    return rows


def canvas(marks: Table, assignment: str) -> list[list[str]]:
    """Return the rows of Canvas's gradebook with one `assignment`."""
    rows = [[*CANVAS, assignment], ["Points Possible", *[""] * (len(CANVAS) - 1), str(marks.most)]]
    for row, name, user, total in _students(marks, CANVAS_NAME):
        own = {"Student": name, "ID": user}
        rows.append([*(row.get(column) or own.get(column, "") for column in CANVAS), total])
    return rows
