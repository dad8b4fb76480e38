"""Which parts the pieces under each question answer, and what is answered, perhaps, or missing."""

from collections import defaultdict
from itertools import pairwise

from .assignment import assign
from .lexicon import SEVERAL_ANSWERS
from .pieces import Walk
from .questions import Answer, Piece, Question
from .reference import ROMAN
from .tokens import words


def find_answers(walk: Walk) -> list[Question]:
    """Return the questions of the reference as a submission answers them."""
    assign(walk)
    blocks: dict[str | None, list[Piece]] = defaultdict(list)
    for piece in walk.pieces:
        blocks[piece.question].append(piece)
    found = []
    for asked in walk.reference.questions.values():
        question = Question(asked.id, asked.parts, judged=asked.judged)
        question.deleted = asked.position not in walk.matched.places
        _settle(question, blocks[asked.id], walk.doubtful[asked.id])
        cells = {index for index, owner in enumerate(walk.owners) if owner == asked.id}
        heads = {index for index, each, _ in walk.heads if each is asked}
        question.cells = sorted(cells | heads | {answer.cell for answer in question.answers})
        found.append(question)
    return found


def _settle(question: Question, pieces: list[Piece], doubtful: list[Piece]) -> None:
    """Say of each part of `question` whether `pieces` answer it, perhaps do, or whether it is missing."""
    said = [piece for piece in pieces if piece.says]
    answered, unclear = {""}, list[Piece]()
    if all(piece.heads for piece in said):
        answered, unclear = set(), [each for each in said if not SEVERAL_ANSWERS & {*words(each.text)}] + doubtful
    elif question.parts != [""]:
        answered, unclear = _divide(question.parts, pieces, said)
    rest = [part for part in question.parts if part not in answered]
    question.perhaps = rest if unclear else []
    question.missing = [] if unclear or question.judged else rest
    found = [(part, piece) for piece in unclear for part in rest]
    found += [(part, piece) for piece in said if piece not in unclear for part in piece.parts or [""]]
    answers = [Answer(part, piece.cell, piece.start, piece.end) for part, piece in found]
    question.answers = sorted(answers, key=lambda answer: (answer.cell, answer.start, answer.part))


def _divide(parts: list[str], pieces: list[Piece], said: list[Piece]) -> tuple[set[str], list[Piece]]:
    """Give each piece the letters of the parts that it answers; return what is answered, and the unclear pieces.

    Code answers what nothing else does: all parts, where there is no text.
    """
    written = [piece for piece in pieces if not piece.code]
    texts = [piece for piece in written if piece.says] or said
    for piece, letters in _marks(parts, written or texts):
        piece.mark = letters
    doubtful = _fill_cells(parts, written)
    current, before, blank = "", None, False
    for piece in pieces:
        if piece.mark or piece.place:
            current, blank = piece.mark or piece.place, bool(piece.label.letters) and not piece.says
        elif before and blank and piece.cell - before.cell <= 1:
            pass  # directly below the empty cell of a part
        elif blank or piece.label.named == "answer" or (before and before.place and not before.says):
            current, blank = "", False
        piece.parts, before = "" if piece in doubtful else current, piece
    answered = {part for piece in texts for part in piece.parts}
    answered |= {piece.place for piece in said if piece.code and piece.place}
    rest = [part for part in parts if part not in answered]
    loose = [piece for piece in texts if not piece.parts]
    following = pairwise(pieces)
    introductions = [piece for piece, after in following if after.parts[:1] == parts[0] and after.cell == piece.cell]
    empty = any(piece.label.letters and not piece.says for piece in pieces)  # a cell that waits for a part
    leads = [piece for piece in loose if empty or piece.label.named == "answer" or piece.label.verdict]
    leads = [piece for piece in leads if piece not in introductions]
    if len(leads) == len(rest):
        for part, piece in zip(rest, leads, strict=True):
            piece.parts = part
        return set(parts), []
    if not answered and not doubtful and any(not piece.label.verdict for piece in loose):
        return set(parts), []
    return answered, doubtful or leads or [piece for piece in texts if piece.quoted] if rest else []


def _fill_cells(parts: list[str], texts: list[Piece]) -> list[Piece]:
    """Take as many cells as parts, of which some name theirs and none another one's, for one of each part.

    Returns the pieces of which this is in doubt: what stands below an empty cell may be its answer.
    """
    cells: dict[int, list[Piece]] = defaultdict(list)
    for piece in texts:
        cells[piece.cell].append(piece)
    marks = [{piece.mark or piece.place for piece in pieces} - {""} for pieces in cells.values()]
    if len(cells) != len(parts) or not any(marks) or not all(map(set.issubset, marks, map(set, parts))):
        return []
    doubtful, filled = [], True
    for part, pieces, mark in zip(parts, cells.values(), marks, strict=True):
        for piece in pieces if not mark else ():
            piece.place = part
            doubtful += [] if filled else [piece]
        filled = any(piece.says for piece in pieces)
    return doubtful


def _marks(parts: list[str], texts: list[Piece]) -> list[tuple[Piece, str]]:
    """Return the pieces whose labels mean parts, each with the letters of these.

    Letters come before as many answers as parts, Roman numbers, and numbers, which only count where several rise.
    """
    lettered = [(piece, piece.label.letters) for piece in texts if piece.label.letters]
    lettered = [(piece, letters) for piece, letters in lettered if set(letters) <= set(parts)]
    if lettered:
        return lettered
    slots = [piece for piece in texts if piece.label.named == "answer"]
    if len(slots) == len(parts):
        return list(zip(slots, parts, strict=True))
    roman = [(piece, ROMAN.index(piece.label.letters)) for piece in texts if piece.label.letters in ROMAN]
    if roman and max(index for _, index in roman) < len(parts):
        return [(piece, parts[index]) for piece, index in roman]
    numbered = [piece for piece in texts if piece.label.number and piece.label.named != "question" and not piece.place]
    numbers = [piece.label.number or 0 for piece in numbered]
    if numbers == [1] * len(parts):
        return list(zip(numbered, parts, strict=True))
    if len(numbers) > 1 and numbers == sorted(set(numbers)) and numbers[-1] <= len(parts):
        return [(piece, parts[number - 1]) for piece, number in zip(numbered, numbers, strict=True)]
    return []
