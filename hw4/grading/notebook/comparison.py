"""What became of the given cells in a submission: intact, edited, deleted, duplicated or moved; and whose ids are lost.

A given cell is found by its id, and where an editor dropped the ids, by what it says. Questions that were rewritten,
or come from another edition of the notebook, are found as a reader finds them: by the section's heading and the number.
"""

import difflib
import re
from dataclasses import dataclass

from .questions import GIVEN, question_of, role

HEADING = re.compile(r"^\s*#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)
NUMBER = re.compile(r"\A\s*(?:#{1,6}\s+)?(?:Question\s+)?\**(\d{1,2})\**\s*(?:[.:)]|$)", re.IGNORECASE | re.MULTILINE)
ALIKE = 0.6  # two code cells that share this part of their text are the same cell, edited
MANY = 200  # cells that are compared by likeness; a notebook with more is not honest


@dataclass(frozen=True)
class Remark:
    """What is to be said about a given cell: of which question, where it stands in the notebook, and how it differs."""

    question: str | None = None
    cell: int | None = None
    text: str = ""
    diff: str = ""


def match(notebook, reference):
    """Give the given cells of `notebook` the ids that they have in `reference`; return what is to be said of them."""
    theirs = notebook.cells
    given = [cell for cell in reference.cells if role(cell) in GIVEN or is_setup(cell)]
    place = _by_id(theirs, given)
    spare = [index for index in range(len(theirs)) if index not in place.values()]
    _by_content(theirs, given, place, spare)
    _by_heading(theirs, reference, place, spare)
    _by_likeness(theirs, given, place, spare)
    nameless = sum(theirs[index].get("id") != name for name, index in place.items())
    _rename(theirs, place)
    remarks = []
    if nameless:
        remarks.append(Remark(text=f"{nameless} given cells have lost their ids and were found by what they say"))
    remarks += _changes(theirs, given, place)
    remarks += _copies(theirs, given, place)
    return remarks + _moves(given, place)


def is_setup(cell):
    """Return whether `cell` of a reference is given code that belongs to no question."""
    return cell.cell_type == "code" and role(cell) is None


def normal(source):
    """Return `source` without what editors change by themselves: spaces at the ends of lines, empty lines around."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def _by_id(theirs, given):
    """Return {id: index} of the cells that kept their id and their kind, the first where an id stands twice."""
    kinds = {cell.id: cell.cell_type for cell in given}
    found = {}
    for index, cell in enumerate(theirs):
        if kinds.get(cell.get("id")) == cell.cell_type:
            found.setdefault(cell.id, index)
    return found


def _by_content(theirs, given, place, spare):
    texts = {}
    for index in spare:
        texts.setdefault((theirs[index].cell_type, normal(theirs[index].source)), []).append(index)
    for cell in given:
        same = texts.get((cell.cell_type, normal(cell.source)))
        if cell.id not in place and same:
            place[cell.id] = same.pop(0)
            spare.remove(place[cell.id])


def _by_heading(theirs, reference, place, spare):
    """Find sections and questions by heading and number; a number that comes again in a section counts on."""
    sections = {_title(cell): cell.id.removesuffix("-section") for cell in reference.cells if role(cell) == "section"}
    known = {cell.id for cell in reference.cells if role(cell) == "question"}
    at = {index: name for name, index in place.items()}
    section, last = None, 0
    for index, cell in enumerate(theirs):
        if cell.cell_type != "markdown":
            continue
        title = _title(cell)
        if title in sections:
            section, last = sections[title], 0
            if index in spare and f"{section}-section" not in place:
                place[f"{section}-section"] = index
                spare.remove(index)
        number = NUMBER.match(cell.source)
        if index in at and at[index].endswith("-question"):
            section, _, n = at[index].removesuffix("-question").rpartition("-")
            last = int(n)
        elif number and section and index in spare:
            n = int(number[1]) if int(number[1]) > last else last + 1
            name = f"{section}-{n}-question"
            if name in known and name not in place:
                place[name], last = index, n
                spare.remove(index)


def _title(cell):
    match = HEADING.search(cell.source)
    return re.sub(r"\W+", " ", match[1]).strip().lower() if match else None


def _by_likeness(theirs, given, place, spare):
    for cell in given:
        if cell.id in place or cell.cell_type != "code":
            continue
        source = normal(cell.source)
        likely = [index for index in spare if theirs[index].cell_type == "code"]
        likely = [index for index in likely if len(source) / 3 < len(theirs[index].source) < len(source) * 3][:MANY]
        likeness = {
            index: difflib.SequenceMatcher(None, source, normal(theirs[index].source), autojunk=False).ratio()
            for index in likely
        }
        best = max(likeness, key=likeness.get, default=None)
        if best is not None and likeness[best] >= ALIKE:
            place[cell.id] = best
            spare.remove(best)


def _rename(theirs, place):
    """Give the cells in `place` their ids, and every other cell one that is its own and claims no given role."""
    names = {index: name for name, index in place.items()}
    taken = set(place)
    for index, cell in enumerate(theirs):
        name = names.get(index, cell.get("id", ""))
        claimed = index not in names and (
            name in taken or (role(cell) in GIVEN) or not re.fullmatch(r"[\w-]{1,64}", name)
        )
        cell["id"] = f"cell-{index + 1}" if claimed else name
        while index not in names and cell["id"] in taken:
            cell["id"] += "-x"
        taken.add(cell["id"])


def _changes(theirs, given, place):
    remarks = []
    for cell in given:
        if cell.id not in place:
            remarks.append(Remark(question_of(cell), None, f"the given cell {cell.id} is deleted"))
            continue
        before, after = normal(cell.source), normal(theirs[place[cell.id]].source)
        if before != after:
            diff = difflib.unified_diff(before.splitlines(), after.splitlines(), "given", "submitted", lineterm="")
            text = f"the given cell {cell.id} is edited"
            remarks.append(Remark(question_of(cell), place[cell.id], text, "\n".join(diff)))
    return remarks


def _copies(theirs, given, place):
    texts = {normal(cell.source): cell for cell in given if normal(cell.source)}
    return [
        Remark(question_of(texts[text]), index, f"the given cell {texts[text].id} stands here a second time")
        for index, cell in enumerate(theirs)
        if (text := normal(cell.source)) in texts and index not in place.values()
    ]


def _moves(given, place):
    """Remark on the given cells outside the longest run of them that still stands in the given order."""
    order = [(place[cell.id], cell) for cell in given if cell.id in place]
    longest = []  # for each cell, the longest rising run that ends in it
    for at, (index, cell) in enumerate(order):
        runs = (longest[before] for before in range(at) if order[before][0] < index)
        longest.append([*max(runs, key=len, default=[]), cell.id])
    kept = set(max(longest, key=len, default=[]))
    return [
        Remark(question_of(cell), index, f"the given cell {cell.id} is moved")
        for index, cell in order
        if cell.id not in kept
    ]
