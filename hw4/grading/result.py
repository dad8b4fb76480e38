"""What became of each question, in words for the console and as an exit code."""

import re
from dataclasses import dataclass

from . import CLEAN, FAILED, INTERRUPTED
from .document import Question, is_check, questions

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
        missing = self.question.missing
        some = f"{', '.join(missing)} missing" if len(missing) < self.question.parts else "missing"
        checks = f"{self.passed}/{self.checks}" if self.checks else "-"
        answer = (some if missing else "answered") if self.question.parts else "-"
        return self.question.id, answer, checks, f"{self.seconds:.1f}"


class Result:
    """What is known so far of the run of `notebook`."""

    def __init__(self, notebook):
        self.notebook = notebook
        self.executions = []
        self.interrupted = False
        asked, owners = questions(notebook)
        self.rows = {question.id: Row(question) for question in asked}
        self.rows[None] = Row(Question("(no question)", parts=0))
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
        """Return a line for each cell that did not run clean: its question, the cell, the last line of the error."""
        return [self._failure(execution) for execution in self.executions if execution.status != "ok"]

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
        rows = self.rows.values()
        asked = [row.question for row in rows if row.question.parts]
        answered = sum(not question.missing for question in asked)
        clean = sum(execution.status == "ok" for execution in self.executions)
        return (
            f"{'interrupted: ' * self.interrupted}{answered} of {len(asked)} questions answered, "
            f"{clean} of {self.runnable} cells ran clean, "
            f"{sum(row.passed for row in rows)} of {sum(row.checks for row in rows)} checks passed, "
            f"{sum(row.seconds for row in rows):.1f} s"
        )

    def exit_code(self, strict=False):
        if self.interrupted:
            return INTERRUPTED
        missing = any(row.question.missing for row in self.rows.values())
        return FAILED if self.failures or (strict and missing) else CLEAN


def plain(text):
    """Return the last line of `text` without anything that a terminal would obey, 200 characters at most."""
    lines = [line for line in TERMINAL.sub("", text).splitlines() if line.strip()] or [""]
    return "".join(character if character.isprintable() else " " for character in lines[-1]).strip()[:200]
