"""What students get back: a page each with marks, comments and their own cells, and tables for Moodle and Canvas.

`python main.py feedback [FOLDER]`, where FOLDER is what a run on a class has written.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from .. import bounded, output
from ..errors import ExitCode, Unusable
from ..notebook.labelling import read_reference
from ..notebook.questions import GIVEN, role
from ..report.cells import Cells, mark
from ..report.layout import anchor, document
from ..report.layout import table as html_table
from ..report.markup import text
from ..report.submission_page import Drawn, cells_of
from ..result import Result, part_names
from . import spreadsheet
from .table import FILE, Known, Table, number, reference_path

FOLDER = "feedback"  # in the output folder
PICTURE_LINK = re.compile(r'<a href="pictures/[^"]*">(.*?)</a>', re.DOTALL)  # to a file that is not given back
# The names of what their "Download all submissions" gives, in which the number of the participant or user stands.
MOODLE_NAME = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_")
CANVAS_NAME = re.compile(r"(?P<name>[^_]+)_(?:late_)?(?P<id>\d+)_\d+_", re.IGNORECASE)
# The columns that Moodle's "Upload grading worksheet" and Canvas's "Import grades" look for
MOODLE = ("Identifier", "Full name", "Email address", "Grade", "Maximum grade", "Last modified (grade)")
CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")


def run(arguments: Sequence[str]) -> ExitCode:
    """Write the feedback that the arguments ask for."""
    parser = argparse.ArgumentParser(prog="main.py feedback", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default="graded", help="where a class was graded (%(default)s)")
    parser.add_argument("--with-answers", action="store_true", help="show the reference's answers, too")
    parser.add_argument("--reference", type=Path, metavar="NOTEBOOK", help="default: what the class was graded against")
    parser.add_argument("--assignment", metavar="NAME", help='of the column for Canvas, as in its export: "HW 4 (123)"')
    options = parser.parse_args(arguments)
    folder = options.folder
    path = options.reference or reference_path(folder)
    try:
        given = read_reference(path.read_bytes(), path.name, True).notebook
    except OSError as problem:
        raise Unusable(f"{path}: {problem.strerror}: name a --reference") from None
    bounded.start()
    with spreadsheet.alone(folder):
        marks = Table(folder / FILE, given)
        marks.update({})
        said = marks.write(path)
        reference = Result(given)
        pages = Pages(marks, reference, Cells(reference), options.with_answers)
        (folder / FOLDER).mkdir(exist_ok=True)
        students = {owner: known for owner, known in marks.known.items() if owner in marks.rows}
        for owner, known in students.items():
            output.replace(folder / FOLDER / f"{known['folder']}.html", pages.page(owner, known))
        for name, rows in (("moodle", moodle(marks)), ("canvas", canvas(marks, options.assignment or path.stem))):
            body = spreadsheet.encoded(rows)
            said.append(str(output.replace(folder / FOLDER / f"{name}.csv", body)))
    print(*said, f"{len(students)} pages in {folder / FOLDER}", sep="\n")
    return ExitCode.CLEAN


class Pages:
    """The pages of students, beside the questions of the reference and, `with_answers`, its answers."""

    def __init__(self, marks: Table, reference: Result, cells: Cells, with_answers: bool) -> None:
        self.marks, self.reference, self.cells, self.with_answers = marks, reference, cells, with_answers
        self.points = marks.points * len(marks.parts)

    def page(self, owner: str, known: Known) -> str:
        """Return the page of one student."""
        row, folder = self.marks.rows[owner], self.marks.path.parent / known["folder"]
        drawn: tuple[Result, Drawn] | None = None
        if output.kept(folder).get("name") == known["name"]:  # and not what somebody else's run has left there
            drawn = bounded.call(output.draw_cells, folder, self.reference.notebook, known["name"])
        total = f"{self.marks.total(row)[0] or 'No'} of {self.points} points"
        if row["adjustment"]:
            total += f", with an adjustment of {row['adjustment']}"
        rows, sections = [], []
        for question in self.marks.asked:
            name, parts = question.id, part_names(question)
            given = " + ".join(row[f"mark {part}"] or "-" for part in parts)
            link = f'<a href="#{anchor(name)}">{text(name)}</a>'
            rows.append(
                f'<tr><th scope="row">{link}</th><td>{text(given)}</td><td>{self.marks.points * len(parts)}</td></tr>'
            )
            marked = "".join(self._mark(part, row) for part in parts)
            body = f"<h3>{text(name)}</h3>{self._asked(name)}{marked}{_own(name, *drawn) if drawn else ''}"
            sections.append(f'<section id="{anchor(name)}">{body}{self._answer(name)}</section>')
        return document(
            known["name"],
            f"<header><h1>{text(known['name'])}</h1>{mark('', text(total))}</header>"
            f"<nav><h2>Points</h2>{html_table(['Question', 'Points', 'Of'], rows)}</nav>"
            f"<main>{''.join(sections)}</main>",
        )

    def _mark(self, part: str, row: dict[str, str]) -> str:
        """Return the mark and the comment of a part as HTML."""
        value = number(row[f"mark {part}"])
        kind = "" if value is None else "ok" if value >= self.marks.points else "warn" if value > 0 else "bad"
        word = f"{part}: {row[f'mark {part}'] or 'no mark'} of {self.marks.points}"
        return mark(kind, text(word), "<br>".join(map(text, row[f"comment {part}"].splitlines())))

    def _asked(self, name: str) -> str:
        indices = self.reference.rows[name].question.cells
        asked = [self.cells.html[each] for each in indices if role(self.reference.notebook.cells[each]) == "question"]
        return _alone(f"<details><summary>The question</summary>{''.join(asked)}</details>")

    def _answer(self, name: str) -> str:
        answer = cells_of(self.reference, self.reference.rows[name], self.cells, frozenset(GIVEN))
        folded = f"<details><summary>The reference answer</summary>{answer}</details>"
        return _alone(folded) if self.with_answers else ""


def _own(name: str, result: Result, cells: Drawn) -> str:
    """Return what a student added to a question, as HTML."""
    question = result.rows[name].question
    shown = []
    for index in sorted({*question.cells, *(answer.cell for answer in question.answers)}):
        if cells.added[index] or role(result.notebook.cells[index]) not in GIVEN:
            shown.append(cells.added[index] or cells.html[index])
    return _alone(PICTURE_LINK.sub(r"\1", "".join(shown)))


def _alone(html: str) -> str:
    """Return `html` without the ids of cells, which may stand on the page a second time."""
    return html.replace(' id="cell-', ' data-cell="')


def _told(marks: Table, name: re.Pattern[str]) -> Iterator[tuple[dict[str, str], str, str, str]]:
    """Yield of each student the row, the name, the number of the platform whose form of `name` fits, and the sum."""
    for owner, row in marks.rows.items():
        known = marks.known.get(owner)
        found = name.match(known["file"]) if known else None
        yield row, found["name"] if found else row["submission"], found["id"] if found else "", marks.total(row)[0]


def moodle(marks: Table) -> list[list[str]]:
    """Return the rows of the grading worksheet of an assignment in Moodle; what is not in it comes from the table."""
    rows = [[*MOODLE, "Feedback comments"]]
    for row, name, own_id, total in _told(marks, MOODLE_NAME):
        comments = [f"{part}: {row[f'mark {part}']} {row[f'comment {part}']}".strip() for part in marks.parts]
        own = {"Identifier": f"Participant {own_id}" * bool(own_id), "Full name": name, "Grade": total}
        own |= {"Maximum grade": str(marks.points * len(marks.parts))}
        rows.append([row.get(column) or own.get(column, "") for column in MOODLE])
        rows[-1].append("<br>".join(escape(each).replace("\n", "<br>") for each in comments if not each.endswith(":")))
    return rows


def canvas(marks: Table, assignment: str) -> list[list[str]]:
    """Return the rows of Canvas's gradebook with one `assignment`."""
    rows = [[*CANVAS, assignment], ["Points Possible", *[""] * (len(CANVAS) - 1), str(marks.points * len(marks.parts))]]
    for row, name, own_id, total in _told(marks, CANVAS_NAME):
        own = {"Student": name, "ID": own_id}
        rows.append([*(row.get(column) or own.get(column, "") for column in CANVAS), total])
    return rows
