"""The table of marks: a row per submission, a column per question, and room for a mark and a comment per part.

Beside it, in a file that no spreadsheet opens, stands what the table had when it was last written (`Known`).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, Self, TypedDict

from nbformat import NotebookNode

from .. import output
from ..errors import Unusable
from ..notebook.comparison import questions
from ..result import part_names
from ..text import last_line
from . import spreadsheet

FILE = "results.csv"
KNOWN = ".results.json"  # no folder of a submission has such a name
LETTERS = str.maketrans("0123456789abcdef", "bcdfghjklmnpqrst")  # without vowels, no word comes out
KEY_LENGTH = 12
NOT_READ = (".xlsx", ".xls", ".ods")  # what a spreadsheet may save beside the table

Cells = dict[str, str]  # by column


@dataclass(frozen=True)
class Asked:
    """What is marked: the names of the parts of each question, by its id, and the points of a part."""

    questions: dict[str, list[str]]
    points: str = "1"

    @classmethod
    def by(cls, reference: NotebookNode) -> Self:
        """Return what a reference asks; its metadata may have `hw4.points_per_part`."""
        asked = {each.id: part_names(each) for each in questions(reference, reference)[0] if each.parts}
        points = str(reference.metadata.get("hw4", {}).get("points_per_part"))
        return cls(asked, points if number(points) else cls.points)

    def most(self) -> str:
        """Return the points of all parts together."""
        return str(Decimal(self.points) * sum(map(len, self.questions.values())))


class Known(TypedDict):
    """What is known of a submission since the table was last written."""

    cells: Cells  # its row
    answers: dict[str, str]  # a hash of each part's answer, as the last run saw it
    marked: dict[str, str | None]  # the same of each part that is marked, as it was when it was marked


def key(name: str) -> str:
    """Return letters that stand for the exact `name`, and that no spreadsheet changes."""
    return hashlib.sha256(name.encode()).hexdigest()[:KEY_LENGTH].translate(LETTERS)


def damaged(name: str) -> set[str]:
    """Return what spreadsheets make of a `name`: a number of an id, other letters of those beyond ASCII."""
    misread = [("utf-8", "cp1252"), ("utf-8", "mac-roman"), ("cp1252", "cp1252")]
    made = {name.encode(saved, "replace").decode(opened, "replace") for saved, opened in misread}
    return made | {name.lstrip("0"), name.strip()}


def number(text: str) -> Decimal | None:
    """Return the number in `text`, with a point or a comma; None where it is none."""
    text = text.strip().replace("−", "-")
    return Decimal(text.replace(",", ".")) if spreadsheet.NUMBER.fullmatch(text) else None


def known_in(folder: Path) -> dict[str, Any]:
    """Return what the last run kept beside the table in `folder`: what was `asked`, and the known `submissions`."""
    return output.read_json(folder / KNOWN) or {}


class Table:
    """The table at `path`, beside what is known of it.

    `people` are the submissions of a run, by name: what stays the same when that name changes, and the path of what was
    handed in. Raises `Unusable` where a row cannot be placed, since whatever is written then would lose it.
    """

    def __init__(self, path: Path, asked: Asked, people: Mapping[str, tuple[str, str]] | None = None) -> None:
        self.path, self.asked = path, asked
        self.parts = [part for parts in asked.questions.values() for part in parts]
        found = ["key", "submission", "handed in", "folder", "status", *asked.questions, "summary"]
        marks = [f"{kind} {part}" for part in self.parts for kind in ("mark", "comment")]
        self.found = {*found, "sum"}  # the columns that are written anew
        self.known: dict[str, Known] = known_in(path.parent).get("submissions", {})
        self.owners = self._owners(people or {})
        self.sheet = spreadsheet.read(path, ("key", "submission"), self.owners.keys())
        self.columns = self._complete([*found, "sum", "adjustment", "changed", *marks])
        self.lines: list[Cells] = []  # the rows in their order, also those of nobody who is known
        self.rows: dict[str, Cells] = {}  # those of submissions, by key
        self._place()
        self._restore()

    def _owners(self, people: Mapping[str, tuple[str, str]]) -> dict[str, str]:
        """Return the keys of all submissions, by each name that they have or had."""
        had = {known["cells"]["submission"]: owner for owner, known in self.known.items()}
        now = {name: key(person) for name, (person, _) in people.items()}
        taken = self.known.keys() & set(now.values())
        for name, owner in now.items():
            if owner not in taken and had.get(name) not in taken and had.get(name) in (None, key(name)):
                now[name] = had.get(name, owner)  # but for the row of somebody else who was called so
        return {file: now[name] for name, (_, file) in people.items()} | had | now

    def _complete(self, wanted: list[str]) -> list[str]:
        """Return the columns of the file in its order, with what is missing of those `wanted` where it belongs."""
        columns = list(self.sheet.header)
        for before, name in pairwise(["", *wanted]):
            if name + spreadsheet.SECOND in columns:
                raise Unusable(f"{self.path}: two columns are called {name!r}: which one holds?")
            if name not in columns:
                columns.insert(columns.index(before) + 1 if before else 0, name)
        return columns

    def _add(self, owner: str | None, cells: Cells) -> Cells:
        """Put a row at the end of the table and return it."""
        row = dict.fromkeys(self.columns, "") | cells
        self.lines.append(row)
        if owner:
            self.rows[owner] = row
        return row

    def _place(self) -> None:
        """Give each row of the file to its submission."""
        sheet, loose, owner = self.sheet, [], None
        for place, line in enumerate(sheet.rows, 2):
            where = f"{self.path}: row {place}"
            if any(line[len(sheet.header) :]):
                raise Unusable(f"{where} has more cells than there are columns: where does the last one belong?")
            cells = dict(zip(sheet.header, line, strict=False))
            owner = self._owner(cells, where)
            if owner not in self.rows:
                row = self._add(owner, cells)
                loose += [(row, where)] * (not owner and not row["key"])
            elif self.entered(cells):
                raise Unusable(f"{where} is a second one of {self._name(owner)}: which one holds?")
        self._refuse_half(owner)
        for row, where in loose:
            owners = self._possible_owners(row)
            if len(owners) == 1:
                self.rows[owners[0]] = row
            elif owners and self.entered(row):
                raise Unusable(f"{where} may be that of {', '.join(map(self._name, owners))}: whose is it?")

    def _name(self, owner: str) -> str:
        return [name for name, each in self.owners.items() if each == owner][-1]

    def _owner(self, cells: Cells, where: str) -> str | None:
        """Return the key of whose row it is, by the key in it or else the exact name; None if nobody is known by it."""
        by_key, name = cells.get("key", "").strip().lower(), cells.get("submission", "")
        by_name = self.owners.get(name)
        if by_key not in self.owners.values():
            return by_name
        written = self.known[by_key]["cells"]["submission"] if by_key in self.known else ""
        if by_name not in (None, by_key) and name != written:
            named = f"the key of {self._name(by_key)} and the name of {self._name(by_name)}"
            raise Unusable(f"{where} has {named}: whose is it?")
        return by_key

    def _possible_owners(self, row: Cells) -> list[str]:
        """Return the keys of those without a row whose name a spreadsheet may have made into the one in `row`."""
        made = {owner for name, owner in self.owners.items() if row["submission"].strip() in damaged(name)}
        return sorted(made - self.rows.keys())

    def entered(self, row: Cells) -> Cells:
        """Return what people wrote into a row."""
        return {column: value for column, value in row.items() if value and column not in self.found}

    def _refuse_half(self, owner: str | None) -> None:
        """Raise `Unusable` where the file ends within its last row, the one of `owner`."""
        sheet = self.sheet
        if sheet.ended:
            return
        last = sheet.rows[-1] if sheet.rows else []
        before = self.known[owner]["cells"].get(sheet.header[-1], "") if owner in self.known else ""
        if len(last) < len(sheet.header) or (last[-1] != before and before.startswith(last[-1])):
            raise Unusable(f"{self.path}: ends within a row, only half written: its backups stand beside it")

    def _restore(self) -> None:
        """Put back what the file has lost since it was written: rows, columns, and what a run finds."""
        for owner, known in self.known.items():
            cells = known["cells"]
            if owner not in self.rows and self.entered(cells):
                self._add(owner, cells)
            elif owner in self.rows:
                lost = (cells.keys() - set(self.sheet.header)) | self.found
                self.rows[owner] |= {column: cells.get(column, "") for column in lost}

    def update(self, graded: Mapping[str, Cells]) -> None:
        """Take over what a run found of each submission, by name: folder, status, answers, summary, "handed in"."""
        for name, found in graded.items():
            owner = self.owners[name]
            row = self.rows.get(owner) or self._add(owner, {})
            row |= {column: last_line(found.get(column, "")) for column in self.found}
            row |= {"key": owner, "submission": name}
        for owner, row in self.rows.items():
            row["sum"] = self.total(row)
            now = output.kept(self.path.parent / row["folder"]).get("digests", {})
            known = self.known.setdefault(owner, Known(cells={}, answers=now, marked={}))
            marked = {part: self._marked_for(part, row, known) for part in self.parts if row[f"mark {part}"]}
            row["changed"] = ", ".join(part for part, answer in marked.items() if answer != now.get(part))
            self.known[owner] = Known(cells=row, answers=now, marked=marked)

    def _marked_for(self, part: str, row: Cells, known: Known) -> str | None:
        """Return the hash of the answer for which `part` was marked.

        A mark that is new, or no longer named in the column `changed`, is one for what the last run saw.
        """
        before = known["cells"]
        flagged, still = (part in cells.get("changed", "").split(", ") for cells in (before, row))
        if before.get(f"mark {part}") != row[f"mark {part}"] or (flagged and not still):
            return known["answers"].get(part)
        return known["marked"].get(part)

    def total(self, row: Cells) -> str:
        """Return the sum of the marks in a row, "" without any; or which of its columns holds something else."""
        columns = [*(f"mark {part}" for part in self.parts), "adjustment"]
        values = {column: number(row[column]) for column in columns if row[column].strip()}
        wrong = [column for column, value in values.items() if value is None]
        if wrong or not values:
            return f"no number: {', '.join(wrong)}" * bool(wrong)
        return f"{sum(filter(None, values.values()), Decimal()).normalize():f}"

    def _remarks(self, row: Cells) -> Iterator[str]:
        """Yield what a person should look at in a row before the marks are given back."""
        if row["changed"]:
            yield f"changed since it was marked: {row['changed']}"
        if row["sum"] and number(row["sum"]) is None:
            yield row["sum"]
        points = Decimal(self.asked.points)
        above = [part for part in self.parts if (number(row[f"mark {part}"]) or 0) > points]
        if above:
            yield f"more than the {self.asked.points} of a part: mark {', mark '.join(above)}"

    def write(self) -> list[str]:
        """Write the table, and what is known of it; return lines about it."""
        spreadsheet.write(
            self.path, self.sheet, [self.columns, *([row[name] for name in self.columns] for row in self.lines)]
        )
        known = {"asked": asdict(self.asked), "submissions": self.known}
        output.replace(self.path.with_name(KNOWN), json.dumps(known, ensure_ascii=False))
        said = []
        for row in self.rows.values():
            said += [f"{self.path}: {row['submission']}: {each}" for each in self._remarks(row)]
        others = [self.path.with_suffix(suffix) for suffix in NOT_READ]
        return said + [f"{each} is not read: save it as {self.path}" for each in others if each.exists()]
