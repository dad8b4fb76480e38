"""A submission from its files to its result, and to the files that are left of it."""

import functools
import hashlib
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from . import output, report
from .affine.checks import AFFINE_BACKWARD, JudgedFunction
from .affine.judge import PATIENCE, Judge
from .errors import ExitCode, Unusable
from .execution.kernel import BOOT, Kernel
from .execution.run import Execution, Limits, run_cells
from .notebook.comparison import restore_ids
from .notebook.format import read_notebook
from .notebook.questions import GIVEN, question_of, role
from .report.console import report_lines
from .result import Result
from .sandbox.launcher import Launcher
from .sandbox.program import ResourceLimits, phrases
from .sandbox.scratch import Scratch
from .submission import Submission, laid_out

Progress = Callable[[Result, Execution], None]
# The packages on which what a submission computes and puts out depends.
COMPUTES = ("torch", "numpy", "matplotlib", "scikit-learn", "ipykernel", "ipython", "jupyter_client", "nbformat")


@dataclass(frozen=True)
class Task:
    """What is to be graded, against what, and how: all that a cluster worker needs."""

    submission: Submission
    reference: Submission
    limits: Limits = field(default_factory=Limits)
    strict: bool = False
    threads: int = 1

    def digest(self) -> str:
        """Return a hash of all that the result depends on; what only draws the pages is `output.drawing_digest`'s."""
        total = hashlib.sha256(f"{self.limits} {self.strict} {self.threads} {code_digest()}".encode())
        total.update((self.submission.digest() + self.reference.digest()).encode())
        return total.hexdigest()


@functools.cache
def code_digest() -> str:
    """Return a hash of the grading code, but for the room that draws, and of the packages that compute."""
    drawing = Path(report.__file__).parent
    files = [file for file in sorted(output.GRADING.rglob("*.py")) if drawing not in file.parents]
    return output.digest(files, COMPUTES)


@dataclass(frozen=True)
class Outcome:
    """What is left of a submission: its exit code, its files by name, and what the console says of it."""

    name: str
    code: ExitCode
    files: dict[str, str]  # the executed notebook first, where there is one
    lines: list[str]  # the last one sums it up
    answers: dict[str, str] = field(default_factory=dict)  # by question
    result: Result | None = None  # what the files were made of, where it is still in memory


def grade(task: Task, launcher: Launcher, progress: Progress | None = None) -> Outcome:
    """Grade the submission, whatever it is, and return its `Outcome`; `progress` is called for each cell that ended."""
    name = task.submission.name
    try:
        result = run(task, launcher, progress)
        answers = {row.question.id: row.answer() for row in result.rows.values() if row.question.parts}
        lines, code = report_lines(result), result.exit_code(task.strict)
        kept = {"task": task.digest(), "code": int(code), "lines": lines[-1:], "answers": answers}
        files = output.files_of(result, output.safe_name(task.submission.notebook), kept)
        return Outcome(name, code, files, lines, answers, result)
    except Unusable as problem:
        return failed_outcome(name, ExitCode.UNUSABLE, str(problem))
    except Exception:
        return failed_outcome(name, ExitCode.FAULT, traceback.format_exc())


def failed_outcome(name: str, code: ExitCode, reason: str) -> Outcome:
    """Return the outcome of a submission that could not be graded."""
    text = " ".join(reason.split()) if code == ExitCode.UNUSABLE else reason  # a file's name may have lines
    return Outcome(name, code, output.files_without_result(text), [text])


def run(task: Task, launcher: Launcher, progress: Progress | None = None) -> Result:
    """Run the submission's cells, have its function judged, and return the result.

    An interrupt ends the run and not the result. Raises `Unusable` when there is no notebook to run.
    """
    submission, reference, limits = task.submission, task.reference, task.limits
    with ExitStack() as stack:
        files = laid_out(submission, reference)
        resources = ResourceLimits(limits.memory, seconds=limits.total + BOOT + PATIENCE)
        scratch = stack.enter_context(Scratch(files, resources))
        kernel = stack.enter_context(Kernel(launcher, scratch))  # it starts while the notebooks are read and compared
        given = read_reference(reference.files[reference.notebook], reference.notebook)
        notebook = read_notebook(submission.files[submission.notebook], submission.name)
        cells, function = given_cells(given), judged_function(given)
        checks = [cell.id for cell in given.cells if role(cell) == "check"]

        def start_judge(files: dict[str, bytes]) -> Judge:
            copy = Scratch(files, beside=scratch)  # which no cell can change
            return stack.enter_context(Judge(launcher, copy, cells, checks, function))

        handed_in = function is None or function.file in files
        judge = start_judge(files) if handed_in and (cells or function) else None

        remarks = restore_ids(notebook, given)
        result = Result(notebook, given, submission.name)
        finding = result.finding
        finding.remarks, finding.limits = remarks, limits
        try:
            for execution in run_cells(notebook, kernel, limits):
                result.add(execution)
                if progress:
                    progress(result, execution)
            if function and not handed_in:  # a cell may have written it
                written = scratch.read(launcher, function.file)
                judge = start_judge(files if written is None else files | {function.file: written})
            if judge:
                finding.verdict = judge.verdict(limits.total)
        except KeyboardInterrupt:
            finding.interrupted = True
        finding.layers = phrases(kernel.process.layers)
    return result


@functools.lru_cache(maxsize=1)
def read_reference(body: bytes, name: str) -> NotebookNode:
    """Return the notebook of a reference, which a class reads only once."""
    return read_notebook(body, name)


def given_cells(reference: NotebookNode) -> list[tuple[str, str]]:
    """Return the (id, source) of the reference's own checks and of the given code that they need.

    They tell in a process of their own what holds, whatever the submission did to its cells or in its kernel.
    """
    questions = {question_of(cell) for cell in reference.cells if role(cell) == "check"}
    needed = [cell for cell in reference.cells if cell.cell_type == "code" and role(cell) in (None, *GIVEN)]
    kept = [cell for cell in needed if question_of(cell) in {None, *questions}]
    return [(cell.id, cell.source) for cell in kept] if questions else []


def judged_function(reference: NotebookNode) -> JudgedFunction | None:
    """Return the function that the reference's metadata names, or the homework's own if its question is asked."""
    named = reference.metadata.get("hw4", {}).get("judged")
    if isinstance(named, list) and len(named) == 3 and all(isinstance(each, str) for each in named):
        return JudgedFunction(*named)
    asked = {question_of(cell) for cell in reference.cells}
    return AFFINE_BACKWARD if AFFINE_BACKWARD.question in asked else None
