"""A reference notebook, read once for all submissions: its questions, and its given cells by their words."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import log
from typing import ClassVar

from nbformat import NotebookNode

from .checks import STUB
from .questions import GIVEN, JUDGED, part_of, question_of, role
from .tokens import ALPHABET, NAMED_BY_ID, answer_start, first_label, is_speech, lines, read_label, tokens, words

Word = tuple[int, int, bool]  # a given word in a submission: its cell in the reference, its index, whether in its place
# Where a row of words stands: in which text, which given words that consists of, and at which index of it.
Rows = dict[tuple[str, ...], list[tuple[list[str], Sequence[Word | None], int]]]
GRAM = 3  # words in a row by which given text is recognized
SHORT = 3  # letters of a word, or words of a text, up to which a likeness means nothing
BETWEEN = r"[\W_]*(?:q(?:uestion)?[\W_]*(?=\d))?"
LONGEST_NAME = 80  # characters up to where a line names a question by its id
ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII"]


@dataclass
class Given:
    """A given cell of the reference: its words, and for each the letter of the part whose statement it stands in."""

    cell: NotebookNode
    question: str | None
    words: list[str]
    parts: list[str]
    heading: int = 0  # how many of its words are a heading with a number, which each edition words differently
    remarked: bool = True  # whether a change of it is

    def gone(self, covered: set[int]) -> set[int]:
        """Return the indices of its words below the heading that are not `covered`."""
        return set(range(self.heading, len(self.words))) - covered


@dataclass(eq=False)
class Asked:
    """A question of the reference."""

    id: str
    section: int | None  # the position of its section cell
    number: int | None
    parts: list[str]
    judged: str
    position: int  # of its question cell in the reference
    words: set[str] = field(default_factory=set)


class Reference:
    """What a reference asks and gives. Its cells must have our ids: `read_reference` sees to it."""

    latest: ClassVar["Reference | None"] = None

    def __init__(self, notebook: NotebookNode) -> None:
        self.notebook = notebook
        self.ids = [cell.id for cell in notebook.cells]
        said = notebook.metadata.get("hw4", {})
        self.labelled = "labelled" in said  # it had no ids of ours
        judged = said.get("judged") or JUDGED
        letters: dict[str | None, dict[str, None]] = defaultdict(dict)
        for cell in notebook.cells:
            if role(cell) == "answer":
                letters[question_of(cell)][part_of(cell)] = None
        letters.update(said.get("parts", {}))
        self.questions: dict[str, Asked] = {}
        self.sections = {position for position, cell in enumerate(notebook.cells) if role(cell) == "section"}
        self.given: dict[int, Given] = {}
        self.titles: dict[tuple[str, ...], int] = {}
        self.texts: dict[tuple[str, str], list[int]] = defaultdict(list)
        section = None
        for position, cell in enumerate(notebook.cells):
            name, kind = question_of(cell), role(cell)
            self.texts[cell.cell_type, normal(cell.source)].append(position)
            if kind == "section":
                section = position
                self.titles[tuple(words(cell.source))] = position
            elif kind == "question" and name and name not in self.questions:
                parts = list(letters[name]) if len(letters[name]) > 1 else [""]
                digits = re.search(r"(\d+)\Z", name)
                number = first_label(cell.source).number or (int(digits[1]) if digits else None)
                if number and (section, number) in ((each.section, each.number) for each in self.questions.values()):
                    number += 1  # given twice, by mistake
                function = judged[-1] if judged[0] == name else ""
                self.questions[name] = Asked(name, section, number, parts, function, position)
            if kind in GIVEN or (kind is None and not self.questions):
                self.given[position] = self._given(cell, kind)
        self.at = {asked.position: asked for asked in self.questions.values()}
        self.rows: Rows = defaultdict(list)
        holders: dict[tuple[str, ...], set[int]] = defaultdict(set)
        for position, given in self.given.items():
            places = [(position, at, False) for at in range(len(given.words))]
            for at, row in enumerate(rows_of(given.words)):
                self.rows[row].append((given.words, places, at))
                holders[row].add(position)
        self.single = {row: min(positions) for row, positions in holders.items() if len(positions) == 1}
        self.singles = Counter(self.single.values())
        counts = Counter(word for asked in self.questions.values() for word in asked.words)
        self.weights = {word: log(1 + len(self.questions) / count) for word, count in counts.items()}
        self.rare = log(1 + len(self.questions) / 1.5)
        names = {} if self.labelled else dict(self.questions)  # nobody saw ids that we gave
        sections = {asked.id.partition("-")[0]: asked.section for asked in names.values()}
        self.titles |= {(name,): section for name, section in sections.items() if section is not None}
        for title, section in self.titles.items() if names else ():
            asked_there = [each for each in self.questions.values() if each.section == section]
            names |= {f"{' '.join(title)} {each.number}": each for each in asked_there}
        spelled = [re.findall(r"[^\W_]+", name) for name in names] or [[r"\b\B"]]
        patterns = "|".join(BETWEEN.join(each) for each in spelled)
        self.naming = re.compile(NAMED_BY_ID.replace("NAMES", patterns), re.IGNORECASE)
        self.firsts = re.compile("|".join({each[0] for each in spelled}))  # found much sooner
        self.names = {_bare(name): asked for name, asked in names.items()}  # by its id, or its section's and its number

    @classmethod
    def of(cls, notebook: NotebookNode) -> "Reference":
        """Return the reference that `notebook` is, read again only if it is another object or its ids have changed."""
        ids = [cell.id for cell in notebook.cells]
        if cls.latest is None or cls.latest.notebook is not notebook or cls.latest.ids != ids:
            cls.latest = cls(notebook)
        return cls.latest

    def named(self, line: str) -> tuple[Asked | None, str, int]:
        """Return the question that `line` begins with, the letter of its part, and where the text after it begins.

        It is named by its id, or by its section and its number.
        That is the end of the line for a question's heading, "### Question 2 (cnn-2): three ways".
        """
        start = line[:LONGEST_NAME].lower()
        match = self.naming.match(start) if self.firsts.search(start) else None
        asked = self.names.get(_bare(match["id"])) if match else None
        if not match or not asked:
            return None, "", 0
        part = (match["part"] or "").upper()
        heading = line.lstrip().startswith("#") and "(" in match[0]
        return asked, part if part in asked.parts else "", len(line) if heading else match.end()

    def weight(self, some: set[str]) -> float:
        """Return how much it means that two texts share `some` words: more, the fewer questions have them."""
        return sum(self.weights.get(word, self.rare) for word in some)

    def likeness(self, asked: Asked, found: list[str]) -> float:
        """Return how alike a question and the beginning of a text are, 0 to 1: Dice's coefficient of weighed words."""
        if len(found) <= SHORT or not asked.words:
            return 0.0
        beginnings = [set(found[: part * len(asked.words)]) for part in (1, 2)]  # below may stand an answer
        whole = self.weight(asked.words)
        return max(2 * self.weight(asked.words & each) / (whole + self.weight(each)) for each in beginnings)

    def share(self, found: set[str], of: set[str]) -> float:
        """Return the part of the words `found` that are among `of`, by their weight."""
        return self.weight(found & of) / (self.weight(found) or 1.0)

    def _given(self, cell: NotebookNode, kind: str | None) -> Given:
        found, spans = tokens(cell.source)
        question, parts, heading = self.questions.get(question_of(cell) or ""), [""] * len(found), 0
        if question:
            beginnings = statements(cell.source, question.parts, kind == "question")
            for start, part in [*beginnings, (answer_start(cell.source), "")]:
                parts = [part if span[0] >= start else before for before, span in zip(parts, spans, strict=True)]
            if kind == "question":
                first = next(lines(cell.source), (0, ""))
                if first[1].lstrip().startswith("#"):
                    heading = sum(span[1] <= first[0] + len(first[1]) for span in spans)
            if cell.cell_type == "markdown":
                question.words |= set(filter(is_speech, found[heading:]))
        remarked = (kind in GIVEN - {"section"} or cell.cell_type == "code") and not STUB.search(cell.source)
        return Given(cell, question.id if question else None, found, parts, heading, remarked)


def _bare(name: str) -> str:
    """Return the letters and digits of a question's name, "dropout1" of "Dropout, Question #1"."""
    return re.sub(r"[\W_]+|q(?:uestion)?(?=[\W_]*\d)", "", name)


def normal(source: str) -> str:
    """Return `source` without what editors change by themselves: spaces at the ends of lines, empty lines around."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def rows_of(text: list[str]) -> Iterator[tuple[str, ...]]:
    """Yield the rows of words in `text`, one from each word on."""
    return zip(*(text[at:] for at in range(GRAM)), strict=False)


def statements(source: str, parts: list[str], of_question: bool) -> list[tuple[int, str]]:
    """Return where in a given cell the statement of each of the `parts` begins, and its letter.

    A Markdown list whose items are all written "1." counts on by itself.
    """
    found: list[tuple[int, str]] = []
    kind = None
    for number, (at, line) in enumerate(lines(source) if parts != [""] else ()):
        label, index = read_label(line), len(found)
        lettered = bool(label.letters)
        if label.named == "question" or (number == 0 and not lettered and of_question) or index == len(parts):
            continue
        marked = label.letters in (ALPHABET[index], *ROMAN[index : index + 1])
        if kind in (None, lettered) and (marked if lettered else label.number in (1, index + 1)):
            found.append((at, parts[index]))
            kind = lettered
    return found
