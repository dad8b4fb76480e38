"""What students get back: a page each with marks, comments and their own cells, and tables for Moodle and Canvas.

`python main.py feedback [FOLDER]`, where FOLDER is what a run on a class has written.
"""

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from html import escape
from pathlib import Path

from .. import output
from ..errors import ExitCode, Unusable
from ..report.layout import page_name, render
from ..report.markup import FOLDER as PLACE
from . import spreadsheet
from .table import FILE, Asked, Cells, Table, known_in, number

FOLDER = "feedback"  # in the output folder
LINK = re.compile(rf'<a [^>]*href="{PLACE}[^>]*>(.*?)</a>', re.DOTALL)  # to what is not given back
# The names of what their "Download all submissions" gives, in which the number of the participant or user stands.
MOODLE_NAME = re.compile(r"(?P<name>[^/]+?)_(?P<id>\d+)_assignsubmission_")
CANVAS_NAME = re.compile(r"(?:^|/)(?P<name>[^_/]+)_(?:late_)?(?P<id>\d+)_\d+_", re.IGNORECASE)
# The columns by which Moodle's "Upload grading worksheet" and Canvas's "Import grades" know a student
MOODLE = ("Identifier", "Full name", "Email address")
CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")


def run(arguments: Sequence[str]) -> ExitCode:
    """Write the feedback that the arguments ask for."""
    parser = argparse.ArgumentParser(prog="main.py feedback", description=__doc__)
    add = parser.add_argument
    add("folder", nargs="?", type=Path, default="graded", help="where a class was graded; default: %(default)s/")
    add("--with-answers", action="store_true", help="show the reference's answers, too")
    add("--assignment", default="Homework", help='in the table for Canvas, as in its export: "Homework 4 (123)"')
    options = parser.parse_args(arguments)
    folder, place = options.folder, options.folder / FOLDER
    if not (known := known_in(folder)):
        raise Unusable(f"{folder}: no class was graded here: name its output folder")
    with spreadsheet.alone(folder):
        marks = Table(folder / FILE, Asked(**known["asked"]))
        marks.update({})
        said = marks.write()
        place.mkdir(exist_ok=True)
        _, asked, answers = output.kept_reference(folder)
        ready = [row for row in marks.rows.values() if not row["sum"] or number(row["sum"]) is not None]
        for row in marks.rows.values():
            file = place / f"{row['folder']}.html"
            if row in ready:
                output.replace(file, page(marks, row, asked, answers if options.with_answers else {}))
            else:
                file.unlink(missing_ok=True)
                said.append(f"{row['submission']} gets no page before what is no number is mended")
        for name, rows in (("moodle", moodle(marks)), ("canvas", canvas(marks, options.assignment))):
            said.append(str(output.replace(place / f"{name}.csv", spreadsheet.encoded(rows))))
    print(*said, f"{len(ready)} pages in {place}", sep="\n")
    return ExitCode.CLEAN if len(ready) == len(marks.rows) else ExitCode.UNUSABLE


def page(marks: Table, row: Cells, asked: Mapping[str, str], answers: Mapping[str, str]) -> str:
    """Return the page of the student with that `row`; `asked` and `answers` are HTML of the reference."""
    folder, points = marks.path.parent / row["folder"], Decimal(marks.asked.points)
    # What somebody else has left there is not shown.
    own = output.kept_fragments(folder) if output.kept(folder).get("name") == row["submission"] else {}
    unmarked = sum(not row[f"mark {part}"] for part in marks.parts)
    facts = [f"{row['sum'] or 0} of {marks.asked.most()} points"]
    facts += [f"with an adjustment of {row['adjustment']}"] * bool(row["adjustment"])
    facts += [f"{unmarked} of {len(marks.parts)} parts not marked"] * bool(unmarked)
    questions = [
        {
            "id": question,
            "of": points * len(parts),
            "parts": [_part(part, row, points) for part in parts],
            "asked": asked.get(question),
            "own": LINK.sub(r"\1", own.get(page_name(question), "")),
            "answer": LINK.sub(r"\1", answers.get(page_name(question), "")),
        }
        for question, parts in marks.asked.questions.items()
    ]
    return render("feedback.html", title=row["submission"], facts=facts, questions=questions, points=points)


def _part(part: str, row: Cells, points: Decimal) -> dict[str, str]:
    mark, value = row[f"mark {part}"], number(row[f"mark {part}"])
    kind = "" if value is None else "ok" if value >= points else "warn" if value > 0 else "bad"
    return {"name": part, "mark": mark, "comment": row[f"comment {part}"], "kind": kind}


def _students(marks: Table, form: re.Pattern[str]) -> Iterator[tuple[Cells, str, str, str]]:
    """Yield of each student the row, the name and the number in a platform's `form` of names, and the sum."""
    for row in marks.rows.values():
        found = form.search(row["handed in"])
        name, own_number = found.group("name", "id") if found else (row["submission"], "")
        yield row, name, own_number, row["sum"] if number(row["sum"]) is not None else ""


def moodle(marks: Table) -> list[list[str]]:
    """Return the rows of the grading worksheet of an assignment in Moodle; columns of the table go before."""
    rows = [[*MOODLE, "Grade", "Maximum grade", "Last modified (grade)", "Feedback comments"]]
    for row, name, participant, total in _students(marks, MOODLE_NAME):
        own = {"Identifier": f"Participant {participant}" * bool(participant), "Full name": name}
        said = [f"{part}: {row[f'mark {part}']} {row[f'comment {part}']}".strip() for part in marks.parts]
        comments = "<br>".join(escape(each).replace("\n", "<br>") for each in said if not each.endswith(":"))
        told = [row.get(column) or own.get(column, "") for column in MOODLE]
        rows.append([*told, total, marks.asked.most(), "", comments])
    return rows


def canvas(marks: Table, assignment: str) -> list[list[str]]:
    """Return the rows of Canvas's gradebook with one `assignment`."""
    rows = [[*CANVAS, assignment], ["Points Possible", *[""] * (len(CANVAS) - 1), marks.asked.most()]]
    for row, name, user, total in _students(marks, CANVAS_NAME):
        own = {"Student": name, "ID": user}
        rows.append([*(row.get(column) or own.get(column, "") for column in CANVAS), total])
    return rows
