"""What became of a submission, question by question, in words for the console and as an exit code."""

import re
from dataclasses import asdict, dataclass

from .errors import ExitCode
from .execution.run import Execution, Limits
from .notebook.comparison import Remark
from .notebook.questions import Question, is_check, questions

TERMINAL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")  # colours, mostly


@dataclass
class Row:
    """A question with its checks (the code cells that assert something) and the seconds that its cells took."""

    question: Question
    checks: int = 0
    passed: int = 0
    seconds: float = 0.0

    def cells(self):
        """Return what the table shows: question, answer, checks, seconds."""
        checks = f"{self.passed}/{self.checks}" if self.checks else "-"
        return self.question.id, self.answer(), checks, f"{self.seconds:.1f}"

    def test(self):
        """Return the row for a learning platform: it informs and carries no score."""
        fine = not self.question.missing and self.passed == self.checks
        output = f"{self.answer()}; {self.passed} of {self.checks} checks passed"
        return {"name": self.question.id, "status": "passed" if fine else "failed", "output": output}

    def answer(self):
        """Return "answered", "missing", or the letters of the parts that are missing."""
        parts, missing = self.question.parts, self.question.missing
        if not parts:
            return "-"
        if missing:
            return f"{', '.join(missing)} missing" if len(missing) < len(parts) else "missing"
        return "answered"


class Result:
    """What is known so far of the run of `notebook`, as an answer to `reference` (None: it asks its own questions)."""

    def __init__(self, notebook, reference=None, title="", folder="", remarks=()):
        reference = reference or notebook
        self.notebook = notebook
        self.title = title  # the submission's file or folder, as somebody else named it
        self.folder = folder  # where its page stands, as seen from the page of the class
        self.remarks = list(remarks)
        self.originals = {}  # the reference's own checks in a kernel of their own: {cell: None, or what went wrong}
        self.gradients = {}  # the battery of checks on the affine backward: {check: None, or what is wrong}
        self.held = []  # which isolation held
        self.limits = None
        self.executions = []
        self.interrupted = False
        self.points = {cell.id: cell.metadata.get("nbgrader", {}).get("points", 1) for cell in reference.cells}
        asked, owners = questions(notebook, reference)
        self.rows = {question.id: Row(question) for question in asked}
        self.rows[None] = Row(Question("(no question)", parts=[]))
        self.row_of = [self.rows[owner] for owner in owners]  # by the position of the cell
        self.runnable = sum(cell.cell_type == "code" and bool(cell.source.strip()) for cell in notebook.cells)
        for cell, row in zip(notebook.cells, self.row_of, strict=True):
            row.checks += is_check(cell)

    def add(self, execution):
        self.executions.append(execution)
        row = self.row_of[execution.index]
        row.seconds += execution.seconds
        row.passed += execution.status == "ok" and is_check(self.notebook.cells[execution.index])

    def progress(self, execution):
        """Return the line for the cell that has just run."""
        cell = plain(self.notebook.cells[execution.index].id)
        return f"[{len(self.executions):3}/{self.runnable}] {execution.status:9} {execution.seconds:6.1f} s  {cell}"

    @property
    def failures(self):
        """Return a line for each cell and each check of ours that failed: the question, the cell, the error's end."""
        cells = [self._failure(execution) for execution in self.executions if execution.status != "ok"]
        given = [f"failed as given: {name}: {plain(wrong)}" for name, wrong in self.originals.items() if wrong]
        wrong = [f"wrong backward: {name}: {plain(wrong)}" for name, wrong in self.gradients.items() if wrong]
        return cells + given + wrong

    def _failure(self, execution):
        number, row = execution.index + 1, self.row_of[execution.index]
        where = f"{row.question.id}, cell {number} ({self.notebook.cells[execution.index].id})"
        lost = " in a new kernel, without what earlier cells defined" if execution.new_kernel else ""
        return f"{execution.status}{lost}: {plain(where)}: {plain(execution.reason)}"

    def table(self):
        """Return the lines of a table with a row per question."""
        shown = [row for row in self.rows.values() if row.question.parts or row.seconds]
        table = [("question", "answer", "checks", "seconds"), *(row.cells() for row in shown)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        return [
            f"{plain(name):{widths[0]}}  {answer:{widths[1]}}  {checks:>{widths[2]}}  {time:>{widths[3]}}"
            for name, answer, checks, time in table
        ]

    def summary(self):
        """Return the one line that says how the run went."""
        return f"{self.counts()}, {sum(row.seconds for row in self.rows.values()):.1f} s"

    def counts(self):
        """Return how many questions, cells and checks went well: what a second run says again."""
        rows = self.rows.values()
        asked = [row.question for row in rows if row.question.parts]
        answered = sum(not question.missing for question in asked)
        clean = sum(execution.status == "ok" for execution in self.executions)
        return (
            f"{'interrupted: ' * self.interrupted}{answered} of {len(asked)} questions answered, "
            f"{clean} of {self.runnable} cells ran clean, "
            f"{sum(row.passed for row in rows)} of {sum(row.checks for row in rows)} checks passed"
        )

    def facts(self):
        """Return what the run found beyond the notebook itself, as JSON can carry it: `told` makes a result of it."""
        plain_ones = {name: getattr(self, name) for name in ("originals", "gradients", "held", "interrupted")}
        listed = {name: [asdict(each) for each in getattr(self, name)] for name in ("executions", "remarks")}
        return plain_ones | listed | {"limits": self.limits and asdict(self.limits)}

    def told(self, facts):
        """Take over the `facts` of an earlier run, and return the result."""
        for each in facts["executions"]:
            self.add(Execution(**each))
        self.remarks = [Remark(**each) for each in facts["remarks"]]
        self.limits = facts["limits"] and Limits(**facts["limits"])
        for name in ("originals", "gradients", "held", "interrupted"):
            setattr(self, name, facts[name])
        return self

    def remarked(self):
        """Return a line for each remark on the given cells."""
        return [f"note: {plain(remark.text)}" for remark in self.remarks]

    def isolation(self):
        """Return the line that says what the submission's code could not do."""
        return f"isolation: {', '.join(self.held) or 'none: it ran with all your rights'}"

    def exit_code(self, strict=False):
        if self.interrupted:
            return ExitCode.INTERRUPTED
        missing = any(row.question.missing for row in self.rows.values())
        return ExitCode.FAILED if self.failures or (strict and missing) else ExitCode.CLEAN


def plain(text):
    """Return the last line of `text` without anything that a terminal would obey, 200 characters at most."""
    lines = [line for line in TERMINAL.sub("", text).splitlines() if line.strip()] or [""]
    return "".join(character if character.isprintable() else " " for character in lines[-1]).strip()[:200]
