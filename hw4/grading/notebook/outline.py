"""Where the questions of the reference stand in a submission, and under which numbers and ids."""

from .matching import MOST_CELLS, Matched
from .printed import printed_texts
from .questions import role
from .reference import Asked
from .sections import listed_by_section
from .tokens import first_label, lines, read_label


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
        self.listed = listed_by_section(matched, self.heads)
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
