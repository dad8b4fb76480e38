"""A notebook's cells and outputs as HTML, each cleaned alone, so that none can run, request or swallow what follows."""

import re
from collections.abc import Iterable

from nbformat import NotebookNode

from ..notebook.questions import CELL_ID, Remark, role
from ..result import Result
from .drawing import Drawing
from .formulas import Formulas
from .markup import TABLES, text
from .outputs import Outputs
from .pictures import Pictures
from .verbatim import LONGEST, code_block, printed

# What ends a given sentence, and stands before what a student added on its line.
LEFT_OVER = re.compile(r"^[\s.,;:]*(?:\*\*[\s.,;:]+)?")


class Cells:
    """The cells of a result as HTML, drawn in the notebook's order, as macros want it.

    `originals` are the pictures that are drawn smaller, by the path from the page at which it links to them.
    """

    def __init__(self, result: Result) -> None:
        self.result, self.formulas = result, Formulas()
        self.formulas.dialect.read_labels("$$".join(cell.source for cell in result.notebook.cells))
        self.originals: dict[str, bytes] = {}
        self.outputs = Outputs(Drawing(self.formulas, Pictures(result.files, self.originals)))
        self.executions = {execution.index: execution for execution in result.finding.executions}
        self.marks = [self._marks(index, cell) for index, cell in enumerate(result.notebook.cells)]
        self.html = [self._cell(index, cell) for index, cell in enumerate(result.notebook.cells)]

    def _cell(self, index: int, cell: NotebookNode) -> str:
        match, kind = CELL_ID.fullmatch(cell.get("id", "")), role(cell)
        part = (match["detail"] or "").upper() if match and kind == "answer" else ""
        name = f"{TABLES['roles'].get(kind or '', 'Added cell')} {part}".strip()
        loose = self.result.row_of[index] is self.result.loose
        level = 1 if loose else 3
        if cell.cell_type == "markdown":
            body = self.outputs.markdown(cell.source, level, cell.get("attachments", {}))
        elif cell.cell_type == "code":
            body = code_block(cell.source)
        else:
            body = printed(cell.source, "Raw text")
        missing = kind == "answer" and part in self.result.row_of[index].question.missing
        lacking = mark("warn", "No answer", "stands in this cell.") if missing else ""
        outputs = "".join(
            f'<div class="output">{html}</div>' for html in self.outputs.draw(cell.get("outputs", []), level)
        )
        label = "" if level == 1 and cell.cell_type == "markdown" else f"{name} · cell {index + 1}"
        return (
            f'<div class="cell {kind or "added"}" id="cell-{index + 1}"><p class="label">{label}</p>'
            f'{self.marks[index]}<div class="student">{body}{outputs}</div>{lacking}</div>'
        )

    def excerpt(self, index: int, spans: Iterable[tuple[int, int]], what: str) -> str:
        """Return what a cell's text says in the `spans`, under a label that begins with `what`; "" for nothing."""
        cell = self.result.notebook.cells[index]
        texts = [LEFT_OVER.sub("", cell.source[start:end]).strip() for start, end in spans]
        said = "\n\n".join(text for text in texts if any(map(str.isalnum, text)))
        if not said:
            return ""
        code = cell.cell_type == "code"
        body = code_block(said) if code else self.outputs.markdown(said, 3, cell.get("attachments", {}))
        return (
            f'<div class="cell added"><p class="label">{what} · cell {index + 1}</p>'
            f'<div class="student">{body}</div></div>'
        )

    def _marks(self, index: int, cell: NotebookNode) -> str:
        """Say what became of a cell where it is not simply that it ran."""
        execution, marks = self.executions.get(index), []
        if execution and execution.status != "ok":
            marks.append(mark("bad", TABLES["status"][execution.status], text(execution.reason)))
        elif not execution and cell.cell_type == "code" and cell.source.strip() and self.result.finding.limits:
            marks.append(mark("bad", "Not run", "before the run ended."))
        if execution and execution.new_kernel:
            marks.append(mark("warn", "New kernel", "what earlier cells defined was lost before this one ran."))
        return "".join(marks + [remark(each) for each in self.result.finding.remarks if each.cell == index])


def mark(kind: str, word: str, rest: str = "") -> str:
    return f'<p class="mark {kind}"><strong>{word}</strong> {rest}</p>'


def remark(about: Remark) -> str:
    """Return a remark on a given cell as HTML, with the difference from the cell as it was given."""
    lines = _lines(about.diff)
    difference = f"<details open><summary>Difference from what was given</summary><pre>{lines}</pre></details>"
    return mark("warn", "Given cell changed:", text(about.text)) + (difference if lines else "")


def _lines(diff: str) -> str:
    kinds = {"+": "ins", "-": "del"}
    shown = [line for line in diff[:LONGEST].splitlines() if line not in ("--- given", "+++ submitted")]
    lines = ((kinds.get(line[:1], "span"), text("…" if line.startswith("@@ ") else line)) for line in shown)
    return "\n".join(f"<{tag}>{line}</{tag}>" for tag, line in lines)
