"""Where the questions of the reference stand in a submission, and under which numbers, ids and names.

Answers may also be numbered by section and question: "2.1", "Q2.1:", "Section 2, question 1", "S2Q1".
"""

import re
from collections import defaultdict

from .lexicon import ANSWER_WORDS, QUESTION_WORDS, SECTION_WORDS
from .matching import MOST_CELLS, Matched
from .printed import printed_texts
from .questions import role
from .reference import Asked
from .tokens import END, LEAD, any_of, first_label, lines, read_label, says_something

ASKED = rf"(?:{any_of(ANSWER_WORDS | QUESTION_WORDS)})"
PAIR = re.compile(
    rf"{LEAD}\(?(?:{ASKED}\W*)?(?:(?P<word>{any_of(SECTION_WORDS)})\W*)?(?P<section>\d{{1,2}})"
    rf"(?:[.-]|\W*{ASKED}\W*)(?P<question>\d{{1,2}})(?![\d%])(?!\.\d)(?P<end>{END})?",
    re.IGNORECASE,
)

Pair = tuple[int, int]  # the numbers of a section and of a question


class Outline:
    """The questions that a submission has of the reference, in the order of their cells."""

    def __init__(self, matched: Matched) -> None:
        self.matched, self.reference = matched, matched.reference
        self.asked = self.reference.at
        self.numbers: dict[tuple[int | None, int | None], str | None] = {}  # None for a question that nobody asks
        self.heads: list[tuple[int, Asked, int | None]] = []  # where each question stands, and its number there
        self.ids: dict[str, str | None] = {}  # which question the ids of the submission mean
        self.bare = False  # whether questions begin with a number alone
        for index, cell in enumerate(matched.cells):
            asked = [self.asked[each] for each in matched.homes[index] if each in self.asked]
            for each in asked:
                starts = [segment.start for segment in matched.segments[index] if segment.given == each.position]
                label = first_label(cell.source[cell.source.rfind("\n", 0, min(starts, default=0)) + 1 :])
                self.heads.append((index, each, label.number))
                self.bare = self.bare or bool(label.number and not label.named)
            if role(cell) == "question":
                self.ids.setdefault(cell.id.removesuffix("-question"), asked[0].id if asked else None)
        self.order = [asked.id for _, asked, _ in self.heads]
        self.printed = printed_texts(matched.cells, self.heads)
        self.listed = self._listed_by_section()
        heads = [(asked, number or asked.number) for _, asked, number in self.heads]
        for asked, number in [*heads, *((asked, asked.number) for asked in self.asked.values())]:
            if asked.id not in self.numbers.values():
                self.numbers.setdefault((asked.section, number), asked.id)

    def is_announced(self, index: int, number: int) -> bool:
        """Return whether an answer is announced in the cell `index` or the next, or one to `number` farther below."""
        end = min([index + MOST_CELLS, *(at for at, _, _ in self.heads if at > index)])
        for at, cell in enumerate(self.matched.cells[index:end]):
            labels = [read_label(line) for _, line in lines(cell.source)]
            named = {label.number for label in labels if label.named == "answer"}
            if number in named or (at <= 1 and None in named):
                return True
        return False

    def _listed_by_section(self) -> dict[tuple[int, int], tuple[Asked, int]]:
        """Return the question that a line names by its section's number and its own, and the length of the name.

        A line is named by its cell and its start in the text. Sections count in the order of the reference.
        """
        asked = [each for each in self.asked.values() if each.section is not None]
        sections = list(dict.fromkeys(each.section for each in asked))
        known = {(sections.index(each.section) + 1, each.number or 0): each for each in asked}
        below: dict[Asked | None, dict[tuple[int, int], str]] = defaultdict(dict)  # the lines that a student added
        for index, segments in enumerate(self.matched.segments):
            above = next((each for at, each, _ in reversed(self.heads) if at <= index), None)
            for segment in segments:
                text = self.matched.cells[index].source[segment.start : segment.end]
                if segment.given is None and says_something(text):
                    below[above] |= {(index, segment.start + at): line for at, line in lines(text)}
        found: dict[tuple[int, int], tuple[Asked, int]] = {}
        for above, added in below.items():
            tried = {place: PAIR.match(line) for place, line in added.items()}
            matches = {place: match for place, match in tried.items() if match}
            alone = {read_label(line).number for place, line in added.items() if place not in matches}
            clear = {place for place, match in matches.items() if match["end"] or match["word"]}
            pairs = {place: (int(match["section"]), int(match["question"])) for place, match in matches.items()}
            pairs = {place: pair for place, pair in pairs.items() if pair in known or place in clear}  # not "1.5 times"
            named = set(pairs.values())
            firsts = {first for first, _ in named}
            sure = len(named) > 1 or (clear and {known.get(pair) for pair in named} != {above})
            if not sure or not named <= known.keys() or (len(firsts) == 1 and firsts <= alone):
                continue
            others = below.keys() & {known[pair] for pair in named} - {above}
            worded = all(match["word"] for match in matches.values())
            if worded or not above or not _are_its_own(above, named, known, bool(others)):
                found |= {place: (known[pair], matches[place].end()) for place, pair in pairs.items()}
        return found


def _are_its_own(above: Asked, named: set[Pair], known: dict[Pair, Asked], others_answered: bool) -> bool:
    """Return whether the pairs `named` below a question are its own steps, or parts of questions of its section."""
    same = {pair: each for pair, each in known.items() if each.section == above.section}
    if {first for first, _ in named} == {above.number}:
        return others_answered or named != {pair for pair in same if pair[1] <= (above.number or 0)}
    parts = {(each.number, at) for each in same.values() for at in range(1, len(each.parts) + 1) if len(each.parts) > 1}
    return named <= parts
