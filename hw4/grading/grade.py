"""A submission from its files to its result, and to the files that are left of it."""

import functools
import hashlib
import traceback
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from nbformat import NotebookNode

from . import bounded, output, report
from .affine.judge import PATIENCE, Judge
from .errors import ExitCode, Unusable
from .execution.kernel import BOOT, Kernel
from .execution.run import Execution, Limits, run_cells
from .notebook import labelling
from .notebook.checks import JudgedFunction, check_cells, function_to_judge, is_given_check
from .notebook.comparison import compare, machinery_remarks
from .notebook.format import language_of, read_notebook
from .notebook.questions import Remark
from .notebook.reference import Reference
from .report.console import report_lines, status
from .result import Result
from .sandbox.launcher import Launcher
from .sandbox.limits import ResourceLimits, phrases
from .sandbox.scratch import Scratch
from .submission import Submission, files_to_run

PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg")
LONGEST_FUNCTION = 20_000  # characters of its module that are shown
Progress = Callable[[Result, Execution], None]
Describe = Callable[[Result], list[str]]
# The packages on which what a submission computes and puts out depends.
COMPUTES = ("torch", "numpy", "matplotlib", "scikit-learn", "ipykernel", "ipython", "jupyter_client", "nbformat")


@dataclass(frozen=True)
class Task:
    """What is to be graded, against what, and how."""

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
    all_files = sorted([*output.GRADING.rglob("*.py"), *output.GRADING.rglob("*.toml")])
    files = [file for file in all_files if drawing not in file.parents]
    return output.digest(files, COMPUTES)


@dataclass(frozen=True)
class Outcome:
    """What is left of a submission: its exit code, its files by name, and what the console says of it."""

    name: str
    code: ExitCode
    files: output.Files  # the executed notebook first, where there is one
    lines: list[str]  # the last one sums it up
    answers: dict[str, str] = field(default_factory=dict)  # by question
    faults: dict[str, str] = field(default_factory=dict)  # what failed, by question
    fragments: dict[str, str] = field(default_factory=dict)  # its answers, for the pages of the class

    @property
    def status(self) -> str:
        """Return the words for how the submission ended."""
        return status(self.code, self.answers)

    def states(self) -> dict[str, str]:
        """Return what became of each question: whether it was answered, and what failed."""
        return {name: ", ".join(filter(None, [word, self.faults.get(name)])) for name, word in self.answers.items()}


def grade(
    task: Task, launcher: Launcher, progress: Progress | None = None, describe: Describe = report_lines
) -> Outcome:
    """Grade the submission, whatever it is, and return its `Outcome`; `progress` is called for each cell that ended.

    `describe` returns what the console says of a result.
    """
    name = task.submission.name
    try:
        result = run(task, launcher, progress)
        kept = {"task": task.digest(), "name": name}
        return bounded.call(outcome_of, result, task.submission.notebook, task.strict, kept, describe)
    except Exception as problem:
        return failed_outcome(name, problem)


def outcome_of(
    result: Result, notebook: str, strict: bool, kept: Mapping[str, str], describe: Describe = report_lines
) -> Outcome:
    """Return the outcome of a run, with its files; `notebook` is the name of its file, and `kept` for a later run."""
    from .report.submission_page import Cells, fragments  # whose libraries take half a second to import

    answers = {row.question.id: row.answer() for row in result.rows.values() if row.question.parts}
    lines, code = describe(result), result.exit_code(strict)
    cells = Cells(result)
    rest = {"code": int(code), "lines": lines[-1:], "answers": answers, "faults": result.faults()}
    files = output.files_of(result, notebook, {**kept, **rest}, cells)
    return Outcome(result.title, code, files, lines, answers, result.faults(), fragments(result, cells))


def draw(result: Result) -> None:
    """Draw the page of a result, so that what it is drawn of again is found in the caches of this process."""
    from .report.submission_page import submission_page

    submission_page(result)


def failed_outcome(name: str, problem: BaseException) -> Outcome:
    """Return the outcome of a submission that could not be graded."""
    code = ExitCode.UNUSABLE if isinstance(problem, Unusable) else ExitCode.FAULT
    known = isinstance(problem, Unusable | bounded.BeyondLimits)
    reason = str(problem) if known else bounded.last_of("".join(traceback.format_exception(problem)))
    text = " ".join(reason.split())  # a file's name may have lines
    return Outcome(name, code, output.files_without_result(text), [text])


@dataclass
class Plan:
    """What is known of a submission before it runs: its result so far, the given cells to judge it by, the function."""

    result: Result
    cells: list[tuple[str, str]]
    checks: list[str]
    function: JudgedFunction | None


def run(task: Task, launcher: Launcher, progress: Progress | None = None) -> Result:
    """Run the submission's cells, have its function judged, and return the result.

    An interrupt ends the run and not the result. Raises `Unusable` when there is no notebook to run.
    """
    submission, reference, limits = task.submission, task.reference, task.limits
    files = files_to_run(submission, reference)
    with ExitStack() as stack:
        resources = ResourceLimits(limits.memory, limits.disk, seconds=limits.total + BOOT + PATIENCE)
        scratch = stack.enter_context(Scratch(files, resources))
        kernel = stack.enter_context(Kernel(launcher, scratch))  # it starts while the notebooks are read and compared
        handed_in = {path: body for path, body in submission.files.items() if path.endswith(".py") and path in files}
        own = {path: body.decode(errors="replace") for path, body in handed_in.items()}
        notebooks = [(each.files[each.notebook], each.name) for each in (submission, reference)]
        plan = bounded.call(planned, *notebooks, own)

        def judge(files: dict[str, bytes]) -> Judge:
            # In a copy of its own: nothing that a cell writes is judged in the place of what was given or handed in.
            apart = stack.enter_context(Scratch(files, beside=scratch))
            return stack.enter_context(Judge(launcher, apart, plan.cells, plan.checks, plan.function))

        file = plan.function.file if plan.function else ""
        if progress:  # a single run: the text is drawn, and so cached, while PyTorch is imported and the cells run
            bounded.call_in_background(draw, plan.result)
        early = judge(files) if (plan.cells or plan.function) and (not file or file in files) else None
        finding = plan.result.finding
        finding.limits = limits
        finding.machinery += [Remark(text=note) for note in submission.notes]
        try:
            for execution in run_cells(plan.result.notebook, kernel, limits):
                plan.result.add(execution)
                if progress:
                    progress(plan.result, execution)
            for written in (file, Path(file).name) if file and not early else ():
                if file not in files and (body := scratch.read(launcher, written)):
                    said = f"{file} was not handed in: {written}, which a cell wrote, is judged"
                    finding.machinery.append(Remark(text=said))
                    files |= {file: body}
            if file in files:
                finding.function = files[file].decode(errors="replace")[:LONGEST_FUNCTION]
            if early or file:
                finding.verdict = (early or judge(files)).verdict(limits.total)
                plan.result.look_at_function()
        except KeyboardInterrupt:
            finding.interrupted = True
        plan.result.files = mentioned_pictures(submission, plan.result.notebook)
        finding.layers = phrases(kernel.process.layers)
    return plan.result


def planned(submitted: tuple[bytes, str], reference: tuple[bytes, str], modules: Mapping[str, str]) -> Plan:
    """Read a submission's notebook (its content and name), compare it with the reference's, and plan its run.

    `modules` are the texts of its own modules, by path. Raises `Unusable` for what is no notebook in Python.
    """
    given = read_reference(*reference, must_ask=submitted[0] != reference[0])  # or it is graded by its own questions
    notebook = read_notebook(*submitted)
    if (language := language_of(submitted[0])) != "python":
        raise Unusable(f"{submitted[1]}: a notebook in {language}, not in Python")
    found = compare(notebook, Reference.of(given))
    result = Result(notebook, given, submitted[1], comparison=found)
    result.finding.remarks = found.remarks
    result.finding.machinery = machinery_remarks(notebook, found.cells, given, modules)
    checks = [cell.id for cell in given.cells if cell.cell_type == "code" and is_given_check(cell)]
    return Plan(result, check_cells(given, notebook), checks, function_to_judge(given))


def mentioned_pictures(submission: Submission, notebook: NotebookNode) -> dict[str, bytes]:
    """Return the pictures beside a submission's `notebook` whose names stand in it."""
    text = unquote("\n".join(cell.source for cell in notebook.cells))
    files = submission.files.items()
    return {path: body for path, body in files if path.lower().endswith(PICTURES) and Path(path).name in text}


@functools.lru_cache(maxsize=1)
def read_reference(body: bytes, name: str, must_ask: bool = True) -> NotebookNode:
    """Return the notebook of a reference, which a class reads only once; `Unusable` if it asks nothing and must."""
    return labelling.read_reference(body, name, must_ask).notebook


def model_answers(given: NotebookNode, answers: Path | None, own: Path | None) -> Result:
    """Return the model answers as answers to the reference `given`; where there are none, the reference's own cells.

    They are those in the notebook at `answers`, or in that at `own` if it answers all that is asked.
    """
    for path in (answers, own):
        if path and path.is_file():
            found = Result(read_notebook(path.read_bytes(), path.name), given)
            if path == answers or not found.missing():
                return found
    return Result(given)
