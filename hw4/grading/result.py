"""What became of a submission: of each question, each cell, and the function."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from textwrap import shorten
from typing import Any, Self

from nbformat import NotebookNode

from .affine.judge import Verdict
from .errors import ExitCode
from .execution.run import Execution, Limits
from .notebook.checks import is_implemented
from .notebook.comparison import Comparison, compare
from .notebook.questions import GIVEN, Question, Remark, is_check, part_of, question_of, role
from .notebook.reference import Reference

LOOSE = "(no question)"  # the row of the cells that belong to no question
LONGEST_TITLE = 120  # characters of a question's


@dataclass
class Row:
    """A question with its checks (the code cells that assert something) and the seconds that its cells took."""

    question: Question
    checks: int = 0
    passed: int = 0
    seconds: float = 0.0

    def answer(self) -> str:
        """Return "answered", "perhaps", "missing", "deleted", or which parts are missing, and which perhaps not."""
        question = self.question
        if not question.parts:
            return "-"
        if question.deleted and question.missing == question.parts:
            return "deleted"
        words = []
        for parts, word in ((question.missing, "missing"), (question.perhaps, "perhaps")):
            if parts:
                words.append(word if parts == question.parts else f"{', '.join(parts)} {word}")
        return "; ".join(words) or "answered"

    @property
    def doubtful(self) -> bool:
        """Return whether a part is missing, or perhaps not answered."""
        return bool(self.question.missing or self.question.perhaps)


@dataclass
class Finding:
    """What a run found beyond the notebook's own cells; it is kept as JSON beside the executed notebook."""

    executions: list[Execution] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)
    layers: list[str] = field(default_factory=list)  # the sandbox layers that were active
    limits: Limits | None = None
    interrupted: bool = False
    machinery: list[Remark] = field(default_factory=list)  # what the code changes of what runs and checks it
    function: str = ""  # the source of the module with the function that was judged

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the finding that `asdict` made `data` from; raise `TypeError` or `KeyError` for anything else."""
        finding = cls(**data)
        finding.executions = [Execution(**each) for each in data["executions"]]
        finding.remarks = [Remark(**each) for each in data["remarks"]]
        finding.machinery = [Remark(**each) for each in data["machinery"]]
        finding.verdict = Verdict(**data["verdict"])
        finding.limits = data["limits"] and Limits(**data["limits"])
        return finding


def part_names(question: Question) -> list[str]:
    """Return the names of a question's parts, unlike those of any other: its id, with the letter of the part."""
    return [f"{question.id}{'-' * bool(part)}{part}" for part in question.parts]


class Result:
    """What is known of the run of `notebook`, as an answer to `reference` (None: it asks its own questions).

    `title` is the submission's file or folder, as somebody else named it, and `folder` where its page stands, as seen
    from the page of the class.
    """

    def __init__(
        self,
        notebook: NotebookNode,
        reference: NotebookNode | None = None,
        title: str = "",
        folder: str = "",
        finding: Finding | None = None,
        comparison: Comparison | None = None,
    ) -> None:
        reference = notebook if reference is None else reference
        self.notebook, self.title, self.folder = notebook, title, folder
        self.finding = finding or Finding()
        self.files: dict[str, bytes] = {}  # the pictures beside the notebook, by their path from there
        self.titles: dict[str, str] = {}  # how a student knows each question: its first line, behind its section's
        section = ""
        for cell in reference.cells:
            line = shorten(next(filter(str.strip, cell.source.splitlines()), "").strip("#*_ "), LONGEST_TITLE)
            if role(cell) == "section":
                section = f"{line}, "
            elif role(cell) == "question":
                self.titles.setdefault(question_of(cell) or "", section + line)
        self.points = {cell.id: cell.metadata.get("nbgrader", {}).get("points", 1) for cell in reference.cells}
        found = comparison or compare(notebook, Reference.of(reference))
        self.readings = found.cells  # by the position of the cell
        self.rows = {question.id: Row(question) for question in found.questions}
        self.loose = Row(Question(LOOSE, parts=[]))
        self.row_of = [self.rows.get(cell.question or "", self.loose) for cell in found.cells]  # by the cell's position
        self.runnable = sum(cell.cell_type == "code" and bool(cell.source.strip()) for cell in notebook.cells)
        self.checks = {index for index, cell in enumerate(notebook.cells) if is_check(cell)}
        for index in self.checks:
            self.row_of[index].checks += 1
        for execution in self.finding.executions:
            self._count(execution)
        self.look_at_function()

    @property
    def all_rows(self) -> list[Row]:
        """Return the rows of all questions, and of the cells that belong to none."""
        return [*self.rows.values(), self.loose]

    def add(self, execution: Execution) -> None:
        """Take note of a cell that has run."""
        self.finding.executions.append(execution)
        self._count(execution)

    def _count(self, execution: Execution) -> None:
        row = self.row_of[execution.index]
        row.seconds += execution.seconds
        row.passed += execution.status == "ok" and execution.index in self.checks

    def look_at_function(self) -> None:
        """Say in one line that a function that should answer a question is not written yet.

        The question is missing where no text stands for it either.
        """
        verdict, code = self.finding.verdict, self.finding.function
        for row in self.rows.values() if verdict.asked or verdict.problem else ():
            name = row.question.judged
            if name and not is_implemented(code, name):
                if code:
                    verdict.asked, verdict.beyond, verdict.problem = {}, {}, f"{name} is not written yet"
                if not row.question.answers:
                    row.question.missing = list(row.question.parts)

    def failed_cells(self) -> list[Execution]:
        """Return the executions that did not end well."""
        return [execution for execution in self.finding.executions if execution.status != "ok"]

    def failed(self) -> bool:
        """Return whether a cell, a given check, or what was asked of the function failed."""
        return bool(self.failed_cells() or self.finding.verdict.faults())

    def judged_question(self) -> str | None:
        """Return the id of the question that the function answers, or else of the first with a given check."""
        judged = [row.question.id for row in self.rows.values() if row.question.judged]
        pairs = zip(self.readings, self.notebook.cells, strict=True)
        checked = [reading.question for reading, cell in pairs if reading.question and role(cell) == "check"]
        return next(iter([*judged, *checked]), None)

    def faults(self) -> dict[str, str]:
        """Return what failed, by the id of its question: how many cells, and whether the function or a given check."""
        failed = Counter(self.row_of[execution.index].question.id for execution in self.failed_cells())
        found = {name: f"{count} failed" for name, count in failed.items()}
        if self.finding.verdict.faults():
            name = self.judged_question() or LOOSE
            found[name] = ", ".join(filter(None, [found.get(name), "wrong"]))
        return found

    def missing(self) -> bool:
        """Return whether some part has no answer."""
        return any(row.question.missing for row in self.rows.values())

    def doubtful(self) -> bool:
        """Return whether some part is missing, or perhaps not answered."""
        return any(row.doubtful for row in self.rows.values())

    def digests(self) -> dict[str, str]:
        """Return a hash of what was handed in for each part, by `part_names`."""
        found = {}
        for question in (row.question for row in self.rows.values()):
            held = {answer.cell for answer in question.answers}
            cells = [self.notebook.cells[index] for index in question.cells if index not in held]
            beside = [(part_of(cell), cell.source) for cell in cells if role(cell) not in GIVEN]
            for part, name in zip(question.parts, part_names(question), strict=True):
                spans = [each for each in question.answers if each.part == part]
                texts = [self.notebook.cells[each.cell].source[each.start : each.end] for each in spans]
                texts += [text for letter, text in beside if letter in ("", part)]
                texts += [self.finding.function] * bool(question.judged)
                found[name] = hashlib.sha256("\0".join(map(str.strip, texts)).encode(errors="replace")).hexdigest()[:16]
        return found

    def seconds(self) -> float:
        """Return how long all cells took together."""
        return sum(row.seconds for row in self.all_rows)

    def exit_code(self, strict: bool = False) -> ExitCode:
        """Return the exit code of a single submission; with `strict`, a missing answer is a failure."""
        if self.finding.interrupted:
            return ExitCode.INTERRUPTED
        return ExitCode.FAILED if self.failed() or (strict and self.missing()) else ExitCode.CLEAN
