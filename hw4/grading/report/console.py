"""What the console says of a run: progress, the table of the questions, failures, remarks, and the last line."""

import re
from collections.abc import Mapping, Sequence

from ..errors import ExitCode
from ..execution.run import Execution
from ..result import Result
from ..submission import HELPERS
from ..text import TERMINAL, last_line

STATUS = {
    ExitCode.CLEAN: "clean",
    ExitCode.FAILED: "failed",
    ExitCode.UNUSABLE: "not graded",
    ExitCode.FAULT: "our fault",
}
MISSING = "answers missing"  # of what would be clean with them


def progress_line(result: Result, execution: Execution) -> str:
    """Return the line for the cell that has just run."""
    cell, done = last_line(result.notebook.cells[execution.index].id), len(result.finding.executions)
    return f"[{done:3}/{result.runnable}] {execution.status:9} {execution.seconds:6.1f} s  {cell}"


def report_lines(result: Result) -> list[str]:
    """Return all that is printed after a run, without the paths of its files."""
    layers = ", ".join(result.finding.layers) or "none: it ran with all your rights"
    return [*table(result), *failure_lines(result), *remark_lines(result), f"isolation: {layers}", summary(result)]


def table(result: Result) -> list[str]:
    """Return the lines of a table with a row per question: its answer, its checks, its seconds."""
    cells = [("question", "answer", "checks", "seconds")]
    for row in result.all_rows:
        if row.question.parts or row.seconds:
            checks = f"{row.passed}/{row.checks}" if row.checks else "-"
            cells.append((last_line(row.question.id), row.answer(), checks, f"{row.seconds:.1f}"))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        f"{name:{widths[0]}}  {answer:{widths[1]}}  {checks:>{widths[2]}}  {seconds:>{widths[3]}}"
        for name, answer, checks, seconds in cells
    ]


def failure_lines(result: Result) -> list[str]:
    """Return a line for each failed cell, each given check that failed as it was given, and each wrong gradient."""
    verdict = result.finding.verdict
    lines = [line for execution in result.failed_cells() for line in _failed_cell(result, execution)]
    for said, checks in (("failed as given", verdict.given), ("wrong backward", verdict.asked)):
        lines += [f"{said}: {name}: {last_line(wrong)}" for name, wrong in checks.items() if wrong]
    return [*lines, f"not judged: {last_line(verdict.problem)}"] if verdict.problem else lines


def _failed_cell(result: Result, execution: Execution) -> list[str]:
    """Return the line for a cell that failed, and one with the line of its code where that is known."""
    question = result.row_of[execution.index].question.id
    where = f"{question}, cell {execution.index + 1} ({result.notebook.cells[execution.index].id})"
    lost = " in a new kernel, without what earlier cells defined" if execution.new_kernel else ""
    cell, line = result.notebook.cells[execution.index], ""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    trace = TERMINAL.sub("", "\n".join(line for error in errors for line in error.traceback))
    if found := re.findall(rf"\bIn ?\[{cell.execution_count}\], line (\d{{1,6}})", trace):
        line = last_line("".join(cell.source.splitlines()[int(found[-1]) - 1 : int(found[-1])]))
    said = f"{execution.status}{lost}: {last_line(where)}: {last_line(execution.reason)}"
    modules = re.findall(rf"\bFile \S*?\b({HELPERS}/[\w/]+\.py):(\d{{1,6}})", trace)
    inside = f"; in line {modules[-1][1]} of {modules[-1][0]}" if modules else ""
    return [said, f"  in line {found[-1]}: {line}{inside}"] if line else [said]


def remark_lines(result: Result) -> list[str]:
    """Return a line for each remark on given cells and machinery, and for what is lacking beyond what was asked."""
    beyond = result.finding.verdict.beyond.items()
    return [
        *(f"note: {last_line(remark.text)}" for remark in [*result.finding.remarks, *result.finding.machinery]),
        *(f"note: beyond what was asked: {name}: {last_line(wrong)}" for name, wrong in beyond if wrong),
    ]


def counts(result: Result) -> str:
    """Return how many questions, cells and checks went well: what another run says again."""
    asked = [row.question for row in result.rows.values() if row.question.parts]
    answered = sum(not question.missing for question in asked)
    fine = sum(execution.status == "ok" for execution in result.finding.executions)
    return (
        f"{answered} of {len(asked)} questions answered, {fine} of {result.runnable} cells ran without error, "
        f"{sum(row.passed for row in result.all_rows)} of {sum(row.checks for row in result.all_rows)} checks passed"
    )


def summary(result: Result) -> str:
    """Return the one line that says how the run went."""
    return f"{'interrupted: ' * result.finding.interrupted}{counts(result)}, {result.seconds():.1f} s"


def status(code: ExitCode, answers: Mapping[str, str]) -> str:
    """Return the words for how a submission ended with these `answers`; "clean" is only what lacks none."""
    missing = any("missing" in word or word == "deleted" for word in answers.values())
    return MISSING if missing and code == ExitCode.CLEAN else STATUS[code]


def class_summary(states: Sequence[str], total: int) -> str:
    """Return the line that says how many submissions of `total` ended how."""
    counts = [f"{states.count(each)} {each}" for each in [*STATUS.values(), MISSING] if each in states]
    return f"{len(states)} of {total} submissions: {', '.join(counts) or 'none graded'}"
