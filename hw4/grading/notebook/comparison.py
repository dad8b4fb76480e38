"""A submission beside the reference: its questions and answers, whose text each cell holds, and what was changed."""

import difflib
import re
from collections import Counter
from dataclasses import dataclass

from nbformat import NotebookNode

from .answers import find_answers
from .matching import Matched, is_other_edition, match_cells
from .pieces import Walk
from .questions import GIVEN, CellReading, Question, Remark, role
from .reference import Reference, normal

# Which packages given code imports is of no account: each edition of our notebook imports others.
IMPORT = re.compile(r"^(?:import|from [\w.]+ import)\b.*\n*", re.MULTILINE)
MOST_NAMED = 8  # questions that one remark names


@dataclass(frozen=True)
class Comparison:
    """What a submission has of the reference: questions in the reference's order, cells in the submission's."""

    questions: list[Question]
    cells: list[CellReading]
    remarks: list[Remark]
    edition: str = ""  # one line if it is another edition of the homework


def compare(notebook: NotebookNode, reference: Reference) -> Comparison:
    """Return how `notebook` compares with `reference`; its cells get the ids of those in the reference that they are.

    Every other cell is left with an id of its own that claims no given role.
    """
    matched = match_cells(notebook.cells, reference)
    walk = Walk(matched)
    questions = find_answers(walk)
    cells = [
        CellReading(
            owner,
            [(each.start, each.end) for each in segments if each.given is not None],
            [(each.start, each.end) for each in segments if each.given is None],
        )
        for owner, segments in zip(walk.owners, matched.segments, strict=True)
    ]
    edition = _edition(matched, walk)
    remarks = [Remark(text=edition)] if edition else [*_lost_ids(matched), *_changes(matched), *_copies(matched)]
    remarks += [] if edition else _moves(matched)
    _rename(matched)
    return Comparison(questions, cells, remarks, edition)


def questions(notebook: NotebookNode, reference: NotebookNode) -> tuple[list[Question], list[str | None]]:
    """Return the questions of `reference` as `notebook` answers them, and by cell the id of its question or None."""
    found = compare(notebook, Reference.of(reference))
    return found.questions, [cell.question for cell in found.cells]


def _edition(matched: Matched, walk: Walk) -> str:
    """Return the line that says that the submission is of another edition; "" if it is of the reference's."""
    asked = matched.reference.at.keys()
    found = len(asked & matched.places.keys())
    if not is_other_edition(len(matched.reworded) + len(walk.foreign), found):
        return ""
    worded = f", {len(matched.reworded)} in other words" if matched.reworded else ""
    return f"this is another edition: {found} of {len(asked)} questions found, {len(asked) - found} not in it{worded}"


def _lost_ids(matched: Matched) -> list[Remark]:
    """Return the remark on the given cells whose ids an editor dropped."""
    cells = {position: matched.cells[index] for position, index in matched.places.items()}
    given = matched.reference.given
    if matched.reference.notebook.metadata.get("hw4", {}).get("labelled"):
        return []  # it had no ids to lose
    lost = sum(cell.get("id") != given[position].cell.id for position, cell in cells.items() if position in given)
    return [Remark(text=f"{lost} given cells have lost their ids and were found by what they say")] if lost else []


def _changes(matched: Matched) -> list[Remark]:
    """Return a remark on each given cell that is deleted, or some of whose words are; in code all counts.

    One remark names all questions none of whose given cells is left.
    """
    asked, remarks = matched.reference.questions, []
    held = {given.question for position, given in matched.reference.given.items() if position in matched.places}
    absent = [name for name in asked if name not in held]
    if absent:
        names = ", ".join(absent[:MOST_NAMED]) + f" and {len(absent) - MOST_NAMED} more" * (len(absent) > MOST_NAMED)
        text = f"this submission holds {len(asked) - len(absent)} of {len(asked)} questions: {names} not in it"
        remarks.append(Remark(text=text))
        held -= {None} if len(absent) > len(asked) / 2 else set[str | None]()
    for position, given in matched.reference.given.items():
        index, name = matched.places.get(position), given.cell.id
        before = normal(given.cell.source)
        after = normal(matched.cells[index].source) if index is not None else ""
        gone = given.gone(matched.covered[position])
        if not given.remarked or before == after:
            continue
        diff = "\n".join(
            difflib.unified_diff(before.splitlines(), after.splitlines(), "given", "submitted", lineterm="")
        )
        if index is None:
            told = absent and (given.question not in held or role(given.cell) == "section")
            if not told and len(gone) >= len(given.words) / 2:
                remarks.append(Remark(given.question, None, f"the given cell {name} is deleted", diff))
        elif gone if given.cell.cell_type != "code" else IMPORT.sub("", before) != IMPORT.sub("", after):
            remarks.append(Remark(given.question, index, f"the given cell {name} is edited", diff))
    return remarks


def _copies(matched: Matched) -> list[Remark]:
    """Return a remark on each cell that repeats a given one."""
    given = matched.reference.given
    return [
        Remark(given[position].question, index, f"the given cell {given[position].cell.id} stands here a second time")
        for index, position in matched.copies.items()
        if position in given and given[position].remarked
    ]


def _moves(matched: Matched) -> list[Remark]:
    """Return a remark on the given cells outside the longest blocks of them that still stand in the given order."""
    given = matched.reference.given
    placed = {position: index for position, index in matched.places.items() if position in given}
    before = sorted(placed)
    after = sorted(placed, key=lambda position: (placed[position], position))
    blocks = difflib.SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    kept = {position for block in blocks for position in before[block.a : block.a + block.size]}
    return [
        Remark(given[position].question, placed[position], f"the given cell {given[position].cell.id} is moved")
        for position in before
        if position not in kept and given[position].remarked
    ]


def _rename(matched: Matched) -> None:
    """Give each cell in the place of one of the reference's its id, and every other one an id that claims no role."""
    cells = matched.reference.notebook.cells
    names: dict[int, str] = {}
    for position, index in sorted(matched.places.items()):
        names.setdefault(index, cells[position].id)
    count = Counter(names.values())
    for index, cell in enumerate(matched.cells):
        name: str = names.get(index) or cell.get("id") or ""
        if index not in names and (count[name] or role(cell) in GIVEN or not re.fullmatch(r"[\w-]{1,64}", name)):
            name = f"cell-{index + 1}"
        while index not in names and count[name]:
            name += "-x"
        count[name] += 1
        cell["id"] = name
