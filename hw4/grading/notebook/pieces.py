"""What a student added, cut into pieces where labels begin, each under the question that it stands below or names."""

import re
from collections import defaultdict
from itertools import pairwise

from .alignment import Segment
from .lexicon import BESIDE_WORDS
from .matching import Matched
from .outline import Outline
from .questions import CELL_ID, GIVEN, Piece, is_program, part_of, role
from .reference import Asked
from .tokens import Label, asks, first_label, lines, parts_of_line, poses, read_label, says_something, words

SPEECH_IN_CODE = re.compile(r"\s*(?:#|f?['\"]|print\()")
QUOTED = re.compile(r"\W*(?:\n|\Z)")


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
        self.begun = 0  # where the pieces of the present cell begin
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
        self.index, self.cell = index, self.matched.cells[index]
        self.head = None
        self.owner, self.part = self.by_id(index)
        if not segments:  # the reference's evidence, handed in again
            return self.owner or self.own
        source, label = self.cell.source, first_label(self.cell.source)
        self.home = home = [segment for segment in segments if segment.home]
        if not home and self.owner is None and self._is_foreign(label):
            self.above = self.own if not (self.bare or label.named or self.headed >= 0) else None
            self._enter(self.section if self.headed < 0 else -1 - self.headed)  # a section that the reference lacks
            self.lost = True
            self.foreign.add(index)
            if self.numbers.get((self.section, label.number)) not in self.order:
                self.numbers[self.section, label.number] = None
        if self.headed == index - 1 and (index in self.foreign or any(each.given in self.asked for each in home)):
            for piece in self.pieces[self.begun :]:  # a heading of the question below
                piece.question, piece.foreign = None, True
        self.begun = len(self.pieces)
        headed = self.cell.cell_type == "markdown" and source.startswith("#") and "\n" not in source.strip()
        if home or headed:
            self.headed = index if headed and not home and label == Label() else -1
        given = self.reference.given
        self.fixed = any(given[each].remarked for each in self.matched.homes[index] if each in given)
        self.quotes = not home and any(segment.given is not None for segment in segments)
        for segment in segments:
            if segment.given is not None:
                self._pass(segment, segment.given)
            elif not segment.alters:
                self._collect(segment)
        if self._parts_here() != {self.place} and not self._has_place():
            self.place = ""
        return self.head or self.owner or self.own

    def _enter(self, section: int | None, asked: Asked | None = None) -> None:
        """Go on in a section, below a question or none."""
        self.section, self.question, self.named, self.lost = section, asked, None, False

    def _parts_here(self) -> set[str]:
        """Return the parts of the present question whose statements stand in the present cell."""
        given, statements = self.reference.given, [segment for segment in self.home if segment.part]
        return {segment.part for segment in statements if given[segment.given or 0].question == self.own}

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

    def _is_foreign(self, label: Label) -> bool:
        """Return whether the present cell begins as a question does, with a number that is none of the reference's."""
        source = self.cell.source
        told = label.letters or self.reference.named(source)[0]
        if self.cell.cell_type != "markdown" or label.number is None or told:
            return False
        asking = asks(source)
        if label.named:
            known = (self.section, label.number) in self.numbers
            return label.named == "question" and (not known or (asking and self.headed >= 0))
        last = next((number or asked.number for _, asked, number in reversed(self.heads) if asked is self.question), 0)
        if self.lost:
            counted = [number or 0 for (at, number), name in self.numbers.items() if at == self.section and not name]
            last = max(counted, default=0)
        counts_on = label.number == (last or 0) + 1 or (asking and label.number > (last or 0))
        if not counts_on and not (self.headed >= 0 and label.number == 1):
            return False
        if not self.bare or asking:
            numbers = [read_label(line).number for _, line in lines(source)]
            numbers += [piece.label.number for piece in self.pieces if self.own and piece.question == self.own]
            own_list = {label.number - 1, label.number + 1} & set(numbers)
            return asking and (self.headed >= 0 or not own_list)
        following = next(((asked, number) for at, asked, number in self.heads if at > self.index), None)
        if following and following[0].section == self.section and following[1]:
            return following[1] > label.number
        return "?" in source or self.is_announced(self.index, label.number)

    def _pass(self, segment: Segment, position: int) -> None:
        """Take note of given text: it may be a section's heading, a question, or the statement of a part."""
        given, kind = self.reference.given[position], role(self.reference.given[position].cell)
        asked = self.reference.questions.get(given.question or "")
        if segment.home and position in self.reference.sections:
            self.owner, self.part = None, ""  # what stands below the next section's heading
        if segment.home and position in self.asked and asked and asked is not self.question:
            self.head, self.owner, self.part = self.head or asked.id, None, ""
        if kind == "section" and (segment.home or self.index in self.matched.copies):
            self._enter(position)
            self.place = ""
        elif asked and asked is not self.question and (segment.home or self._is_about(segment, kind)):
            self._enter(asked.section, asked)
        if asked and asked is self.question:
            self.place = segment.part

    def _is_about(self, segment: Segment, kind: str | None) -> bool:
        """Return whether the cell begins with the text of a question, or the lines of it that it quotes."""
        source = self.cell.source
        begins = not says_something(source[: segment.start]) and QUOTED.match(source, segment.end)
        return kind == "question" and bool(begins)

    def _collect(self, segment: Segment) -> None:
        """Cut a stretch of added text into pieces."""
        source, code, is_text = self.cell.source, is_program(self.cell), self.cell.cell_type == "markdown"
        owner, part, begun, place = self.owner, self.part, len(self.pieces), self.part or self.place
        last = not part and len(self._parts_here()) > 1 and not self._has_place()
        last = last and self.question is not None and place == self.question.parts[-1]
        found = [each for line in lines(source[segment.start : segment.end]) for each in parts_of_line(*line)]
        for (at, line), (_, below) in pairwise([*found, (0, "")]):
            start = segment.start + at
            asked, letter, length = self.reference.named(line) if not code else (None, "", 0)
            owner = self.printed.get((self.index, start), owner)
            asked, length = self.listed.get((self.index, start), (asked, length))
            if asked:
                part, place = ("", letter) if letter or asked.id != (owner or self.own) else (part, place)
                self._enter(asked.section, asked)
                owner, start, line = asked.id, start + length, line[length:]
                if not line.strip():
                    continue
            speech = not code or SPEECH_IN_CODE.match(line)
            label = read_label(line) if speech else Label()
            translated = self.home and label.named != "answer" and poses(line)
            if translated or (self.fixed and not speech):  # the question in another language, or given code
                continue
            heads = line.lstrip().startswith("#") or read_label(below).number == 1
            title = tuple(words(line)) if heads and not code else ()
            if (title and BESIDE_WORDS.issuperset(title)) or title in self.reference.titles:
                self.section = self.reference.titles.get(title, self.section)
                self.question, self.named, self.headed = None, None, -1
                begun, owner, part, place = len(self.pieces), None, "", ""
                continue
            if last and "\n" in source[segment.start : start]:
                place = ""  # below the statements, where none has its answer beside it
            self._follow(label)
            if self.lost:
                owner, part, place = None, "", ""
            before = self.pieces[-1] if len(self.pieces) > begun else None
            goes_on = before and (before.question, before.place) == (owner or self.own, place)
            marked = label.letters or (label.named and label.number) if code else label != Label()
            if before and goes_on and not marked:
                before.end = start + len(line)
                before.text = source[before.start : before.end]
                continue
            piece = Piece(self.index, start, start + len(line), label, owner or self.own, self.section, code, place)
            piece.named, piece.foreign, piece.text, piece.markdown = self.named, self.lost, line, is_text
            piece.quoted = bool(place) and not part and self.quotes
            self.pieces.append(piece)
        if self.lost and self.above:
            self.doubtful[self.above] += [piece for piece in self.pieces[begun:] if piece.says]

    def _has_place(self) -> bool:
        """Return whether a part of the present question is answered beside its statement in the present cell."""
        return any(each.place and each.question == self.own and each.says for each in self.pieces[self.begun :])

    def _follow(self, label: Label) -> None:
        """Take note of a question that a label names, such as "Answer 2:"."""
        if label.named not in ("question", "answer") or label.number is None:
            return
        target = self.numbers.get((self.section, label.number))
        if target or label.named == "question":
            self.named = target if target != self.own else None
        if target is None and label.named == "question":
            self.question, self.lost = None, True
            self.foreign.add(self.index)
