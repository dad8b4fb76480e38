"""What a student added, cut into pieces where labels begin, each under the question that it stands below or names."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from .alignment import Segment, alters
from .lexicon import BESIDE_WORDS, SEVERAL_ANSWERS
from .matching import Matched
from .outline import Outline
from .questions import CELL_ID, GIVEN, Piece, is_program, part_of, role
from .reference import Asked
from .tokens import Label, asks, first_label, lines, read_label, says_something, words

SPEECH_IN_CODE = re.compile(r"\s*(?:#|f?['\"]|print\()")
QUOTED = re.compile(r"\W*(?:\n|\Z)")
NUMBERED = r"(?<=\s)\(?(?:[2-9]|1\d)[.):](?=\s)"
INLINE = r"(?<=[.;:,!?)|*])\s+[*_]*\(?(?:{0}[.):]|{1}\))"  # "A. Memory. B. Endless data."


class Walk(Outline):
    """A walk through a submission from its first cell to its last, which collects the pieces."""

    def __init__(self, matched: Matched) -> None:
        super().__init__(matched)
        self.pieces: list[Piece] = []
        self.owners: list[str | None] = []  # by the cell's position, the question that it belongs to
        self.foreign: set[int] = set()  # the cells with a question that the reference does not ask
        self.question: Asked | None = None
        self.section: int | None = None
        self.named: str | None = None
        self.place = ""
        self.statements: set[tuple[int, str]] = set()  # of the present cell: the given cell, and the part
        self.begun = 0  # where the pieces of the present cell begin
        self.fixed = False  # the present cell holds given text that nobody is asked to change
        self.quotes = False  # the present cell quotes given text
        self.headed = -1  # the cell with a heading of the student's that this one is below
        self.lost = False  # below a question that the reference does not ask
        self.above: str | None = None  # the question that such a text may answer all the same
        self.doubtful: dict[str, list[Piece]] = defaultdict(list)  # what perhaps answers a question, by its id
        self.owners += [self._read(index, segments) for index, segments in enumerate(matched.segments)]

    @property
    def own(self) -> str | None:
        """The id of the present question."""
        return self.question.id if self.question else None

    def _read(self, index: int, segments: list[Segment]) -> str | None:
        """Collect the pieces of a cell; return the question that the cell belongs to."""
        head = None
        owner, part = self.by_id(index)
        if not segments:  # the reference's evidence, handed in again
            return owner or self.own
        home = [segment for segment in segments if segment.home]
        cell, label = self.matched.cells[index], first_label(self.matched.cells[index].source)
        if not home and owner is None and self._is_foreign(index):
            self.above = self.own if not (self.bare or label.named or self.headed >= 0) else None
            self.question, self.named, self.lost = None, None, True
            self.foreign.add(index)
            self.section = self.section if self.headed < 0 else -1 - self.headed  # one that the reference lacks
            if self.numbers.get((self.section, label.number)) not in {asked.id for _, asked, _ in self.heads}:
                self.numbers[self.section, label.number] = None
        if self.headed == index - 1 and (index in self.foreign or any(each.given in self.asked for each in home)):
            for piece in self.pieces[self.begun :]:  # a heading of the question below
                piece.question, piece.foreign = None, True
        self.begun = len(self.pieces)
        headed = cell.cell_type == "markdown" and cell.source.startswith("#") and "\n" not in cell.source.strip()
        self.headed = index if headed and not home and label == Label() else -1 if home or headed else self.headed
        given = [self.reference.given.get(each) for each in self.matched.homes.get(index, ())]
        self.fixed = any(each.remarked for each in given if each)
        self.quotes = not home and any(segment.given is not None for segment in segments)
        self.statements = {(segment.given, segment.part) for segment in home if segment.given is not None}
        for segment in segments:
            given_at = segment.given if segment.home and segment.given is not None else -1
            asked = self.asked.get(given_at)
            if given_at in self.reference.sections:
                owner, part = None, ""  # what stands below the next section's heading
            if asked and asked is not self.question:
                head, owner, part = head or asked.id, None, ""
            if segment.given is not None:
                self._pass(index, segment)
            elif not alters(self.matched.cells[index].source, segment, segments):
                self._collect(index, segment, owner, part)
        self.place = self.place if self._parts_here() == {self.place} or self._has_place() else ""
        return head or owner or self.own

    def _parts_here(self) -> set[str]:
        """Return the parts of the present question whose statements stand in the present cell."""
        given = self.reference.given
        return {part for position, part in self.statements if part and given[position].question == self.own}

    def by_id(self, index: int) -> tuple[str | None, str]:
        """Return the question and the part that the id of an answer's cell means."""
        cell = self.matched.cells[index]
        match = CELL_ID.fullmatch(cell.get("id", ""))
        if not match or match["role"] in GIVEN:
            return None, ""
        known = match["question"] if match["question"] in self.reference.questions else None
        owner = self.ids.get(match["question"], known)
        parts = self.reference.questions[owner].parts if owner else []
        return owner, part_of(cell) if part_of(cell) in parts else ""

    def _is_foreign(self, index: int) -> bool:
        """Return whether a cell begins as a question does, with a number that is none of the reference's."""
        cell, label = self.matched.cells[index], first_label(self.matched.cells[index].source)
        told = label.letters or self.reference.named(cell.source)[0]
        if cell.cell_type != "markdown" or label.number is None or told:
            return False
        asking = asks(cell.source)
        if label.named:
            known = (self.section, label.number) in self.numbers
            return label.named == "question" and (not known or (asking and self.headed >= 0))
        last = next((number or asked.number for _, asked, number in reversed(self.heads) if asked is self.question), 0)
        if self.lost:
            last = max(
                (number or 0 for (at, number), name in self.numbers.items() if at == self.section and not name),
                default=0,
            )
        counts_on = label.number == (last or 0) + 1 or (asking and label.number > (last or 0))
        if not counts_on and not (self.headed >= 0 and label.number == 1):
            return False
        if not self.bare or asking:
            numbers = [read_label(line).number for _, line in lines(cell.source)]
            numbers += [piece.label.number for piece in self.pieces if self.own and piece.question == self.own]
            own_list = {label.number - 1, label.number + 1} & set(numbers)
            return asking and (self.headed >= 0 or not own_list)
        following = next(((asked, number) for at, asked, number in self.heads if at > index), None)
        if following and following[0].section == self.section and following[1]:
            return following[1] > label.number
        return "?" in cell.source or self.is_announced(index, label.number)

    def _pass(self, index: int, segment: Segment) -> None:
        """Take note of given text: it may be a section's heading, a question, or the statement of a part."""
        assert segment.given is not None
        given = self.reference.given[segment.given]
        asked = self.reference.questions.get(given.question or "")
        here = segment.home or index in self.matched.copies
        if here and role(given.cell) == "section":
            self.section, self.question, self.named, self.lost, self.place = segment.given, None, None, False, ""
        elif asked and asked is not self.question and (segment.home or self._is_about(index, segment)):
            self.section, self.question, self.named, self.lost = asked.section, asked, None, False
        if asked and asked is self.question:
            self.place = segment.part

    def _is_about(self, index: int, segment: Segment) -> bool:
        """Return whether a cell begins with the text of a question, or the lines of it that it quotes."""
        source = self.matched.cells[index].source
        begins = not says_something(source[: segment.start]) and QUOTED.match(source, segment.end)
        return role(self.reference.given[segment.given or 0].cell) == "question" and bool(begins)

    def _collect(self, index: int, segment: Segment, owner: str | None, part: str) -> None:
        """Cut a stretch of added text into pieces."""
        source, code = self.matched.cells[index].source, is_program(self.matched.cells[index])
        begun, place = len(self.pieces), part or self.place
        is_text = self.matched.cells[index].cell_type == "markdown"
        last = not part and len(self._parts_here()) > 1 and not self._has_place()
        last = last and self.question is not None and place == self.question.parts[-1]
        found = [each for line in lines(source[segment.start : segment.end]) for each in _apart(*line)]
        for (at, line), (_, below) in pairwise([*found, (0, "")]):
            start = segment.start + at
            asked, letter, length = self.reference.named(line) if not code else (None, "", 0)
            owner = self.printed.get((index, start), owner)
            if (index, start) in self.listed:
                asked, length = self.listed[index, start]
            if asked:
                part, place = ("", letter) if letter or asked.id != (owner or self.own) else (part, place)
                self.section, self.question, self.named, self.lost = asked.section, asked, None, False
                owner, start, line = asked.id, start + length, line[length:]
                if not line.strip():
                    continue
            label = read_label(line) if not code or SPEECH_IN_CODE.match(line) else Label()
            if code and self.fixed and not SPEECH_IN_CODE.match(line):
                continue  # given code was changed, which answers nothing
            heads = line.lstrip().startswith("#") or read_label(below).number == 1
            title = tuple(words(line)) if heads and not code else ()
            beside = title and BESIDE_WORDS.issuperset(title)
            if beside or title in self.reference.titles:
                self.section, self.question = self.reference.titles.get(title, self.section), None
                self.named, self.headed = None, -1
                begun, owner, part, place = len(self.pieces), None, "", ""
                continue
            if last and "\n" in source[segment.start : start]:
                place = ""  # below the statements, where none has its answer beside it
            self._follow(label, index)
            if self.lost:
                owner, part, place = None, "", ""
            before = self.pieces[-1] if len(self.pieces) > begun else None
            goes_on = before and (before.question, before.place) == (owner or self.own, place)
            marked = label.letters or (label.named and label.number) if code else label != Label()
            if before and goes_on and not marked:
                before.end = start + len(line)
                before.text = source[before.start : before.end]
            else:
                piece = Piece(index, start, start + len(line), label, owner or self.own, self.section, code, place)
                quoted = bool(place) and not part and self.quotes
                self.pieces.append(
                    replace(piece, named=self.named, foreign=self.lost, text=line, quoted=quoted, markdown=is_text)
                )
        if self.lost and self.above:
            self.doubtful[self.above] += [piece for piece in self.pieces[begun:] if piece.says]

    def _has_place(self) -> bool:
        """Return whether a part of the present question is answered beside its statement in the present cell."""
        return any(each.place and each.question == self.own and each.says for each in self.pieces[self.begun :])

    def _follow(self, label: Label, index: int) -> None:
        """Take note of a question that a label names, such as "Answer 2:"."""
        if label.named not in ("question", "answer") or label.number is None:
            return
        target = self.numbers.get((self.section, label.number))
        if target or label.named == "question":
            self.named = target if target != self.own else None
        if target is None and label.named == "question":
            self.question, self.lost = None, True
            self.foreign.add(index)


def _apart(at: int, line: str) -> Iterator[tuple[int, str]]:
    """Yield a line cut before the marks in its midst: "A. ... B. ...", "Answers: 1) ... 2) ..."."""
    label, cuts = read_label(line), [0]
    if label.named == "answer" and SEVERAL_ANSWERS & set(words(line)[:1]):
        cuts += [each.start() for each in re.finditer(NUMBERED, line)]
    letter = label.letters if len(label.letters) == 1 else "Z"
    while letter < "Z":
        letter = chr(ord(letter) + 1)
        found = re.compile(INLINE.format(letter, letter.lower())).search(line, cuts[-1])
        if found is None:
            break
        cuts.append(found.start())
    yield from ((at + start, line[start:end]) for start, end in pairwise([*cuts, len(line)]))
