"""What the tests of the marks share: a reference with two questions, and a class whose runs are played."""

import csv
import io
import json
from pathlib import Path

from hw4.grading.marks import spreadsheet
from hw4.grading.marks.table import FILE, Asked, Table
from tests.builders import made

REFERENCE = made(
    {
        "cnn-1-question": "### Question 1\n\nWhat is a stride?",
        "cnn-1-answer": "**Answer:**",
        "cnn-2-question": "### Question 2\n\nName\n\n1. padding,\n2. dilation.",
        "cnn-2-answer-a": "**Answer A.**",
        "cnn-2-answer-b": "**Answer B.**",
    },
    {"hw4": {"points_per_part": 2}},
)
ASKED = Asked.by(REFERENCE)
NAMES = ["00123", "Jörg", "zoe", "रोजी", "=dan"]


class Played:
    """A class in `folder` whose submissions are names with answers, without anything being run."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / FILE
        folder.mkdir(exist_ok=True)

    def run(self, names=NAMES, answer="first", people=None, file=None, **answers):
        """Grade the `names`, whose answers are all `answer`, but for those named; return what is said.

        `people` are what `Table` takes, where that is not all the same.
        """
        graded = {}
        for name in names:
            place = self.folder / name
            place.mkdir(exist_ok=True)
            digests = dict.fromkeys(["cnn-1", "cnn-2-A", "cnn-2-B"], answers.get(name, answer))
            (place / "results.json").write_text(json.dumps({"extra_data": {"digests": digests, "name": name}}))
            states = {"status": "clean", "cnn-1": "answered", "cnn-2": "answered", "summary": "all answered, 1.3 s"}
            graded[name] = states | {"folder": name, "handed in": file or name}
        marks = Table(self.path, ASKED, people or {name: (name, name) for name in names})
        marks.update(graded)
        return marks.write()

    def text(self):
        return self.path.read_text(encoding="utf-8-sig")

    def rows(self):
        """Return the rows as they stand in the file, by the submission's exact name."""
        text = self.text()
        rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in text.partition("\n")[0] else ",")
        return {spreadsheet.unquoted(row["submission"]): row for row in rows}

    def mark(self, edit, encoding="utf-8-sig", columns=None, **form):
        """Save what `edit` makes of the rows, as a spreadsheet does: with other columns, in another form."""
        rows = list(self.rows().values())
        rows = edit(rows) or rows
        text = io.StringIO()
        fields = columns(list(rows[0])) if columns else list(rows[0])
        writer = csv.DictWriter(text, fields, extrasaction="ignore", lineterminator="\r\n", **form)
        writer.writeheader()
        writer.writerows(rows)
        self.path.write_bytes(text.getvalue().encode(encoding, "replace"))

    def marks(self):
        """Return {name: (mark and comment of the first question)} of those that have some."""
        rows = {name: (row["mark cnn-1"], row["comment cnn-1"]) for name, row in self.rows().items()}
        return {name: pair for name, pair in rows.items() if any(pair)}


def marked(rows):
    """Give everybody a mark and a comment that tells whose they are."""
    for row in rows:
        row["mark cnn-1"], row["comment cnn-1"] = "1,5", f"good, näh; {spreadsheet.unquoted(row['folder'])}"


EXPECTED = {name: ("1,5", f"good, näh; {name}".replace("; =", ";' =")) for name in NAMES}
