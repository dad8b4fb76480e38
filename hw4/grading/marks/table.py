"""The table of marks: a row per submission, a column per question, and room for a mark and a comment per part.

Beside it, in a file that no spreadsheet opens, stands what the table had when it was last written (`Known`).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Any, TypedDict

from nbformat import NotebookNode

from .. import output
from ..errors import Unusable
from ..notebook.comparison import questions
from ..result import part_names
from ..text import last_line
from . import spreadsheet

FILE = "results.csv"
KNOWN = ".results.json"  # no folder of a submission has such a name
FIXED = ("key", "submission", "folder", "status")
LETTERS = "bcdfghjklmnpqrst"  # one per hexadecimal digit; without vowels, no word comes out that a spreadsheet knows
KEY_LENGTH = 12
NOT_READ = (".xlsx", ".xls", ".ods")  # what a spreadsheet may save beside the table

Cells = dict[str, str]  # by column


class Known(TypedDict):
    """What is known of a submission since the table was last written."""

    name: str
    folder: str
    file: str  # the name of what was handed in
    cells: Cells  # its row
    answers: dict[str, str]  # a hash of each part's answer, as the last run saw it
    marked: dict[str, str]  # the same of each part that is marked, as it was when it was marked


def key(name: str) -> str:
    """Return letters that stand for the exact `name`, and that no spreadsheet changes."""
    digits = hashlib.sha256(name.encode()).hexdigest()[:KEY_LENGTH]
    return "".join(LETTERS[int(digit, 16)] for digit in digits)


def damaged(name: str) -> set[str]:
    """Return what spreadsheets make of a `name`: a number of an id, other letters of those beyond ASCII."""
    misread = [("utf-8", "cp1252"), ("utf-8", "mac-roman"), ("cp1252", "cp1252")]
    made = {name.encode(saved, "replace").decode(opened, "replace") for saved, opened in misread}
    return made | ({name.lstrip("0"), f"{int(name):.5E}"} if name.isdecimal() else {name.strip()})


def number(text: str) -> Decimal | None:
    """Return the number in `text`, with a point or a comma; None where it is none."""
    with suppress(InvalidOperation):
        value = Decimal(text.strip().replace(",", ".").replace("−", "-"))
        return value if value.is_finite() else None
    return None


def _beside(folder: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        return json.loads((folder / KNOWN).read_text(encoding="utf-8"))
    return {}


def reference_path(folder: Path) -> Path:
    """Return where the reference lies against which a class was graded; its table of marks is in the `folder`."""
    found = _beside(folder).get("reference")
    if not found:
        raise Unusable(f"{folder}: no class was graded here: name its output folder")
    return Path(found)


class Table:
    """The table at `path`, beside what is known of it; `names` are of submissions that may be new to it.

    Raises `Unusable` where a row cannot be placed, since whatever is written then would lose it.
    """

    def __init__(self, path: Path, reference: NotebookNode, names: Iterable[str] = ()) -> None:
        self.path = path
        self.asked = [question for question in questions(reference, reference)[0] if question.parts]
        self.parts = [name for question in self.asked for name in part_names(question)]
        self.points = number(str(reference.metadata.get("hw4", {}).get("points_per_part"))) or Decimal(1)  # of a part
        made = [*FIXED, *(question.id for question in self.asked), "summary", "sum"]
        self.made = {*made, "changed"}  # the columns that are written anew
        self.known: dict[str, Known] = _beside(path.parent).get("submissions", {})
        self.names = {key(name): name for name in [*(each["name"] for each in self.known.values()), *names]}
        self.sheet = spreadsheet.read(path, ("key", "submission"), self.names.values())
        marks = [f"{kind} {part}" for part in self.parts for kind in ("mark", "comment")]
        self.columns = self._complete([*made, "adjustment", "changed", *marks])
        self.lines: list[Cells] = []  # the rows in their order, also those of nobody who is known
        self.rows: dict[str, Cells] = {}  # those of submissions, by key
        self._place()
        self.restored = self._restore()

    def _complete(self, wanted: list[str]) -> list[str]:
        """Return the columns of the file in its order, with what is missing of those `wanted` where it belongs."""
        columns = list(self.sheet.header)
        for before, name in pairwise(["", *wanted]):
            if name + spreadsheet.SECOND in columns:
                raise Unusable(f"{self.path}: two columns are called {name!r}: which one holds?")
            if name not in columns:
                columns.insert(columns.index(before) + 1 if before else 0, name)
        return columns

    def _add(self, row: Cells, owner: str | None) -> Cells:
        """Put a row at the end of the table and return it."""
        self.lines.append(row)
        if owner:
            self.rows[owner] = row
        return row

    def _place(self) -> None:
        """Give each row of the file to its submission: by its key, its exact name, or what became of the name."""
        loose: list[tuple[str, Cells]] = []
        sheet, owner = self.sheet, None
        for place, line in enumerate(sheet.rows, 2):
            where = f"{self.path}: row {place}"
            if any(line[len(sheet.header) :]):
                raise Unusable(f"{where} has more cells than there are columns: where does the last one belong?")
            row = dict.fromkeys(self.columns, "") | dict(zip(sheet.header, line, strict=False))
            owners = [each for each in (row["key"].strip().lower(), key(row["submission"])) if each in self.names]
            if len(set(owners)) > 1:
                named = " and the name of ".join(self.names[each] for each in owners)
                raise Unusable(f"{where} has the key of {named}: whose marks are these?")
            owner = owners[0] if owners else None
            if owner in self.rows:
                self._merge(self.rows[owner], row, where)
            else:
                self._add(row, owner)
            if not owner and not row["key"]:
                loose.append((where, row))
        self._refuse_half(owner)
        for where, row in loose:
            name = row["submission"].strip().replace(",", ".")
            owners = [each for each in self.names.keys() - self.rows.keys() if name in damaged(self.names[each])]
            if len(owners) > 1 and self.entered(row):
                named = ", ".join(sorted(self.names[each] for each in owners))
                raise Unusable(f"{where} may be that of {named}: whose marks are these?")
            if len(owners) == 1:
                self.rows[owners[0]] = row

    def _merge(self, kept: Cells, row: Cells, where: str) -> None:
        """Add a second `row` of a submission to the one that is `kept`."""
        for column, value in self.entered(row).items():
            if kept[column] not in ("", value):
                raise Unusable(f"{where} has another {column} than the row of the same {kept['submission']} before")
            kept[column] = value

    def entered(self, row: Cells) -> Cells:
        """Return what people wrote into a row."""
        return {column: value for column, value in row.items() if value and column not in self.made}

    def _refuse_half(self, owner: str | None) -> None:
        """Raise `Unusable` where the file ends within its last row, the one of `owner`."""
        sheet = self.sheet
        if sheet.ended:
            return
        last = sheet.rows[-1] if sheet.rows else []
        before = self.known[owner]["cells"].get(sheet.header[-1], "") if owner in self.known else ""
        if len(last) < len(sheet.header) or (last[-1] != before and before.startswith(last[-1])):
            raise Unusable(f"{self.path}: ends within a row: only half written?{spreadsheet.last_backup(self.path)}")

    def _restore(self) -> list[str]:
        """Put back what the file has lost since it was written, whole rows or columns; return whose rows."""
        restored = []
        for owner, known in self.known.items():
            entered = self.entered(known["cells"])
            if owner not in self.rows and entered:
                self._add(dict.fromkeys(self.columns, "") | known["cells"], owner)
                restored.append(known["name"])
            elif owner in self.rows:
                self.rows[owner] |= {name: entered[name] for name in entered.keys() - set(self.sheet.header)}
        return restored

    def update(self, graded: Mapping[str, Cells]) -> None:
        """Take over what a run found of each submission, by name: folder, file, status, answers, and summary."""
        for name, found in graded.items():
            owner = key(name)
            row = self.rows.get(owner) or self._add(dict.fromkeys(self.columns, ""), owner)
            row |= {column: last_line(found.get(column, "")) for column in self.made - {"changed"}}
            row |= {"key": owner, "submission": name}
            known = Known(name=name, folder="", file="", cells={}, answers={}, marked={})
            self.known.setdefault(owner, known).update(folder=found["folder"], file=found["file"])
        for row, known in ((self.rows[owner], self.known[owner]) for owner in self.rows.keys() & self.known.keys()):
            now = dict.fromkeys(self.parts, "") | output.kept(self.path.parent / known["folder"]).get("digests", {})
            seen = known["answers"] or now
            marked = {part: self._marked_for(part, row, known, seen) for part in self.parts}
            known["marked"], known["answers"] = {part: was for part, was in marked.items() if was is not None}, now
            row["changed"] = ", ".join(part for part, was in known["marked"].items() if was != now[part])

    def _marked_for(self, part: str, row: Cells, known: Known, seen: Mapping[str, str]) -> str | None:
        """Return the hash of the answer for which `part` was marked; None if it was not.

        A mark that is new, or no longer named in the column `changed`, is one for what the last run had `seen`.
        """
        columns, before = (f"mark {part}", f"comment {part}"), known["cells"]
        if not any(row[column] for column in columns):
            return None
        same = all(row[column] == before.get(column) for column in columns)
        named = [part in cells.get("changed", "").split(", ") for cells in (before, row)]
        confirmed = named == [True, False] and "changed" in self.sheet.header
        return known["marked"].get(part, "") if same and not confirmed else seen.get(part, "")

    def total(self, row: Cells) -> tuple[str, list[str]]:
        """Return the sum of the marks in a row, "" without any, and the columns in which there is no number."""
        columns = [*(f"mark {part}" for part in self.parts), "adjustment"]
        values = {column: number(row[column]) for column in columns if row[column].strip()}
        wrong = [column for column, value in values.items() if value is None]
        total = f"{sum(filter(None, values.values()), Decimal()).normalize():f}" if values and not wrong else ""
        return total, wrong

    def write(self, reference: Path) -> list[str]:
        """Write the table, what is known of it, and where the `reference` lies; return lines about it."""
        said = []
        for row in self.rows.values():
            total, wrong = self.total(row)
            row["sum"] = total or f"no number: {', '.join(wrong)}" * bool(wrong)
            said += [f"{self.path}: {row['submission']}: {column} is no number: {row[column]!r}" for column in wrong]
        lines = [[row[name] for name in self.columns] for row in self.lines]
        spreadsheet.write(self.path, self.sheet, [self.columns, *lines])
        for owner in self.rows.keys() & self.known.keys():
            self.known[owner]["cells"] = self.rows[owner]
        known = {"reference": str(reference.resolve()), "submissions": self.known}
        output.replace(self.path.with_name(KNOWN), json.dumps(known, ensure_ascii=False))
        changed = sum(bool(row["changed"]) for row in self.rows.values())
        said += [f"{self.path}: {changed} have changed what was marked: see its column 'changed'"] * bool(changed)
        said += [f"{self.path}: put back what was missing: {', '.join(self.restored)}"] * bool(self.restored)
        others = [self.path.with_suffix(suffix) for suffix in NOT_READ]
        return said + [f"{each} is not read: save it as {self.path}" for each in others if each.exists()]
