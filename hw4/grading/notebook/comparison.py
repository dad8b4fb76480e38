"""A submission beside the reference: its questions and answers, whose text each cell holds, and what was changed."""

import difflib
import re
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
    remarks = [Remark(text=edition)] if edition else _remarks(matched)
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


def _remarks(matched: Matched) -> list[Remark]:
    """Return remarks on the given cells: deleted, edited (in code all counts), moved, copied, or without their ids.

    One remark names all questions none of whose given cells is left.
    """
    reference, places, asked = matched.reference, matched.places, matched.reference.questions
    before = sorted(places.keys() & reference.given)
    after = sorted(before, key=lambda position: (places[position], position))
    blocks = difflib.SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    in_order = {position for block in blocks for position in before[block.a : block.a + block.size]}
    held = {reference.given[position].question for position in before}
    absent = [name for name in asked if name not in held]
    lost = sum(matched.cells[places[position]].get("id") != reference.ids[position] for position in before)
    remarks = []
    if lost and not reference.labelled:
        remarks.append(Remark(text=f"{lost} given cells have lost their ids and were found by what they say"))
    if absent:
        names = ", ".join(absent[:MOST_NAMED]) + f" and {len(absent) - MOST_NAMED} more" * (len(absent) > MOST_NAMED)
        text = f"this submission holds {len(asked) - len(absent)} of {len(asked)} questions: {names} not in it"
        alone = asked[absent[0]] if len(absent) == 1 else None
        words = reference.notebook.cells[alone.position].source.splitlines() if alone else []
        remarks.append(Remark(alone and alone.id, None, text, "\n".join(f"-{line}" for line in words)))
    for position, given in reference.given.items():
        index = places.get(position)
        gone = given.gone(matched.covered[position])
        old, new = normal(given.cell.source), "" if index is None else normal(matched.cells[index].source)
        lines = difflib.unified_diff(old.splitlines(), new.splitlines(), "given", "submitted", lineterm="")
        diff = "\n".join(lines) if old != new else ""
        changes = dict[str, str]()
        if index is None:
            folded = absent and (given.question in absent or len(absent) > len(asked) / 2)
            changes |= {"is deleted": diff} if not folded and len(gone) >= len(given.words) / 2 else {}
        elif old != new and (gone if given.cell.cell_type != "code" else IMPORT.sub("", old) != IMPORT.sub("", new)):
            changes["is edited"] = diff
        changes |= {"is moved": ""} if index is not None and position not in in_order else {}
        changes |= {"stands here a second time": ""} if position in matched.copies.values() else {}
        for text, diff in changes.items() if given.remarked else ():
            copies = [at for at, each in matched.copies.items() if each == position and "second" in text]
            for at in copies or [index]:
                remarks.append(Remark(given.question, at, f"the given cell {given.cell.id} {text}", diff))
    return remarks


def _rename(matched: Matched) -> None:
    """Give each cell in the place of one of the reference's its id, and every other one an id that claims no role."""
    cells = matched.reference.notebook.cells
    names: dict[int, str] = {}
    for position, index in sorted(matched.places.items()):
        names.setdefault(index, cells[position].id)
    taken = set(names.values())
    for index, cell in enumerate(matched.cells):
        name: str = names.get(index) or cell.get("id") or ""
        if index not in names and (not name or name in taken or role(cell) in GIVEN):
            name = f"cell-{index + 1}"
        while index not in names and name in taken:
            name += "-x"
        taken.add(name)
        cell["id"] = name
