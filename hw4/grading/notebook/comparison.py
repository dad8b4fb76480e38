"""What became of the given cells in a submission: intact, edited, deleted, duplicated or moved; and whose ids are lost.

A given cell is found by its id, and where an editor dropped the ids, by what it says. Questions that were rewritten,
or come from another edition of the notebook, are found as a reader finds them: by the section's heading and the number.
"""

import difflib
import re
from dataclasses import dataclass

from nbformat import NotebookNode

from .questions import GIVEN, question_of, role

HEADING = re.compile(r"^\s*#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)
NUMBER = re.compile(r"\A\s*(?:#{1,6}\s+)?(?:Question\s+)?\**(\d{1,2})\**\s*(?:[.:)]|$)", re.IGNORECASE | re.MULTILINE)
LEAST_LIKENESS = 0.6  # of two code cells that are the same cell, edited: the ratio of difflib, 0 to 1
MOST_CANDIDATES = 200  # cells that one given cell is compared with


Places = dict[str, int]  # a given cell's id to its position in the submission


@dataclass(frozen=True)
class Remark:
    """What is remarkable about a given cell: its question, its position in the submission, and how its text differs."""

    question: str | None = None
    cell: int | None = None
    text: str = ""
    diff: str = ""


def restore_ids(notebook: NotebookNode, reference: NotebookNode) -> list[Remark]:
    """Give the given cells in `notebook` the ids that they have in `reference`; return remarks on what differs.

    Every other cell is left with an id of its own that claims no role.
    """
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


def is_setup(cell: NotebookNode) -> bool:
    """Return whether `cell` of a reference is given code that belongs to no question."""
    return cell.cell_type == "code" and role(cell) is None


def normal(source: str) -> str:
    """Return `source` without what editors change by themselves: spaces at the ends of lines, empty lines around."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def _by_id(theirs: list[NotebookNode], given: list[NotebookNode]) -> Places:
    """Return {id: index} of the cells that kept their id and their kind, the first where an id stands twice."""
    kinds = {cell.id: cell.cell_type for cell in given}
    found: Places = {}
    for index, cell in enumerate(theirs):
        if kinds.get(cell.get("id")) == cell.cell_type:
            found.setdefault(cell.id, index)
    return found


def _by_content(theirs: list[NotebookNode], given: list[NotebookNode], place: Places, spare: list[int]) -> None:
    texts: dict[tuple[str, str], list[int]] = {}
    for index in spare:
        texts.setdefault((theirs[index].cell_type, normal(theirs[index].source)), []).append(index)
    for cell in given:
        same = texts.get((cell.cell_type, normal(cell.source)))
        if cell.id not in place and same:
            place[cell.id] = same.pop(0)
            spare.remove(place[cell.id])


def _by_heading(theirs: list[NotebookNode], reference: NotebookNode, place: Places, spare: list[int]) -> None:
    """Find sections by their heading and questions by their number; a number that comes again counts on."""
    sections = {_title(cell): cell.id.removesuffix("-section") for cell in reference.cells if role(cell) == "section"}
    unplaced = {cell.id for cell in reference.cells if role(cell) in ("section", "question")} - set(place)
    placed = {index: name for name, index in place.items()}
    section, last = None, 0
    for index, cell in enumerate(theirs):
        title = _title(cell) if cell.cell_type == "markdown" else None
        if title in sections:
            section, last = sections[title], 0
        name, number = placed.get(index), _number(cell, last)
        if name is None and index in spare:
            name = f"{section}-section" if title in sections else f"{section}-{number}-question"
        if name in unplaced and index in spare:
            place[name] = index
            spare.remove(index)
            unplaced.remove(name)
        elif index not in placed:
            continue
        if name and name.endswith("-question"):
            section, _, n = name.removesuffix("-question").rpartition("-")
            last = int(n)


def _number(cell: NotebookNode, last: int) -> int | None:
    """Return the number that the text of `cell` begins with, or the one after `last` where it is not larger."""
    found = NUMBER.match(cell.source) if cell.cell_type == "markdown" else None
    return max(int(found[1]), last + 1) if found else None


def _title(cell: NotebookNode) -> str | None:
    match = HEADING.search(cell.source)
    return re.sub(r"\W+", " ", match[1]).strip().lower() if match else None


def _by_likeness(theirs: list[NotebookNode], given: list[NotebookNode], place: Places, spare: list[int]) -> None:
    for cell in given:
        if cell.id in place or cell.cell_type != "code":
            continue
        source = normal(cell.source)
        likely = [index for index in spare if theirs[index].cell_type == "code"]
        likely = [index for index in likely if len(source) / 3 < len(theirs[index].source) < len(source) * 3][
            :MOST_CANDIDATES
        ]
        likeness = {
            index: difflib.SequenceMatcher(None, source, normal(theirs[index].source), autojunk=False).ratio()
            for index in likely
        }
        best = max(likeness, key=lambda index: likeness[index], default=None)
        if best is not None and likeness[best] >= LEAST_LIKENESS:
            place[cell.id] = best
            spare.remove(best)


def _rename(theirs: list[NotebookNode], place: Places) -> None:
    """Give the cells in `place` their ids, and every other cell one that is its own and claims no given role."""
    names = {index: name for name, index in place.items()}
    taken = set(place)
    for index, cell in enumerate(theirs):
        name: str = names.get(index) or cell.get("id") or ""
        claimed = index not in names and (
            name in taken or (role(cell) in GIVEN) or not re.fullmatch(r"[\w-]{1,64}", name)
        )
        cell["id"] = f"cell-{index + 1}" if claimed else name
        while index not in names and cell["id"] in taken:
            cell["id"] += "-x"
        taken.add(cell["id"])


def _changes(theirs: list[NotebookNode], given: list[NotebookNode], place: Places) -> list[Remark]:
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


def _copies(theirs: list[NotebookNode], given: list[NotebookNode], place: Places) -> list[Remark]:
    texts = {normal(cell.source): cell for cell in given if normal(cell.source)}
    return [
        Remark(question_of(texts[text]), index, f"the given cell {texts[text].id} stands here a second time")
        for index, cell in enumerate(theirs)
        if (text := normal(cell.source)) in texts and index not in place.values()
    ]


def _moves(given: list[NotebookNode], place: Places) -> list[Remark]:
    """Remark on the given cells outside the longest run of them that still stands in the given order."""
    order = [(place[cell.id], cell) for cell in given if cell.id in place]
    longest: list[list[str]] = []  # for each cell, the longest rising run that ends in it
    for at, (index, cell) in enumerate(order):
        runs = (longest[before] for before in range(at) if order[before][0] < index)
        longest.append([*max(runs, key=len, default=[]), cell.id])
    kept = set(max(longest, key=len, default=[]))
    return [
        Remark(question_of(cell), index, f"the given cell {cell.id} is moved")
        for index, cell in order
        if cell.id not in kept
    ]
