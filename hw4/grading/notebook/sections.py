"""Answers numbered by section and question: "2.1", "Q2.1:", "Section 2, question 1", "S2Q1"."""

import re
from collections import defaultdict

from .lexicon import ANSWER_WORDS, QUESTION_WORDS, SECTION_WORDS
from .matching import Matched
from .reference import Asked
from .tokens import END, LEAD, any_of, lines, read_label, says_something

ASKED = rf"(?:{any_of(ANSWER_WORDS | QUESTION_WORDS)})"
PAIR = re.compile(
    rf"{LEAD}\(?(?:{ASKED}\W*)?(?:(?P<word>{any_of(SECTION_WORDS)})\W*)?(?P<section>\d{{1,2}})"
    rf"(?:[.-]|\W*{ASKED}\W*)(?P<question>\d{{1,2}})(?![\d%])(?!\.\d)(?P<end>{END})?",
    re.IGNORECASE,
)

Pair = tuple[int, int]  # the numbers of a section and of a question
Place = tuple[int, int]  # a cell, and where in its text a line begins


def listed_by_section(matched: Matched, heads: list[tuple[int, Asked, int | None]]) -> dict[Place, tuple[Asked, int]]:
    """Return which lines name a question by its section's number and its own: the question, and the name's length.

    Sections count in the order of the reference. `heads` are the questions and the cells in which they stand.
    """
    asked = [each for each in matched.reference.questions.values() if each.section is not None]
    sections = list(dict.fromkeys(each.section for each in asked))
    known = {(sections.index(each.section) + 1, each.number or 0): each for each in asked}
    runs: dict[Asked | None, list[tuple[Place, re.Match[str]]]] = defaultdict(list)
    answered: set[Asked | None] = set()
    alone: dict[Asked | None, set[int | None]] = defaultdict(set)  # numbers without a second one
    for index, segments in enumerate(matched.segments):
        above = next((each for at, each, _ in reversed(heads) if at <= index), None)
        for segment in segments:
            text = matched.cells[index].source[segment.start : segment.end]
            if segment.given is None and says_something(text):
                answered.add(above)
                for at, line in lines(text):
                    match = PAIR.match(line)
                    if match:
                        runs[above].append(((index, segment.start + at), match))
                    else:
                        alone[above].add(read_label(line).number)
    found = {}
    for above, run in runs.items():
        pairs = {place: (int(match["section"]), int(match["question"])) for place, match in run}
        clear = {place for place, match in run if match["end"] or match["word"]}
        pairs = {place: pair for place, pair in pairs.items() if pair in known or place in clear}  # not "1.5 times"
        named = set(pairs.values())
        firsts = {first for first, _ in named}
        sure = len(named) > 1 or (clear and {known.get(pair) for pair in named} != {above})
        if not sure or not named <= known.keys() or (len(firsts) == 1 and firsts <= alone[above]):
            continue
        others = answered & {known[pair] for pair in named} - {above}
        if all(match["word"] for _, match in run) or not above or not _are_its_own(above, named, known, bool(others)):
            found |= {place: (known[pairs[place]], match.end()) for place, match in run if place in pairs}
    return found


def _are_its_own(above: Asked, named: set[Pair], known: dict[Pair, Asked], others_answered: bool) -> bool:
    """Return whether the pairs `named` below a question are its own steps, or parts of questions of its section."""
    same = {pair: each for pair, each in known.items() if each.section == above.section}
    if {first for first, _ in named} == {above.number}:
        return others_answered or named != {pair for pair in same if pair[1] <= (above.number or 0)}
    parts = {(each.number, at) for each in same.values() for at in range(1, len(each.parts) + 1) if len(each.parts) > 1}
    return named <= parts
