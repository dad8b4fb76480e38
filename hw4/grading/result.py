"""What became of a submission: of each question, each cell, and the function."""

from dataclasses import dataclass, field
from typing import Any, Self

from nbformat import NotebookNode

from .affine.judge import Verdict
from .errors import ExitCode
from .execution.run import Execution, Limits
from .notebook.checks import is_implemented
from .notebook.comparison import Comparison, compare
from .notebook.questions import Question, Remark, is_check
from .notebook.reference import Reference

LOOSE = "(no question)"  # the row of the cells that belong to no question


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
        self.finding = Finding()
        self.files: dict[str, bytes] = {}  # the pictures beside the notebook, by their path from there
        self.points = {cell.id: cell.metadata.get("nbgrader", {}).get("points", 1) for cell in reference.cells}
        found = comparison or compare(notebook, Reference.of(reference))
        self.readings = found.cells  # by the position of the cell
        owners = [cell.question for cell in found.cells]
        self.rows = {question.id: Row(question) for question in found.questions}
        self.loose = Row(Question(LOOSE, parts=[]))
        self.row_of = [self.rows[owner] if owner else self.loose for owner in owners]  # by the position of the cell
        self.runnable = sum(cell.cell_type == "code" and bool(cell.source.strip()) for cell in notebook.cells)
        self.checks = {index for index, cell in enumerate(notebook.cells) if is_check(cell)}
        for index in self.checks:
            self.row_of[index].checks += 1
        if finding:
            for execution in finding.executions:
                self.add(execution)
            self.finding = finding
            self.look_at_function()

    @property
    def all_rows(self) -> list[Row]:
        """Return the rows of all questions, and of the cells that belong to none."""
        return [*self.rows.values(), self.loose]

    def add(self, execution: Execution) -> None:
        """Take note of a cell that has run."""
        self.finding.executions.append(execution)
        row = self.row_of[execution.index]
        row.seconds += execution.seconds
        row.passed += execution.status == "ok" and execution.index in self.checks

    def look_at_function(self) -> None:
        """Count a question as missing that a function should answer, where neither it nor a text was handed in."""
        verdict = self.finding.verdict
        for row in self.rows.values() if verdict.asked or verdict.problem else ():
            name = row.question.judged
            if name and not row.question.answers and not is_implemented(self.finding.function, name):
                row.question.missing = list(row.question.parts)

    def failed_cells(self) -> list[Execution]:
        """Return the executions that did not end well."""
        return [execution for execution in self.finding.executions if execution.status != "ok"]

    def failed(self) -> bool:
        """Return whether a cell, a given check, or what was asked of the function failed."""
        return bool(self.failed_cells() or self.finding.verdict.faults())

    def missing(self) -> bool:
        """Return whether some part has no answer."""
        return any(row.question.missing for row in self.rows.values())

    def doubtful(self) -> bool:
        """Return whether some part is missing, or perhaps not answered."""
        return any(row.doubtful for row in self.rows.values())

    def seconds(self) -> float:
        """Return how long all cells took together."""
        return sum(row.seconds for row in self.all_rows)

    def exit_code(self, strict: bool = False) -> ExitCode:
        """Return the exit code of a single submission; with `strict`, a missing answer is a failure."""
        if self.finding.interrupted:
            return ExitCode.INTERRUPTED
        return ExitCode.FAILED if self.failed() or (strict and self.missing()) else ExitCode.CLEAN
