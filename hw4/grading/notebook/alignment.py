"""Which words of a cell are given text, and which the student added.

difflib aligns a cell's words with those of the given cell in whose place it stands, since its longest blocks keep the
student's words together, where the shortest edits of rapidfuzz scatter them.
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from nbformat import NotebookNode

from .questions import role
from .reference import SHORT, Reference, Rows, Word, rows_of
from .tokens import STRUCK, alternatives, answer_start, is_speech, lines, read_label, tokens, words

QUOTE = 6  # words in a row that are taken for a quotation of given text
FEWEST_INSERTED = 3  # words in the midst of a given sentence that are more than a correction of it
MOST_QUOTED = 8  # places that one row of words is looked for in
LEAST_TOLD = 0.2  # the part of a line's words, by their weight, that a question has and did not say in a line above
SURELY_TOLD = 0.4  # the same, where an answer stands above; and of words said above or not, below a statement
LEAST_SHARED = 0.7  # the same of words that it has, said above or not
TYPING_ERROR = 0.75  # the least likeness of two words of which one mends the other
BREAK = re.compile(r"[.?!:\n]")
BEGINNING = re.compile(r"[^\w\n]*[.?!:;|\n*_<>=→✓✗–—-]")
MARKED = re.compile(r"[^\w\s]\w+[^\w\s]")  # "**false**", "(false)"
ENDING = re.compile(r"[.?!]\W*\Z|\n")

Words = tuple[list[str], list[tuple[int, int]]]  # the words of a text, and the (start, end) of each


@dataclass
class Segment:
    """A stretch of a cell's text: given, with where in the reference it stands, or added by the student."""

    start: int
    end: int
    given: int | None = None  # the position of the given cell in the reference
    part: str = ""  # whose statement it is
    home: bool = False  # it stands in the given cell's place, and is not a quotation
    alters: bool = False  # it was added in the midst of a given sentence, which it mends or distorts


class Alignment:
    """The words of a cell, each with the given word that it is, or None where the student added it."""

    def __init__(self, cell: NotebookNode, reference: Reference, found: Words) -> None:
        self.source, self.reference = cell.source, reference
        self.text, self.spans = found
        self.words: list[Word | None] = [None] * len(self.text)

    def take_reworded(self, position: int, goes_on: bool) -> None:
        """Take the lines of a question that stands in other words, and of each of its statements.

        A line is the question's if it says what the question has not said yet, which an answer hardly does, and so is
        what stands above it. Below a statement, a line without a label must also have many of the question's words,
        since an answer has some of them. All lines up to an announced answer are the question's if it `goes_on` in a
        cell below.
        """
        reference, given = self.reference, self.reference.given[position]
        asked, by_part = reference.at[position], dict[str, set[str]]()
        for word, part in zip(given.words, given.parts, strict=True):
            by_part.setdefault(part, set()).add(word)
        left, begin, current, is_open = set(asked.words), 0, "", True
        for at, line in lines(self.source):
            end, label = at + answer_start(line), read_label(line)
            found = set(filter(is_speech, words(self.source[at + label.end : end])))
            fresh, shared = reference.share(found, left), reference.share(found, asked.words)
            is_new = fresh >= LEAST_TOLD and (not current or label.end > 0 or shared >= SURELY_TOLD)
            told = goes_on or is_new or shared >= LEAST_SHARED
            begin, is_open = begin if is_open else at, is_open and not "" < label.letters < current
            marked = told and len(found) > SHORT and bool(label.number or label.letters)
            is_open = is_open or fresh >= SURELY_TOLD or marked
            if is_open and (told or not begin):
                part = max(by_part, key=lambda each: reference.share(by_part[each], found))
                begin = at if part != current and current else begin
                self._take(begin, end, (position, given.parts.index(part), True))
                left, begin, current = left - found, end, part
            is_open = is_open and end == at + len(line)

    def take_home(self, position: int) -> None:
        """Take the words of the given cell in whose place this one stands; a question's heading may differ."""
        given = self.reference.given[position]
        between = pairwise([(0, 0), *self.spans])
        breaks = [BREAK.search(self.source, before[1], after[0]) is not None for before, after in between]
        for at, offset in _aligned(given.words, self.text, breaks):
            self.words[at] = (position, offset, True)
        self._leave_choices(position)
        pairs = zip(self.spans, self.words, strict=True)
        body = (start for (start, _), word in pairs if word and word[0] == position and word[1] >= given.heading)
        above = [each for each in lines(self.source[: next(body, 0)]) if each[1].lstrip().startswith("#")]
        if above and role(given.cell) == "question" and read_label(above[-1][1]).named == "question":
            self._take(above[-1][0], above[-1][0] + len(above[-1][1]), (position, 0, True))

    def _leave_choices(self, position: int) -> None:
        """Leave to the student the one of two given alternatives that was not deleted or struck out, or is marked."""
        given = self.reference.given[position]
        for first, second, end in alternatives(given.words):
            places = {word[1]: at for at, word in enumerate(self.words) if word and word[0] == position}
            spans = {offset: self.spans[at] for offset, at in places.items()}
            chosen, others = _chosen(self.source, spans, first, second)
            before = _chosen(given.cell.source, dict(enumerate(tokens(given.cell.source)[1])), first, second)
            if chosen is None or chosen == before[0] or (others and places.get(end) != places[chosen] + end - second):
                continue
            for offset in range(first, second + 1) if others else [chosen]:
                if offset in places:
                    self.words[places[offset]] = None

    def _take(self, start: int, end: int, word: Word) -> None:
        for at, span in enumerate(self.spans):
            if start <= span[0] < end and self.words[at] is None:
                self.words[at] = word

    def take_quotations(self, reworded: Rows) -> None:
        """Take the words that are copied from given text, with a typing error between two quotations.

        `reworded` has the rows of the questions that the submission itself has in other words.
        """
        rows, end = self.reference.rows, 0
        text = ["" if taken else word for word, taken in zip(self.text, self.words, strict=True)]
        for at, row in enumerate(rows_of(text)):
            if at < end or (row not in rows and row not in reworded) or self._names(at):
                continue
            run = self._quotation(text[at:], [*rows.get(row, [])[:MOST_QUOTED], *reworded.get(row, [])])
            self.words[at : at + len(run)] = run
            before = self.words[end - 1] if 0 < end == at - 1 else None
            if run and before and (before[0], before[1] + 2) == run[0][:2]:
                skipped = self.reference.given[before[0]].words[before[1] + 1]
                self.words[end] = (before[0], before[1] + 1, False) if _is_mended(skipped, self.text[end]) else None
            end = at + len(run) if run else end

    def _names(self, at: int) -> bool:
        """Return whether the line of the word at the index `at` names a question by its id."""
        start = self.source.rfind("\n", 0, self.spans[at][0]) + 1
        return self.reference.named(self.source[start:].partition("\n")[0])[0] is not None

    def _quotation(self, text: list[str], sources: list[tuple[list[str], Sequence[Word | None], int]]) -> list[Word]:
        """Return the given words that `text` begins with, of the longest quotation; [] for none.

        Each of the `sources` is a text, the given words that it consists of, and the index where the quotation begins.
        """
        longest: list[Word] = []
        for source, given, first in sources:
            places = given[first : first + _alike(text, source[first:])]
            run = [(place[0], place[1], False) for place in places if place]
            whole = self.reference.given[run[0][0]] if run else None
            if whole and len(run) > len(longest) and len(run) >= min(QUOTE, len(whole.words) - whole.heading):
                longest = run
        return longest

    def segments(self) -> Iterator[Segment]:
        """Yield the stretches of the text in their order; stretches without a word are left out."""
        given, end, around = self.reference.given, 0, [*self.words, None]  # no word after the last, nor at -1
        kinds = [word and (word[0], given[word[0]].parts[word[1]], word[2]) for word in self.words]
        starts = [*(start for start, _ in self.spans), len(self.source)]
        for kind, run in groupby(range(len(kinds)), kinds.__getitem__):
            indices = list(run)
            first, after = indices[0], indices[-1] + 1
            if kind:
                end = self.spans[after - 1][1]
                yield Segment(starts[first], end, *kind)
            else:
                text = self.source[end : starts[after]]
                alters = _alters(text, after - first, around[first - 1], around[after])
                yield Segment(end, starts[after], alters=alters)


def _aligned(given: list[str], text: list[str], breaks: list[bool]) -> Iterator[tuple[int, int]]:
    """Yield (index in `text`, index in `given`) of each word of `given` that stands in `text`, typing errors mended.

    `breaks` says of each word of `text` whether a line or a sentence ends before it: there an insertion begins.
    """
    rows = set(rows_of(given))
    hits = [at for at, row in enumerate(rows_of(text)) if row in rows]
    first = max(0, hits[0] - len(given)) if hits else 0
    window = text[first : hits[-1] + len(given)] if hits else text
    matcher = difflib.SequenceMatcher(None, given, window, autojunk=False)
    blocks = [difflib.Match(0, 0, 0), *matcher.get_matching_blocks()]
    for number in range(1, len(blocks) - 2):
        left, right = blocks[number], blocks[number + 1]
        shift = _shift(left, right, window, breaks[first:])
        blocks[number] = difflib.Match(left.a, left.b, left.size + shift)
        blocks[number + 1] = difflib.Match(right.a + shift, right.b + shift, right.size - shift)
    inserted = [_is_insertion(left, right) for left, right in pairwise(blocks)]
    for block, beside in zip(blocks[1:], pairwise(inserted), strict=False):
        told = any(len(word) > 1 for word in given[block.a : block.a + block.size])  # a number may be the student's
        if block.size >= SHORT or block.size == len(given) or (told and any(beside)):
            yield from ((first + block.b + at, block.a + at) for at in range(block.size))
    for left, right in pairwise(blocks):
        replaced, added = range(left.a + left.size, right.a), range(left.b + left.size, right.b)
        for before, after in zip(replaced, added, strict=True) if len(replaced) == len(added) else ():
            if _is_mended(given[before], window[after]):
                yield first + after, before


def _chosen(source: str, spans: dict[int, tuple[int, int]], first: int, second: int) -> tuple[int | None, bool]:
    """Return which of two words was chosen, None for neither, and whether the other one was deleted or struck out.

    `spans` are the places in `source` of the words that it has.
    """
    text = STRUCK.sub(lambda struck: " " * len(struck[0]), source)
    left = [word for word in (first, second) if word in spans and text[spans[word][0]] != " "]
    if len(left) < 2:
        return left[0] if left else None, True
    marked = [word for word in left if MARKED.fullmatch(source[spans[word][0] - 1 : spans[word][1] + 1])]
    loud = [word for word in left if source[slice(*spans[word])].isupper()]
    return next((some[0] for some in (marked, loud) if len(some) == 1), None), False


def _is_insertion(left: difflib.Match, right: difflib.Match) -> bool:
    """Return whether between two equal blocks there are only words of the text."""
    return left.a + left.size == right.a and left.b + left.size < right.b


def _shift(left: difflib.Match, right: difflib.Match, window: list[str], breaks: list[bool]) -> int:
    """Return by how many words the insertion between two equal blocks moves, so that it begins at a break.

    It may move where its first words stand after it as well, or its last ones before it.
    """
    low, high, end = left.b + left.size, right.b, right.b + right.size
    if not _is_insertion(left, right):
        return 0
    ahead = _alike(window[low:], window[high : end - 1])
    back = _alike(window[left.b + 1 : low][::-1], window[:high][::-1])
    return next((shift for shift in [*range(ahead + 1), *range(-1, -back - 1, -1)] if breaks[low + shift]), 0)


def _alike(text: list[str], other: list[str]) -> int:
    """Return how many words two texts have in common at their beginnings."""
    for count, (one, two) in enumerate(zip(text, other, strict=False)):
        if one != two:
            return count
    return min(len(text), len(other))


def _is_mended(before: str, after: str) -> bool:
    """Return whether `after` is `before` with a typing error more or less."""
    if min(len(before), len(after)) <= SHORT:
        return False
    return difflib.SequenceMatcher(None, before, after, autojunk=False).ratio() >= TYPING_ERROR


def _alters(text: str, count: int, before: Word | None, after: Word | None) -> bool:
    """Return whether added text of `count` words alters a sentence: it neither begins nor ends it, and has no label.

    Several words between two given ones that follow each other are no alteration, wherever they stand.
    """
    begins = not (before and before[2]) or BEGINNING.match(text)
    ends = not (after and after[2]) or ENDING.search(text)
    inserted = before and after and (before[0], before[1] + 1) == after[:2] and count >= FEWEST_INSERTED
    label = read_label(text)
    return label.named != "answer" and not label.verdict and not (begins and ends) and not inserted
