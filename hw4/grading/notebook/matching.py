"""Where each given cell of the reference stands in a submission.

Given cells are found by their text: the same, or most of its rows of three words; ids and numbers only break ties.
rapidfuzz compares pairs of texts: however fast, all pairs of cells are the square of their number.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from nbformat import NotebookNode

from .alignment import Alignment, Segment, Words
from .questions import role
from .reference import Asked, Reference, Rows, normal, rows_of
from .tokens import answer_start, first_label, is_speech, tokens, words

LEAST_COVER = 0.5  # the part of a given text's rows of words that the cell in its place has
LEAST_SHARE = 0.2  # the same, for a given text that was split or rewritten and stands nowhere else
LEAST_LIKENESS = 0.4  # of a question that another edition words differently: Dice's coefficient, rare words weigh more
NUMBER_WEIGHT = 0.15  # what is added to it where section and number agree
OTHER_EDITION = 0.25  # the least part of the questions found that another edition words differently or has besides
FEWEST_OTHERS = 3  # of such questions
MOST_CELLS = 9  # that a question in other words, with answers between, is spread over
LONGEST_TITLE = 80  # characters of a section's heading
LEAST_PIECE = 3  # rows that a cell has of a split text, and no other one
MOST_GONE = 0.25  # the part of a question's words that a student may delete before it counts as another wording


@dataclass
class Matched:
    """A submission's cells matched with the reference's, each named by its position."""

    cells: list[NotebookNode]
    reference: Reference
    homes: list[list[int]]  # by the submission's cell, those of the reference in whose place it stands
    places: dict[int, int] = field(default_factory=dict)  # of the reference's cells in the submission
    same: dict[int, int] = field(default_factory=dict)  # a submission's cell to the reference's of the same text
    copies: dict[int, int] = field(default_factory=dict)  # the same for a second one
    reworded: set[int] = field(default_factory=set)  # questions of the reference that stand in other words
    covered: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))  # words of given cells that are left
    segments: list[list[Segment]] = field(default_factory=list)  # by the submission's cell


def match_cells(cells: list[NotebookNode], reference: Reference) -> Matched:
    """Return `cells` of a submission matched with the cells of `reference`."""
    matched = Matched(cells, reference, [[] for _ in cells])
    _by_text(matched)
    found = {index: tokens(cell.source) for index, cell in enumerate(cells) if index not in matched.same}
    texts = {index: each[0] for index, each in found.items() if index not in matched.copies}
    _by_rows(matched, texts)
    _by_likeness(matched, texts)
    _by_id(matched, texts)
    for position, index in matched.places.items():
        if position not in matched.homes[index]:
            matched.homes[index].append(position)
    matched.segments = [_read(matched, index, found.get(index, ([], []))) for index in range(len(cells))]
    reworded = _find_reworded(matched)
    if reworded:
        rows: Rows = defaultdict(list)
        for question in [_align(matched, index, found[index]) for index in reworded]:
            text = [word if given else " " for word, given in zip(question.text, question.words, strict=True)]
            for at, row in enumerate(rows_of(text)):
                rows[row].append((text, question.words, at))
        for index in found.keys() - matched.copies.keys():
            matched.segments[index] = _read(matched, index, found[index], rows)
    return matched


def _read(matched: Matched, index: int, found: Words, reworded: Rows | None = None) -> list[Segment]:
    """Return the stretches of a cell's text, `found` its words with their places, if it is no cell of the reference.

    The cell may quote the questions that the submission has in other words, whose rows `reworded` has.
    """
    cell, reference = matched.cells[index], matched.reference
    whole = matched.same.get(index, matched.copies.get(index))
    if whole in reference.given:
        matched.covered[whole].update(range(len(reference.given[whole].words)))
        return [Segment(0, len(cell.source), whole, "", index in matched.same)]
    if whole is not None:
        own = role(reference.notebook.cells[whole]) in ("note", "evidence")
        return [] if own else [Segment(0, len(cell.source))]  # the reference's evidence, handed in again, is no answer
    alignment = _align(matched, index, found)
    alignment.take_quotations(reworded or {})
    for word in filter(None, alignment.words):
        matched.covered[word[0]].add(word[1])
    return list(alignment.segments())


def _align(matched: Matched, index: int, found: Words) -> Alignment:
    """Return the words of a cell, those of the given cells taken in whose place it stands."""
    alignment = Alignment(matched.cells[index], matched.reference, found)
    for position in matched.homes[index]:
        if position in matched.reworded:
            alignment.take_reworded(position, any(position in home for home in matched.homes[index + 1 :]))
        else:
            alignment.take_home(position)
    return alignment


def _by_text(matched: Matched) -> None:
    """Find the cells whose text is the reference's: with the same id first, then in the order of the reference."""
    reference, places, last = matched.reference, matched.places, -1
    alike = [reference.texts.get((cell.cell_type, normal(cell.source)), []) for cell in matched.cells]
    for index, cell in enumerate(matched.cells):
        for position in alike[index]:
            if reference.ids[position] == cell.get("id") and position not in places:
                places[position], matched.same[index] = index, position
    for index, cell in enumerate(matched.cells):
        if index not in matched.same and alike[index] and cell.source.strip():
            free = [position for position in alike[index] if position not in places]
            if free:
                position = next((position for position in free if position > last), free[0])
                places[position], matched.same[index] = index, position
            else:
                matched.copies[index] = alike[index][0]
        last = matched.same.get(index, last)


def _by_rows(matched: Matched, texts: dict[int, list[str]]) -> None:
    """Find given cells that were edited, merged or split by the rows of words that they share with a cell."""
    reference, wanted = matched.reference, matched.reference.single
    shared: dict[int, dict[int, set[tuple[str, ...]]]] = defaultdict(lambda: defaultdict(set))
    for index, text in texts.items():
        for row in set(rows_of(text)) & wanted.keys():
            if wanted[row] not in matched.places:
                shared[wanted[row]][index].add(row)
    for position, cells in sorted(shared.items()):
        given, total = reference.given[position], reference.singles[position]
        alike = {index for index in cells if matched.cells[index].cell_type == given.cell.cell_type}
        large = {index for index, rows in cells.items() if len(rows) >= LEAST_COVER * total}
        same = {index for index in large if matched.cells[index].get("id") == given.cell.id}
        best = max(cells, key=lambda index: (index in large & alike, index in same, len(cells[index]), -index))
        union = set().union(*(cells[index] for index in alike))
        if len(cells[best]) < LEAST_SHARE * total and len(union) < LEAST_COVER * total:
            continue
        pieces, left = [best], union - cells[best]
        for index in sorted(alike):
            if len(cells[index] & left) >= LEAST_PIECE:
                pieces.append(index)
                left -= cells[index]
        matched.places[position] = min(pieces)
        for index in pieces:
            matched.homes[index].append(position)


def _by_likeness(matched: Matched, texts: dict[int, list[str]]) -> None:
    """Find questions that another edition words differently, and the cells in which such a question goes on."""
    reference, taken, section = matched.reference, set(matched.places.values()), None
    likenesses: list[tuple[float, int, int]] = []
    for index, cell in enumerate(matched.cells):
        section = reference.titles.get(tuple(words(cell.source[:LONGEST_TITLE])), section)
        if index not in texts or index in taken or cell.cell_type != "markdown":
            continue
        found, number = _asking(cell.source), first_label(cell.source).number
        for position in reference.at.keys() - matched.places.keys():
            asked = reference.at[position]
            agrees = number == asked.number and section == asked.section
            likeness = reference.likeness(asked, found) + NUMBER_WEIGHT * agrees
            if likeness >= LEAST_LIKENESS:
                likenesses.append((-likeness, index, -position))
    for _, index, position in sorted(likenesses):
        if -position not in matched.places and index not in taken:
            matched.places[-position] = index
            taken.add(index)


def _asking(source: str) -> list[str]:
    """Return the words of a text up to where an answer is announced in it, each once."""
    return list(dict.fromkeys(filter(is_speech, words(source[: answer_start(source)]))))


def _find_reworded(matched: Matched) -> list[int]:
    """Find the questions that stand in other words, and the cells that go on with one; return all these cells.

    Where many do, the submission is of another edition, and one that has lost a single word is in other words as well.
    """
    reference = matched.reference
    lost: dict[int, float] = {}
    for position, asked in reference.at.items():
        index, given = matched.places.get(position), reference.given[position]
        gone = given.gone(matched.covered[position])
        found = _asking(matched.cells[index].source) if gone and index is not None else []
        if reference.likeness(asked, found) >= LEAST_LIKENESS - NUMBER_WEIGHT:
            lost[position] = len(gone) / len(given.words)
    matched.reworded = {position for position, part in lost.items() if part > MOST_GONE}
    if is_other_edition(len(matched.reworded), len(matched.places.keys() & reference.at)):
        matched.reworded = set(lost)
    return [index for position in matched.reworded for index in _spread(matched, reference.at[position])]


def _spread(matched: Matched, asked: Asked) -> list[int]:
    """Find the cells around a question in other words that begin it, or go on with it; return them with its own."""
    place, reference = matched.places[asked.position], matched.reference
    own = first_label(matched.cells[place].source)
    number, found = own.number or asked.number, [place]
    for step in (-1, 1) if own.number is None or own.letters else (1,):
        last = min(max(place + step * MOST_CELLS, -1), len(matched.cells))
        for index in range(place + step, last, step):
            cell = matched.cells[index]
            if cell.cell_type == "code":
                continue
            own_home = asked.position in matched.homes[index]
            label, said = first_label(cell.source), _asking(cell.source)
            begins = label.number is not None and not label.letters
            if not own_home and (matched.homes[index] or (step > 0 and begins)):
                break
            shares = label.number == number and reference.share(set(said), asked.words) >= LEAST_SHARE
            if own_home or shares or (step > 0 and reference.likeness(asked, said) >= LEAST_LIKENESS):
                found.append(index)
            if step < 0 and begins and shares:
                matched.places[asked.position] = index
                break
    for index in found:
        matched.homes[index] = [*{asked.position, *matched.homes[index]}]
    return found


def _by_id(matched: Matched, texts: dict[int, list[str]]) -> None:
    """Find given cells that were rewritten by their ids, but for a question that another one stands in the place of."""
    taken = set(matched.places.values())
    ids = {matched.cells[index].get("id"): index for index in reversed(texts) if index not in taken}
    for position, given in matched.reference.given.items():
        index = ids.get(given.cell.id)
        if index is None or position in matched.places or matched.cells[index].cell_type != given.cell.cell_type:
            continue
        label = first_label(matched.cells[index].source)
        if role(given.cell) != "question" or not given.words or not (label.named == "question" or label.number):
            matched.places[position] = index


def is_other_edition(other: int, found: int) -> bool:
    """Return whether `other` questions, in other words or none of the reference's, beside `found` make an edition."""
    return other >= max(FEWEST_OTHERS, OTHER_EDITION * found)
