"""To which question each added piece belongs, where it is another one than that which it stands below."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain, pairwise

from .lexicon import ANSWER_WORDS, QUESTION_WORDS, SEVERAL_ANSWERS
from .pieces import Walk
from .questions import Piece
from .reference import SHORT, Asked
from .tokens import is_speech, words

LONGEST_ROW = 4  # words of a table's head, "Question | Answer | Reason"
LEAST_GAIN = 0.05  # of agreement, so that answers stand above their questions, or not
CERTAIN_NUMBERS = 3  # questions of a section, numbered in one cell, that are no list of a single one's


def assign(walk: Walk) -> None:
    """Give the pieces of `walk` the questions that they answer, and note what is in doubt."""
    unclear = _look_above(walk)
    _follow_labels(walk)
    _divide_lists(walk)
    _doubt_runs(walk)
    for question, pieces in unclear.items():
        walk.doubtful[question] += pieces
        for piece in pieces:
            piece.question = None


def _answered(walk: Walk) -> set[str | None]:
    """Return the questions under which something is said."""
    said = (piece for piece in walk.pieces if piece.says and not piece.heads)
    return {piece.question for piece in said if piece.named in (None, piece.question)}


def _follow_labels(walk: Walk) -> None:
    """Bring what is labelled "Answer 2" to question 2 of its section, unless that one is answered in its own place.

    What asks something under the number of a question that is not in the submission is another question; so is what
    stands below a heading such as "Question 2" and above an announced answer.
    """
    answered = _answered(walk)
    named: dict[str, list[Piece]] = defaultdict(list)
    for piece in walk.pieces:
        if piece.named and ((piece.question is None and not piece.foreign) or piece.named not in answered):
            piece.question = piece.named
            named[piece.named].append(piece)
    for target, pieces in named.items():
        said = [piece for piece in pieces if piece.says]
        labels = {piece.label.named for piece in said if piece.label.named == "answer" or "\n" in piece.text.strip()}
        asks = labels >= {"question", "answer"} or any("?" in piece.text[-5:] for piece in said)
        if target not in walk.order and asks:
            walk.foreign.add(pieces[0].cell)
            for piece in pieces:
                piece.question, piece.foreign = None, True


def _listing(walk: Walk, pieces: list[Piece]) -> tuple[list[int], dict[str | None, list[Piece]], bool]:
    """Return the last list of numbers among `pieces`, which all stand below the same question or a foreign one.

    That is: the numbers, the pieces below each by the question that it means, and whether a line such as "Answers", or
    the head of a table, announces them.
    """
    numbers, targets, is_announced = list[int](), dict[str | None, list[Piece]](), False
    target, section, foreign, cell = pieces[0].question, pieces[0].section, pieces[0].foreign, -1
    for piece in pieces:
        asks = foreign and piece.cell in walk.foreign  # the number is that of an inserted question
        head = words(piece.text.lstrip().partition("\n")[0])
        names_both = len(head) <= LONGEST_ROW and QUESTION_WORDS & set(head) and ANSWER_WORDS & set(head)
        announces = bool(names_both or SEVERAL_ANSWERS & {*head[-1:], *(head[:1] if piece.label.named else ())})
        if announces or (foreign and piece.label.number == 1 and piece.cell != cell):
            numbers, targets, is_announced = [], {}, announces
        cell = piece.cell
        if piece.label.named in ("", "answer") and piece.label.number is not None and not asks and not piece.code:
            target = walk.numbers.get((section, piece.label.number))
            numbers.append(piece.label.number)
        if numbers:
            targets.setdefault(target if target in walk.order or not foreign else None, []).append(piece)
    return numbers, targets, is_announced


def _divide_lists(walk: Walk) -> None:
    """Divide what answers several questions of a section by their numbers: "1. ... 2. ..." below the last of them.

    Below a question that the reference does not ask, a list may hold answers to such questions as well. It is in doubt
    where it may be a list of one question's own.
    """
    answered, order = _answered(walk), walk.order
    blocks: dict[tuple[str | None, int | None, bool], list[Piece]] = defaultdict(list)
    for piece in walk.pieces:
        if not piece.place:
            blocks[piece.question, piece.section, piece.foreign].append(piece)
    for (own, section, foreign), pieces in blocks.items():
        numbers, targets, is_announced = _listing(walk, pieces)
        others = {each for each in targets if each != own and any(piece.says for piece in targets[each])}
        known = numbers == sorted(set(numbers)) and {*order, None} >= targets.keys()
        known = known and (foreign or all((section, number) in walk.numbers for number in numbers))
        if not known or not others or answered & others - {None}:
            continue
        below = own in order and {*order[order.index(own) + 1 :]}.isdisjoint(targets)
        parts = walk.reference.questions[own].parts if own is not None else []
        fits = len(parts) > 1 and numbers[-1] <= len(parts) and not is_announced
        if fits and not (below and len(numbers) == sum(at == section for at, _ in walk.numbers)):
            continue  # they number its parts
        gap = len(numbers) > 1 and numbers[-1] > len(numbers)  # which a list of one question's own has not
        certain = is_announced or own is None or (below and not fits and (gap or len(targets) >= CERTAIN_NUMBERS))
        for each in others if certain else ():
            for piece in targets[each]:
                piece.question, piece.foreign = each, False
        rest = {piece.cell for piece in pieces if piece.says} - {each.cell for each in chain(*targets.values())}
        alone = {own} if own not in targets and not rest and not certain else set()
        for each in filter(None, others) if not certain else ():
            walk.doubtful[each] += [piece for piece in targets[each] if piece.says]
            walk.doubtful[own or ""] += walk.doubtful[each] if alone else []
        for piece in pieces if alone else ():
            piece.question = None


def _doubt_runs(walk: Walk) -> None:
    """Doubt whether what stands below several questions without an answer answers all of them.

    So it may where it has as many headings or letters as there are questions, where it is a picture, and where the
    questions stand in one cell.
    """
    answered, run = _answered(walk), list[tuple[int, Asked]]()
    for index, asked, _ in walk.heads:
        run = [*(each for each in run if each[1].section == asked.section and each[1] is not asked), (index, asked)]
        if asked.id not in answered:
            continue
        pieces = [piece for piece in walk.pieces if piece.question == asked.id and piece.says]
        headings = [piece for piece in pieces if piece.heads or piece.label.named == "question"]
        letters = [piece for piece in pieces if piece.label.letters and asked.parts == [""]]
        pictures = all(word[0] in "<!" for piece in pieces for word in filter(is_speech, words(piece.text)))
        below = {piece.cell for piece in pieces if not piece.heads} - {index}
        together = {at for at, _ in run} == {index} and len(below) >= len(run)
        if pictures or together or len(headings) >= len(run) or len(letters) == len(run):
            for _, each in run[:-1]:
                walk.doubtful[each.id] += pieces
        run = []


def _agreement(walk: Walk, pieces: list[Piece], owners: Sequence[str]) -> float:
    """Return how well `pieces` answer the questions `owners`, on the mean: by ids, by numbers, and by shared words."""
    total = 0.0
    for piece, owner in zip(pieces, owners, strict=True):
        if owner:
            asked = walk.reference.questions[owner]
            said = {word for word in words(piece.text[piece.label.end :]) if len(word) > SHORT}
            total += walk.reference.share(said, asked.words)
            total += walk.by_id(piece.cell)[0] == owner
            total += piece.label.number is not None and walk.numbers.get((asked.section, piece.label.number)) == owner
    return total / len(pieces)


def _look_above(walk: Walk) -> dict[str, list[Piece]]:
    """Bring what stands between a section's heading and its first question to that one, or to the one above.

    A number tells which; else it is in doubt. All of a section may be written so, each answer above its question: where
    nothing tells whether it is, what may answer each of its questions is returned.
    """
    unclear: dict[str, list[Piece]] = defaultdict(list)
    answered, questions = _answered(walk), walk.reference.questions
    first = {asked.section: index for index, asked, _ in reversed(walk.heads)}
    loose: dict[int | None, list[Piece]] = defaultdict(list)
    for piece in walk.pieces:
        if piece.question is None and not piece.foreign and piece.cell <= first.get(piece.section, piece.cell):
            loose[piece.section].append(piece)
    for section, pieces in loose.items():
        asked = [each.id for _, each, _ in walk.heads if each.section == section]
        said = [piece for piece in pieces if piece.says]
        numbers = {piece.label.number for piece in pieces if piece.label.number}
        marked = any(piece.label.named == "answer" for piece in pieces)
        if not said or len(numbers) > 1 or section is None:
            continue
        above = [each.id for index, each, _ in walk.heads if index < pieces[0].cell][-1:]
        if marked and not numbers and set(asked) & answered == set(asked[:-1]) != set():
            following: dict[str | None, str] = dict(pairwise(asked))
            moved = said + [piece for piece in walk.pieces if piece.question in asked and piece.says]
            stay = [piece.question or "".join(above) for piece in moved]
            go = [following.get(piece.question, asked[0]) for piece in moved]
            gain = _agreement(walk, moved, go) - _agreement(walk, moved, stay)
            if gain >= LEAST_GAIN:
                for piece in walk.pieces:
                    piece.question = following.get(piece.question, piece.question)
                answered -= {asked[0]}
                above = []
            elif gain > -LEAST_GAIN:
                for piece, *owners in zip(moved, stay, go, strict=True):
                    for each in set(filter(None, owners)) - (answered - set(asked)):
                        unclear[each].append(piece)
                continue
        meant: list[str | None] = [*above, *asked[:1]]
        if numbers:
            places = [*(questions[each].section for each in above), section]
            meant = [walk.numbers.get((each, max(numbers))) for each in places]
        silent = [each for each in meant if each and each not in answered]
        if silent and (numbers or (marked and silent == asked[:1])) and (len(silent) == 1 or silent[:1] == above):
            for piece in pieces:
                piece.question, piece.named, piece.section = silent[0], None, questions[silent[0]].section
        else:
            for each in silent:
                walk.doubtful[each] += said
    return unclear
