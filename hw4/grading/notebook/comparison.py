"""A submission beside the reference: its questions and answers, whose text each cell holds, and what was changed."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from nbformat import NotebookNode

from .answers import find_answers
from .format import rename
from .machinery import changes
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


def compare(notebook: NotebookNode, reference: Reference) -> Comparison:
    """Return how `notebook` compares with `reference`; its cells get the ids of those in the reference that they are.

    Every other cell is left with an id of its own that claims no given role.
    """
    matched = match_cells(notebook.cells, reference)
    walk = Walk(matched)
    questions = find_answers(walk)
    cells = [CellReading(owner) for owner in walk.owners]
    for cell, segments in zip(cells, matched.segments, strict=True):
        for each in segments:
            (cell.added if each.given is None else cell.given).append((each.start, each.end))
    edition = _edition(matched, walk)
    remarks = [Remark(text=edition)] if edition else _remarks(matched)
    _restore_ids(matched)
    return Comparison(questions, cells, remarks)


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
        if index is None:
            folded = absent and (given.question in absent or len(absent) > len(asked) / 2)
            deleted = not folded and len(gone) >= len(given.words) / 2
            found = [("is deleted", None, diff)] * deleted
        else:
            edited = (
                IMPORT.sub("", old) != IMPORT.sub("", new) if given.cell.cell_type == "code" else old != new and gone
            )
            found = [("is edited", index, diff)] * bool(edited)
            found += [("is moved", index, "")] * (position not in in_order)
        found += [("stands here a second time", at, "") for at, each in matched.copies.items() if each == position]
        for text, at, diff in found if given.remarked else ():
            remarks.append(Remark(given.question, at, f"the given cell {given.cell.id} {text}", diff))
    return remarks


def _restore_ids(matched: Matched) -> None:
    """Give each cell in the place of one of the reference's its id, and every other one an id that claims no role."""
    cells, given = matched.cells, matched.reference.notebook.cells
    names = {index: given[position].id for position, index in sorted(matched.places.items(), reverse=True)}
    taken = {*names.values(), *(cell.id for cell in cells if role(cell) in GIVEN)}
    for index, name in names.items():
        cells[index].id = name
    rename([(index + 1, cell) for index, cell in enumerate(cells) if index not in names], taken)


def machinery_remarks(
    notebook: NotebookNode, cells: list[CellReading], given: NotebookNode, modules: Mapping[str, str]
) -> list[Remark]:
    """Return a remark for each cell of `notebook`, and each of its `modules`, that changes what runs and checks it.

    `cells` are what is known of its cells; what stands in the notebook `given` as well is no change.
    """
    codes = {cell.source.strip(): role(cell) for cell in given.cells if cell.cell_type == "code"}
    relied_on = [code for code, kind in codes.items() if kind in (None, *GIVEN)]
    code = {index: cell.source for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"}
    added = {index: source for index, source in code.items() if source.strip() not in codes}
    in_modules = zip(modules, changes(modules.values()), strict=True)
    in_cells = zip(added, changes(added.values(), relied_on), strict=True)
    return [
        *(Remark(text=f"{path}: {said}") for path, said in in_modules if said),
        *(Remark(cells[at].question, at, f"cell {at + 1}: {said}") for at, said in in_cells if said),
    ]
