"""A notebook's cells and outputs as HTML, each cleaned alone, so that none can run, request or swallow what follows."""

import re
from collections.abc import Iterator

from nbformat import NotebookNode

from ..notebook.questions import GIVEN, part_of, role
from ..result import Result, Row
from .formulas import Formulas
from .layout import macro
from .markup import TABLES
from .outputs import Outputs
from .pictures import Pictures
from .verbatim import code_block, printed

# What ends a given sentence, and stands before what a student added on its line.
LEFT_OVER = re.compile(r"^[\s.,;:]*(?:\*\*[\s.,;:]+)?")
Spans = list[tuple[int, int]]  # in the text of a cell


class Cells:
    """The cells of a result as HTML, drawn in the notebook's order, as macros want it.

    `originals` are the pictures that are drawn smaller, by the path from the page at which it links to them.
    """

    def __init__(self, result: Result) -> None:
        self.result, self.formulas = result, Formulas()
        self.formulas.dialect.read_labels("$$".join(cell.source for cell in result.notebook.cells))
        pictures = Pictures(result.files)
        self.outputs, self.originals = Outputs(self.formulas, pictures), pictures.originals
        self.function = code_block(result.finding.function)
        self.executions = {execution.index: execution for execution in result.finding.executions}
        self.marks = [self._marks(index, cell) for index, cell in enumerate(result.notebook.cells)]
        self.html = [self._cell(index, cell) for index, cell in enumerate(result.notebook.cells)]

    def _cell(self, index: int, cell: NotebookNode) -> str:
        kind, row = role(cell), self.result.row_of[index]
        letter = part_of(cell) if kind == "answer" else ""
        name = f"{TABLES['roles'].get(kind or '', 'Added cell')} {letter}".strip()
        level = 1 if row is self.result.loose else 3
        body = printed(cell.source, "Raw text") if cell.cell_type == "raw" else self._body(cell, cell.source, level)
        outputs = list(self.outputs.draw(cell.get("outputs", []), level))
        label = "" if level == 1 and cell.cell_type == "markdown" else f"{name} · cell {index + 1}"
        missing = kind == "answer" and letter in row.question.missing
        return macro("cell", kind or "added", label, body, outputs, index + 1, self.marks[index], missing)

    def _body(self, cell: NotebookNode, source: str, level: int) -> str:
        if cell.cell_type == "code":
            return code_block(source)
        return self.outputs.laid_out(source, "text/markdown", level, cell.get("attachments", {}))

    def _marks(self, index: int, cell: NotebookNode) -> str:
        """Say what became of a cell where it is not simply that it ran."""
        finding, execution = self.result.finding, self.executions.get(index)
        skipped = finding.limits and not execution and cell.cell_type == "code" and cell.source.strip()
        return macro("state", execution, skipped, finding.remarks, index)

    def excerpt(self, index: int, spans: Spans, what: str) -> str:
        """Return what a cell's text says in the `spans`, under a label that begins with `what`; "" for nothing."""
        cell = self.result.notebook.cells[index]
        texts = [LEFT_OVER.sub("", cell.source[start:end]).strip() for start, end in spans]
        said = "\n\n".join(text for text in texts if any(map(str.isalnum, text)))
        return macro("cell", "added", f"{what} · cell {index + 1}", self._body(cell, said, 3)) if said else ""

    def spans(self, index: int, row: Row | None = None, part: str = "") -> Spans:
        """Return where answers stand in a cell: all, those to the question of `row`, or of these to `part` or none."""
        rows = [row] if row else self.result.rows.values()
        answers = [each for row in rows for each in row.question.answers if each.cell == index]
        return sorted({(each.start, each.end) for each in answers if not part or each.part in (part, "")})

    def of_row(self, row: Row) -> Iterator[str]:
        """Yield all that belongs to a question, wherever in the notebook it stands."""
        indices = [index for index, owner in enumerate(self.result.row_of) if owner is row]
        for index in indices:
            yield from self._shown(index, self.spans(index))
        for index in sorted({answer.cell for answer in row.question.answers} - set(indices)):
            yield self.excerpt(index, self.spans(index, row), "Found elsewhere")

    def of_answer(self, row: Row, part: str) -> Iterator[str]:
        """Yield all that was taken for the answer, or for that to a part, in its order.

        Of given cells only what was added to them, and behind a fold the whole; or those that did not go well.
        """
        answers = row.question.answers
        for index in sorted({*row.question.cells, *(answer.cell for answer in answers)}):
            cell, reading = self.result.notebook.cells[index], self.result.readings[index]
            letters = {answer.part for answer in answers if answer.cell == index}
            letters = letters or {"" if reading.given else part_of(cell)}
            spans = self.spans(index, row, part)
            if part and not letters & {part, ""}:
                continue
            if part and letters - {part, ""}:
                yield self.excerpt(index, spans, f"Part {part}")
            elif reading.added or self.marks[index] or role(cell) not in GIVEN:
                yield from self._shown(index, spans, mixed=set(spans) < set(self.spans(index)))

    def _shown(self, index: int, spans: Spans, mixed: bool = False) -> Iterator[str]:
        """Yield a cell; where it is `mixed`, or has given text, the answer in the `spans`, and behind a fold all."""
        reading, cell = self.result.readings[index], self.result.notebook.cells[index]
        if not reading.given and not mixed:
            yield self.html[index]
            return
        found = self.excerpt(index, spans or reading.added, "Added to the given text" if reading.given else "Answer")
        if found:
            yield found
        title = self.result.titles.get(reading.question or "") if role(cell) == "question" else ""
        line = f"{'Given' if reading.given else 'All of this'} {role(cell) or 'cell'}, cell {index + 1}"
        unfolded = self.marks[index] or (found and cell.get("outputs"))
        yield macro("fold", f"{line}: {title}" if title else line, self.html[index], unfolded)
